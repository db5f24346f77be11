/* The grammar of bulkhead.toml: every table and key, its type, range and default. docs/manifest.md explains each, and a
 * test demands that. Keys of later versions are listed so that they are refused by name and not taken for mistakes. */
#include "lib/disk/disk.h"
#include "lib/manifest/keys.h"

/* The tables are laid out by hand. */
/* clang-format off */
#define FIELD(type, member) .offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)
#define CHOICES(list)       .choices = (list), .choice_count = sizeof(list) / sizeof((list)[0])
#define LINE(key)           .line_offset = offsetof(struct manifest_vm, lines.key)
#define NOT_YET(key)        {.name = (key), .support = MANIFEST_NOT_YET}

static const char *const console_choices[] = {"serial", "screen"};
static const char *const restart_choices[] = {
	[MANIFEST_RESTART_NEVER] = "never",
	[MANIFEST_RESTART_ON_FAILURE] = "on-failure",
	[MANIFEST_RESTART_ALWAYS] = "always",
};
static const char *const smt_choices[] = {[MANIFEST_SMT_SEPARATE] = "separate", [MANIFEST_SMT_SHARE] = "share"};
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
	{
		.name = "smt",
		.kind = MANIFEST_CHOICE,
		FIELD(manifest_host, smt),
		CHOICES(smt_choices),
		.choice_error = E112,
		.default_number = MANIFEST_SMT_SEPARATE,
	},
};

#define DURATION(type, member, name_text, least, most)                                                      \
	{                                                                                                   \
		.name = (name_text), .kind = MANIFEST_DURATION, .is_required = true, FIELD(type, member), \
		.min = (least), .max = (most),                                                              \
	}
#define KEYS(list) .keys = (list), .key_count = sizeof(list) / sizeof((list)[0])

static const struct manifest_key reserve_keys[] = {
	DURATION(manifest_reserve, budget_ns, "budget", MANIFEST_BUDGET_MIN_NS, MANIFEST_PERIOD_MAX_NS),
	DURATION(manifest_reserve, period_ns, "period", MANIFEST_PERIOD_MIN_NS, MANIFEST_PERIOD_MAX_NS),
};
static const struct manifest_section reserve_section = {
	.name = "reserve", .header = "reserve", .is_value = true, KEYS(reserve_keys),
};

static const char *const disk_mode_choices[] = {[MANIFEST_DISK_COW] = "cow", [MANIFEST_DISK_READ_ONLY] = "read-only"};

static const struct manifest_key disk_keys[] = {
	{.name = "file", .kind = MANIFEST_PATH, FIELD(manifest_disk, file)},
	{.name = "mode", .kind = MANIFEST_CHOICE, FIELD(manifest_disk, mode), CHOICES(disk_mode_choices), .choice_error = E112},
	{.name = "size", .kind = MANIFEST_SIZE, FIELD(manifest_disk, size_bytes), .min = 4096, .max = DISK_MAX_BYTES},
	{.name = "changes", .kind = MANIFEST_SIZE, FIELD(manifest_disk, changes_bytes), .min = 4096, .max = 2 * DISK_MAX_BYTES},
	{.name = "serial", .kind = MANIFEST_TEXT, FIELD(manifest_disk, serial)},
};
static const struct manifest_section disk_section = {
	.name = "disk",
	.header = "disk",
	.is_value = true,
	KEYS(disk_keys),
	.line_offset = offsetof(struct manifest_disk, line),
};

static const struct manifest_key switch_keys[] = {
	{.name = "name", .kind = MANIFEST_NAME, .is_required = true, FIELD(manifest_switch, name)},
};

static const struct manifest_key net_keys[] = {
	{.name = "switch", .kind = MANIFEST_NAME, .is_required = true, FIELD(manifest_net, switch_name)},
	{.name = "mac", .kind = MANIFEST_MAC, FIELD(manifest_net, mac)},
	{
		.name = "queues",
		.kind = MANIFEST_INTEGER,
		FIELD(manifest_net, queue_pairs),
		.min = 1,
		.max = MANIFEST_QUEUES_MAX,
		.default_number = 1,
	},
	{
		.name = "rate",
		.kind = MANIFEST_SIZE,
		FIELD(manifest_net, rate_bytes),
		.min = MANIFEST_RATE_MIN_BYTES,
		.max = MANIFEST_RATE_MAX_BYTES,
	},
	{.name = "mac_filter", .kind = MANIFEST_BOOLEAN, FIELD(manifest_net, mac_filter), .default_number = true},
	{.name = "isolated", .kind = MANIFEST_BOOLEAN, FIELD(manifest_net, isolated)},
};
static const struct manifest_section net_section = {
	.name = "net",
	.header = "net",
	.is_value = true,
	KEYS(net_keys),
	.line_offset = offsetof(struct manifest_net, line),
};

