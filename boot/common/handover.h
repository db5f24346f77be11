/* What the loader hands to the kernel: the contents of the boot heap. */
#pragma once
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"
#include "abi/syscall.h"
#include "boot/common/arena.h"
#include "boot/common/files.h"
#include "boot/common/kernel_image.h"
#include "boot/common/memory_map.h"
#include "boot/common/page_tables.h"
#include "boot/common/pc.h"
#include "boot/common/placement.h"

#define HANDOVER_CPU_NAME_BYTES sizeof(((struct host_info *)0)->cpu_name)

/* What a loader found out. All pointers are the loader's and stay valid until the jump. */
struct handover {
	enum boot_loader_kind loader;
	const struct boot_files *files;
	const char *command_line;
	uint64_t rsdp_physical;
	uint64_t uefi_system_table_physical;
	int64_t wall_clock_seconds;
	uint64_t wall_clock_tsc;
	struct boot_framebuffer framebuffer;
	const struct pc *pc;
	uint64_t tsc_hz;
	char cpu_name[HANDOVER_CPU_NAME_BYTES];
};

/* The boot heap under construction, and then all that the jump needs. */
struct launch {
	struct arena heap;
	struct page_tables tables;
	struct boot_info *info;
	struct memory_map memory; /* entries lie in the heap */
	uint64_t entry_virtual;
	uint64_t stack_top_virtual;
	uint64_t info_virtual;
};

/* Bytes (a multiple of 2 MiB, at least 4 MiB) of a heap that holds all of this and leaves the kernel at least 2 MiB. Pure. */
uint64_t handover_heap_bytes(const struct handover *found, const struct kernel_image *image, uint32_t memory_capacity);

/* Fills the heap (memory: where the loader reaches placement->heap_physical): page tables with the kernel, the heap and an
 * identity map of [jump_physical, + jump_bytes), stack, boot_info, files and command line, and room for memory_capacity
 * entries of the map. Errors: ERR_NO_MEMORY; those of page_tables_map(). Context: any. */
MUST_CHECK enum status handover_prepare(struct launch *launch, const struct handover *found, const struct kernel_image *image,
					const struct placement *placement, uint32_t memory_capacity, void *memory,
					uint64_t jump_physical, uint64_t jump_bytes);

/* Adds the kernel, the heap, the first program and the files to raw (firmware's last map), makes the kernel's map of it and
 * closes boot_info. Errors: ERR_NO_SPACE. Context: any. */
MUST_CHECK enum status handover_finish(struct launch *launch, const struct boot_files *files, struct memory_map *raw);

/* Appends the loaded files' pages to raw. Errors: ERR_NO_SPACE. Context: any. */
MUST_CHECK enum status handover_add_files(const struct boot_files *files, struct memory_map *raw);
