/* Where the kernel image, the boot heap and the first program go: random places in free memory, and the kernel's random virtual
 * address. */
#pragma once
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"
#include "boot/common/memory_map.h"

struct placement {
	uint64_t kernel_physical; /* 2 MiB-aligned */
	uint64_t kernel_virtual;  /* 2 MiB-aligned, in [KERNEL_IMAGE_BASE, KERNEL_IMAGE_END) */
	uint64_t kernel_length_bytes;
	uint64_t heap_physical; /* 2 MiB-aligned */
	uint64_t heap_length_bytes;
	struct boot_program program;
};

/* Picks one of all 2 MiB-aligned places of length_bytes (> 0) in usable memory of a normalized map, below limit_physical;
 * each is as likely as any other (random: 64 evenly spread bits).
 * Errors: ERR_NO_MEMORY. Context: any; pure. */
MUST_CHECK enum status place_physical(const struct memory_map *map, uint64_t length_bytes, uint64_t limit_physical,
				      uint64_t random, uint64_t *base_physical);

/* Picks a 2 MiB boundary in [KERNEL_IMAGE_BASE, KERNEL_IMAGE_END - length_bytes].
 * Errors: ERR_NO_MEMORY if the image is too long. Context: any; pure. */
MUST_CHECK enum status place_virtual(uint64_t length_bytes, uint64_t random, uint64_t *base_virtual);
