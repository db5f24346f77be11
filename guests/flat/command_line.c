/* Words of a guest's command line. */
#include "guests/flat/flat.h"

#include <stddef.h>

const char *flat_find(const char *text, const char *word)
{
	for (; *text != '\0'; text++) {
		unsigned i = 0;

		while (word[i] != '\0' && text[i] == word[i])
			i++;
		if (word[i] == '\0')
			return text + i;
	}
	return NULL;
}

uint64_t flat_number(const char *text, const char *word, uint64_t otherwise)
{
	const char *digit = flat_find(text, word);
	uint64_t value = 0;

	if (digit == NULL)
		return otherwise;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		value = value * 10 + (uint64_t)(*digit - '0');
	return value;
}