static const struct manifest_key region_keys[] = {
	{.name = "name", .kind = MANIFEST_NAME, .is_required = true, FIELD(manifest_region, name)},
	{
		.name = "size",
		.kind = MANIFEST_SIZE,
		.is_required = true,
		FIELD(manifest_region, size_bytes),
		.min = 4096,
		.max = MANIFEST_REGION_MAX_BYTES,
	},
};

static const char *const access_choices[] = {
	[MANIFEST_ACCESS_READ_WRITE] = "read-write", [MANIFEST_ACCESS_READ_ONLY] = "read-only",
};

static const struct manifest_key shared_keys[] = {
	{.name = "name", .kind = MANIFEST_NAME, .is_required = true, FIELD(manifest_shared, region_name)},
	{
		.name = "access",
		.kind = MANIFEST_CHOICE,
		FIELD(manifest_shared, access),
		CHOICES(access_choices),
		.choice_error = E112,
		.default_number = MANIFEST_ACCESS_READ_WRITE,
	},
	{
		.name = "vectors",
		.kind = MANIFEST_INTEGER,
		FIELD(manifest_shared, vector_count),
		.min = 1,
		.max = MANIFEST_VECTORS_MAX,
		.default_number = 1,
	},
};
static const struct manifest_section shared_section = {
	.name = "shared",
	.header = "shared",
	.is_value = true,
	KEYS(shared_keys),
	.line_offset = offsetof(struct manifest_shared, line),
};

static const struct manifest_key vsock_keys[] = {
	{.name = "switch", .kind = MANIFEST_NAME, .is_required = true, FIELD(manifest_vsock, switch_name)},
	{
		.name = "cid",
		.kind = MANIFEST_INTEGER,
		.is_required = true,
		FIELD(manifest_vsock, cid),
		.min = MANIFEST_CID_MIN,
		.max = MANIFEST_CID_MAX,
	},
};
static const struct manifest_section vsock_section = {
	.name = "vsock",
	.header = "vsock",
	.is_value = true,
	KEYS(vsock_keys),
	.line_offset = offsetof(struct manifest_vsock, line),
};

static const struct manifest_key vm_keys[] = {
	{.name = "name", .kind = MANIFEST_NAME, .is_required = true, FIELD(manifest_vm, name)},
	{.name = "kernel", .kind = MANIFEST_PATH, .is_required = true, .stand_in = "firmware", FIELD(manifest_vm, kernel)},
	{.name = "initrd", .kind = MANIFEST_PATH, FIELD(manifest_vm, initrd)},
	{.name = "firmware", .kind = MANIFEST_PATH, FIELD(manifest_vm, firmware)},
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
		.default_number = 1,
	},
	{.name = "cpus", .kind = MANIFEST_CPU_LIST, FIELD(manifest_vm, cpus), LINE(cpus), .max = MANIFEST_CPUS_MAX},
	{
		.name = "weight",
		.kind = MANIFEST_INTEGER,
		FIELD(manifest_vm, weight),
		.min = 1,
		.max = SCHEDULE_WEIGHT_MAX,
		.default_number = SCHEDULE_WEIGHT_USUAL,
	},
	{
		.name = "cap",
		.kind = MANIFEST_INTEGER,
		FIELD(manifest_vm, cap_percent),
		LINE(cap),
		.min = 1,
		.max = MANIFEST_CAP_MAX_PERCENT,
	},
	{.name = "reserve", .kind = MANIFEST_TABLE, FIELD(manifest_vm, reserve), LINE(reserve), .section = &reserve_section},
	{.name = "dedicated", .kind = MANIFEST_BOOLEAN, FIELD(manifest_vm, dedicated), LINE(dedicated)},
	{
		.name = "service_cpu",
		.kind = MANIFEST_INTEGER,
		FIELD(manifest_vm, service_cpu),
		LINE(service_cpu),
		.max = MANIFEST_CPUS_MAX - 1,
	},
	{
		.name = "restart",
		.kind = MANIFEST_CHOICE,
		FIELD(manifest_vm, restart),
		CHOICES(restart_choices),
		.choice_error = E112,
		.default_number = MANIFEST_RESTART_NEVER,
	},
	{
		.name = "modules",
		.kind = MANIFEST_MODULE_LIST,
		FIELD(manifest_vm, modules),
		.count_offset = offsetof(struct manifest_vm, module_count),
		.max = MANIFEST_MODULES_MAX,
	},
	{.name = "autostart", .kind = MANIFEST_BOOLEAN, FIELD(manifest_vm, autostart), .default_number = true},
	{.name = "testdev", .kind = MANIFEST_BOOLEAN, FIELD(manifest_vm, testdev)},
	{.name = "hpet", .kind = MANIFEST_BOOLEAN, FIELD(manifest_vm, hpet)},
	{.name = "rng", .kind = MANIFEST_BOOLEAN, FIELD(manifest_vm, rng)},
	{.name = "balloon", .kind = MANIFEST_BOOLEAN, FIELD(manifest_vm, balloon)},
	{.name = "hvc", .kind = MANIFEST_BOOLEAN, FIELD(manifest_vm, hvc)},
	{
		.name = "ports",
		.kind = MANIFEST_NAME_LIST,
		FIELD(manifest_vm, ports),
		.count_offset = offsetof(struct manifest_vm, port_count),
		.element_bytes = MANIFEST_PORT_NAME_BYTES,
		.max = MANIFEST_PORTS_MAX,
	},
	{
		.name = "disk",
		.kind = MANIFEST_TABLE_LIST,
		FIELD(manifest_vm, disks),
		.count_offset = offsetof(struct manifest_vm, disk_count),
		.element_bytes = sizeof(struct manifest_disk),
		.max = MANIFEST_DISKS_MAX,
		.section = &disk_section,
	},
	{
		.name = "net",
		.kind = MANIFEST_TABLE_LIST,
		FIELD(manifest_vm, nets),
		.count_offset = offsetof(struct manifest_vm, net_count),
		.element_bytes = sizeof(struct manifest_net),
		.max = MANIFEST_NETS_MAX,
		.section = &net_section,
	},
	{
		.name = "shared",
		.kind = MANIFEST_TABLE_LIST,
		FIELD(manifest_vm, shares),
		.count_offset = offsetof(struct manifest_vm, share_count),
		.element_bytes = sizeof(struct manifest_shared),
		.max = VMM_REGIONS_MAX,
		.section = &shared_section,
	},
	{.name = "vsock", .kind = MANIFEST_TABLE, FIELD(manifest_vm, vsock), .section = &vsock_section},
	NOT_YET("pci"),
};

