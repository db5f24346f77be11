/* One value of the manifest: its type, its range, its place in the struct. One function per kind, chosen by a table;
 * those for text, lists, tables and durations are in files of their own. */
#include "lib/manifest/value.h"

#include "lib/base/format.h"
#include "lib/base/string.h"

#define PAGE_MASK 4095U

void manifest_reject(const struct manifest_entry *entry, const struct toml_node *node, enum error_code code,
		     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	manifest_report_args(entry->manifest, entry->vm_index, node->line, code, format, args);
	va_end(args);
}

void manifest_store_number(void *target, const struct manifest_key *key, uint64_t value)
{
	/* Little-endian: the low bytes come first. */
	memcpy((char *)target + key->offset, &value, key->size);
}

/* "512M" as bytes. ERR_BAD_FORMAT: not such a size; ERR_OVERFLOW: 2^64 or more. */
static enum status parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t value = 0;
	unsigned shift = 0;
	bool overflows = false;

	if (*text < '0' || *text > '9')
		return ERR_BAD_FORMAT;
	for (; *text >= '0' && *text <= '9'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		overflows |= value > (UINT64_MAX - digit) / 10;
		value = value * 10 + digit;
	}
	if (*text != '\0') {
		unit = strchr(units, *text);
		if (unit == NULL || text[1] != '\0')
			return ERR_BAD_FORMAT;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (overflows || value > UINT64_MAX >> shift)
		return ERR_OVERFLOW;
	*bytes = value << shift;
	return OK;
}

static void set_size(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	uint64_t bytes = 0;
	enum status status = parse_size(node->text, &bytes);
	char least[16], most[16];

	if (node->kind == TOML_INTEGER && !node->integer_overflows) {
		status = node->integer < 0 ? ERR_OVERFLOW : OK;
		bytes = (uint64_t)node->integer;
	} else if (node->kind == TOML_INTEGER) {
		status = ERR_OVERFLOW;
	}
	if (status == ERR_BAD_FORMAT) {
		manifest_reject(entry, node, E111,
				"%s \"%.40s\" is no size; write a number and K, M, G or T, like \"512M\"", key->name,
				node->text);
		return;
	}
	if (status == OK && bytes >= key->min && bytes <= key->max && (bytes & PAGE_MASK) == 0) {
		manifest_store_number(entry->target, key, bytes);
		return;
	}
	manifest_size_format(key->min, least, sizeof(least));
	manifest_size_format(key->max, most, sizeof(most));
	manifest_reject(entry, node, E107, "%s is %.40s; write at least %s, at most %s, and a multiple of 4K",
			key->name, node->text, least, most);
}

static void set_integer(const struct manifest_entry *entry, const struct manifest_key *key,
			const struct toml_node *node)
{
	uint64_t value = (uint64_t)node->integer;

	if (node->integer_overflows || node->integer < 0 || value < key->min || value > key->max) {
		manifest_reject(entry, node, E107, "%s is %.40s; write %llu to %llu", key->name, node->text,
				(unsigned long long)key->min, (unsigned long long)key->max);
		return;
	}
	manifest_store_number(entry->target, key, value);
}

static void set_boolean(const struct manifest_entry *entry, const struct manifest_key *key,
			const struct toml_node *node)
{
	manifest_store_number(entry->target, key, (uint64_t)node->integer);
}

struct kind {
	enum toml_kind wanted;
	const char *description;
	manifest_setter *set;
};

static const struct kind kinds[] = {
	[MANIFEST_NAME] = {TOML_STRING, "text, like \"web\"", manifest_set_name},
	[MANIFEST_TEXT] = {TOML_STRING, "text in \"quotes\"", manifest_set_text},
	[MANIFEST_PATH] = {TOML_STRING, "a path in \"quotes\"", manifest_set_path},
	[MANIFEST_SIZE] = {TOML_STRING, "a size, like \"512M\"", set_size},
	[MANIFEST_INTEGER] = {TOML_INTEGER, "an integer without quotes", set_integer},
	[MANIFEST_BOOLEAN] = {TOML_BOOLEAN, "true or false without quotes", set_boolean},
	[MANIFEST_CHOICE] = {TOML_STRING, "text in \"quotes\"", manifest_set_choice},
	[MANIFEST_CHOICE_LIST] = {TOML_ARRAY, "an array, like [\"a\", \"b\"]", manifest_set_choice_list},
	[MANIFEST_CPU_LIST] = {TOML_ARRAY, "an array, like [0, 1]", manifest_set_cpu_list},
	[MANIFEST_MAC] = {TOML_STRING, "an address, like \"02:00:00:00:00:01\"", manifest_set_mac},
	[MANIFEST_DURATION] = {TOML_STRING, "a duration, like \"10ms\"", manifest_set_duration},
	[MANIFEST_VM_LIST] = {TOML_ARRAY, "an array of VMs' names, like [\"web\"]", manifest_set_vm_list},
	[MANIFEST_NAME_LIST] = {TOML_ARRAY, "an array of names, like [\"log\"]", manifest_set_name_list},
	[MANIFEST_MODULE_LIST] = {TOML_ARRAY, "an array of files, like [\"os/initrd words\"]", manifest_set_module_list},
	[MANIFEST_TABLE] = {TOML_TABLE, "a table, like { budget = \"2ms\", period = \"10ms\" }", manifest_set_table},
	[MANIFEST_TABLE_LIST] = {TOML_ARRAY, "an array of tables, like [ { start = \"0ms\", ... } ]", manifest_set_table_list},
};

const char *manifest_kind_words(const struct manifest_key *key)
{
	return kinds[key->kind].description;
}

void manifest_set_value(const struct manifest_entry *entry, const struct manifest_key *key,
			const struct toml_node *node)
{
	const struct kind *kind = &kinds[key->kind];

	if (key->line_offset != 0)
		memcpy((char *)entry->target + key->line_offset, &node->line, sizeof(node->line));
	if (node->kind == TOML_UNSUPPORTED)
		manifest_reject(entry, node, E103,
				"%s is %.40s: floats, dates, octal and binary are not read; write %s", key->name,
				node->text, kind->description);
	else if (node->kind != kind->wanted && !(key->kind == MANIFEST_SIZE && node->kind == TOML_INTEGER))
		manifest_reject(entry, node, E106, "%s is %s; write %s", key->name, toml_kind_name(node->kind),
				kind->description);
	else
		kind->set(entry, key, node);
}

void manifest_set_defaults(const struct manifest_section *section, void *target)
{
	for (uint32_t i = 0; i < section->key_count; i++) {
		const struct manifest_key *key = &section->keys[i];

		if (key->default_text != NULL)
			manifest_store_text(target, key, key->default_text);
		else if (key->default_number != 0)
			manifest_store_number(target, key, key->default_number);
	}
}

size_t manifest_size_format(uint64_t bytes, char *out, size_t size_bytes)
{
	static const char *const units[] = {"", "K", "M", "G", "T"};
	unsigned unit = 0;

	while (unit < 4 && bytes != 0 && (bytes & 1023) == 0) {
		bytes >>= 10;
		unit++;
	}
	return format_text(out, size_bytes, "%llu%s", (unsigned long long)bytes, units[unit]);
}
