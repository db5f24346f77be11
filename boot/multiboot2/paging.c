/* Extends the identity map of the entry code. With 1 GiB pages it reaches 1 TiB, else 64 GiB by tables of our own.
 * Source: SDM Vol. 3A, "4-Level Paging and 5-Level Paging". */
#include "abi/layout.h"
#include "boot/common/cpu.h"
#include "boot/common/page_tables.h"
#include "boot/multiboot2/multiboot2_loader.h"

#define CPUID_EXTENDED_FEATURES    0x80000001U
#define CPUID_EXTENDED_EDX_PAGE_1G (1U << 26)
#define ENTRIES_PER_TABLE          512U
#define FIRST_GIB                  4U
#define REACH_GIB_WITH_2M_PAGES    64U
#define REACH_GIB_WITH_1G_PAGES    1024U

static uint64_t more_level_3[ENTRIES_PER_TABLE] __attribute__((aligned(4096)));
static uint64_t more_level_2[REACH_GIB_WITH_2M_PAGES - FIRST_GIB][ENTRIES_PER_TABLE] __attribute__((aligned(4096)));

static uint64_t table_entry(const void *table)
{
	return (uint64_t)(uintptr_t)table | PTE_PRESENT | PTE_WRITABLE;
}

static void extend_by_1g_pages(uint64_t *root, uint64_t *level_3)
{
	root[1] = table_entry(more_level_3);
	for (uint64_t gib = FIRST_GIB; gib < REACH_GIB_WITH_1G_PAGES; gib++) {
		uint64_t *table = gib < ENTRIES_PER_TABLE ? level_3 : more_level_3;

		table[gib % ENTRIES_PER_TABLE] = gib * PAGE_1G_BYTES | PTE_PRESENT | PTE_WRITABLE | PTE_LARGE;
	}
}

static void extend_by_2m_pages(uint64_t *level_3)
{
	for (uint64_t gib = FIRST_GIB; gib < REACH_GIB_WITH_2M_PAGES; gib++) {
		uint64_t *level_2 = more_level_2[gib - FIRST_GIB];

		for (uint64_t i = 0; i < ENTRIES_PER_TABLE; i++)
			level_2[i] = (gib * PAGE_1G_BYTES + i * PAGE_2M_BYTES) | PTE_PRESENT | PTE_WRITABLE | PTE_LARGE;
		level_3[gib] = table_entry(level_2);
	}
}

/* Entries only become present: no translation can be stale. */
uint64_t paging_extend(void)
{
	uint64_t *root = multiboot2_tables;
	uint64_t *level_3 = multiboot2_tables + ENTRIES_PER_TABLE;

	if (cpuid(CPUID_EXTENDED_FEATURES, 0).edx & CPUID_EXTENDED_EDX_PAGE_1G) {
		extend_by_1g_pages(root, level_3);
		return REACH_GIB_WITH_1G_PAGES * PAGE_1G_BYTES;
	}
	extend_by_2m_pages(level_3);
	return REACH_GIB_WITH_2M_PAGES * PAGE_1G_BYTES;
}
