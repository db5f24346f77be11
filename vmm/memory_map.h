/* Where a guest's memory lies in its address space: the memory object of n bytes is cut into pieces, a map for the guest's
 * operating system says which of them it may use.
 *
 *   0 - 640 KiB             RAM
 *   640 - 768 KiB           nothing: no video memory
 *   768 KiB - 1 MiB         memory without option ROMs (systems search it word by word, which must not cost an exit each);
 *                           from 832 KiB on what some kernels are told (LOAD_INFO_BASE), from 896 KiB on the ACPI tables
 *                           (GUEST_ACPI_PHYSICAL)
 *   1 MiB - 2.75 GiB        RAM; of a VM with 2.75 GiB or more it ends at 2 GiB. So QEMU's Q35 machine has it, and so firmware
 *                           for that machine expects it: SeaBIOS puts PCI Express configuration space at 2.75 GiB
 *   up to 4 GiB             devices
 *   from 4 GiB on           the rest of RAM, and from the next GiB on devices
 *
 * Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vmm_spec.h"
#include "lib/bzimage/bzimage.h"

#define MEMORY_MAP_PIECES   4U
#define MEMORY_MAP_E820     4U

/* Bytes [offset_bytes, offset_bytes + length_bytes) of the memory object are the guest's from gpa on. */
struct memory_piece {
	uint64_t gpa;
	uint64_t offset_bytes;
	uint64_t length_bytes;
};

struct memory_map {
	size_t piece_count;
	struct memory_piece pieces[MEMORY_MAP_PIECES];
	uint64_t low_end; /* RAM below 4 GiB ends there */
	size_t e820_count;
	struct bzimage_e820 e820[MEMORY_MAP_E820];
};

/* Where the RAM below 4 GiB ends. */
uint64_t memory_map_low_end(uint64_t memory_bytes);

/* The first GiB above 4 GiB, and above all RAM, as a number: devices may be from there on. */
uint32_t memory_map_high_window_gib(uint64_t memory_bytes);

/* memory_bytes: a multiple of 4096. Errors: ERR_OUT_OF_RANGE: less than VMM_MEMORY_LEAST_BYTES. */
MUST_CHECK enum status memory_map_make(uint64_t memory_bytes, struct memory_map *out);
