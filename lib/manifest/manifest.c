/* From the parsed file to struct manifest: tables, entries, names. The grammar is keys.c, single values are value.c. */
#include "lib/manifest/manifest.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "lib/manifest/keys.h"
#include "lib/manifest/report.h"

#define NAMES_MAX        32U
#define SUGGESTION_BYTES 96U

_Static_assert(sizeof(struct manifest) + sizeof(struct manifest_workspace) <= 2U << 20,
	       "fit as static data of a program");

void manifest_reset(struct manifest *manifest, const char *file_name)
{
	memset(manifest, 0, sizeof(*manifest));
	manifest->file_name = file_name;
	manifest_set_defaults(&manifest_sections[MANIFEST_SECTION_HOST], &manifest->host);
}

struct manifest_vm *manifest_add_vm(struct manifest *manifest)
{
	struct manifest_vm *vm = &manifest->vms[manifest->vm_count++];

	manifest_set_defaults(&manifest_sections[MANIFEST_SECTION_VM], vm);
	format_text(vm->name, sizeof(vm->name), "#%u", manifest->vm_count);
	return vm;
}

static const struct manifest_key *find_key(const struct manifest_section *section, const char *name)
{
	for (uint32_t i = 0; i < section->key_count; i++) {
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	}
	return NULL;
}

static void report_unknown_key(const struct manifest_entry *entry, const struct toml_node *node)
{
	const struct manifest_section *section = entry->section;
	const char *names[NAMES_MAX];
	char suggestion[SUGGESTION_BYTES];
	uint32_t count = 0;

	for (; count < section->key_count && count < NAMES_MAX; count++)
		names[count] = section->keys[count].name;
	manifest_suggest(node->key, names, count, "remove it, or see docs/manifest.md", suggestion, sizeof(suggestion));
	manifest_report(entry->manifest, entry->vm_index, node->line, E105, "key \"%.40s\" is not known in %s%s",
			node->key, section->header, suggestion);
}

static void read_pair(const struct manifest_entry *entry, const struct toml_node *node)
{
	const struct manifest_key *key = find_key(entry->section, node->key);

	if (key == NULL)
		report_unknown_key(entry, node);
	else if (node->duplicate_line != 0)
		manifest_report(entry->manifest, entry->vm_index, node->line, E118,
				"%s is already set on line %u; remove one", key->name, node->duplicate_line);
	else if (key->support == MANIFEST_NOT_YET)
		manifest_report(entry->manifest, entry->vm_index, node->line, E114,
				"%s is not yet supported in this version; remove it", key->name);
	else
		manifest_set_value(entry, key, node);
}

static void report_missing_key(const struct manifest_entry *entry, const struct toml_node *table, const struct manifest_key *key)
{
	if (entry->section->is_value || key->kind == MANIFEST_TABLE_LIST)
		manifest_report(entry->manifest, entry->vm_index, table->line, E110, "%s has no %s; add %s",
				entry->section->header, key->name, manifest_kind_words(key));
	else
		manifest_report(entry->manifest, entry->vm_index, table->line, E110,
				"%s has no %s; add a line %s = \"...\"", entry->section->header, key->name, key->name);
}

void manifest_read_entry(const struct manifest_entry *entry, const struct toml_node *table)
{
	if (entry->section->line_offset != 0)
		memcpy((char *)entry->target + entry->section->line_offset, &table->line, sizeof(table->line));
	for (const struct toml_node *node = table->first; node != NULL; node = node->next)
		read_pair(entry, node);
	for (uint32_t i = 0; i < entry->section->key_count; i++) {
		const struct manifest_key *key = &entry->section->keys[i];

		if (key->is_required && toml_find(table, key->name) == NULL &&
		    (key->stand_in == NULL || toml_find(table, key->stand_in) == NULL))
			report_missing_key(entry, table, key);
	}
}

