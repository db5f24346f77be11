/* The window of pages of 4 KiB. */
#include "tests/guest/lib/paging.h"

#define ENTRIES    512U
#define FRAME_MASK 0x000ffffffffff000ULL

static uint64_t table[ENTRIES] __attribute__((aligned(4096)));

static uint64_t *entry_of(uint64_t *entries, unsigned shift)
{
	return &entries[PAGING_WINDOW >> shift & (ENTRIES - 1)];
}

static uint64_t *table_below(const uint64_t *entry)
{
	return (uint64_t *)(uintptr_t)(*entry & FRAME_MASK);
}

void paging_map(unsigned n, uint64_t physical, uint64_t flags)
{
	uint64_t root;
	uint64_t *directory;

	__asm__ volatile("movq %%cr3, %0" : "=r"(root));
	directory = table_below(entry_of(table_below(entry_of((uint64_t *)(uintptr_t)(root & FRAME_MASK), 39)), 30));
	table[n % ENTRIES] = physical | flags;
	*entry_of(directory, 21) = (uint64_t)(uintptr_t)table | PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER;
	__asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
}
