/* The first program's file. Owns where its stack lies; the form of the file is lib/elf's. */
#include "boot/common/program_image.h"

#include "abi/layout.h"
#include "abi/syscall.h"
#include "lib/base/string.h"

#define STACK_TOP   0x00007ffffe000000ULL
#define STACK_BYTES 0x10000ULL

static void add_region(struct boot_program *program, uint64_t virtual_address, uint64_t length_bytes, uint32_t rights)
{
	struct boot_region *region = &program->regions[program->region_count++];

	*region = (struct boot_region){
		.virtual_address = virtual_address,
		.length_bytes = (length_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1),
		.rights = RIGHT_READ | rights,
	};
	program->length_bytes += region->length_bytes;
}

enum status program_image_open(const void *file, size_t size_bytes, struct elf_image *image, struct boot_program *program,
			       struct elf_problem *problem)
{
	enum status status = elf_parse(file, size_bytes, image, problem);

	if (status != OK)
		return status;
	if (image->dynamic_bytes > 0) {
		*problem = (struct elf_problem){.what = "wants to be relocated: bytes", .number = image->dynamic_bytes};
		return ERR_UNSUPPORTED;
	}
	if (image->segment_count > BOOT_REGIONS_MAX - 1) {
		*problem = (struct elf_problem){.what = "too many segments", .number = image->segment_count};
		return ERR_NO_SPACE;
	}
	*program = (struct boot_program){.entry = image->entry, .stack_top = STACK_TOP};
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segments[i];

		add_region(program, segment->virtual_address, segment->memory_bytes,
			   (segment->writable ? RIGHT_WRITE : 0) | (segment->executable ? RIGHT_EXECUTE : 0));
	}
	add_region(program, STACK_TOP - STACK_BYTES, STACK_BYTES, RIGHT_WRITE);
	return OK;
}

void program_image_load(const struct elf_image *image, const struct boot_program *program, uint8_t *memory)
{
	memset(memory, 0, program->length_bytes);
	for (unsigned i = 0; i < image->segment_count; i++) {
		memcpy(memory, image->bytes + image->segments[i].file_offset, image->segments[i].file_bytes);
		memory += program->regions[i].length_bytes;
	}
}
