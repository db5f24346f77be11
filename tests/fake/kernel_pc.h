/* A PC's memory for tests of ring 0's memory code: up to 2 TiB of physical addresses, of which only mapped chunks can be touched.
 * State cannot be set back (the kernel boots once), so each test that needs a PC runs as a process of its own. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/boot_info.h"

#define FAKE_MIB (1ULL << 20)
#define FAKE_GIB (1ULL << 30)

/* Runs body in a child process; the test fails when an assertion there does. */
void fake_pc_run(void (*body)(void));

/* boot_info over that map; the first BOOT_MEMORY_HEAP entry is the heap, of which heap_used_bytes (at least 64 KiB) are taken.
 * Its page tables hold just the heap, as a loader's. */
const struct boot_info *fake_pc_power_on(const struct boot_memory *map, uint32_t count, uint64_t heap_used_bytes);
/* The same, and chunks_init() and all that kernel/main.c does for memory. */
void fake_pc_boot(const struct boot_memory *map, uint32_t count);
/* A PC with size_bytes of RAM from 0 on (hole below 1 MiB), 4 MiB heap at 16 MiB. */
void fake_pc_boot_simple(uint64_t size_bytes);

/* Pages that mapping chunks has cost: page tables beyond the loader's. */
uint64_t fake_pc_table_pages(void);
bool fake_pc_is_mapped(uint64_t physical);
/* What another CPU does while frames_zero() works; NULL: nothing. */
extern void (*fake_pc_while_zeroing)(void);
/* Bytes that frames_zero() was asked to clear since power-on; 0 outside RAM of the map is an error. */
uint64_t fake_pc_zeroed_bytes(void);
unsigned fake_pc_shootdowns(void);
