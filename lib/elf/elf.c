/* Checks ELF64 images and finds segments and notes. Owns all reading of headers; relocations are in relocate.c. */
#include "lib/elf/elf.h"

#include "lib/base/string.h"
#include "lib/elf/format.h"

#define SEGMENT_PAGE_BYTES 4096ULL

static enum status refuse(struct elf_problem *problem, enum status status, const char *what, uint64_t number)
{
	*problem = (struct elf_problem){.what = what, .number = number};
	return status;
}

static bool lies_in_file(size_t size_bytes, uint64_t offset, uint64_t len_bytes)
{
	return offset <= size_bytes && len_bytes <= size_bytes - offset;
}

static enum status read_header(const uint8_t *bytes, size_t size_bytes, struct elf64_header *header,
			       struct elf_problem *problem)
{
	if (size_bytes < sizeof(*header))
		return refuse(problem, ERR_TRUNCATED, "file is shorter than an ELF header", size_bytes);
	memcpy(header, bytes, sizeof(*header));
	if (header->magic != ELF_MAGIC)
		return refuse(problem, ERR_BAD_FORMAT, "not an ELF file", header->magic);
	if (header->class != ELF_CLASS_64 || header->data != ELF_DATA_LITTLE || header->machine != ELF_MACHINE_X86_64)
		return refuse(problem, ERR_BAD_FORMAT, "not a 64-bit x86-64 ELF file", header->machine);
	if (header->ident_version != ELF_VERSION_CURRENT || header->version != ELF_VERSION_CURRENT)
		return refuse(problem, ERR_BAD_FORMAT, "unknown ELF version", header->version);
	if (header->program_header_bytes != sizeof(struct elf64_program_header))
		return refuse(problem, ERR_BAD_FORMAT, "program headers have another size", header->program_header_bytes);
	if (header->program_header_count == 0 || header->program_header_count > ELF_PROGRAM_HEADER_MAX)
		return refuse(problem, ERR_BAD_FORMAT, "number of program headers", header->program_header_count);
	if (!lies_in_file(size_bytes, header->program_header_offset,
			  header->program_header_count * sizeof(struct elf64_program_header)))
		return refuse(problem, ERR_TRUNCATED, "program headers lie past the end of the file",
			      header->program_header_offset);
	return OK;
}

/* index < header->program_header_count, and read_header() accepted the header. */
static struct elf64_program_header read_program_header(const uint8_t *bytes, const struct elf64_header *header,
						       unsigned index)
{
	struct elf64_program_header out;

	memcpy(&out, bytes + header->program_header_offset + index * sizeof(out), sizeof(out));
	return out;
}

static uint64_t round_up_to_page(uint64_t address)
{
	return (address + SEGMENT_PAGE_BYTES - 1) & ~(SEGMENT_PAGE_BYTES - 1);
}

static uint64_t segments_end(const struct elf_image *image)
{
	const struct elf_segment *last = &image->segments[image->segment_count - 1];

	return round_up_to_page(last->virtual_address + last->memory_bytes);
}

static enum status add_segment(struct elf_image *image, const struct elf64_program_header *load,
			       struct elf_problem *problem)
{
	uint64_t address = load->virtual_address;

	if (load->memory_bytes == 0)
		return OK;
	if (image->segment_count == ELF_SEGMENT_MAX)
		return refuse(problem, ERR_NO_SPACE, "too many segments; at most", ELF_SEGMENT_MAX);
	if (!lies_in_file(image->size_bytes, load->offset, load->file_bytes))
		return refuse(problem, ERR_TRUNCATED, "segment lies past the end of the file", load->offset);
	if (load->file_bytes > load->memory_bytes)
		return refuse(problem, ERR_BAD_FORMAT, "segment is larger in the file than in memory", load->file_bytes);
	if (address % SEGMENT_PAGE_BYTES != 0)
		return refuse(problem, ERR_BAD_FORMAT, "segment does not start on a page", address);
	if (address > ELF_ADDRESS_END || load->memory_bytes > ELF_ADDRESS_END - address)
		return refuse(problem, ERR_BAD_FORMAT, "segment ends outside the lower half", address);
	if (image->segment_count > 0 && address < segments_end(image))
		return refuse(problem, ERR_BAD_FORMAT, "segments overlap, share a page or are out of order", address);
	if ((load->flags & PF_W) != 0 && (load->flags & PF_X) != 0)
		return refuse(problem, ERR_BAD_FORMAT, "segment is both writable and executable", address);
	image->segments[image->segment_count++] = (struct elf_segment){
		.virtual_address = address,
		.file_offset = load->offset,
		.file_bytes = load->file_bytes,
		.memory_bytes = load->memory_bytes,
		.writable = (load->flags & PF_W) != 0,
		.executable = (load->flags & PF_X) != 0,
	};
	return OK;
}

