/* Any bytes through the ELF parser; what it accepts is copied and relocated where the span is small. */
#include <stdlib.h>
#include <string.h>

#include "lib/elf/elf.h"
#include "lib/elf/format.h"
#include "lib/elf/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_guest(const uint8_t *data, size_t size)
{
	struct elf_problem problem = {0};
	struct elf_guest image;
	const void *descriptor;
	size_t descriptor_bytes;

	if (elf_guest_parse(data, size, &image, &problem) != OK)
		return;
	if (elf_guest_find_note(&image, "Xen", 18, &descriptor, &descriptor_bytes) == OK &&
	    ((const uint8_t *)descriptor < data || descriptor_bytes > size - (size_t)((const uint8_t *)descriptor - data)))
		abort();
	if (elf_guest_segments(&image, &problem) != OK) {
		if (problem.what == NULL)
			abort();
		return;
	}
	for (unsigned i = 0; i < image.segment_count; i++) {
		const struct elf_guest_segment *segment = &image.segments[i];

		if (segment->file_offset > size || segment->file_bytes > size - segment->file_offset ||
		    segment->file_bytes > segment->memory_bytes)
			abort();
	}
}

static void try_image(const uint8_t *data, size_t size)
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
		return;
	if (elf_relocate(&image, memory, sizeof(memory), image.position_independent ? 0x7f0000000000 : 0, &problem) != OK &&
	    problem.what == NULL)
		abort();
}

/* As it is, and with a sound header before it: program headers at 64, one executable segment, one writable, one dynamic. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[65536];
	struct elf64_header header = {.magic = ELF_MAGIC, .class = ELF_CLASS_64, .data = ELF_DATA_LITTLE,
				      .ident_version = 1, .type = ELF_TYPE_DYNAMIC, .machine = ELF_MACHINE_X86_64,
				      .version = 1, .program_header_offset = 64, .program_header_bytes = 56,
				      .program_header_count = 4};
	struct elf64_program_header loads[3] = {
		{.type = PT_LOAD, .flags = PF_X, .memory_bytes = 4096},
		{.type = PT_LOAD, .flags = PF_W, .virtual_address = 4096, .memory_bytes = 8192},
		{.type = PT_DYNAMIC},
	};
	size_t rest = size < sizeof(file) - 512 ? size : sizeof(file) - 512;

	try_image(data, size);
	try_guest(data, size);
	loads[0].file_bytes = 16;
	loads[1].offset = loads[2].offset = 512;
	loads[1].file_bytes = loads[2].file_bytes = rest < 8192 ? rest : 8192;
	memset(file, 0, 512);
	memcpy(file, &header, sizeof(header));
	memcpy(file + 64, loads, sizeof(loads));
	memcpy(file + 64 + sizeof(loads), data, rest < 56 ? rest : 56);
	memcpy(file + 512, data, rest);
	try_image(file, 512 + rest);
	try_guest(file, 512 + rest);
	return 0;
}
