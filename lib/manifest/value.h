/* Internal to lib/manifest: setters, one per kind of value. Each checks the node, whose type is right, and stores its
 * value in the entry's struct, or reports what is wrong and leaves the field. */
#pragma once
#include "lib/manifest/keys.h"
#include "lib/manifest/report.h"

typedef void manifest_setter(const struct manifest_entry *entry, const struct manifest_key *key,
			     const struct toml_node *node);

/* value_text.c */
manifest_setter manifest_set_name, manifest_set_text, manifest_set_path, manifest_set_name_list, manifest_set_mac;
/* Reports what is wrong with a path below bulkhead/, which fits into path_bytes with its NUL. False: it was reported. */
bool manifest_check_path(const struct manifest_entry *entry, const struct manifest_key *key, const struct toml_node *node,
			 const char *path, size_t path_bytes);
bool manifest_has_control(const char *text);
/* Copies text with a NUL, whose length was checked. */
void manifest_store_text(void *target, const struct manifest_key *key, const char *text);

/* value_list.c */
manifest_setter manifest_set_choice, manifest_set_choice_list, manifest_set_cpu_list;

/* value_module.c */
manifest_setter manifest_set_module_list;

/* value_table.c */
manifest_setter manifest_set_table, manifest_set_table_list, manifest_set_vm_list;

/* duration.c */
manifest_setter manifest_set_duration;

/* value.c */

/* Reports what is wrong with that node of the entry. */
void manifest_reject(const struct manifest_entry *entry, const struct toml_node *node, enum error_code code,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Numbers, booleans and small sets lie in fields of 1, 4 or 8 bytes. */
void manifest_store_number(void *target, const struct manifest_key *key, uint64_t value);
