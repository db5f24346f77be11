/* Durations of the manifest: text like "10ms", as nanoseconds. */
#include "lib/base/format.h"
#include "lib/base/string.h"
#include "lib/manifest/value.h"

struct unit {
	const char *name;
	uint64_t ns;
};

/* The largest first: the first that divides is the one to print. */
static const struct unit units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

/* ERR_BAD_FORMAT: no duration; ERR_OVERFLOW: longer than any that is allowed. */
static enum status parse_duration(const char *text, uint64_t *ns)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return ERR_BAD_FORMAT;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (value <= MANIFEST_FRAME_MAX_NS)
			value = value * 10 + (uint64_t)(*text - '0');
	}
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		*ns = value * units[i].ns;
		return value <= MANIFEST_FRAME_MAX_NS / units[i].ns ? OK : ERR_OVERFLOW;
	}
	return ERR_BAD_FORMAT;
}

void manifest_set_duration(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	char least[24], most[24];
	uint64_t ns = 0;
	enum status status = parse_duration(node->text, &ns);

	if (status == ERR_BAD_FORMAT) {
		manifest_reject(entry, node, E122, "%s \"%.40s\" is no duration; write a whole number and us, ms or s, like "
				"\"10ms\"",
				key->name, node->text);
		return;
	}
	if (status == OK && ns >= key->min && ns <= key->max) {
		manifest_store_number(entry->target, key, ns);
		return;
	}
	manifest_duration_format(key->min, least, sizeof(least));
	manifest_duration_format(key->max, most, sizeof(most));
	manifest_reject(entry, node, E107, "%s is %.40s; write %s to %s", key->name, node->text, least, most);
}

size_t manifest_duration_format(uint64_t ns, char *out, size_t size_bytes)
{
	if (ns == 0)
		return format_text(out, size_bytes, "0ms");
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (ns % units[i].ns == 0)
			return format_text(out, size_bytes, "%llu%s", (unsigned long long)(ns / units[i].ns), units[i].name);
	}
	return format_text(out, size_bytes, "%lluns", (unsigned long long)ns);
}
