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
	MANIFEST_BOOLEAN,     /* bool */
	MANIFEST_CHOICE,      /* text, one of choices, as its index: uint32_t */
	MANIFEST_CHOICE_LIST, /* array of such, at least min, as a set of bits: uint64_t */
	MANIFEST_CPU_LIST,    /* array of CPU numbers below max, as a set of bits: uint64_t[] */
};

enum manifest_support {
	MANIFEST_SUPPORTED,
	MANIFEST_WITHOUT_EFFECT, /* read and checked; a value other than the default gives a note */
	MANIFEST_NOT_YET,        /* known, but refused in this version */
};

struct manifest_key {
	const char *name;
	enum manifest_kind kind;
	enum manifest_support support;
	bool is_required;
	uint16_t offset; /* of the field in the table's struct */
	uint16_t size;   /* of the field */
	uint64_t min, max;
	uint64_t supported_max;  /* 0: all up to max; else what lies above is not yet supported */
	uint64_t default_number; /* also booleans, choices, sets */
	const char *default_text;
	const char *const *choices;
	uint32_t choice_count;
	uint64_t choices_without_effect; /* set of choices; each gives a note */
	enum error_code choice_error;
};

/* A table of the file: [name], or [[name]] where is_array. */
struct manifest_section {
	const char *name;
	const char *header;
	bool is_array;
	enum manifest_support support;
	const struct manifest_key *keys;
	uint32_t key_count;
};

enum manifest_section_index { MANIFEST_SECTION_HOST, MANIFEST_SECTION_VM, MANIFEST_SECTION_COUNT_SUPPORTED };

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

/* Sets every field of the section's struct to its default. */
void manifest_set_defaults(const struct manifest_section *section, void *target);

/* Checks a value and stores it, or reports what is wrong and leaves the field. */
void manifest_set_value(const struct manifest_entry *entry, const struct manifest_key *key,
			const struct toml_node *node);
