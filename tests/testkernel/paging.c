/* Walks the loader's page tables: every mapping must be one that abi/boot_info.h allows. */
#include "abi/layout.h"
#include "boot/common/cpu.h"
#include "boot/common/page_tables.h"
#include "tests/testkernel/test.h"

#define INDEX(address, level) ((address) >> (PAGE_SHIFT + 9 * (level)) & 511)
#define WINDOW_VIRTUAL        KERNEL_DEVICES_BASE

/* What was seen on the walk. */
struct seen {
	const struct boot_info *info;
	uint64_t kernel_pages;
	uint64_t executable_pages;
	uint64_t heap_pages;
	uint64_t lower_pages;
};

static bool in_heap(const struct boot_info *info, uint64_t physical)
{
	return physical >= info->heap_physical && physical - info->heap_physical < info->heap_used_bytes;
}

static void check_kernel_leaf(struct seen *seen, uint64_t virtual, uint64_t entry, unsigned level)
{
	const struct boot_info *info = seen->info;
	uint64_t offset = virtual - info->kernel_virtual;
	bool writable = (entry & PTE_WRITABLE) != 0;
	bool executable = (entry & PTE_NO_EXECUTE) == 0;

	check(level == 0, "kernel mapped by 4 KiB pages");
	check(offset < info->kernel_length_bytes, "upper-half pages lie in the kernel image or the heap");
	check((entry & PTE_ADDRESS) == info->kernel_physical + offset, "kernel page points to the kernel's memory");
	check(!(writable && executable), "no kernel page is writable and executable");
	seen->kernel_pages++;
	seen->executable_pages += executable;
}

static void check_leaf(struct seen *seen, uint64_t virtual, uint64_t entry, unsigned level)
{
	const struct boot_info *info = seen->info;
	uint64_t offset = virtual - DIRECT_MAP_BASE - info->heap_physical;

	if (virtual < USER_END) {
		check((entry & PTE_ADDRESS & ~0x1000ULL) == virtual, "lower half is an identity map");
		seen->lower_pages++;
	} else if (virtual >= KERNEL_IMAGE_BASE) {
		check_kernel_leaf(seen, virtual, entry, level);
	} else {
		check(level == 1 && offset < info->heap_length_bytes, "direct map holds the heap only, by 2 MiB pages");
		check((entry & PTE_WRITABLE) && (entry & PTE_NO_EXECUTE), "heap is writable and not executable");
		seen->heap_pages++;
	}
}

static void walk(struct seen *seen, uint64_t table_physical, unsigned level, uint64_t base_virtual)
{
	const uint64_t *table = direct(table_physical);

	check(in_heap(seen->info, table_physical), "page tables lie in the used part of the heap");
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t entry = table[i];
		uint64_t virtual = base_virtual + (i << (PAGE_SHIFT + 9 * level));

		if (level == 3 && i >= 256)
			virtual |= 0xffff000000000000ULL;
		if (!(entry & PTE_PRESENT))
			continue;
		check((entry & 4) == 0, "no page is the user's");
		if (level == 0 || (entry & PTE_LARGE))
			check_leaf(seen, virtual, entry, level);
		else
			walk(seen, entry & PTE_ADDRESS, level - 1, virtual);
	}
}

void check_paging(const struct boot_info *info)
{
	struct seen seen = {.info = info};

	walk(&seen, read_cr3() & PTE_ADDRESS, 3, 0);
	check(seen.heap_pages == info->heap_length_bytes / PAGE_2M_BYTES, "the whole heap is mapped");
	check(seen.kernel_pages == info->kernel_length_bytes / PAGE_SIZE_BYTES, "the whole kernel is mapped");
	check(seen.executable_pages > 0 && seen.executable_pages < seen.kernel_pages, "code is executable, data is not");
	check(seen.lower_pages <= 2, "identity map is no larger than the jump needs");
	print("paging: kernel pages %lu, heap pages %lu, lower pages %lu\n", seen.kernel_pages, seen.heap_pages,
	      seen.lower_pages);
}

const volatile uint8_t *window(const struct boot_info *info, uint64_t physical)
{
	uint64_t tables = (info->heap_physical + info->heap_used_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
	uint64_t root = read_cr3() & PTE_ADDRESS;
	uint64_t *level_3 = (uint64_t *)(uintptr_t)direct(root);
	uint64_t *level_2 = (uint64_t *)(uintptr_t)direct(tables);
	uint64_t *level_1 = level_2 + 512;

	for (unsigned i = 0; i < 1024; i++)
		level_2[i] = 0;
	level_3[INDEX(WINDOW_VIRTUAL, 3)] = tables | PTE_PRESENT | PTE_WRITABLE;
	level_2[INDEX(WINDOW_VIRTUAL, 2)] = (tables + PAGE_SIZE_BYTES) | PTE_PRESENT | PTE_WRITABLE;
	level_1[0] = (physical & ~(PAGE_2M_BYTES - 1)) | PTE_PRESENT | PTE_LARGE | PTE_NO_EXECUTE;
	write_cr3(root);
	return (const volatile uint8_t *)(uintptr_t)(WINDOW_VIRTUAL + physical % PAGE_2M_BYTES);
}
