/* The grammar of bulkhead.toml: every table and key, its type, range and default. docs/manifest.md explains each, and a
 * test demands that. Keys of later versions are listed so that they are refused by name and not taken for mistakes. */
#include "lib/manifest/keys.h"

/* The tables are laid out by hand. */
/* clang-format off */
#define FIELD(type, member) .offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)
#define CHOICES(list)       .choices = (list), .choice_count = sizeof(list) / sizeof((list)[0])
#define NOT_YET(key)        {.name = (key), .support = MANIFEST_NOT_YET}

static const char *const console_choices[] = {"serial", "screen"};
static const char *const restart_choices[] = {
	[MANIFEST_RESTART_NEVER] = "never",
	[MANIFEST_RESTART_ON_FAILURE] = "on-failure",
	[MANIFEST_RESTART_ALWAYS] = "always",
};
static const char *const feature_choices[] = {
#define FEATURE_CHOICE(symbol, name) [FEATURE_##symbol] = (name),
	FEATURES(FEATURE_CHOICE)
#undef FEATURE_CHOICE
};

static const struct manifest_key host_keys[] = {
	{
		.name = "console",
		.kind = MANIFEST_CHOICE_LIST,
		FIELD(manifest_host, console),
		CHOICES(console_choices),
		.choice_error = E112,
		.min = 1,
		.default_number = MANIFEST_CONSOLE_SERIAL | MANIFEST_CONSOLE_SCREEN,
	},
	{
		.name = "disable",
		.kind = MANIFEST_CHOICE_LIST,
		FIELD(manifest_host, disabled_features),
		CHOICES(feature_choices),
		.choices_without_effect = FEATURES_UNUSED,
		.choice_error = E115,
	},
	{.name = "quiet", .kind = MANIFEST_BOOLEAN, FIELD(manifest_host, quiet)},
	NOT_YET("smt"),
};

static const struct manifest_key vm_keys[] = {
	{.name = "name", .kind = MANIFEST_NAME, .is_required = true, FIELD(manifest_vm, name)},
	{.name = "kernel", .kind = MANIFEST_PATH, .is_required = true, FIELD(manifest_vm, kernel)},
	{.name = "initrd", .kind = MANIFEST_PATH, FIELD(manifest_vm, initrd)},
	{.name = "cmdline", .kind = MANIFEST_TEXT, FIELD(manifest_vm, cmdline), .default_text = "console=ttyS0"},
	{
		.name = "memory",
		.kind = MANIFEST_SIZE,
		FIELD(manifest_vm, memory_bytes),
		.min = MANIFEST_MEMORY_MIN_BYTES,
		.max = MANIFEST_MEMORY_MAX_BYTES,
		.default_number = UINT64_C(512) << 20,
	},
	{
		.name = "vcpus",
		.kind = MANIFEST_INTEGER,
		FIELD(manifest_vm, vcpu_count),
		.min = 1,
		.max = MANIFEST_VCPUS_MAX,
		.supported_max = MANIFEST_VCPUS_SUPPORTED,
		.default_number = 1,
	},
	{.name = "cpus", .kind = MANIFEST_CPU_LIST, FIELD(manifest_vm, cpus), .max = MANIFEST_CPUS_MAX},
	{
		.name = "weight",
		.kind = MANIFEST_INTEGER,
		.support = MANIFEST_WITHOUT_EFFECT,
		FIELD(manifest_vm, weight),
		.min = 1,
		.max = 10000,
		.default_number = 100,
	},
	{
		.name = "restart",
		.kind = MANIFEST_CHOICE,
		FIELD(manifest_vm, restart),
		CHOICES(restart_choices),
		.choice_error = E112,
		.default_number = MANIFEST_RESTART_NEVER,
	},
	NOT_YET("cap"),
	NOT_YET("reserve"),
	NOT_YET("dedicated"),
	NOT_YET("service_cpu"),
	NOT_YET("modules"),
	NOT_YET("hpet"),
	NOT_YET("testdev"),
	NOT_YET("firmware"),
	NOT_YET("disk"),
	NOT_YET("net"),
	NOT_YET("vsock"),
	NOT_YET("shared"),
};

#define KEYS(list) .keys = (list), .key_count = sizeof(list) / sizeof((list)[0])

const struct manifest_section manifest_sections[] = {
	[MANIFEST_SECTION_HOST] = {.name = "host", .header = "[host]", KEYS(host_keys)},
	[MANIFEST_SECTION_VM] = {.name = "vm", .header = "[[vm]]", .is_array = true, KEYS(vm_keys)},
	{.name = "schedule", .header = "[schedule]", .support = MANIFEST_NOT_YET},
	{.name = "switch", .header = "[[switch]]", .is_array = true, .support = MANIFEST_NOT_YET},
};

const uint32_t manifest_section_count = sizeof(manifest_sections) / sizeof(manifest_sections[0]);
