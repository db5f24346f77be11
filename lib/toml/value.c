/* What stands after a '=': strings, numbers, booleans, arrays, inline tables.
 * Source: TOML v1.0.0, "Integer", "Array", "Inline Table". */
#include "lib/toml/parser.h"

#include "lib/base/string.h"

/* Decimal or hexadecimal digits with single underscores between them. */
static bool parse_digits(const char *text, unsigned base, uint64_t *magnitude, bool *overflows)
{
	uint64_t value = 0;
	bool after_digit = false;

	*overflows = false;
	for (; *text != '\0'; text++) {
		unsigned digit = 99;

		if (*text == '_' && after_digit && text[1] != '\0') {
			after_digit = false;
			continue;
		}
		if (*text >= '0' && *text <= '9')
			digit = (unsigned)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			digit = (unsigned)(*text - 'a') + 10;
		else if (*text >= 'A' && *text <= 'F')
			digit = (unsigned)(*text - 'A') + 10;
		if (digit >= base)
			return false;
		after_digit = true;
		*overflows |= value > (UINT64_MAX - digit) / base;
		value = value * base + digit;
	}
	*magnitude = value;
	return after_digit;
}

/* Fills the node if its text is an integer of the subset. */
static bool read_integer(struct toml_node *node)
{
	const char *digits = node->text;
	bool negative = *digits == '-';
	uint64_t limit = (uint64_t)INT64_MAX + negative;
	uint64_t magnitude;
	unsigned base = 10;

	if (*digits == '-' || *digits == '+')
		digits++;
	if (digits == node->text && digits[0] == '0' && digits[1] == 'x') {
		base = 16;
		digits += 2;
	} else if (digits[0] == '0' && digits[1] != '\0') {
		return false; /* TOML has no leading zeros */
	}
	if (!parse_digits(digits, base, &magnitude, &node->integer_overflows))
		return false;
	node->kind = TOML_INTEGER;
	node->integer_overflows |= magnitude > limit;
	if (!node->integer_overflows)
		node->integer = (int64_t)(negative ? 0 - magnitude : magnitude);
	return true;
}

static bool has_only(const char *text, const char *allowed)
{
	while (*text != '\0' && strchr(allowed, *text) != NULL)
		text++;
	return *text == '\0';
}

/* Floats, dates, times, octal and binary integers: TOML, but not of the subset. Plain digits that read_integer()
 * refused (leading zero, underscore at an end) are not TOML. */
static bool is_outside_subset(const char *text)
{
	const char *digits = text + (*text == '-' || *text == '+');

	if (strcmp(digits, "inf") == 0 || strcmp(digits, "nan") == 0)
		return true;
	if (*digits < '0' || *digits > '9' || has_only(digits, "0123456789_"))
		return false;
	if (digits == text && digits[0] == '0' && (digits[1] == 'o' || digits[1] == 'b'))
		return has_only(digits + 2, "01234567_");
	return has_only(digits, "0123456789_+-.:eETZ");
}

static bool is_token_byte(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '+' ||
	       c == '-' || c == '.' || c == ':';
}

/* Numbers, booleans, and what was meant as text but has no quotes. */
static enum status parse_token(struct toml_parser *p, struct toml_node *node)
{
	const char *start = p->at;
	enum status status;

	while (is_token_byte(toml_peek(p)))
		p->at++;
	if (p->at == start)
		return toml_fail(p, ERR_BAD_FORMAT, "a value is missing here; text goes in straight \"quotes\"");
	status = toml_keep(p, start, (size_t)(p->at - start), &node->text);
	if (status != OK)
		return status;
	if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0) {
		node->kind = TOML_BOOLEAN;
		node->integer = node->text[0] == 't';
		return OK;
	}
	if (read_integer(node))
		return OK;
	node->kind = TOML_UNSUPPORTED;
	if (is_outside_subset(node->text))
		return OK;
	p->at = start;
	return toml_fail(p, ERR_BAD_FORMAT, "%.40s is no number, true or false; if it is text, put it in \"quotes\"",
			 node->text);
}

static enum status parse_array(struct toml_parser *p, struct toml_node *array, unsigned depth)
{
	array->kind = TOML_ARRAY;
	p->at++;
	for (;;) {
		struct toml_node *element;
		enum status status;

		toml_skip_blank(p);
		if (toml_take(p, ']'))
			return OK;
		if (toml_peek(p) == TOML_END)
			return toml_fail(p, ERR_BAD_FORMAT, "the array that begins on line %u is not closed; add ]",
					 array->line);
		status = toml_add(p, array, TOML_ARRAY, &element);
		if (status == OK)
			status = toml_parse_value(p, element, depth + 1);
		if (status != OK)
			return status;
		toml_skip_blank(p);
		if (!toml_take(p, ',') && toml_peek(p) != ']')
			return toml_fail(p, ERR_BAD_FORMAT, "a , or the closing ] is missing in the array of line %u",
					 array->line);
	}
}

static enum status parse_inline_table(struct toml_parser *p, struct toml_node *table, unsigned depth)
{
	table->kind = TOML_TABLE;
	p->at++;
	toml_skip_space(p);
	if (toml_take(p, '}'))
		return OK;
	for (;;) {
		enum status status = toml_parse_pair(p, table, depth + 1);

		if (status != OK)
			return status;
		toml_skip_space(p);
		if (toml_take(p, '}'))
			return OK;
		if (!toml_take(p, ','))
			return toml_fail(p, ERR_BAD_FORMAT, "a , or the closing } is missing; { } stays on one line");
	}
}

enum status toml_parse_value(struct toml_parser *p, struct toml_node *node, unsigned depth)
{
	int c = toml_peek(p);

	if ((c == '[' || c == '{') && depth >= TOML_DEPTH_MAX)
		return toml_fail(p, ERR_BAD_FORMAT, "more than %u brackets inside one another", TOML_DEPTH_MAX);
	if (c == '[')
		return parse_array(p, node, depth);
	if (c == '{')
		return parse_inline_table(p, node, depth);
	if (c != '"' && c != '\'')
		return parse_token(p, node);
	node->kind = TOML_STRING;
	return toml_parse_string(p, &node->text);
}
