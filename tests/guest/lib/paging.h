/* Pages of 4 KiB in the flat program's tables (docs/guest-flat.md). SDM Vol. 3A, "4-Level Paging". */
#pragma once
#include <stdint.h>

#define PAGE_PRESENT  0x1ULL
#define PAGE_WRITABLE 0x2ULL
#define PAGE_USER     0x4ULL
#define PAGE_BYTES    4096ULL

/* Bits of a page fault's error code. */
#define FAULT_PRESENT 0x1ULL
#define FAULT_WRITE   0x2ULL

/* Virtual addresses that nothing else uses: page n of a window of 512. */
#define PAGING_WINDOW 0x40000000ULL
#define PAGING_PAGE(n) (PAGING_WINDOW + (n) * PAGE_BYTES)

/* Maps page n of the window to a physical page; flags 0: not present. */
void paging_map(unsigned n, uint64_t physical, uint64_t flags);

static inline uint64_t fault_address(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr2, %0" : "=r"(value));
	return value;
}
