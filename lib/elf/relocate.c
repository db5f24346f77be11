/* Copies a checked ELF image into memory and relocates the copy: R_X86_64_RELATIVE entries of RELA tables, and RELR.
 * The tables are read from the copy, so their places are checked against the copy's size; each entry is fetched once.
 * Source: gABI, "Dynamic Section", "Relocation", "RELR relocation table". */
#include "lib/base/string.h"
#include "lib/elf/elf.h"
#include "lib/elf/format.h"

struct target {
	const struct elf_image *image;
	uint8_t *memory;
	uint64_t bias;
};

struct dynamic_tables {
	uint64_t rela_address, rela_bytes, rela_entry_bytes;
	uint64_t relr_address, relr_bytes, relr_entry_bytes;
};

static enum status refuse(struct elf_problem *problem, enum status status, const char *what, uint64_t number)
{
	*problem = (struct elf_problem){.what = what, .number = number};
	return status;
}

enum status elf_copy(const struct elf_image *image, void *memory, size_t memory_bytes)
{
	uint8_t *to = memory;

	if (memory_bytes < image->span_bytes)
		return ERR_OUT_OF_RANGE;
	memset(to, 0, memory_bytes);
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segments[i];

		memcpy(to + (segment->virtual_address - image->lowest_address), image->bytes + segment->file_offset,
		       segment->file_bytes);
	}
	return OK;
}

/* The copy's bytes for [address, address + len_bytes), or NULL. */
static uint8_t *at_address(const struct target *target, uint64_t address, uint64_t len_bytes)
{
	uint64_t offset = address - target->image->lowest_address;

	if (address < target->image->lowest_address || offset > target->image->span_bytes ||
	    len_bytes > target->image->span_bytes - offset)
		return NULL;
	return target->memory + offset;
}

static enum status read_dynamic(const struct elf_image *image, struct dynamic_tables *tables, struct elf_problem *problem)
{
	const uint8_t *at = image->bytes + image->dynamic_offset;
	uint64_t count = image->dynamic_bytes / sizeof(struct elf64_dynamic);

	for (uint64_t i = 0; i < count; i++) {
		struct elf64_dynamic entry;

		memcpy(&entry, at + i * sizeof(entry), sizeof(entry));
		switch (entry.tag) {
		case DT_NULL:
			return OK;
		case DT_NEEDED:
		case DT_REL:
			return refuse(problem, ERR_UNSUPPORTED, "dynamic table entry of type", entry.tag);
		case DT_PLTRELSZ:
			if (entry.value != 0)
				return refuse(problem, ERR_UNSUPPORTED, "relocations of a procedure linkage table: bytes",
					      entry.value);
			break;
		case DT_RELA:
			tables->rela_address = entry.value;
			break;
		case DT_RELASZ:
			tables->rela_bytes = entry.value;
			break;
		case DT_RELAENT:
			tables->rela_entry_bytes = entry.value;
			break;
		case DT_RELR:
			tables->relr_address = entry.value;
			break;
		case DT_RELRSZ:
			tables->relr_bytes = entry.value;
			break;
		case DT_RELRENT:
			tables->relr_entry_bytes = entry.value;
			break;
		default:
			break;
		}
	}
	return OK;
}

static enum status apply_rela(const struct target *target, const struct dynamic_tables *tables,
			      struct elf_problem *problem)
{
	const uint8_t *table = at_address(target, tables->rela_address, tables->rela_bytes);
	uint64_t count = tables->rela_bytes / sizeof(struct elf64_rela);

	if (tables->rela_entry_bytes != sizeof(struct elf64_rela))
		return refuse(problem, ERR_BAD_FORMAT, "relocation entries have another size", tables->rela_entry_bytes);
	if (table == NULL)
		return refuse(problem, ERR_OUT_OF_RANGE, "relocation table outside the image", tables->rela_address);
	for (uint64_t i = 0; i < count; i++) {
		struct elf64_rela rela;
		uint64_t value;
		uint8_t *where;

		memcpy(&rela, table + i * sizeof(rela), sizeof(rela));
		if ((uint32_t)rela.info == R_X86_64_NONE)
			continue;
		if (rela.info != R_X86_64_RELATIVE)
			return refuse(problem, ERR_UNSUPPORTED, "relocation of type", (uint32_t)rela.info);
		where = at_address(target, rela.offset, sizeof(value));
		if (where == NULL)
			return refuse(problem, ERR_OUT_OF_RANGE, "relocation outside the image", rela.offset);
		value = target->bias + rela.addend;
		memcpy(where, &value, sizeof(value));
	}
	return OK;
}

static bool add_bias(const struct target *target, uint64_t address)
{
	uint8_t *where = at_address(target, address, sizeof(uint64_t));
	uint64_t value;

	if (where == NULL)
		return false;
	memcpy(&value, where, sizeof(value));
	value += target->bias;
	memcpy(where, &value, sizeof(value));
	return true;
}

/* An even word is an address to relocate; an odd one a bitmap of the 63 words behind the last address (bit 1 first). */
static bool apply_relr_word(const struct target *target, uint64_t word, uint64_t *next)
{
	if (word % 2 == 0) {
		*next = word + 8;
		return add_bias(target, word);
	}
	for (unsigned bit = 1; bit < 64; bit++) {
		if ((word >> bit & 1) != 0 && !add_bias(target, *next + (bit - 1) * 8U))
			return false;
	}
	*next += 63U * 8U;
	return true;
}

static enum status apply_relr(const struct target *target, const struct dynamic_tables *tables,
			      struct elf_problem *problem)
{
	const uint8_t *table = at_address(target, tables->relr_address, tables->relr_bytes);
	uint64_t count = tables->relr_bytes / sizeof(uint64_t);
	uint64_t next = 0;

	if (tables->relr_entry_bytes != sizeof(uint64_t))
		return refuse(problem, ERR_BAD_FORMAT, "RELR entries have another size", tables->relr_entry_bytes);
	if (table == NULL)
		return refuse(problem, ERR_OUT_OF_RANGE, "RELR table outside the image", tables->relr_address);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t word;

		memcpy(&word, table + i * sizeof(word), sizeof(word));
		if (!apply_relr_word(target, word, &next))
			return refuse(problem, ERR_OUT_OF_RANGE, "RELR relocation outside the image", word);
	}
	return OK;
}

enum status elf_relocate(const struct elf_image *image, void *memory, size_t memory_bytes, uint64_t load_bias,
			 struct elf_problem *problem)
{
	struct target target = {.image = image, .memory = memory, .bias = load_bias};
	struct dynamic_tables tables = {0};
	enum status status;

	if (memory_bytes < image->span_bytes)
		return refuse(problem, ERR_OUT_OF_RANGE, "the copy is smaller than the image", memory_bytes);
	if (load_bias != 0 && !image->position_independent)
		return refuse(problem, ERR_BAD_FORMAT, "the image is not position-independent", load_bias);
	status = read_dynamic(image, &tables, problem);
	if (status == OK && tables.rela_bytes != 0)
		status = apply_rela(&target, &tables, problem);
	if (status == OK && tables.relr_bytes != 0)
		status = apply_relr(&target, &tables, problem);
	return status;
}
