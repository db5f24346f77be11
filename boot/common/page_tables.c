/* Builds the page tables that the kernel starts on. Owns nothing after the jump: the kernel takes them over. */
#include "boot/common/page_tables.h"

#include <stddef.h>

#include "abi/layout.h"

#define ENTRIES_PER_TABLE 512U
#define INDEX_BITS        9U
#define ROOT_SHIFT        39U

enum status page_tables_init(struct page_tables *tables, struct arena *arena)
{
	void *root = arena_alloc(arena, PAGE_SIZE_BYTES, PAGE_SIZE_BYTES);

	if (root == NULL)
		return ERR_NO_MEMORY;
	*tables = (struct page_tables){.arena = arena, .root_physical = arena_physical(arena, root)};
	return OK;
}

/* The table behind an entry, made when there is none. */
static enum status next_table(struct page_tables *tables, uint64_t *entry, uint64_t **table)
{
	if (*entry & PTE_LARGE)
		return ERR_EXISTS;
	if (!(*entry & PTE_PRESENT)) {
		void *fresh = arena_alloc(tables->arena, PAGE_SIZE_BYTES, PAGE_SIZE_BYTES);

		if (fresh == NULL)
			return ERR_NO_MEMORY;
		*entry = arena_physical(tables->arena, fresh) | PTE_PRESENT | PTE_WRITABLE;
	}
	*table = arena_at(tables->arena, *entry & PTE_ADDRESS);
	return OK;
}

static enum status map_page(struct page_tables *tables, uint64_t virtual, unsigned leaf_shift, uint64_t leaf_entry)
{
	uint64_t *table = arena_at(tables->arena, tables->root_physical);

	for (unsigned shift = ROOT_SHIFT;; shift -= INDEX_BITS) {
		uint64_t *entry = &table[(virtual >> shift) % ENTRIES_PER_TABLE];
		enum status status;

		if (shift == leaf_shift) {
			if (*entry & PTE_PRESENT)
				return ERR_EXISTS;
			*entry = leaf_entry;
			return OK;
		}
		status = next_table(tables, entry, &table);
		if (status != OK)
			return status;
	}
}

enum status page_tables_map(struct page_tables *tables, uint64_t base_virtual, uint64_t base_physical, uint64_t length_bytes,
			    uint64_t page_bytes, uint64_t rights)
{
	unsigned leaf_shift = page_bytes == PAGE_2M_BYTES ? PAGE_SHIFT + INDEX_BITS : PAGE_SHIFT;
	uint64_t flags = rights | PTE_PRESENT | (page_bytes == PAGE_2M_BYTES ? PTE_LARGE : 0);

	if (((base_virtual | base_physical | length_bytes) & (page_bytes - 1)) != 0)
		return ERR_MISALIGNED;
	for (uint64_t offset = 0; offset < length_bytes; offset += page_bytes) {
		enum status status = map_page(tables, base_virtual + offset, leaf_shift, (base_physical + offset) | flags);

		if (status != OK)
			return status;
	}
	return OK;
}
