/* The upper half of every address space: direct map, stacks, device registers, per-CPU windows. Shared by all spaces; its PML4
 * entries are made at boot and never change. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct boot_info;
struct percpu;
struct pool;

enum device_cache { DEVICE_UNCACHED, DEVICE_WRITE_COMBINING, DEVICE_WRITE_BACK };

/* Takes over the loader's page tables, drops the lower half, sets the PAT. Once, on the boot CPU. */
void kernel_map_init(const struct boot_info *boot);
/* Makes the PML4 entries that all spaces share, for RAM up to highest_physical. Once, before the first space. */
void kernel_map_make_shared(uint64_t highest_physical);
/* The page tables that idle CPUs run on. */
uint64_t kernel_map_cr3(void);
/* Copies the shared entries into a new PML4. */
void kernel_map_share(uint64_t *pml4);

/* Maps one 2 MiB chunk into the direct map; prepare makes the page directory for it, so that mapping later cannot fail. */
void kernel_map_prepare(uint64_t physical);
void kernel_map_chunk(uint64_t physical);
/* Takes a chunk out of the direct map again, on all CPUs. */
void kernel_unmap_chunk(uint64_t physical);

/* Maps device registers or firmware tables, any alignment, for good. NULL: no room. */
void *kernel_map_device(uint64_t physical, uint64_t len_bytes, enum device_cache cache, bool writable);

/* Maps one page of the kernel part a second time, executable and read-only. NULL: no room. */
void *kernel_map_code(uint64_t physical);

/* A kernel stack between guard pages; returns its top (the address of its struct stack_head), 0: pool exhausted. To free it: unmap
 * it, make all CPUs forget it by shootdown_all(), free it. */
uint64_t kernel_stack_alloc(struct pool *pool);
void kernel_stack_unmap(uint64_t top);
void kernel_stack_free(struct pool *pool, uint64_t top);

/* Makes the page tables of a CPU's windows. */
void kernel_map_cpu_windows(struct percpu *cpu);

/* Identity map of the low page that starts other CPUs (executable), and taking it away again. */
void kernel_map_low_page(uint64_t physical);
void kernel_unmap_low(void);
