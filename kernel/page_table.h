/* 4-level page tables through the direct map: finding and making the entry for an address. SDM Vol. 3A, "4-Level Paging". */
#pragma once
#include <stdint.h>

struct pool;

#define PTE_PRESENT  0x001ULL
#define PTE_WRITE    0x002ULL
#define PTE_USER     0x004ULL
#define PTE_PWT      0x008ULL
#define PTE_PCD      0x010ULL
#define PTE_LARGE    0x080ULL /* in a page-directory entry */
#define PTE_GLOBAL   0x100ULL
#define PTE_NX       (1ULL << 63)
#define PTE_ADDRESS  0x000ffffffffff000ULL
#define PTE_DEVICE   (PTE_PCD | PTE_PWT) /* UC by the PAT's reset value */

/* The entry that maps virtual_address at level (1: 4 KiB, 2: 2 MiB, 3: 1 GiB; 4: the PML4 entry itself), or NULL: a table on the
 * way is missing and pool is NULL or exhausted, or a large page is in the way. Missing tables are made from pool's kernel part with
 * table_flags (PTE_PRESENT | PTE_WRITE, PTE_USER for programs). root: the PML4 in the direct map. */
uint64_t *page_table_entry(uint64_t *root, uint64_t virtual_address, unsigned level, struct pool *pool, uint64_t table_flags);

/* Frees the tables (not what they map) below one PML4 entry, at most *budget, from which it takes what it freed. All is freed when
 * the budget is not used up. */
void page_table_free(uint64_t *pml4_entry, struct pool *pool, unsigned *budget);
