/* The file as a whole: lines, keys, headers, and the tree they build. Values: value.c.
 * Source: TOML v1.0.0, "Keys", "Table", "Array of Tables". */
#include "lib/toml/parser.h"

#include <stdarg.h>

#include "lib/base/format.h"
#include "lib/base/string.h"

struct key_path {
	const char *parts[TOML_DEPTH_MAX];
	unsigned count;
};

enum status toml_fail(const struct toml_parser *p, enum status status, const char *format, ...)
{
	va_list args;

	p->error->line = p->line;
	p->error->column = (uint32_t)(p->at - p->line_start) + 1;
	va_start(args, format);
	format_args(p->error->message, sizeof(p->error->message), format, args);
	va_end(args);
	return status;
}

int toml_peek(const struct toml_parser *p)
{
	return p->at < p->end ? (unsigned char)*p->at : TOML_END;
}

bool toml_take(struct toml_parser *p, char c)
{
	if (toml_peek(p) != (unsigned char)c)
		return false;
	p->at++;
	return true;
}

void toml_skip_space(struct toml_parser *p)
{
	while (toml_peek(p) == ' ' || toml_peek(p) == '\t')
		p->at++;
}

/* A CR is always followed by LF: toml_find_bad_byte() saw to it. */
static bool take_newline(struct toml_parser *p)
{
	(void)toml_take(p, '\r');
	if (!toml_take(p, '\n'))
		return false;
	p->line++;
	p->line_start = p->at;
	return true;
}

static void skip_comment(struct toml_parser *p)
{
	if (toml_peek(p) != '#')
		return;
	while (toml_peek(p) != TOML_END && toml_peek(p) != '\n' && toml_peek(p) != '\r')
		p->at++;
}

void toml_skip_blank(struct toml_parser *p)
{
	do {
		toml_skip_space(p);
		skip_comment(p);
	} while (take_newline(p));
}

enum status toml_keep(const struct toml_parser *p, const char *text, size_t len_bytes, const char **kept)
{
	struct toml_arena *arena = p->arena;
	char *copy = arena->text + arena->text_used;

	if (arena->text_max - arena->text_used <= len_bytes)
		return toml_fail(p, ERR_NO_SPACE, "the file holds more text than fits; shorten it");
	memcpy(copy, text, len_bytes);
	copy[len_bytes] = '\0';
	arena->text_used += (uint32_t)len_bytes + 1;
	*kept = copy;
	return OK;
}

enum status toml_add(const struct toml_parser *p, struct toml_node *parent, enum toml_kind kind,
		     struct toml_node **added)
{
	struct toml_arena *arena = p->arena;
	struct toml_node *node;

	if (arena->node_count == arena->node_max)
		return toml_fail(p, ERR_NO_SPACE, "the file holds more than %u values; shorten it", arena->node_max);
	node = &arena->nodes[arena->node_count++];
	*node = (struct toml_node){.key = "", .text = "", .kind = kind, .line = p->line};
	node->column = (uint32_t)(p->at - p->line_start) + 1;
	if (parent != NULL && parent->last != NULL)
		parent->last->next = node;
	else if (parent != NULL)
		parent->first = node;
	if (parent != NULL)
		parent->last = node;
	*added = node;
	return OK;
}

static struct toml_node *find_child(const struct toml_node *table, const char *key)
{
	struct toml_node *child = table->first;

	while (child != NULL && strcmp(child->key, key) != 0)
		child = child->next;
	return child;
}

