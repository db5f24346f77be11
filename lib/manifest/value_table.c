/* Values that are tables with keys of their own, and lists of VMs by name. */
#include "lib/base/string.h"
#include "lib/manifest/value.h"

#define SUGGESTION_BYTES 96U

void manifest_set_table(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	const struct manifest_entry inner = {
		.manifest = entry->manifest,
		.section = key->section,
		.target = (char *)entry->target + key->offset,
		.vm_index = entry->vm_index,
	};

	manifest_read_entry(&inner, node);
}

/* Elements that are wrong are reported, and counted: what they name is looked at. */
void manifest_set_table_list(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	struct manifest_entry inner = {
		.manifest = entry->manifest,
		.section = key->section,
		.vm_index = entry->vm_index,
	};
	uint32_t count = 0;

	for (const struct toml_node *element = node->first; element != NULL; element = element->next) {
		if (element->kind != TOML_TABLE) {
			manifest_reject(entry, element, E106, "%s lists tables, but here is %s; write { ... }", key->name,
					toml_kind_name(element->kind));
			continue;
		}
		if (count == key->max) {
			manifest_reject(entry, element, E107, "%s has more than %u tables; leave some out", key->name, count);
			break;
		}
		inner.target = (char *)entry->target + key->offset + count * key->element_bytes;
		manifest_set_defaults(key->section, inner.target);
		manifest_read_entry(&inner, element);
		count++;
	}
	if (node->first == NULL)
		manifest_reject(entry, node, E112, "%s is empty; write %s", key->name, manifest_kind_words(key));
	memcpy((char *)entry->target + key->count_offset, &count, sizeof(count));
}

/* The index of the VM of that name, or the count of VMs. */
static uint32_t find_vm(const struct manifest *manifest, const char *name)
{
	uint32_t i = 0;

	while (i < manifest->vm_count && strcmp(manifest->vms[i].name, name) != 0)
		i++;
	return i;
}

static void report_unknown_vm(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *element)
{
	const char *names[MANIFEST_VMS_MAX];
	char suggestion[SUGGESTION_BYTES];

	for (uint32_t i = 0; i < entry->manifest->vm_count; i++)
		names[i] = entry->manifest->vms[i].name;
	manifest_suggest(element->text, names, entry->manifest->vm_count, "write the name of a [[vm]]", suggestion,
			 sizeof(suggestion));
	manifest_reject(entry, element, E125, "%s names VM \"%.40s\", which there is not%s", key->name, element->text, suggestion);
}

void manifest_set_vm_list(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node)
{
	uint64_t set = 0;

	for (const struct toml_node *element = node->first; element != NULL; element = element->next) {
		uint32_t index = element->kind == TOML_STRING ? find_vm(entry->manifest, element->text) : 0;

		if (element->kind != TOML_STRING)
			manifest_reject(entry, element, E106, "%s lists VMs' names in \"quotes\", but here is %s", key->name,
					toml_kind_name(element->kind));
		else if (index == entry->manifest->vm_count)
			report_unknown_vm(entry, key, element);
		else if ((set >> index & 1) != 0)
			manifest_reject(entry, element, E125, "%s names VM \"%.40s\" twice; remove one", key->name, element->text);
		else
			set |= UINT64_C(1) << index;
	}
	if (node->first == NULL)
		manifest_reject(entry, node, E112, "%s is empty; write %s", key->name, manifest_kind_words(key));
	manifest_store_number(entry->target, key, set);
}
