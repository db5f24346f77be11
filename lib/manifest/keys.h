/* Internal to lib/manifest, and read by the test of docs/manifest.md: the grammar, as const tables. */
#pragma once
#include "lib/manifest/manifest.h"

/* What a key's value is, and so the type of the field at its offset. */
enum manifest_kind {
	MANIFEST_ANY,         /* none: keys that are not yet supported */
	MANIFEST_NAME,        /* text of [a-z0-9-_], up to size - 1 bytes: char[] */
	MANIFEST_TEXT,        /* text without control characters, up to size - 1 bytes: char[] */
	MANIFEST_PATH,        /* path below bulkhead/, up to size - 1 bytes: char[] */
	MANIFEST_SIZE,        /* "512M" or a number of bytes, in min .. max, a multiple of 4096: uint64_t */
	MANIFEST_INTEGER,     /* in min .. max: uint32_t */
	MANIFEST_MAC,         /* "02:00:00:00:00:01", of one card: uint8_t[6] */
	MANIFEST_DURATION,    /* "10ms", in min .. max nanoseconds: uint64_t */
	MANIFEST_BOOLEAN,     /* bool */
	MANIFEST_CHOICE,      /* text, one of choices, as its index: uint32_t */
	MANIFEST_CHOICE_LIST, /* array of such, at least min, as a set of bits: uint64_t */
	MANIFEST_CPU_LIST,    /* array of CPU numbers below max, as a set of bits: uint64_t[] */
	MANIFEST_VM_LIST,     /* array of names of VMs, at least one, as a set of their indexes: uint64_t */
	MANIFEST_NAME_LIST,   /* array of different names, each as MANIFEST_NAME, up to max: char[max][element_bytes] */
	MANIFEST_MODULE_LIST, /* array of "path words", up to max: manifest_vm.modules */
	MANIFEST_TABLE,       /* { ... } with the keys of section: its struct */
	MANIFEST_TABLE_LIST,  /* array of such, 1 .. max; each is read at offset + n * element_bytes */
};

enum manifest_support {
	MANIFEST_SUPPORTED,
	MANIFEST_NOT_YET, /* known, but refused in this version */
};

struct manifest_section;

struct manifest_key {
	const char *name;
	enum manifest_kind kind;
	enum manifest_support support;
	bool is_required;
	const char *stand_in; /* not required where that key is there; NULL: none can stand in */
	uint16_t offset; /* of the field in the table's struct */
	uint16_t size;   /* of the field */
	uint16_t line_offset;   /* of the uint32_t that keeps the key's line; 0: nobody asks for it */
	uint16_t count_offset;  /* lists of tables, modules, names: of the uint32_t that counts them */
	uint16_t element_bytes; /* MANIFEST_TABLE_LIST, MANIFEST_NAME_LIST */
	uint64_t min, max;
	uint64_t default_number; /* also booleans, choices, sets */
	const char *default_text;
	const char *const *choices;
	uint32_t choice_count;
	uint64_t choices_without_effect; /* set of choices; each gives a note */
	enum error_code choice_error;
	const struct manifest_section *section; /* MANIFEST_TABLE, MANIFEST_TABLE_LIST */
};

/* A table of the file: [name], or [[name]] where is_array; or the value of a key. */
struct manifest_section {
	const char *name;
	const char *header;
	bool is_array;
	enum manifest_support support;
	const struct manifest_key *keys;
	uint32_t key_count;
	bool is_value;        /* header is the key's name */
	uint16_t line_offset; /* in the section's struct, of the uint32_t that keeps the table's line; 0: nobody asks for it */
};

enum manifest_section_index { MANIFEST_SECTION_HOST, MANIFEST_SECTION_VM, MANIFEST_SECTION_SCHEDULE, MANIFEST_SECTION_SWITCH,
				MANIFEST_SECTION_SHARED };

extern const struct manifest_section manifest_sections[];
extern const uint32_t manifest_section_count;

/* An empty manifest with the host's defaults, and a VM with all defaults, named "#n"; there must be room (manifest.c).
 */
void manifest_reset(struct manifest *manifest, const char *file_name);
struct manifest_vm *manifest_add_vm(struct manifest *manifest);

/* The entry that a value belongs to. */
struct manifest_entry {
	struct manifest *manifest;
	const struct manifest_section *section;
	void *target; /* the section's struct */
	int32_t vm_index;
};

/* Reads all keys of a table into the entry's struct, and reports those that are missing. */
void manifest_read_entry(const struct manifest_entry *entry, const struct toml_node *table);

/* What a key's value must be, for messages: "an integer without quotes". */
const char *manifest_kind_words(const struct manifest_key *key);

/* Once all tables are read: what the keys of each disk say together. Refuses VMs, each with messages. */
void manifest_check_disks(struct manifest *manifest);

/* Reads the array of [[switch]]. */
void manifest_read_switches(struct manifest *manifest, const struct toml_node *array);

/* Finds what a VM's link names and counts a port of it; reports, at that line, a switch that is not there or full.
 * False: it was reported. */
bool manifest_join_switch(struct manifest *manifest, uint32_t vm_index, uint32_t line, const char *name, uint32_t *switch_index);

/* Once all tables are read: finds the switches of network cards, and gives addresses to those that have none. */
void manifest_check_networks(struct manifest *manifest);

/* Reads the array of [[shared]]. Once all tables are read: finds the regions that VMs share. */
void manifest_read_regions(struct manifest *manifest, const struct toml_node *array);
void manifest_check_regions(struct manifest *manifest);

/* Checks the windows of [schedule] against the frame and one another; reports what is wrong, of no VM. */
void manifest_check_windows(struct manifest *manifest);

/* Checks what several keys say together: reservations, dedicated CPUs, windows. Refuses VMs, each with messages. */
void manifest_check_schedule(struct manifest *manifest);

/* Sets every field of the section's struct to its default. */
void manifest_set_defaults(const struct manifest_section *section, void *target);

/* Checks a value and stores it, or reports what is wrong and leaves the field. */
void manifest_set_value(const struct manifest_entry *entry, const struct manifest_key *key,
			const struct toml_node *node);
