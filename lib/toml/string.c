/* Strings with their escapes, and the check that a file is UTF-8 text at all.
 * Source: TOML v1.0.0, "String"; RFC 3629, "Syntax of UTF-8 Byte Sequences". */
#include "lib/toml/parser.h"

/* Length of the UTF-8 sequence at s of at most left bytes (left > 0); 0: not valid. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	uint32_t code_point;
	size_t length;

	if (s[0] < 0x80)
		return 1;
	length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || left < length)
		return 0;
	code_point = s[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code_point = code_point << 6 | (s[i] & 0x3fU);
	}
	if ((length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000) || code_point > 0x10ffff ||
	    (code_point >= 0xd800 && code_point <= 0xdfff))
		return 0;
	return length;
}

static bool is_bad_control(const char *at, const char *end)
{
	if (*at == '\r')
		return end - at < 2 || at[1] != '\n';
	return ((unsigned char)*at < 0x20 && *at != '\t' && *at != '\n') || *at == 0x7f;
}

bool toml_find_bad_byte(struct toml_parser *p)
{
	while (p->at < p->end) {
		size_t length = utf8_length((const unsigned char *)p->at, (size_t)(p->end - p->at));

		if (length == 0 || is_bad_control(p->at, p->end))
			return true;
		p->at += length;
		if (p->at[-1] == '\n') {
			p->line++;
			p->line_start = p->at;
		}
	}
	return false;
}

static size_t put_utf8(char *out, uint32_t code_point)
{
	size_t length = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code_point & 0x3f));
		code_point >>= 6;
	}
	out[0] = (char)(lead[length] | code_point);
	return length;
}

static int hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The hexadecimal digits of \uXXXX or \UXXXXXXXX. */
static enum status parse_code_point(struct toml_parser *p, unsigned digits, uint32_t *code_point)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < digits; i++, p->at++) {
		int digit = hex_value(toml_peek(p));

		if (digit < 0)
			return toml_fail(p, ERR_BAD_FORMAT, "a \\u escape needs 4 hexadecimal digits, \\U needs 8");
		value = value << 4 | (uint32_t)digit;
	}
	if (value == 0 || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return toml_fail(p, ERR_BAD_FORMAT, "the escape is no character that text may hold (U+%04X)", value);
	*code_point = value;
	return OK;
}

/* What follows a backslash; writes up to 4 bytes. */
static enum status parse_escape(struct toml_parser *p, char *out, size_t *length)
{
	static const char escapes[] = "b\bt\tn\nf\fr\r\"\"\\\\";
	int c = toml_peek(p);
	uint32_t code_point = 0;
	enum status status;

	if (c == 'u' || c == 'U') {
		p->at++;
		status = parse_code_point(p, c == 'u' ? 4 : 8, &code_point);
		if (status == OK)
			*length = put_utf8(out, code_point);
		return status;
	}
	for (unsigned i = 0; escapes[i] != '\0'; i += 2) {
		if (escapes[i] == c) {
			p->at++;
			*out = escapes[i + 1];
			*length = 1;
			return OK;
		}
	}
	return toml_fail(p, ERR_BAD_FORMAT,
			 "unknown escape after \\; write \\\\ for a backslash, or use 'single quotes'");
}

static enum status string_not_closed(const struct toml_parser *p, char quote)
{
	return toml_fail(p, ERR_BAD_FORMAT, "the text is not closed; add %c at its end, on the same line", quote);
}

/* The string is built at the end of the arena's text; an escape is never shorter than what it stands for. */
enum status toml_parse_string(struct toml_parser *p, const char **text)
{
	struct toml_arena *arena = p->arena;
	uint32_t used = arena->text_used;
	char quote = *p->at++;

	if (p->end - p->at >= 2 && p->at[0] == quote && p->at[1] == quote)
		return toml_fail(p, ERR_BAD_FORMAT, "text over several lines is not supported; write it on one line");
	while (!toml_take(p, quote)) {
		int c = toml_peek(p);
		size_t length = 1;
		enum status status;

		if (c == TOML_END || c == '\n' || c == '\r')
			return string_not_closed(p, quote);
		if (arena->text_max - used < 5)
			return toml_fail(p, ERR_NO_SPACE, "the file holds more text than fits; shorten it");
		p->at++;
		arena->text[used] = (char)c;
		if (c == '\\' && quote == '"') {
			status = parse_escape(p, arena->text + used, &length);
			if (status != OK)
				return status;
		}
		used += (uint32_t)length;
	}
	if (arena->text_max - used < 1)
		return toml_fail(p, ERR_NO_SPACE, "the file holds more text than fits; shorten it");
	arena->text[used] = '\0';
	*text = arena->text + arena->text_used;
	arena->text_used = used + 1;
	return OK;
}
