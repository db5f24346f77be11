/* Walks and makes page tables. Owns no table: spaces and the kernel map do. */
#include "kernel/page_table.h"

#include <stddef.h>

#include "abi/layout.h"
#include "kernel/pool.h"

static unsigned index_at(uint64_t virtual_address, unsigned level)
{
	return (virtual_address >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

uint64_t *page_table_entry(uint64_t *root, uint64_t virtual_address, unsigned level, struct pool *pool, uint64_t table_flags)
{
	uint64_t *table = root;

	for (unsigned at = 4; at > level; at--) {
		uint64_t *entry = &table[index_at(virtual_address, at)];

		if (!(*entry & PTE_PRESENT)) {
			void *page = pool != NULL ? pool_page_alloc(pool) : NULL;

			if (page == NULL)
				return NULL;
			*entry = direct_physical(page) | table_flags;
		} else if (at < 4 && (*entry & PTE_LARGE)) {
			return NULL;
		}
		table = direct_pointer(*entry & PTE_ADDRESS);
	}
	return &table[index_at(virtual_address, level)];
}

/* level: of the table that the entry names; 1: its entries name no tables. */
static void free_table(uint64_t *entry, unsigned level, struct pool *pool, unsigned *budget)
{
	uint64_t *table = direct_pointer(*entry & PTE_ADDRESS);

	for (unsigned i = 0; level > 1 && i < 512; i++) {
		if ((table[i] & (PTE_PRESENT | PTE_LARGE)) == PTE_PRESENT)
			free_table(&table[i], level - 1, pool, budget);
		if (*budget == 0)
			return;
	}
	pool_page_free(pool, table);
	*entry = 0;
	--*budget;
}

void page_table_free(uint64_t *pml4_entry, struct pool *pool, unsigned *budget)
{
	if (*budget > 0 && (*pml4_entry & PTE_PRESENT))
		free_table(pml4_entry, 3, pool, budget);
}
