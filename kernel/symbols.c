/* Binary search in the generated table; before it exists (first link) the table is empty. */
#include "kernel/symbols.h"

#include <stddef.h>

extern const uint8_t image_start[], text_end[];
extern const uint32_t symbol_count;
extern const uint32_t symbol_offsets[]; /* from image_start, rising */
extern const uint32_t symbol_names[];   /* where each name starts in symbol_text */
extern const char symbol_text[];

const char *symbol_name(uint64_t address, uint64_t *offset)
{
	uint64_t at = address - (uintptr_t)image_start;
	uint32_t low = 0, high = symbol_count;

	if (at >= (uintptr_t)text_end - (uintptr_t)image_start || symbol_count == 0 || at < symbol_offsets[0])
		return NULL;
	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (symbol_offsets[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	*offset = at - symbol_offsets[low];
	return symbol_text + symbol_names[low];
}
