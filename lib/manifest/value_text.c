/* Values that are text: names, command lines, paths. */
#include "lib/manifest/value.h"

#include "lib/base/string.h"

void manifest_store_text(void *target, const struct manifest_key *key, const char *text)
{
	memcpy((char *)target + key->offset, text, strlen(text) + 1);
}

bool manifest_has_control(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

/* A name that fits into size_bytes; others are reported. */
static bool check_name(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node,
		       unsigned size_bytes)
{
	size_t length = 0;

	while ((node->text[length] >= 'a' && node->text[length] <= 'z') ||
	       (node->text[length] >= '0' && node->text[length] <= '9') || node->text[length] == '-' ||
	       node->text[length] == '_')
		length++;
	if (length != 0 && node->text[length] == '\0' && length < size_bytes)
		return true;
	manifest_reject(entry, node, E108, "%s \"%.40s\" cannot be used; write 1 to %u of a-z, 0-9, - and _", key->name,
			node->text, size_bytes - 1U);
	return false;
}

void manifest_set_name(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	if (check_name(entry, key, node, key->size))
		manifest_store_text(entry->target, key, node->text);
}

/* A further name of the list that starts at `names`; *count are there. */
static void add_name(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node, char *names,
		     uint32_t *count)
{
	if (node->kind != TOML_STRING) {
		manifest_reject(entry, node, E106, "%s lists names in \"quotes\", but here is %s", key->name,
				toml_kind_name(node->kind));
		return;
	}
	if (!check_name(entry, key, node, key->element_bytes))
		return;
	for (uint32_t i = 0; i < *count; i++) {
		if (strcmp(names + i * key->element_bytes, node->text) == 0) {
			manifest_reject(entry, node, E108, "%s has \"%.40s\" twice; remove or rename one", key->name, node->text);
			return;
		}
	}
	if (*count == key->max) {
		manifest_reject(entry, node, E107, "%s lists more than %u names; leave some out", key->name, (unsigned)key->max);
		return;
	}
	memcpy(names + *count * key->element_bytes, node->text, strlen(node->text) + 1);
	++*count;
}

/* An element that is wrong is reported and left out. */
void manifest_set_name_list(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	uint32_t count = 0;

	for (const struct toml_node *element = node->first; element != NULL; element = element->next)
		add_name(entry, key, element, (char *)entry->target + key->offset, &count);
	memcpy((char *)entry->target + key->count_offset, &count, sizeof(count));
}

void manifest_set_text(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	if (strlen(node->text) >= key->size)
		manifest_reject(entry, node, E108, "%s has %u bytes; shorten it to at most %u", key->name,
				(unsigned)strlen(node->text), key->size - 1U);
	else if (manifest_has_control(node->text))
		manifest_reject(entry, node, E108, "%s holds a control character (\\n, \\t, \\u00..); remove it",
				key->name);
	else
		manifest_store_text(entry->target, key, node->text);
}

/* Parts between slashes: not empty, not "." and not "..". */
static bool has_good_parts(const char *path)
{
	const char *part = path;

	for (const char *at = path;; at++) {
		size_t length = (size_t)(at - part);

		if (*at != '/' && *at != '\0')
			continue;
		if (length == 0 || (length <= 2 && strncmp(part, "..", length) == 0))
			return false;
		if (*at == '\0')
			return true;
		part = at + 1;
	}
}

bool manifest_check_path(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node,
			 const char *path, size_t path_bytes)
{
	if (strlen(path) >= path_bytes)
		manifest_reject(entry, node, E117, "%s has a path of %u bytes; shorten it to at most %u", key->name,
				(unsigned)strlen(path), (unsigned)path_bytes - 1U);
	else if (strchr(path, '\\') != NULL || manifest_has_control(path) || !has_good_parts(path))
		manifest_reject(entry, node, E117,
				"%s \"%.60s\" is no path below bulkhead/; write it like \"linux/vmlinuz\"", key->name,
				path);
	else
		return true;
	return false;
}

void manifest_set_path(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	if (manifest_check_path(entry, key, node, node->text, key->size))
		manifest_store_text(entry->target, key, node->text);
}

static unsigned hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return (unsigned)(character - '0');
	character |= 0x20;
	return character >= 'a' && character <= 'f' ? (unsigned)(character - 'a') + 10 : 16;
}

/* Six pairs of digits, with a colon between them. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
	if (strlen(text) != 17)
		return false;
	for (unsigned i = 0; i < 6; i++, text += 3) {
		unsigned high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (high > 15 || low > 15 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void manifest_set_mac(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	static const uint8_t nobody[6];
	uint8_t mac[6];

	if (!parse_mac(node->text, mac))
		manifest_reject(entry, node, E141, "%s \"%.40s\" is no address; write six pairs of hexadecimal digits, like "
				"\"02:00:00:00:00:01\"", key->name, node->text);
	else if ((mac[0] & 1) != 0 || memcmp(mac, nobody, sizeof(mac)) == 0)
		manifest_reject(entry, node, E141, "%s %.40s is not that of one card; make its first pair even, like 02, and not "
				"all of it 0", key->name, node->text);
	else
		memcpy((char *)entry->target + key->offset, mac, sizeof(mac));
}
