/* Any bytes through the ELF parser; what it accepts is copied and relocated where the span is small. */
#include <stdlib.h>

#include "lib/elf/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[64 * 4096];
	struct elf_image image;
	struct elf_problem problem;
	const void *descriptor;
	size_t descriptor_bytes;

	if (elf_find_note(data, size, "Bulkhead", 0x42480001U, &descriptor, &descriptor_bytes) == OK &&
	    ((const uint8_t *)descriptor < data || descriptor_bytes > size))
		abort();
	if (elf_parse(data, size, &image, &problem) != OK || elf_copy(&image, memory, sizeof(memory)) != OK)
		return 0;
	if (elf_relocate(&image, memory, sizeof(memory), image.position_independent ? 0x7f0000000000 : 0, &problem) != OK &&
	    problem.what == NULL)
		abort();
	return 0;
}
