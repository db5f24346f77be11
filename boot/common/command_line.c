/* Joins and reads the command line. Owns its grammar as far as the loaders use it; the kernel reads its own options. */
#include "boot/common/command_line.h"

#include <stdint.h>

#include "lib/base/string.h"

struct word {
	const char *start;
	size_t length;
};

/* The next word at or after *at, which is moved behind it. An empty word: there is none. */
static struct word next_word(const char **at)
{
	struct word word;

	while (**at == ' ')
		(*at)++;
	word.start = *at;
	while (**at != '\0' && **at != ' ')
		(*at)++;
	word.length = (size_t)(*at - word.start);
	return word;
}

static bool word_is(struct word word, const char *text)
{
	return word.length == strlen(text) && memcmp(word.start, text, word.length) == 0;
}

/* The next word of those that are for us: an empty one at the end and at "--". */
static struct word next_own_word(const char **at)
{
	struct word word = next_word(at);

	if (word_is(word, "--"))
		word.length = 0;
	return word;
}

enum status command_line_append(char line[COMMAND_LINE_BYTES], const char *text, size_t len_bytes)
{
	size_t used = strnlen(line, COMMAND_LINE_BYTES - 1);
	enum status status = OK;
	bool first = true;

	for (size_t i = 0; i < len_bytes; i++) {
		char c = text[i] == '\t' ? ' ' : text[i];

		if (c == '\0' || c == '\n' || c == '\r')
			break;
		if (first && c == ' ')
			continue;
		if (used == COMMAND_LINE_BYTES - 1) {
			status = ERR_OVERFLOW;
			break;
		}
		if (first && used > 0 && used < COMMAND_LINE_BYTES - 2)
			line[used++] = ' ';
		first = false;
		line[used++] = c;
	}
	line[used] = '\0';
	return status;
}

bool command_line_value(const char *line, const char *name, char *value, size_t value_bytes)
{
	size_t name_length = strlen(name);
	struct word found = {.start = NULL, .length = 0};

	for (struct word word = next_own_word(&line); word.length > 0; word = next_own_word(&line)) {
		if (word.length > name_length && memcmp(word.start, name, name_length) == 0 &&
		    word.start[name_length] == '=')
			found = word;
	}
	if (found.start == NULL || found.length - name_length > value_bytes)
		return false;
	memcpy(value, found.start + name_length + 1, found.length - name_length - 1);
	value[found.length - name_length - 1] = '\0';
	return true;
}

bool command_line_has(const char *line, const char *word)
{
	for (struct word found = next_own_word(&line); found.length > 0; found = next_own_word(&line)) {
		if (word_is(found, word))
			return true;
	}
	return false;
}

const char *command_line_rest(const char *line)
{
	for (struct word word = next_word(&line); word.length > 0; word = next_word(&line)) {
		if (word_is(word, "--")) {
			while (*line == ' ')
				line++;
			return line;
		}
	}
	return line;
}
