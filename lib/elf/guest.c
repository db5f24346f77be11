/* Reads the headers of guests' ELF images. Both layouts become one as they are read. */
#include "lib/elf/guest.h"

#include "lib/base/string.h"
#include "lib/elf/format.h"

#define PVH_NOTE_NAME "Xen"
#define PVH_NOTE_TYPE 18U /* XEN_ELFNOTE_PHYS32_ENTRY */

static enum status refuse(struct elf_problem *problem, enum status status, const char *what, uint64_t number)
{
	*problem = (struct elf_problem){.what = what, .number = number};
	return status;
}

static bool lies_in_file(size_t size_bytes, uint64_t offset, uint64_t len_bytes)
{
	return offset <= size_bytes && len_bytes <= size_bytes - offset;
}

/* The header as that of a 64-bit image. ERR_TRUNCATED, ERR_BAD_FORMAT. */
static enum status read_header(const uint8_t *bytes, size_t size_bytes, struct elf64_header *header, struct elf_problem *problem)
{
	struct elf32_header small;

	if (size_bytes < sizeof(small))
		return refuse(problem, ERR_TRUNCATED, "file is shorter than an ELF header", size_bytes);
	memcpy(&small, bytes, sizeof(small));
	if (small.magic != ELF_MAGIC)
		return refuse(problem, ERR_BAD_FORMAT, "not an ELF file", small.magic);
	if (small.class == ELF_CLASS_64) {
		if (size_bytes < sizeof(*header))
			return refuse(problem, ERR_TRUNCATED, "file is shorter than an ELF header", size_bytes);
		memcpy(header, bytes, sizeof(*header));
		return OK;
	}
	if (small.class != ELF_CLASS_32)
		return refuse(problem, ERR_BAD_FORMAT, "ELF file of unknown class", small.class);
	*header = (struct elf64_header){
		.magic = small.magic,
		.class = small.class,
		.data = small.data,
		.type = small.type,
		.machine = small.machine,
		.entry = small.entry,
		.program_header_offset = small.program_header_offset,
		.program_header_bytes = small.program_header_bytes,
		.program_header_count = small.program_header_count,
	};
	return OK;
}

enum status elf_guest_parse(const void *image, size_t size_bytes, struct elf_guest *out, struct elf_problem *problem)
{
	struct elf64_header header;
	size_t entry_bytes = sizeof(struct elf64_program_header);
	enum status status = read_header(image, size_bytes, &header, problem);

	if (status != OK)
		return status;
	if (header.class == ELF_CLASS_32)
		entry_bytes = sizeof(struct elf32_program_header);
	if (header.data != ELF_DATA_LITTLE || (header.machine != ELF_MACHINE_386 && header.machine != ELF_MACHINE_X86_64))
		return refuse(problem, ERR_BAD_FORMAT, "ELF file of another machine than a PC", header.machine);
	if (header.type != ELF_TYPE_EXECUTABLE && header.type != ELF_TYPE_DYNAMIC)
		return refuse(problem, ERR_BAD_FORMAT, "ELF file that is no program: type", header.type);
	if (header.program_header_bytes != entry_bytes)
		return refuse(problem, ERR_BAD_FORMAT, "program headers have another size", header.program_header_bytes);
	if (header.program_header_count == 0 || header.program_header_count > ELF_PROGRAM_HEADER_MAX)
		return refuse(problem, ERR_BAD_FORMAT, "number of program headers", header.program_header_count);
	if (!lies_in_file(size_bytes, header.program_header_offset, header.program_header_count * entry_bytes))
		return refuse(problem, ERR_TRUNCATED, "program headers lie past the end of the file",
			      header.program_header_offset);
	*out = (struct elf_guest){
		.bytes = image,
		.size_bytes = size_bytes,
		.is_64_bit = header.class == ELF_CLASS_64,
		.entry = header.entry,
		.program_header_offset = header.program_header_offset,
		.program_header_count = header.program_header_count,
	};
	return OK;
}

/* index < program_header_count. */
static struct elf64_program_header read_program_header(const struct elf_guest *image, unsigned index)
{
	const uint8_t *table = image->bytes + image->program_header_offset;
	struct elf64_program_header out;
	struct elf32_program_header small;

