/* Ring 0's own mappings. Nothing here is user accessible, nothing is both writable and executable. */
#include "kernel/kernel_map.h"

#include "abi/boot_info.h"
#include "abi/layout.h"
#include "kernel/config.h"
#include "kernel/cpu.h"
#include "kernel/cpu_insn.h"
#include "kernel/page_table.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/shootdown.h"
#include "kernel/spinlock.h"
#include "lib/base/string.h"

#define WINDOW_BYTES      (2 * PAGE_2M_BYTES) /* per CPU: one page table of 4 KiB windows, one 2 MiB window */
#define DEVICES_START     (KERNEL_DEVICES_BASE + CPUS_MAX * WINDOW_BYTES)
#define DEVICES_END       (KERNEL_DEVICES_BASE + 0x8000000000ULL)
#define TABLE_FLAGS       (PTE_PRESENT | PTE_WRITE)
#define DATA_FLAGS        (PTE_PRESENT | PTE_WRITE | PTE_GLOBAL | PTE_NX)
#define PML4_VM_SLOT      386U
#define PTE_PAT_4K        0x080ULL
#define PTE_WC            PTE_PAT_4K

static struct {
	struct spinlock lock;
	uint64_t *pml4;
	uint64_t next_device;
} map = {.lock = {.rank = RANK_KERNEL_MAP}, .next_device = DEVICES_START};

void kernel_map_init(const struct boot_info *boot)
{
	(void)boot;
	map.pml4 = direct_pointer(read_cr3() & PTE_ADDRESS);
	for (unsigned i = 0; i < 256; i++)
		map.pml4[i] = 0;
	cpu_load_page_attributes();
}

void kernel_map_make_shared(uint64_t highest_physical)
{
	for (uint64_t at = 0; at <= highest_physical && at < DIRECT_MAP_END - DIRECT_MAP_BASE; at += 1ULL << 39)
		ASSERT(page_table_entry(map.pml4, DIRECT_MAP_BASE + at, 3, root_pool, TABLE_FLAGS) != NULL);
	ASSERT(page_table_entry(map.pml4, KERNEL_STACKS_BASE, 3, root_pool, TABLE_FLAGS) != NULL);
	ASSERT(page_table_entry(map.pml4, KERNEL_DEVICES_BASE, 3, root_pool, TABLE_FLAGS) != NULL);
}

uint64_t kernel_map_cr3(void)
{
	return direct_physical(map.pml4);
}

void kernel_map_share(uint64_t *pml4)
{
	for (unsigned i = 256; i < 512; i++)
		pml4[i] = i != PML4_VM_SLOT ? map.pml4[i] : 0;
}

void kernel_map_prepare(uint64_t physical)
{
	ASSERT(page_table_entry(map.pml4, DIRECT_MAP_BASE + physical, 2, root_pool, TABLE_FLAGS) != NULL);
}

void kernel_map_chunk(uint64_t physical)
{
	/* No lock: the page directory exists (kernel_map_prepare), and who maps a chunk owns it and thereby its entry. */
	uint64_t *entry = page_table_entry(map.pml4, DIRECT_MAP_BASE + physical, 2, root_pool, TABLE_FLAGS);

	ASSERT(entry != NULL && physical % PAGE_2M_BYTES == 0);
	*entry = physical | DATA_FLAGS | PTE_LARGE;
}

void kernel_unmap_chunk(uint64_t physical)
{
	uint64_t *entry = page_table_entry(map.pml4, DIRECT_MAP_BASE + physical, 2, NULL, 0);

	ASSERT(entry != NULL && physical % PAGE_2M_BYTES == 0);
	*entry = 0;
	shootdown_all();
}

static uint64_t cache_flags(enum device_cache cache)
{
	switch (cache) {
	case DEVICE_UNCACHED:
		return PTE_DEVICE;
	case DEVICE_WRITE_COMBINING:
		return PTE_WC;
	case DEVICE_WRITE_BACK:
		return 0;
	}
	return PTE_DEVICE;
}