/* The VM of an earlier entry with that name, or NULL. */
static const struct manifest_vm *find_earlier(const struct manifest *manifest, const struct manifest_vm *vm)
{
	for (const struct manifest_vm *earlier = manifest->vms; earlier < vm; earlier++) {
		if (strcmp(earlier->name, vm->name) == 0)
			return earlier;
	}
	return NULL;
}

/* The first of a name keeps it; a later one is refused and loses it, so that names stay clear. */
static void check_name(struct manifest *manifest, uint32_t index)
{
	struct manifest_vm *vm = &manifest->vms[index];
	const struct manifest_vm *earlier = find_earlier(manifest, vm);

	if (earlier == NULL)
		return;
	manifest_report(manifest, (int32_t)index, vm->line, E109,
			"name \"%s\" is already that of the VM on line %u; choose another", vm->name, earlier->line);
	format_text(vm->name, sizeof(vm->name), "#%u", index + 1);
}

static void read_vm(struct manifest *manifest, const struct toml_node *table)
{
	const struct manifest_section *section = &manifest_sections[MANIFEST_SECTION_VM];
	uint32_t index = manifest->vm_count;
	struct manifest_entry entry = {.manifest = manifest, .section = section, .vm_index = (int32_t)index};

	entry.target = manifest_add_vm(manifest);
	manifest->vms[index].line = table->line;
	if (table->kind != TOML_TABLE) {
		manifest_report(manifest, entry.vm_index, table->line, E106, "vm lists %s; write a table below [[vm]]",
				toml_kind_name(table->kind));
		return;
	}
	manifest_read_entry(&entry, table);
	check_name(manifest, index);
}

static void read_vms(struct manifest *manifest, const struct toml_node *array)
{
	for (const struct toml_node *table = array->first; table != NULL; table = table->next) {
		if (manifest->vm_count == MANIFEST_VMS_MAX) {
			manifest_report(manifest, -1, table->line, E116,
					"this and later VMs are ignored; at most %u are supported", MANIFEST_VMS_MAX);
			return;
		}
		read_vm(manifest, table);
	}
}

static void read_host(struct manifest *manifest, const struct toml_node *table)
{
	const struct manifest_entry entry = {
		.manifest = manifest,
		.section = &manifest_sections[MANIFEST_SECTION_HOST],
		.target = &manifest->host,
		.vm_index = -1,
	};

	manifest_read_entry(&entry, table);
}

/* Windows that are only half right would give time to the wrong VMs: all of them are dropped, with the VMs that they name. */
static void drop_schedule(struct manifest *manifest)
{
	struct manifest_schedule *schedule = &manifest->schedule;

	for (uint32_t i = 0; i < schedule->window_count; i++) {
		const struct manifest_window *window = &schedule->windows[i];

		for (uint32_t vm = 0; vm < manifest->vm_count; vm++) {
			if ((window->vms >> vm & 1) != 0 && !manifest->vms[vm].refused)
				manifest_report(manifest, (int32_t)vm, window->line, E128,
						"VM \"%s\" is in a window, but [schedule] is wrong; correct it first",
						manifest->vms[vm].name);
		}
	}
	schedule->window_count = 0;
}

static void read_schedule(struct manifest *manifest, const struct toml_node *table)
{
	const struct manifest_entry entry = {
		.manifest = manifest,
		.section = &manifest_sections[MANIFEST_SECTION_SCHEDULE],
		.target = &manifest->schedule,
		.vm_index = -1,
	};
	uint32_t errors_before = manifest->error_count;

	manifest_read_entry(&entry, table);
	manifest_check_windows(manifest);
	if (manifest->error_count != errors_before)
		drop_schedule(manifest);
}

static const struct manifest_section *find_section(const char *name)
{
	for (uint32_t i = 0; i < manifest_section_count; i++) {
		if (strcmp(manifest_sections[i].name, name) == 0)
			return &manifest_sections[i];
	}
	return NULL;
}

