/* The simulated PC. Stands for direct_map.c, for kernel_map.c's mapping of chunks and stacks, and for the windows of frames_*(). */
#include "tests/fake/kernel_pc.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/kernel_map.h"
#include "kernel/page_table.h"
#include "kernel/panic.h"
#include "kernel/pool.h"
#include "kernel/shootdown.h"

#define PHYSICAL_BYTES (2ULL << 40)
#define CHUNKS         (PHYSICAL_BYTES / PAGE_2M_BYTES)

static struct {
	uint8_t *memory;
	uint8_t mapped[CHUNKS];
	const struct boot_memory *map;
	uint32_t map_count;
	uint64_t *pml4;
	uint64_t zeroed_bytes;
	unsigned shootdowns;
	struct boot_info boot;
} pc;

void fake_pc_run(void (*body)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* cmocka: a failed assertion ends the process. */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void *direct_pointer(uint64_t physical)
{
	ASSERT(physical < PHYSICAL_BYTES && pc.mapped[physical / PAGE_2M_BYTES]);
	return pc.memory + physical;
}

uint64_t direct_physical(const void *pointer)
{
	uint64_t physical = (uint64_t)((const uint8_t *)pointer - pc.memory);

	ASSERT(physical < PHYSICAL_BYTES && pc.mapped[physical / PAGE_2M_BYTES]);
	return physical;
}

bool fake_pc_is_mapped(uint64_t physical)
{
	return pc.mapped[physical / PAGE_2M_BYTES];
}

uint64_t fake_pc_zeroed_bytes(void)
{
	return pc.zeroed_bytes;
}

unsigned fake_pc_shootdowns(void)
{
	return pc.shootdowns;
}

uint64_t fake_pc_table_pages(void)
{
	uint64_t count = 0;

	for (unsigned i = 256; i < 512; i++) {
		const uint64_t *pdpt = pc.pml4[i] & PTE_PRESENT ? direct_pointer(pc.pml4[i] & PTE_ADDRESS) : NULL;

		count += pdpt != NULL;
		for (unsigned j = 0; pdpt != NULL && j < 512; j++)
			count += pdpt[j] & PTE_PRESENT;
	}
	return count - 2;
}

static bool is_usable(uint64_t base, uint64_t len_bytes)
{
	for (uint32_t i = 0; i < pc.map_count; i++) {
		const struct boot_memory *entry = &pc.map[i];

		if (entry->type == BOOT_MEMORY_USABLE && base >= entry->base_physical &&
		    base + len_bytes <= entry->base_physical + entry->length_bytes)
			return true;
	}
	return false;
}

void (*fake_pc_while_zeroing)(void);

void frames_zero(uint64_t physical, uint64_t len_bytes)
{
	if (fake_pc_while_zeroing != NULL)
		fake_pc_while_zeroing();
	ASSERT(is_usable(physical, len_bytes) && !fake_pc_is_mapped(physical));
	pc.zeroed_bytes += len_bytes;
}

void shootdown_all(void)
{
	pc.shootdowns++;
}

void shootdown_space(uint64_t cr3)
{
	ASSERT(fake_pc_is_mapped(cr3));
	pc.shootdowns++;
}

static void set_mapped(uint64_t physical, bool mapped)
{
	ASSERT(physical % PAGE_2M_BYTES == 0 && pc.mapped[physical / PAGE_2M_BYTES] != mapped);
	pc.mapped[physical / PAGE_2M_BYTES] = mapped;
	ASSERT(mprotect(pc.memory + physical, PAGE_2M_BYTES, mapped ? PROT_READ | PROT_WRITE : PROT_NONE) == 0);
}

void kernel_map_prepare(uint64_t physical)
{
	ASSERT(page_table_entry(pc.pml4, DIRECT_MAP_BASE + physical, 2, root_pool, PTE_PRESENT | PTE_WRITE) != NULL);
}

void kernel_map_chunk(uint64_t physical)
{
	uint64_t *entry = page_table_entry(pc.pml4, DIRECT_MAP_BASE + physical, 2, root_pool, PTE_PRESENT | PTE_WRITE);

	ASSERT(entry != NULL && is_usable(physical, PAGE_2M_BYTES));
	*entry = physical | PTE_PRESENT | PTE_LARGE;
	set_mapped(physical, true);
}

void kernel_unmap_chunk(uint64_t physical)
{
	uint64_t *entry = page_table_entry(pc.pml4, DIRECT_MAP_BASE + physical, 2, NULL, 0);

	ASSERT(entry != NULL);
	*entry = 0;
	set_mapped(physical, false);
}

uint64_t kernel_map_cr3(void)
{
	return direct_physical(pc.pml4);
}

void kernel_map_share(uint64_t *pml4)
{
	for (unsigned i = 256; i < 512; i++)
		pml4[i] = pc.pml4[i];
}

/* The heap's first pages: PML4, PDPT, page directory with the heap itself. */
static void load_page_tables(void)
{
	uint64_t heap = pc.boot.heap_physical;
	uint64_t *pdpt = direct_pointer(heap + PAGE_SIZE_BYTES);
	uint64_t *directory = direct_pointer(heap + 2 * PAGE_SIZE_BYTES);

	pc.pml4 = direct_pointer(heap);
	pc.pml4[256 + (heap >> 39)] = (heap + PAGE_SIZE_BYTES) | PTE_PRESENT | PTE_WRITE;
	pdpt[heap >> 30 & 511] = (heap + 2 * PAGE_SIZE_BYTES) | PTE_PRESENT | PTE_WRITE;
	for (uint64_t at = 0; at < pc.boot.heap_length_bytes; at += PAGE_2M_BYTES)
		directory[(heap + at) >> 21 & 511] = (heap + at) | PTE_PRESENT | PTE_LARGE;
}

const struct boot_info *fake_pc_power_on(const struct boot_memory *map, uint32_t count, uint64_t heap_used_bytes)
{
	pc.memory = mmap(NULL, PHYSICAL_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(pc.memory != MAP_FAILED && heap_used_bytes >= 0x10000);
	pc.map = map;
	pc.map_count = count;
	pc.boot = (struct boot_info){
		.magic = BOOT_INFO_MAGIC,
		.version = BOOT_INFO_VERSION,
		.memory_virtual = (uintptr_t)map,
		.memory_count = count,
		.heap_used_bytes = heap_used_bytes,
	};
	for (uint32_t i = count; i-- > 0;) {
		if (map[i].type == BOOT_MEMORY_HEAP) {
			pc.boot.heap_physical = map[i].base_physical;
			pc.boot.heap_length_bytes = map[i].length_bytes;
		}
	}
	for (uint64_t at = 0; at < pc.boot.heap_length_bytes; at += PAGE_2M_BYTES)
		set_mapped(pc.boot.heap_physical + at, true);
	load_page_tables();
	return &pc.boot;
}

void fake_pc_boot(const struct boot_memory *map, uint32_t count)
{
	const struct boot_info *boot = fake_pc_power_on(map, count, 0x100000);

	assert_int_equal(chunks_init(boot, root_pool), OK);
}

void fake_pc_boot_simple(uint64_t size_bytes)
{
	static struct boot_memory map[] = {
		{0x1000, 0x9e000, BOOT_MEMORY_USABLE, 0},
		{0x100000, 0xf00000, BOOT_MEMORY_USABLE, 0},
		{0x1000000, 0x400000, BOOT_MEMORY_HEAP, 0},
		{0x1400000, 0, BOOT_MEMORY_USABLE, 0},
	};

	map[3].length_bytes = size_bytes - map[3].base_physical;
	fake_pc_boot(map, sizeof(map) / sizeof(map[0]));
}
