/* Random places for the kernel, the boot heap and the first program. Owns no memory: the loader claims what is picked here. */
#include "boot/common/placement.h"

#include "abi/layout.h"

struct slots {
	uint64_t first_physical;
	uint64_t count;
};

/* The 2 MiB-aligned places of length_bytes in one usable piece. */
static struct slots slots_in(const struct boot_memory *piece, uint64_t length_bytes, uint64_t limit_physical)
{
	struct slots none = {.first_physical = 0, .count = 0};
	uint64_t base = piece->base_physical;
	uint64_t padding = -base & (PAGE_2M_BYTES - 1);
	uint64_t available = piece->length_bytes;

	if (piece->type != BOOT_MEMORY_USABLE || base >= limit_physical)
		return none;
	if (available > limit_physical - base)
		available = limit_physical - base;
	if (padding > available || length_bytes > available - padding)
		return none;
	return (struct slots){
		.first_physical = base + padding,
		.count = (available - padding - length_bytes) / PAGE_2M_BYTES + 1,
	};
}

enum status place_physical(const struct memory_map *map, uint64_t length_bytes, uint64_t limit_physical, uint64_t random,
			   uint64_t *base_physical)
{
	uint64_t total = 0;
	uint64_t chosen;

	for (uint32_t i = 0; i < map->count; i++)
		total += slots_in(&map->entries[i], length_bytes, limit_physical).count;
	if (total == 0)
		return ERR_NO_MEMORY;
	chosen = random % total;
	for (uint32_t i = 0; i < map->count; i++) {
		struct slots slots = slots_in(&map->entries[i], length_bytes, limit_physical);

		if (chosen < slots.count) {
			*base_physical = slots.first_physical + chosen * PAGE_2M_BYTES;
			return OK;
		}
		chosen -= slots.count;
	}
	return ERR_NO_MEMORY;
}

enum status place_virtual(uint64_t length_bytes, uint64_t random, uint64_t *base_virtual)
{
	uint64_t room_bytes = KERNEL_IMAGE_END - KERNEL_IMAGE_BASE;

	if (length_bytes > room_bytes)
		return ERR_NO_MEMORY;
	*base_virtual = KERNEL_IMAGE_BASE + random % ((room_bytes - length_bytes) / PAGE_2M_BYTES + 1) * PAGE_2M_BYTES;
	return OK;
}
