/* Internal to lib/toml: the reading position and what its three files share. */
#pragma once
#include "lib/toml/toml.h"

#define TOML_END (-1)

struct toml_parser {
	const char *at;
	const char *end;
	const char *line_start;
	uint32_t line;
	struct toml_arena *arena;
	struct toml_error *error;
};

/* document.c */

/* Fills the error with the place where the parser stands and returns status, which is not OK. */
MUST_CHECK enum status toml_fail(const struct toml_parser *p, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The next byte, or TOML_END. */
int toml_peek(const struct toml_parser *p);
/* Steps over the next byte if it is c. */
bool toml_take(struct toml_parser *p, char c);
void toml_skip_space(struct toml_parser *p);
/* Also newlines and comments. */
void toml_skip_blank(struct toml_parser *p);
/* Copies text with a NUL into the arena. */
MUST_CHECK enum status toml_keep(const struct toml_parser *p, const char *text, size_t len_bytes, const char **kept);
/* A zeroed node of that kind at the parser's place, last child of parent (NULL: none). */
MUST_CHECK enum status toml_add(const struct toml_parser *p, struct toml_node *parent, enum toml_kind kind,
				struct toml_node **added);
/* key = value into table; depth counts the arrays and inline tables around it. */
MUST_CHECK enum status toml_parse_pair(struct toml_parser *p, struct toml_node *table, unsigned depth);

/* value.c: fills the node, whose place and key are set. Calls itself, at most TOML_DEPTH_MAX deep. */
MUST_CHECK enum status toml_parse_value(struct toml_parser *p, struct toml_node *node, unsigned depth);

/* string.c: "..." or '...' at the parser's place. */
MUST_CHECK enum status toml_parse_string(struct toml_parser *p, const char **text);
/* Moves the parser to the first byte that no text file has (invalid UTF-8, control character); true if there is one. */
bool toml_find_bad_byte(struct toml_parser *p);
