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

static void free_directory(uint64_t *directory, struct pool *pool)
{
	for (unsigned i = 0; i < 512; i++) {
		if ((directory[i] & PTE_PRESENT) && !(directory[i] & PTE_LARGE))
			pool_page_free(pool, direct_pointer(directory[i] & PTE_ADDRESS));
	}
	pool_page_free(pool, directory);
}

void page_table_free(uint64_t *pml4_entry, struct pool *pool)
{
	uint64_t *pointers;

	if (!(*pml4_entry & PTE_PRESENT))
		return;
	pointers = direct_pointer(*pml4_entry & PTE_ADDRESS);
	for (unsigned i = 0; i < 512; i++) {
		if ((pointers[i] & PTE_PRESENT) && !(pointers[i] & PTE_LARGE))
			free_directory(direct_pointer(pointers[i] & PTE_ADDRESS), pool);
	}
	pool_page_free(pool, pointers);
	*pml4_entry = 0;
}
