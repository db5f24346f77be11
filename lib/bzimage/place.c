/* Chooses where kernel, initrd and the small structures go in free memory. First fit from below for what must be low,
 * from above for the initrd. A handful of spans, so plain searches. */
#include "lib/bzimage/bzimage.h"
#include "lib/bzimage/format.h"

#define PAGE_BYTES      4096ULL
#define FOUR_GIB        0x100000000ULL
#define ONE_MIB         0x100000ULL
#define SMALL_LOWEST    0x10000ULL /* leaves what firmware and old code keep below 64 KiB alone */
#define TAKEN_MAX       2U         /* the kernel and the block of small structures */

struct search {
	const struct bzimage_range *ranges;
	size_t range_count;
	struct bzimage_range taken[TAKEN_MAX];
	unsigned taken_count;
};

static enum status refuse(struct bzimage_problem *problem, enum status status, const char *what, uint64_t number)
{
	*problem = (struct bzimage_problem){.what = what, .number = number};
	return status;
}

static bool overlaps(const struct bzimage_range *a, uint64_t base, uint64_t len_bytes)
{
	return base < a->base + a->length_bytes && a->base < base + len_bytes;
}

/* Is [base, base + len_bytes) inside one free range and clear of what is taken? The sum must not wrap. */
static bool is_free(const struct search *search, uint64_t base, uint64_t len_bytes)
{
	bool inside = false;

	for (size_t i = 0; i < search->range_count; i++) {
		const struct bzimage_range *range = &search->ranges[i];

		inside |= base >= range->base && base - range->base <= range->length_bytes &&
			  len_bytes <= range->length_bytes - (base - range->base);
	}
	for (unsigned i = 0; i < search->taken_count; i++)
		inside &= !overlaps(&search->taken[i], base, len_bytes);
	return inside;
}

static uint64_t align_up(uint64_t address, uint64_t alignment)
{
	return (address + alignment - 1) & ~(alignment - 1);
}

static void consider(const struct search *search, uint64_t candidate, uint64_t len_bytes, uint64_t lowest, uint64_t end,
		     bool highest_wins, uint64_t *best)
{
	if (candidate < lowest || candidate > end || len_bytes > end - candidate || !is_free(search, candidate, len_bytes))
		return;
	if (*best == UINT64_MAX || (highest_wins ? candidate > *best : candidate < *best))
		*best = candidate;
}

/* The lowest or highest place for len_bytes in [lowest, end), or UINT64_MAX. The best place starts at an edge: of a
 * range, of something taken, or of the window; so only those are tried. Addresses stay far below 2^63. */
static uint64_t find_place(const struct search *search, uint64_t len_bytes, uint64_t alignment, uint64_t lowest,
			   uint64_t end, bool highest_wins)
{
	uint64_t best = UINT64_MAX;

	consider(search, align_up(lowest, alignment), len_bytes, lowest, end, highest_wins, &best);
	if (end >= len_bytes)
		consider(search, (end - len_bytes) & ~(alignment - 1), len_bytes, lowest, end, highest_wins, &best);
	for (size_t i = 0; i < search->range_count + search->taken_count; i++) {
		bool is_range = i < search->range_count;
		const struct bzimage_range *edge = is_range ? &search->ranges[i] : &search->taken[i - search->range_count];
		uint64_t from = is_range ? edge->base : edge->base + edge->length_bytes;
		uint64_t to = is_range ? edge->base + edge->length_bytes : edge->base;

		consider(search, align_up(from, alignment), len_bytes, lowest, end, highest_wins, &best);
		if (to >= len_bytes)
			consider(search, (to - len_bytes) & ~(alignment - 1), len_bytes, lowest, end, highest_wins, &best);
	}
	return best;
}

static void take(struct search *search, uint64_t base, uint64_t len_bytes)
{
	search->taken[search->taken_count++] = (struct bzimage_range){.base = base, .length_bytes = len_bytes};
}

/* A relocatable kernel that lies below its preferred address moves itself up to it before it unpacks (boot.rst, "Details of
 * Header Fields", pref_address), over whatever is there: so never below. */