static void *map_for_good(uint64_t physical, uint64_t len_bytes, uint64_t flags)
{
	uint64_t first = physical & ~(PAGE_SIZE_BYTES - 1);
	uint64_t offset = physical - first;
	uint64_t span = (offset + len_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
	void *mapped = NULL;
	uint64_t at = 0;

	spinlock_acquire(&map.lock);
	if (len_bytes > 0 && span < DEVICES_END - map.next_device) {
		for (; at < span; at += PAGE_SIZE_BYTES) {
			uint64_t *entry = page_table_entry(map.pml4, map.next_device + at, 1, root_pool, TABLE_FLAGS);

			if (entry == NULL)
				break;
			*entry = (first + at) | flags;
		}
		if (at == span)
			mapped = (void *)(uintptr_t)(map.next_device + offset);
		map.next_device += span + PAGE_SIZE_BYTES;
	}
	spinlock_release(&map.lock);
	return mapped;
}

void *kernel_map_device(uint64_t physical, uint64_t len_bytes, enum device_cache cache, bool writable)
{
	return map_for_good(physical, len_bytes, (DATA_FLAGS & ~(writable ? 0 : PTE_WRITE)) | cache_flags(cache));
}

void *kernel_map_code(uint64_t physical)
{
	return map_for_good(physical, PAGE_SIZE_BYTES, PTE_PRESENT | PTE_GLOBAL);
}

void kernel_map_cpu_windows(struct percpu *cpu)
{
	cpu->window_base = KERNEL_DEVICES_BASE + cpu->index * WINDOW_BYTES;
	cpu->window_4k = page_table_entry(map.pml4, cpu->window_base, 1, root_pool, TABLE_FLAGS);
	cpu->window_2m = page_table_entry(map.pml4, cpu->window_base + PAGE_2M_BYTES, 2, root_pool, TABLE_FLAGS);
	ASSERT(cpu->window_4k != NULL && cpu->window_2m != NULL);
}

/* The windows are used by this CPU only, so a local invalidation is enough. */
void *frame_open(uint64_t physical)
{
	struct percpu *cpu = percpu_self();

	*cpu->window_4k = (physical & PTE_ADDRESS) | PTE_PRESENT | PTE_WRITE | PTE_NX;
	return (void *)(uintptr_t)cpu->window_base;
}

void frame_close(void)
{
	struct percpu *cpu = percpu_self();

	*cpu->window_4k = 0;
	invlpg(cpu->window_base);
}

static void zero_large(uint64_t physical)
{
	struct percpu *cpu = percpu_self();
	uint64_t address = cpu->window_base + PAGE_2M_BYTES;

	*cpu->window_2m = physical | PTE_PRESENT | PTE_WRITE | PTE_NX | PTE_LARGE;
	memset((void *)(uintptr_t)address, 0, PAGE_2M_BYTES);
	*cpu->window_2m = 0;
	invlpg(address);
}

void frames_zero(uint64_t physical, uint64_t len_bytes)
{
	if (len_bytes == PAGE_2M_BYTES && physical % PAGE_2M_BYTES == 0) {
		zero_large(physical);
		return;
	}
	for (uint64_t at = 0; at < len_bytes; at += PAGE_SIZE_BYTES) {
		memset(frame_open(physical + at), 0, PAGE_SIZE_BYTES);
		frame_close();
	}
}

void frame_write(uint64_t physical, const void *src, size_t len_bytes)
{
	uint64_t offset = physical % PAGE_SIZE_BYTES;

	ASSERT(len_bytes <= PAGE_SIZE_BYTES - offset);
	memcpy((uint8_t *)frame_open(physical) + offset, src, len_bytes);
	frame_close();
}

void kernel_map_low_page(uint64_t physical)
{
	uint64_t *entry = page_table_entry(map.pml4, physical, 1, root_pool, TABLE_FLAGS);

	ASSERT(entry != NULL);
	*entry = physical | PTE_PRESENT;
}

void kernel_unmap_low(void)
{
	unsigned budget = UINT32_MAX;

	page_table_free(&map.pml4[0], root_pool, &budget);
	shootdown_all();
}
