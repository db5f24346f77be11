/* The area of memory that holds what a kernel is told: structures, texts, a GDT. Filled from its start. */
#include "lib/base/string.h"
#include "vmm/load/formats.h"

void *load_info_take(struct load_plan *plan, size_t len_bytes, uint64_t *address)
{
	struct load_generated *made = &plan->generated;
	size_t at = made->info_used_bytes;

	if (len_bytes > LOAD_INFO_BYTES - at)
		return NULL;
	*address = LOAD_INFO_BASE + at;
	made->info_used_bytes = (at + len_bytes + 7) & ~(size_t)7;
	return (uint8_t *)made->info + at;
}

uint64_t load_info_text(struct load_plan *plan, const char *first, const char *second)
{
	size_t first_bytes = strlen(first), second_bytes = second == NULL ? 0 : strlen(second);
	bool has_both = first_bytes != 0 && second_bytes != 0;
	uint64_t address = 0;
	char *to = load_info_take(plan, first_bytes + has_both + second_bytes + 1, &address);

	if (to == NULL)
		return 0;
	memcpy(to, first, first_bytes);
	if (has_both)
		to[first_bytes] = ' ';
	if (second_bytes != 0)
		memcpy(to + first_bytes + has_both, second, second_bytes);
	to[first_bytes + has_both + second_bytes] = '\0';
	return address;
}

uint64_t load_info_gdt(struct load_plan *plan)
{
	static const uint64_t gdt[LOAD_GDT_BYTES / 8] = {
		[LOAD_GDT_CODE / 8] = 0x00cf9b000000ffff, /* present, DPL 0, execute/read, accessed, D, G */
		[LOAD_GDT_DATA / 8] = 0x00cf93000000ffff, /* present, DPL 0, read/write, accessed, B, G */
	};
	uint64_t address = 0;
	void *to = load_info_take(plan, sizeof(gdt), &address);

	if (to != NULL)
		memcpy(to, gdt, sizeof(gdt));
	return address;
}

void load_info_add(struct load_plan *plan)
{
	load_add_piece(plan, LOAD_INFO_BASE, plan->generated.info, plan->generated.info_used_bytes, 0);
}