static enum status add_program_header(struct elf_image *image, const struct elf64_program_header *entry,
				      struct elf_problem *problem)
{
	switch (entry->type) {
	case PT_LOAD:
		return add_segment(image, entry, problem);
	case PT_DYNAMIC:
		if (!lies_in_file(image->size_bytes, entry->offset, entry->file_bytes))
			return refuse(problem, ERR_TRUNCATED, "dynamic table lies past the end of the file", entry->offset);
		image->dynamic_offset = entry->offset;
		image->dynamic_bytes = entry->file_bytes;
		return OK;
	case PT_INTERP:
		return refuse(problem, ERR_UNSUPPORTED, "dynamically linked: it names an interpreter", entry->offset);
	case PT_TLS:
		return refuse(problem, ERR_UNSUPPORTED, "uses thread-local storage", entry->offset);
	default:
		return OK;
	}
}

static bool is_executable_address(const struct elf_image *image, uint64_t address)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segments[i];

		if (segment->executable && address >= segment->virtual_address &&
		    address - segment->virtual_address < segment->memory_bytes)
			return true;
	}
	return false;
}

enum status elf_parse(const void *image, size_t size_bytes, struct elf_image *out, struct elf_problem *problem)
{
	struct elf_image found = {.bytes = image, .size_bytes = size_bytes};
	struct elf64_header header;
	enum status status = read_header(found.bytes, size_bytes, &header, problem);

	if (status != OK)
		return status;
	if (header.type != ELF_TYPE_EXECUTABLE && header.type != ELF_TYPE_DYNAMIC)
		return refuse(problem, ERR_BAD_FORMAT, "neither executable nor position-independent: type", header.type);
	found.position_independent = header.type == ELF_TYPE_DYNAMIC;
	for (unsigned i = 0; i < header.program_header_count; i++) {
		struct elf64_program_header entry = read_program_header(found.bytes, &header, i);

		status = add_program_header(&found, &entry, problem);
		if (status != OK)
			return status;
	}
	if (found.segment_count == 0)
		return refuse(problem, ERR_BAD_FORMAT, "nothing to load", 0);
	found.entry = header.entry;
	found.lowest_address = found.segments[0].virtual_address;
	found.span_bytes = segments_end(&found) - found.lowest_address;
	if (!is_executable_address(&found, found.entry))
		return refuse(problem, ERR_BAD_FORMAT, "entry lies outside every executable segment", found.entry);
	*out = found;
	return OK;
}

/* Takes one piece of len_bytes, padded to align, off the front of [*at, *at + *left). NULL if it is not all there. */
static const uint8_t *take_padded(const uint8_t **at, size_t *left, size_t len_bytes, unsigned align)
{
	const uint8_t *piece = *at;
	size_t padding = (align - len_bytes % align) % align;

	if (len_bytes > *left)
		return NULL;
	if (padding > *left - len_bytes) /* the last descriptor may lack its padding */
		padding = *left - len_bytes;
	*at += len_bytes + padding;
	*left -= len_bytes + padding;
	return piece;
}

/* Each turn takes at least the 12 bytes of a note header, whose name lies right behind it; padding follows the name. */
enum status elf_search_notes(const uint8_t *at, size_t left, unsigned align, const char *name, uint32_t type,
			     const void **descriptor, size_t *descriptor_bytes)
{
	while (left >= sizeof(struct elf64_note)) {
		struct elf64_note note;
		const uint8_t *note_name, *found;

		memcpy(&note, at, sizeof(note));
		note_name = at + sizeof(note);
		if (take_padded(&at, &left, sizeof(note) + (size_t)note.name_bytes, align) == NULL)
			return ERR_TRUNCATED;
		found = take_padded(&at, &left, note.descriptor_bytes, align);
		if (found == NULL)
			return ERR_TRUNCATED;
		if (note.type == type && note.name_bytes == strlen(name) + 1 &&
		    memcmp(note_name, name, note.name_bytes) == 0) {
			*descriptor = found;
			*descriptor_bytes = note.descriptor_bytes;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

enum status elf_find_note(const void *image, size_t size_bytes, const char *name, uint32_t type, const void **descriptor,
			  size_t *descriptor_bytes)
{
	const uint8_t *bytes = image;
	struct elf64_header header;
	struct elf_problem problem;
	enum status status = read_header(bytes, size_bytes, &header, &problem);

	if (status != OK)
		return status;
	for (unsigned i = 0; i < header.program_header_count; i++) {
		struct elf64_program_header entry = read_program_header(bytes, &header, i);

		if (entry.type != PT_NOTE)
			continue;
		if (!lies_in_file(size_bytes, entry.offset, entry.file_bytes))
			return ERR_TRUNCATED;
		status = elf_search_notes(bytes + entry.offset, entry.file_bytes, NOTE_ALIGN_USUAL, name, type, descriptor,
					  descriptor_bytes);
		if (status != ERR_NOT_FOUND)
			return status;
	}
	return ERR_NOT_FOUND;
}