static enum status place_kernel(struct search *search, const struct bzimage *image, struct bzimage_plan *plan,
				struct bzimage_problem *problem)
{
	uint64_t needed = image->init_bytes > image->code_bytes ? image->init_bytes : image->code_bytes;
	uint64_t preferred = image->preferred_address;
	uint64_t lowest = preferred > ONE_MIB ? preferred : ONE_MIB;

	plan->kernel_bytes = align_up(needed, PAGE_BYTES);
	if (preferred >= ONE_MIB && preferred < FOUR_GIB && plan->kernel_bytes <= FOUR_GIB - preferred &&
	    is_free(search, preferred, plan->kernel_bytes))
		plan->kernel = preferred;
	else if (image->relocatable)
		plan->kernel = find_place(search, plan->kernel_bytes,
					  image->alignment > PAGE_BYTES ? image->alignment : PAGE_BYTES, lowest, FOUR_GIB,
					  false);
	else
		plan->kernel = UINT64_MAX;
	if (plan->kernel == UINT64_MAX)
		return refuse(problem, ERR_NO_MEMORY, "the kernel does not fit into memory: bytes of memory needed",
			      lowest > FOUR_GIB ? FOUR_GIB : lowest + plan->kernel_bytes);
	plan->entry = plan->kernel + (image->has_64_bit_entry ? ENTRY_64_OFFSET : 0);
	take(search, plan->kernel, plan->kernel_bytes);
	return OK;
}

/* One block: zero page, page tables, a page with stack and GDT, command line. */
static enum status place_small(struct search *search, struct bzimage_plan *plan, struct bzimage_problem *problem)
{
	uint64_t tables_end = BZIMAGE_BOOT_PARAMS_BYTES + BZIMAGE_PAGE_TABLES_BYTES;
	uint64_t len = tables_end + PAGE_BYTES + align_up(plan->command_line_bytes, PAGE_BYTES);
	uint64_t base = find_place(search, len, PAGE_BYTES, SMALL_LOWEST, FOUR_GIB, false);

	if (base == UINT64_MAX)
		return refuse(problem, ERR_NO_MEMORY, "no memory for the kernel's start parameters: bytes needed", len);
	plan->boot_params = base;
	plan->page_tables = base + BZIMAGE_BOOT_PARAMS_BYTES;
	plan->gdt = base + tables_end + PAGE_BYTES - BZIMAGE_GDT_BYTES;
	plan->stack_top = plan->gdt;
	plan->command_line = base + tables_end + PAGE_BYTES;
	take(search, base, len);
	return OK;
}

static enum status place_initrd(const struct search *search, const struct bzimage *image, struct bzimage_plan *plan,
				struct bzimage_problem *problem)
{
	uint64_t end = image->initrd_last + 1;

	if (plan->initrd_bytes == 0)
		return OK;
	plan->initrd = find_place(search, plan->initrd_bytes, PAGE_BYTES, ONE_MIB, end, true);
	if (plan->initrd == UINT64_MAX && image->above_4g)
		plan->initrd = find_place(search, plan->initrd_bytes, PAGE_BYTES, ONE_MIB, UINT64_MAX / 2, true);
	if (plan->initrd == UINT64_MAX)
		return refuse(problem, ERR_NO_SPACE, "the initrd does not fit into memory: bytes needed", plan->initrd_bytes);
	return OK;
}

enum status bzimage_place(const struct bzimage *image, const struct bzimage_range *ranges, size_t range_count,
			  uint64_t command_line_bytes, uint64_t initrd_bytes, struct bzimage_plan *out,
			  struct bzimage_problem *problem)
{
	struct search search = {.ranges = ranges, .range_count = range_count};
	struct bzimage_plan plan = {.command_line_bytes = command_line_bytes, .initrd_bytes = initrd_bytes};
	enum status status;

	if (command_line_bytes == 0 || command_line_bytes - 1 > image->command_line_max)
		return refuse(problem, ERR_OVERFLOW, "command line too long for this kernel: characters allowed",
			      image->command_line_max);
	status = place_kernel(&search, image, &plan, problem);
	if (status == OK)
		status = place_small(&search, &plan, problem);
	if (status == OK)
		status = place_initrd(&search, image, &plan, problem);
	if (status == OK)
		*out = plan;
	return status;
}
