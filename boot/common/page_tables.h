/* Builds the 4-level page tables that the kernel starts on. All tables come from an arena.
 * Source: SDM Vol. 3A, "4-Level Paging and 5-Level Paging". */
#pragma once
#include <stdint.h>

#include "abi/status.h"
#include "boot/common/arena.h"

#define PTE_PRESENT    0x1ULL
#define PTE_WRITABLE   0x2ULL
#define PTE_LARGE      0x80ULL
#define PTE_NO_EXECUTE 0x8000000000000000ULL
#define PTE_ADDRESS    0x000ffffffffff000ULL

struct page_tables {
	struct arena *arena;
	uint64_t root_physical;
};

/* Starts empty tables. Errors: ERR_NO_MEMORY. Context: any. */
MUST_CHECK enum status page_tables_init(struct page_tables *tables, struct arena *arena);

/* Maps [base_virtual, + length_bytes) to [base_physical, ...) in pages of page_bytes (PAGE_SIZE_BYTES or PAGE_2M_BYTES; all
 * three numbers are multiples of it). rights: PTE_WRITABLE and PTE_NO_EXECUTE, each or none; accessed and dirty bits are
 * left to the CPU.
 * Errors: ERR_MISALIGNED; ERR_EXISTS (a page was there already: the ones before it are mapped); ERR_NO_MEMORY.
 * Context: any. */
MUST_CHECK enum status page_tables_map(struct page_tables *tables, uint64_t base_virtual, uint64_t base_physical,
				       uint64_t length_bytes, uint64_t page_bytes, uint64_t rights);
