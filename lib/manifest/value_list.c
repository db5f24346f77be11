/* Values that choose from a list, and lists of such and of CPUs: sets of bits. */
#include "lib/manifest/value.h"

#include "lib/base/format.h"
#include "lib/base/string.h"

#define CHOICE_LIST_TEXT 160U

static void list_choices(const struct manifest_key *key, char *out, size_t size_bytes)
{
	size_t used = format_text(out, size_bytes, "write one of");

	for (uint32_t i = 0; i < key->choice_count; i++)
		used += format_text(out + used, size_bytes - used, " %s", key->choices[i]);
}

/* The index of the text among the choices; reports it if it is none of them. */
static bool find_choice(const struct manifest_entry *entry, const struct manifest_key *key,
			const struct toml_node *node, uint32_t *index)
{
	char remedy[CHOICE_LIST_TEXT];
	char suggestion[CHOICE_LIST_TEXT + 16];

	for (uint32_t i = 0; i < key->choice_count; i++) {
		if (strcmp(key->choices[i], node->text) == 0) {
			*index = i;
			return true;
		}
	}
	list_choices(key, remedy, sizeof(remedy));
	manifest_suggest(node->text, key->choices, key->choice_count,
			 key->choice_count > 8 ? "docs/manifest.md lists them" : remedy, suggestion,
			 sizeof(suggestion));
	manifest_reject(entry, node, key->choice_error, "%s does not know \"%.40s\"%s", key->name, node->text,
			suggestion);
	return false;
}

void manifest_set_choice(const struct manifest_entry *entry, const struct manifest_key *key,
			 const struct toml_node *node)
{
	uint32_t index = 0;

	if (find_choice(entry, key, node, &index))
		manifest_store_number(entry->target, key, index);
}

static void note_without_effect(const struct manifest_entry *entry, const struct manifest_key *key,
				const struct toml_node *element, uint32_t index)
{
	if ((key->choices_without_effect >> index & 1) != 0)
		manifest_reject(entry, element, E120, "note: \"%s\" in %s has no effect: this version never uses it",
				element->text, key->name);
}

/* An element that is wrong is reported and left out; the others count. */
void manifest_set_choice_list(const struct manifest_entry *entry, const struct manifest_key *key,
			      const struct toml_node *node)
{
	char remedy[CHOICE_LIST_TEXT];
	uint64_t set = 0;
	uint32_t index = 0;

	for (const struct toml_node *element = node->first; element != NULL; element = element->next) {
		if (element->kind != TOML_STRING) {
			manifest_reject(entry, element, E106, "%s lists text in \"quotes\", but here is %s", key->name,
					toml_kind_name(element->kind));
		} else if (find_choice(entry, key, element, &index)) {
			set |= UINT64_C(1) << index;
			note_without_effect(entry, key, element, index);
		}
	}
	if (node->first == NULL && key->min > 0) {
		list_choices(key, remedy, sizeof(remedy));
		manifest_reject(entry, node, E112, "%s is empty; %s", key->name, remedy);
	} else if (set != 0 || node->first == NULL) {
		manifest_store_number(entry->target, key, set);
	}
}

void manifest_set_cpu_list(const struct manifest_entry *entry, const struct manifest_key *key,
			   const struct toml_node *node)
{
	uint64_t set[MANIFEST_CPUS_MAX / 64] = {0};
	const struct toml_node *element;

	for (element = node->first; element != NULL; element = element->next) {
		uint64_t cpu = (uint64_t)element->integer;

		if (element->kind != TOML_INTEGER || element->integer_overflows || cpu >= key->max) {
			manifest_reject(entry, element, E113,
					"%s lists CPU numbers from 0 to %u; %s is here, like cpus = [0, 1]", key->name,
					(unsigned)key->max - 1,
					element->kind == TOML_INTEGER ? element->text : toml_kind_name(element->kind));
			return;
		}
		if ((set[cpu / 64] >> (cpu % 64) & 1) != 0) {
			manifest_reject(entry, element, E113, "%s has CPU %u twice; remove one", key->name,
					(unsigned)cpu);
			return;
		}
		set[cpu / 64] |= UINT64_C(1) << (cpu % 64);
	}
	if (node->first == NULL)
		manifest_reject(entry, node, E113, "%s is empty; %s", key->name,
				key->is_required ? "name CPUs, like [0, 1]" : "remove the key to allow all CPUs");
	else
		memcpy((char *)entry->target + key->offset, set, sizeof(set));
}