static void report_unknown_section(struct manifest *manifest, const struct toml_node *node)
{
	const char *names[NAMES_MAX];
	char suggestion[SUGGESTION_BYTES];
	uint32_t count = 0;

	if (node->kind != TOML_TABLE && node->origin == TOML_FROM_VALUE) {
		manifest_report(manifest, -1, node->line, E105,
				"key \"%.40s\" stands above all tables; put it below [host] or [[vm]]", node->key);
		return;
	}
	for (; count < manifest_section_count && count < NAMES_MAX; count++)
		names[count] = manifest_sections[count].name;
	manifest_suggest(node->key, names, count,
			 "there are [host], [[vm]], [[switch]], [[shared]] and [schedule]", suggestion, sizeof(suggestion));
	manifest_report(manifest, -1, node->line, E104, "table \"%.40s\" is not known%s", node->key, suggestion);
}

static void read_section(struct manifest *manifest, const struct toml_node *node)
{
	const struct manifest_section *section = find_section(node->key);

	if (section == NULL)
		report_unknown_section(manifest, node);
	else if (node->duplicate_line != 0)
		manifest_report(manifest, -1, node->line, E118, "%s is already set on line %u; remove one", node->key,
				node->duplicate_line);
	else if (section->support == MANIFEST_NOT_YET)
		manifest_report(manifest, -1, node->line, E114,
				"%s is not yet supported in this version and ignored; remove it", section->header);
	else if (node->kind != (section->is_array ? TOML_ARRAY : TOML_TABLE))
		manifest_report(manifest, -1, node->line, E106, "\"%s\" is %s; write %s on a line of its own",
				node->key, toml_kind_name(node->kind), section->header);
	else if (section == &manifest_sections[MANIFEST_SECTION_SWITCH])
		manifest_read_switches(manifest, node);
	else if (section == &manifest_sections[MANIFEST_SECTION_SHARED])
		manifest_read_regions(manifest, node);
	else if (section->is_array)
		read_vms(manifest, node);
	else if (section == &manifest_sections[MANIFEST_SECTION_SCHEDULE])
		read_schedule(manifest, node);
	else
		read_host(manifest, node);
}

/* Windows name VMs, which may stand below them in the file: so [schedule] comes last. */
static void read_sections(struct manifest *manifest, const struct toml_node *root)
{
	const char *last = manifest_sections[MANIFEST_SECTION_SCHEDULE].name;

	for (const struct toml_node *node = root->first; node != NULL; node = node->next) {
		if (strcmp(node->key, last) != 0)
			read_section(manifest, node);
	}
	for (const struct toml_node *node = root->first; node != NULL; node = node->next) {
		if (strcmp(node->key, last) == 0)
			read_section(manifest, node);
	}
	manifest_check_disks(manifest);
	manifest_check_networks(manifest);
	manifest_check_regions(manifest);
	manifest_check_schedule(manifest);
}

void manifest_read(struct manifest *manifest, struct manifest_workspace *workspace, const char *file_name,
		   const char *text, size_t len_bytes)
{
	struct toml_arena arena = {
		.nodes = workspace->nodes,
		.node_max = sizeof(workspace->nodes) / sizeof(workspace->nodes[0]),
		.text = workspace->text,
		.text_max = sizeof(workspace->text),
	};
	const struct toml_node *root;
	struct toml_error error;
	enum status status;

	manifest_reset(manifest, file_name);
	status = toml_parse(&arena, text, len_bytes, &root, &error);
	if (status != OK) {
		manifest_report(manifest, -1, error.line, status == ERR_BAD_FORMAT ? E101 : E102, "%s", error.message);
		manifest->messages[0].column = error.column;
		return;
	}
	read_sections(manifest, root);
	if (manifest->vm_count == 0 && manifest->error_count == 0)
		manifest_report(manifest, -1, 0, E121, "the file names no VM; add a [[vm]] with name and kernel");
}

void manifest_unreadable(struct manifest *manifest, const char *file_name, const char *reason)
{
	manifest_reset(manifest, file_name);
	manifest_report(manifest, -1, 0, E119, "the file cannot be read: %s", reason);
}