static const struct manifest_key window_keys[] = {
	DURATION(manifest_window, start_ns, "start", 0, MANIFEST_FRAME_MAX_NS),
	DURATION(manifest_window, length_ns, "length", MANIFEST_WINDOW_MIN_NS, MANIFEST_FRAME_MAX_NS),
	{.name = "vms", .kind = MANIFEST_VM_LIST, .is_required = true, FIELD(manifest_window, vms)},
	{
		.name = "cpus",
		.kind = MANIFEST_CPU_LIST,
		.is_required = true,
		FIELD(manifest_window, cpus),
		.max = MANIFEST_CPUS_MAX,
	},
};
static const struct manifest_section window_section = {
	.name = "windows",
	.header = "windows",
	.is_value = true,
	KEYS(window_keys),
	.line_offset = offsetof(struct manifest_window, line),
};

static const struct manifest_key schedule_keys[] = {
	DURATION(manifest_schedule, frame_ns, "frame", MANIFEST_FRAME_MIN_NS, MANIFEST_FRAME_MAX_NS),
	{
		.name = "windows",
		.kind = MANIFEST_TABLE_LIST,
		.is_required = true,
		FIELD(manifest_schedule, windows),
		.count_offset = offsetof(struct manifest_schedule, window_count),
		.element_bytes = sizeof(struct manifest_window),
		.max = MANIFEST_WINDOWS_MAX,
		.section = &window_section,
	},
	{.name = "slack", .kind = MANIFEST_BOOLEAN, FIELD(manifest_schedule, slack)},
};

const struct manifest_section manifest_sections[] = {
	[MANIFEST_SECTION_HOST] = {.name = "host", .header = "[host]", KEYS(host_keys)},
	[MANIFEST_SECTION_VM] = {.name = "vm", .header = "[[vm]]", .is_array = true, KEYS(vm_keys)},
	[MANIFEST_SECTION_SCHEDULE] = {
		.name = "schedule",
		.header = "[schedule]",
		KEYS(schedule_keys),
		.line_offset = offsetof(struct manifest_schedule, line),
	},
	[MANIFEST_SECTION_SWITCH] = {
		.name = "switch",
		.header = "[[switch]]",
		.is_array = true,
		KEYS(switch_keys),
		.line_offset = offsetof(struct manifest_switch, line),
	},
	[MANIFEST_SECTION_SHARED] = {
		.name = "shared",
		.header = "[[shared]]",
		.is_array = true,
		KEYS(region_keys),
		.line_offset = offsetof(struct manifest_region, line),
	},
};

const uint32_t manifest_section_count = sizeof(manifest_sections) / sizeof(manifest_sections[0]);