	if (image->is_64_bit) {
		memcpy(&out, table + index * sizeof(out), sizeof(out));
		return out;
	}
	memcpy(&small, table + index * sizeof(small), sizeof(small));
	return (struct elf64_program_header){
		.type = small.type,
		.flags = small.flags,
		.offset = small.offset,
		.virtual_address = small.virtual_address,
		.physical_address = small.physical_address,
		.file_bytes = small.file_bytes,
		.memory_bytes = small.memory_bytes,
		.align = small.align,
	};
}

static enum status add_segment(struct elf_guest *image, const struct elf64_program_header *load, struct elf_problem *problem)
{
	if (load->memory_bytes == 0 && load->file_bytes == 0)
		return OK;
	if (!lies_in_file(image->size_bytes, load->offset, load->file_bytes))
		return refuse(problem, ERR_TRUNCATED, "segment lies past the end of the file", load->offset);
	if (load->file_bytes > load->memory_bytes)
		return refuse(problem, ERR_BAD_FORMAT, "segment is larger in the file than in memory", load->file_bytes);
	if (load->memory_bytes > UINT64_MAX - load->physical_address)
		return refuse(problem, ERR_BAD_FORMAT, "segment wraps around the end of addresses", load->physical_address);
	if (image->segment_count == ELF_GUEST_SEGMENT_MAX)
		return refuse(problem, ERR_NO_SPACE, "too many segments; at most", ELF_GUEST_SEGMENT_MAX);
	image->segments[image->segment_count++] = (struct elf_guest_segment){
		.virtual_address = load->virtual_address,
		.physical_address = load->physical_address,
		.file_offset = load->offset,
		.file_bytes = load->file_bytes,
		.memory_bytes = load->memory_bytes,
	};
	return OK;
}

enum status elf_guest_segments(struct elf_guest *image, struct elf_problem *problem)
{
	image->segment_count = 0;
	for (unsigned i = 0; i < image->program_header_count; i++) {
		struct elf64_program_header entry = read_program_header(image, i);
		enum status status = entry.type == PT_LOAD ? add_segment(image, &entry, problem) : OK;

		if (status != OK)
			return status;
	}
	return image->segment_count > 0 ? OK : refuse(problem, ERR_BAD_FORMAT, "nothing to load: segments", 0);
}

uint64_t elf_guest_physical(const struct elf_guest *image, uint64_t address)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_guest_segment *segment = &image->segments[i];

		if (address >= segment->virtual_address && address - segment->virtual_address < segment->memory_bytes)
			return segment->physical_address + (address - segment->virtual_address);
	}
	return address;
}

enum status elf_guest_find_note(const struct elf_guest *image, const char *name, uint32_t type, const void **descriptor,
				size_t *descriptor_bytes)
{
	for (unsigned i = 0; i < image->program_header_count; i++) {
		struct elf64_program_header entry = read_program_header(image, i);
		unsigned align = entry.align == NOTE_ALIGN_LARGE ? NOTE_ALIGN_LARGE : NOTE_ALIGN_USUAL;

		if (entry.type == PT_NOTE && lies_in_file(image->size_bytes, entry.offset, entry.file_bytes) &&
		    elf_search_notes(image->bytes + entry.offset, entry.file_bytes, align, name, type, descriptor,
				     descriptor_bytes) == OK)
			return OK;
	}
	return ERR_NOT_FOUND;
}

enum status elf_guest_pvh_entry(const struct elf_guest *image, uint64_t *entry)
{
	const void *descriptor;
	size_t bytes;

	if (elf_guest_find_note(image, PVH_NOTE_NAME, PVH_NOTE_TYPE, &descriptor, &bytes) != OK || bytes < sizeof(uint32_t))
		return ERR_NOT_FOUND;
	*entry = 0;
	memcpy(entry, descriptor, bytes < sizeof(uint64_t) ? sizeof(uint32_t) : sizeof(uint64_t));
	return OK;
}

bool elf_guest_has_pvh_entry(const uint8_t *bytes, size_t size_bytes)
{
	struct elf_problem problem;
	struct elf_guest image;
	uint64_t entry;

	return elf_guest_parse(bytes, size_bytes, &image, &problem) == OK && elf_guest_pvh_entry(&image, &entry) == OK;
}