static bool is_bare_key_byte(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

static enum status parse_key_part(struct toml_parser *p, const char **part)
{
	const char *start = p->at;

	if (toml_peek(p) == '"' || toml_peek(p) == '\'')
		return toml_parse_string(p, part);
	while (is_bare_key_byte(toml_peek(p)))
		p->at++;
	if (p->at == start)
		return toml_fail(p, ERR_BAD_FORMAT,
				 "a key is missing here; lines are: key = value, [table] or [[table]]");
	return toml_keep(p, start, (size_t)(p->at - start), part);
}

static enum status parse_key_path(struct toml_parser *p, struct key_path *path)
{
	path->count = 0;
	do {
		enum status status;

		if (path->count == TOML_DEPTH_MAX)
			return toml_fail(p, ERR_BAD_FORMAT, "the key has more than %u parts", TOML_DEPTH_MAX);
		toml_skip_space(p);
		status = parse_key_part(p, &path->parts[path->count]);
		if (status != OK)
			return status;
		path->count++;
		toml_skip_space(p);
	} while (toml_take(p, '.'));
	return OK;
}

static enum status fail_taken(const struct toml_parser *p, const struct toml_node *first)
{
	return toml_fail(p, ERR_BAD_FORMAT, "\"%.40s\" is already set on line %u; remove or rename one", first->key,
			 first->line);
}

static enum status add_named(const struct toml_parser *p, struct toml_node *parent, const char *key,
			     enum toml_kind kind, enum toml_origin origin, struct toml_node **added)
{
	enum status status = toml_add(p, parent, kind, added);

	if (status == OK) {
		(*added)->key = key;
		(*added)->origin = origin;
	}
	return status;
}

/* One step along a header's path: into a table, or into the last element of an array of tables. */
static enum status step_to_header(const struct toml_parser *p, struct toml_node **table, const char *key)
{
	struct toml_node *child = find_child(*table, key);

	if (child == NULL)
		return add_named(p, *table, key, TOML_TABLE, TOML_FROM_PATH, table);
	if (child->origin == TOML_FROM_VALUE)
		return fail_taken(p, child);
	*table = child->kind == TOML_ARRAY ? child->last : child;
	return OK;
}

static enum status open_table(const struct toml_parser *p, struct toml_node *parent, const char *key,
			      struct toml_node **table)
{
	struct toml_node *child = find_child(parent, key);

	if (child == NULL)
		return add_named(p, parent, key, TOML_TABLE, TOML_FROM_HEADER, table);
	if (child->kind != TOML_TABLE || child->origin != TOML_FROM_PATH)
		return fail_taken(p, child);
	child->origin = TOML_FROM_HEADER;
	child->line = p->line;
	*table = child;
	return OK;
}

static enum status open_array_element(const struct toml_parser *p, struct toml_node *parent, const char *key,
				      struct toml_node **table)
{
	struct toml_node *array = find_child(parent, key);
	enum status status = OK;

	if (array == NULL)
		status = add_named(p, parent, key, TOML_ARRAY, TOML_FROM_HEADER, &array);
	else if (array->kind != TOML_ARRAY || array->origin != TOML_FROM_HEADER)
		status = fail_taken(p, array);
	if (status != OK)
		return status;
	return add_named(p, array, "", TOML_TABLE, TOML_FROM_HEADER, table);
}

/* [a.b] or [[a.b]]: *table then is where the following keys go. */
static enum status parse_header(struct toml_parser *p, struct toml_node *root, struct toml_node **table)
{
	const struct toml_parser start = *p;
	bool is_array = p->end - p->at >= 2 && p->at[1] == '[';
	struct toml_node *parent = root;
	struct key_path path;
	enum status status;

	p->at += is_array ? 2 : 1;
	status = parse_key_path(p, &path);
	for (unsigned i = 0; status == OK && i + 1 < path.count; i++)
		status = step_to_header(&start, &parent, path.parts[i]);
	if (status != OK)
		return status;
	if (!toml_take(p, ']') || (is_array && !toml_take(p, ']')))
		return toml_fail(p, ERR_BAD_FORMAT, "the header is not closed; add %s", is_array ? "]]" : "]");
	if (is_array)
		return open_array_element(&start, parent, path.parts[path.count - 1], table);
	return open_table(&start, parent, path.parts[path.count - 1], table);
}

/* One step along a dotted key. */
static enum status step_to_dotted(const struct toml_parser *p, struct toml_node **table, const char *key)
{
	struct toml_node *child = find_child(*table, key);

	if (child == NULL)
		return add_named(p, *table, key, TOML_TABLE, TOML_FROM_DOTS, table);
	if (child->kind != TOML_TABLE || child->origin != TOML_FROM_DOTS)
		return fail_taken(p, child);
	*table = child;
	return OK;
}

enum status toml_parse_pair(struct toml_parser *p, struct toml_node *table, unsigned depth)
{
	struct toml_parser start;
	const struct toml_node *earlier;
	struct toml_node *node;
	struct key_path path;
	enum status status;

	toml_skip_space(p);
	start = *p;
	status = parse_key_path(p, &path);
	for (unsigned i = 0; status == OK && i + 1 < path.count; i++)
		status = step_to_dotted(&start, &table, path.parts[i]);
	if (status != OK)
		return status;
	if (!toml_take(p, '='))
		return toml_fail(p, ERR_BAD_FORMAT, "= is missing after the key \"%.40s\"", path.parts[path.count - 1]);
	toml_skip_space(p);
	earlier = find_child(table, path.parts[path.count - 1]);
	status = add_named(&start, table, path.parts[path.count - 1], TOML_UNSUPPORTED, TOML_FROM_VALUE, &node);
	if (status != OK)
		return status;
	node->duplicate_line = earlier != NULL ? earlier->line : 0;
	return toml_parse_value(p, node, depth);
}

static enum status expect_line_end(struct toml_parser *p)
{
	toml_skip_space(p);
	skip_comment(p);
	if (toml_peek(p) == TOML_END || take_newline(p))
		return OK;
	return toml_fail(p, ERR_BAD_FORMAT, "the line should end here; one key = value a line, text in \"quotes\"");
}

static enum status parse_document(struct toml_parser *p, struct toml_node *root)
{
	struct toml_node *table = root;

	for (;;) {
		enum status status;

		toml_skip_blank(p);
		if (toml_peek(p) == TOML_END)
			return OK;
		if (toml_peek(p) == '[')
			status = parse_header(p, root, &table);
		else
			status = toml_parse_pair(p, table, 0);
		if (status == OK)
			status = expect_line_end(p);
		if (status != OK)
			return status;
	}
}

enum status toml_parse(struct toml_arena *arena, const char *text, size_t len_bytes, const struct toml_node **root,
		       struct toml_error *error)
{
	struct toml_parser start = {.at = text, .line_start = text, .line = 1, .arena = arena, .error = error};
	struct toml_node *node;
	struct toml_parser p;
	enum status status;

	start.end = text + (len_bytes <= TOML_FILE_BYTES_MAX ? len_bytes : 0);
	arena->node_count = 0;
	arena->text_used = 0;
	if (len_bytes > TOML_FILE_BYTES_MAX)
		return toml_fail(&start, ERR_OUT_OF_RANGE, "the file is larger than 1 MiB; is it the right file?");
	if (len_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		start.at += 3;
	p = start;
	if (toml_find_bad_byte(&p))
		return toml_fail(&p, ERR_BAD_FORMAT, "byte 0x%02x is not text; save the file as plain UTF-8 text",
				 (unsigned)(unsigned char)*p.at);
	p = start;
	status = toml_add(&p, NULL, TOML_TABLE, &node);
	if (status == OK)
		status = parse_document(&p, node);
	if (status == OK)
		*root = node;
	return status;
}

const struct toml_node *toml_find(const struct toml_node *table, const char *key)
{
	return find_child(table, key);
}

const char *toml_kind_name(enum toml_kind kind)
{
	static const char *const names[] = {
		[TOML_TABLE] = "a table",      [TOML_ARRAY] = "an array",        [TOML_STRING] = "text",
		[TOML_INTEGER] = "an integer", [TOML_BOOLEAN] = "true or false", [TOML_UNSUPPORTED] = "a float or date",
	};

	return names[kind];
}
