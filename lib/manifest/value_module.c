/* The files that a boot loader hands to a kernel beside it: "path words". */
#include "lib/base/string.h"
#include "lib/manifest/value.h"

void manifest_module_path(const char *text, char path[BOOT_FILE_PATH_BYTES])
{
	size_t length = 0;

	while (length < BOOT_FILE_PATH_BYTES - 1 && text[length] != '\0' && text[length] != ' ')
		length++;
	memcpy(path, text, length);
	path[length] = '\0';
}

/* One element; *to has room for MANIFEST_MODULE_BYTES. */
static bool read_module(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *element,
			char *to)
{
	char path[MANIFEST_MODULE_BYTES];
	size_t length = 0;

	if (element->kind != TOML_STRING) {
		manifest_reject(entry, element, E106, "%s lists files in \"quotes\", but here is %s", key->name,
				toml_kind_name(element->kind));
		return false;
	}
	if (strlen(element->text) >= MANIFEST_MODULE_BYTES) {
		manifest_reject(entry, element, E108, "%s has a text of %u bytes; shorten it to at most %u", key->name,
				(unsigned)strlen(element->text), MANIFEST_MODULE_BYTES - 1U);
		return false;
	}
	if (manifest_has_control(element->text)) {
		manifest_reject(entry, element, E108, "%s holds a control character (\\n, \\t, \\u00..); remove it", key->name);
		return false;
	}
	while (element->text[length] != '\0' && element->text[length] != ' ')
		length++;
	memcpy(path, element->text, length);
	path[length] = '\0';
	if (!manifest_check_path(entry, key, element, path, BOOT_FILE_PATH_BYTES))
		return false;
	memcpy(to, element->text, strlen(element->text) + 1);
	return true;
}

/* An element that is wrong is reported and left out. */
void manifest_set_module_list(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	char *to = (char *)entry->target + key->offset;
	uint32_t count = 0;

	for (const struct toml_node *element = node->first; element != NULL; element = element->next) {
		if (count == key->max) {
			manifest_reject(entry, element, E107, "%s lists more than %u files; leave some out", key->name,
					(unsigned)key->max);
			break;
		}
		if (read_module(entry, key, element, to + count * MANIFEST_MODULE_BYTES))
			count++;
	}
	memcpy((char *)entry->target + key->count_offset, &count, sizeof(count));
}
