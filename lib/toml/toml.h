/* Reader of a subset of TOML 1.0 into a tree of nodes that the caller provides: nothing allocates.
 *
 * The subset: tables, arrays of tables, dotted and quoted keys, basic and literal strings on one line, decimal and
 * hexadecimal integers, booleans, arrays, inline tables, comments, LF or CR LF, an optional byte order mark.
 * Other TOML values (floats, dates, octal, binary) become nodes of kind TOML_UNSUPPORTED and a key set twice a node
 * with duplicate_line: the caller refuses just the entry that holds them. Everything else that is wrong ends the parse.
 * Not here: what keys mean (lib/manifest). Source: TOML v1.0.0, toml.io. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define TOML_FILE_BYTES_MAX (1U << 20)
#define TOML_DEPTH_MAX      8U /* parts of a key; arrays and inline tables inside one another */
#define TOML_MESSAGE_BYTES  160U

enum toml_kind { TOML_TABLE, TOML_ARRAY, TOML_STRING, TOML_INTEGER, TOML_BOOLEAN, TOML_UNSUPPORTED };

/* What made a table or array, which decides what may still be added to it. */
enum toml_origin {
	TOML_FROM_VALUE,  /* after a '=': complete */
	TOML_FROM_HEADER, /* [table], [[array]] */
	TOML_FROM_PATH,   /* named on the way to a header: may get its own header once */
	TOML_FROM_DOTS,   /* named on the way to a dotted key: only dotted keys add to it */
};

struct toml_node {
	const char *key;         /* NUL-terminated; "" for the root and elements of arrays */
	const char *text;        /* string: its contents; integer, boolean, unsupported: as written; else "" */
	struct toml_node *first; /* children of tables and arrays, in the file's order */
	struct toml_node *last;
	struct toml_node *next;
	int64_t integer;         /* integer that did not overflow; boolean: 0 or 1 */
	uint32_t line;           /* from 1: of the key or header; of the value in arrays */
	uint32_t column;         /* from 1, in bytes */
	uint32_t duplicate_line; /* not 0: this key was already set on that line; this node is the later one */
	enum toml_kind kind;
	enum toml_origin origin;
	bool integer_overflows; /* integer that does not fit int64_t; text has its digits */
};

/* Memory that the tree lives in. The caller sets nodes, node_max, text, text_max (text: sum of keys and values). */
struct toml_arena {
	struct toml_node *nodes;
	uint32_t node_max;
	uint32_t node_count;
	char *text;
	uint32_t text_max;
	uint32_t text_used;
};

struct toml_error {
	uint32_t line;
	uint32_t column;
	char message[TOML_MESSAGE_BYTES]; /* what and remedy, printable ASCII but for quoted file contents */
};

/* Parses text[0 .. len_bytes) and gives the root table, which lives in the arena (emptied first) and not in text.
 * Errors, with *error filled: ERR_OUT_OF_RANGE (larger than TOML_FILE_BYTES_MAX), ERR_BAD_FORMAT (not this subset),
 * ERR_NO_SPACE (arena full). Time is linear in len_bytes but for looking up keys in their table.
 * Context: any; pure. */
MUST_CHECK enum status toml_parse(struct toml_arena *arena, const char *text, size_t len_bytes,
				  const struct toml_node **root, struct toml_error *error);

/* The child of a table with that key (the first, where it is set twice), or NULL. */
const struct toml_node *toml_find(const struct toml_node *table, const char *key);

/* "a table", "an array", "text", "an integer", "a boolean", "a float or date": for messages. */
const char *toml_kind_name(enum toml_kind kind);
