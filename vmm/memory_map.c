/* Below 4 GiB an offset in the memory object is the guest-physical address, so that large pages stay aligned. */
#include "vmm/memory_map.h"

#include "vmm/acpi/tables.h"

#define E820_USABLE   1U
#define E820_RESERVED 2U
#define LOW_END       0xa0000ULL
#define FIRMWARE_BASE 0xc0000ULL
#define HIGH_BASE     0x100000ULL
#define LOW_RAM_MOST  0xb0000000ULL
#define LOW_RAM_SPLIT 0x80000000ULL
#define ABOVE_4G      0x100000000ULL
#define GIB           0x40000000ULL

static void add(struct memory_map *map, uint64_t gpa, uint64_t offset_bytes, uint64_t length_bytes, uint32_t type)
{
	map->pieces[map->piece_count++] =
		(struct memory_piece){.gpa = gpa, .offset_bytes = offset_bytes, .length_bytes = length_bytes};
	map->e820[map->e820_count++] =
		(struct bzimage_e820){.base = gpa, .length_bytes = length_bytes, .type = type};
}

uint64_t memory_map_low_end(uint64_t memory_bytes)
{
	return memory_bytes < LOW_RAM_MOST ? memory_bytes : LOW_RAM_SPLIT;
}

uint32_t memory_map_high_window_gib(uint64_t memory_bytes)
{
	return (uint32_t)((ABOVE_4G + memory_bytes - memory_map_low_end(memory_bytes) + GIB - 1) / GIB);
}

enum status memory_map_make(uint64_t memory_bytes, struct memory_map *out)
{
	uint64_t low_end = memory_map_low_end(memory_bytes);

	if (memory_bytes < VMM_MEMORY_LEAST_BYTES)
		return ERR_OUT_OF_RANGE;
	*out = (struct memory_map){.piece_count = 0, .low_end = low_end};
	add(out, 0, 0, LOW_END, E820_USABLE);
	add(out, FIRMWARE_BASE, FIRMWARE_BASE, HIGH_BASE - FIRMWARE_BASE, E820_RESERVED);
	add(out, HIGH_BASE, HIGH_BASE, low_end - HIGH_BASE, E820_USABLE);
	if (memory_bytes > low_end)
		add(out, ABOVE_4G, low_end, memory_bytes - low_end, E820_USABLE);
	return OK;
}

_Static_assert(GUEST_ACPI_PHYSICAL >= FIRMWARE_BASE && GUEST_ACPI_PHYSICAL + GUEST_ACPI_MAX_BYTES <= HIGH_BASE,
	       "the tables lie in memory");
