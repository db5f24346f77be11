/* Where programs and modules go that say themselves where they want to be: pieces in usable memory below 4 GiB, none over
 * another. A few dozen pieces, so plain searches. */
#include "vmm/load/formats.h"

#define PAGE_BYTES 4096ULL
#define ONE_MIB    0x100000ULL
#define FOUR_GIB   0x100000000ULL

static uint64_t piece_bytes(const struct load_piece *piece)
{
	return piece->source_bytes + piece->zero_bytes;
}

/* Is [base, base + len_bytes) inside one usable entry of the map? */
static bool is_usable(const struct load_request *request, uint64_t base, uint64_t len_bytes)
{
	for (size_t i = 0; i < request->e820_count; i++) {
		const struct bzimage_e820 *entry = &request->e820[i];

		if (entry->type == LOAD_E820_USABLE && base >= entry->base && base - entry->base <= entry->length_bytes &&
		    len_bytes <= entry->length_bytes - (base - entry->base))
			return true;
	}
	return false;
}

/* The end of usable memory below 4 GiB. */
static uint64_t memory_end(const struct load_request *request)
{
	uint64_t end = 0;

	for (size_t i = 0; i < request->e820_count; i++) {
		const struct bzimage_e820 *entry = &request->e820[i];

		if (entry->type == LOAD_E820_USABLE && entry->base < FOUR_GIB && entry->base + entry->length_bytes > end)
			end = entry->base + entry->length_bytes;
	}
	return end < FOUR_GIB ? end : FOUR_GIB;
}

bool load_overlaps(const struct load_plan *plan, uint64_t base, uint64_t len_bytes)
{
	for (unsigned i = 0; i < plan->piece_count; i++) {
		const struct load_piece *piece = &plan->pieces[i];

		if (base < piece->gpa.raw + piece_bytes(piece) && piece->gpa.raw < base + len_bytes)
			return true;
	}
	return false;
}

enum status load_add_program(const struct load_request *request, struct load_plan *plan, const struct load_piece *piece,
			     struct load_problem *problem)
{
	uint64_t base = piece->gpa.raw, len_bytes = piece_bytes(piece);

	if (base >= FOUR_GIB || len_bytes > FOUR_GIB - base)
		return load_refuse_number(problem, ERR_BAD_FORMAT, E217, "a part of the program lies above 4 GiB: address", base);
	if (base + len_bytes > memory_end(request))
		return load_refuse_number(problem, ERR_NO_MEMORY, E213, "the program does not fit into memory: bytes needed",
					  base + len_bytes);
	if (!is_usable(request, base, len_bytes))
		return load_refuse_number(problem, ERR_BAD_FORMAT, E217,
					  "a part of the program lies where a PC has no memory for it: address", base);
	if (load_overlaps(plan, base, len_bytes))
		return load_refuse_number(problem, ERR_BAD_FORMAT, E217, "two parts of the program overlap: address", base);
	plan->pieces[plan->piece_count++] = *piece;
	return OK;
}

enum status load_refuse_elf(struct load_problem *problem, enum status status, const struct elf_problem *found)
{
	return load_refuse_number(problem, status, status == ERR_TRUNCATED ? E211 : E217, found->what, found->number);
}

enum status load_add_segments(const struct load_request *request, struct load_plan *plan, struct elf_guest *image,
			      struct load_problem *problem)
{
	struct elf_problem found;
	enum status status = elf_guest_segments(image, &found);

	if (status != OK)
		return load_refuse_elf(problem, status, &found);
	for (unsigned i = 0; status == OK && i < image->segment_count; i++) {
		const struct elf_guest_segment *segment = &image->segments[i];
		const struct load_piece piece = {
			.gpa = gpa(segment->physical_address),
			.source = image->bytes + segment->file_offset,
			.source_bytes = segment->file_bytes,
			.zero_bytes = segment->memory_bytes - segment->file_bytes,
		};

		status = load_add_program(request, plan, &piece, problem);
	}
	return status;
}

bool load_covers(const struct load_plan *plan, uint64_t address)
{
	return load_overlaps(plan, address, 1);
}

static uint64_t page_up(uint64_t address)
{
	return (address + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/* The lowest place from lowest on, or the highest that ends at end or below; UINT64_MAX: none. All below 4 GiB. */
static uint64_t find_place(const struct load_request *request, uint64_t len_bytes, uint64_t lowest, uint64_t end, bool from_end)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < request->e820_count; i++) {
		const struct bzimage_e820 *entry = &request->e820[i];
		uint64_t low = page_up(entry->base > lowest ? entry->base : lowest);
		uint64_t high = entry->base + entry->length_bytes < end ? entry->base + entry->length_bytes : end;
		uint64_t at;

		if (entry->type != LOAD_E820_USABLE || high < low || len_bytes > high - low)
			continue;
		at = from_end ? (high - len_bytes) & ~(PAGE_BYTES - 1) : low;
		if (at >= low && (best == UINT64_MAX || (from_end ? at > best : at < best)))
			best = at;
	}
	return best;
}

static uint64_t program_end(const struct load_plan *plan)
{
	uint64_t end = ONE_MIB;

	for (unsigned i = 0; i < plan->piece_count; i++) {
		uint64_t piece_end = plan->pieces[i].gpa.raw + piece_bytes(&plan->pieces[i]);

		end = piece_end > end ? piece_end : end;
	}
	return end;
}

enum status load_place_modules(const struct load_request *request, struct load_plan *plan, bool from_end,
			       struct load_placed placed[LOAD_MODULES_MAX], size_t *count, struct load_problem *problem)
{
	const struct load_module initrd = {request->initrd, request->initrd_bytes, request->initrd_path};
	size_t skip = request->initrd != NULL;
	uint64_t lowest = program_end(plan), end = FOUR_GIB;

	*count = skip + request->module_count;
	if (*count > LOAD_MODULES_MAX)
		return load_refuse_number(problem, ERR_OVERFLOW, E221, "more modules than can be handed over: at most",
					  VMM_MODULES_MAX);
	for (size_t i = 0; i < *count; i++) {
		const struct load_module *module = i < skip ? &initrd : &request->modules[i - skip];
		uint64_t at = find_place(request, module->size_bytes, lowest, end, from_end);

		if (at == UINT64_MAX)
			return load_refuse_number(problem, ERR_NO_SPACE, E214,
						  i < skip ? "the initrd does not fit into memory: bytes needed"
							   : "a module does not fit into memory: bytes needed",
						  module->size_bytes);
		placed[i] = (struct load_placed){at, module->size_bytes, module->text};
		if (module->size_bytes != 0)
			load_add_piece(plan, at, module->bytes, module->size_bytes, 0);
		if (from_end)
			end = at;
		else
			lowest = at + module->size_bytes;
	}
	return OK;
}
