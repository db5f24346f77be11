/* Builds the chunk store from the boot memory map: regions of RAM, each with an array of chunks. All arrays are made once, here;
 * chunks.c takes and gives back. */
#include "kernel/chunks.h"

#include <stddef.h>

#include "abi/boot_info.h"
#include "abi/layout.h"
#include "kernel/chunks_internal.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/pool.h"
#include "kernel/pool_internal.h"
#include "lib/base/string.h"

#define LOW_MEMORY_END 0x100000ULL /* kept for starting processors */

static const struct boot_memory *map_of(const struct boot_info *boot)
{
	return (const struct boot_memory *)(uintptr_t)boot->memory_virtual;
}

static bool is_ram(const struct boot_memory *entry)
{
	return entry->type == BOOT_MEMORY_USABLE && entry->base_physical + entry->length_bytes > LOW_MEMORY_END &&
	       entry->base_physical < DIRECT_MAP_END - DIRECT_MAP_BASE;
}

/* Regions = usable ranges rounded outward to chunks, merged where they touch. */
static void find_regions(const struct boot_info *boot)
{
	for (uint32_t i = 0; i < boot->memory_count; i++) {
		const struct boot_memory *entry = &map_of(boot)[i];
		struct region *last = &chunk_store.regions[chunk_store.region_count - 1];
		uint64_t first = entry->base_physical >> 21;
		uint64_t end = (entry->base_physical + entry->length_bytes + PAGE_2M_BYTES - 1) >> 21;

		if (!is_ram(entry))
			continue;
		chunk_store.total_bytes += entry->length_bytes;
		if (chunk_store.region_count > 1 && first <= last->first_index + last->chunk_count) {
			last->chunk_count = end - last->first_index;
		} else if (chunk_store.region_count < REGIONS_MAX) {
			chunk_store.regions[chunk_store.region_count++] =
				(struct region){.first_index = first, .chunk_count = end - first};
		} else {
			log_warn("memory map has more than %u pieces: %lu MiB at %lx unused", REGIONS_MAX,
				 entry->length_bytes >> 20, entry->base_physical);
		}
	}
}

/* A free, chunk-aligned place of that size in the memory map, 0: none. */
static uint64_t find_place(const struct boot_info *boot, uint64_t len_bytes)
{
	for (uint32_t i = 0; i < boot->memory_count; i++) {
		const struct boot_memory *entry = &map_of(boot)[i];
		uint64_t start = (entry->base_physical + PAGE_2M_BYTES - 1) & ~(PAGE_2M_BYTES - 1);
		uint64_t skip = start - entry->base_physical;

		if (is_ram(entry) && start >= PAGE_2M_BYTES && skip <= entry->length_bytes &&
		    entry->length_bytes - skip >= len_bytes)
			return start;
	}
	return 0;
}

/* Frees the pages of a usable range, whole chunks at a time where it covers them. */
static void free_range(uint64_t base, uint64_t len_bytes)
{
	uint64_t end = base + len_bytes;
	uint64_t at = base > LOW_MEMORY_END ? base : LOW_MEMORY_END;

	while (at < end) {
		struct chunk *chunk = chunk_at(at);
		bool whole = at % PAGE_2M_BYTES == 0 && end - at >= PAGE_2M_BYTES;

		if (chunk != NULL && whole)
			chunk_reset(chunk, chunk->pool, CHUNK_FRAMES);
		else if (chunk != NULL)
			chunk_page_put(chunk, at);
		at += whole ? PAGE_2M_BYTES : PAGE_SIZE_BYTES;
	}
}

/* Marks the pages of each usable range free; a chunk that is wholly usable is free as a whole. */
static void fill_regions(const struct boot_info *boot, struct pool *root)
{
	for (unsigned r = 1; r < chunk_store.region_count; r++) {
		struct region *region = &chunk_store.regions[r];

		for (uint64_t i = 0; i < region->chunk_count; i++) {
			chunk_reset(&region->chunks[i], root, CHUNK_FRAMES);
			region->chunks[i].physical = (region->first_index + i) << 21;
			region->chunks[i].free_pages = 0;
			for (unsigned w = 0; w < CHUNK_PAGES / 64; w++)
				region->chunks[i].used[w] = ~0ULL;
		}
	}
	for (uint32_t i = 0; i < boot->memory_count; i++) {
		if (is_ram(&map_of(boot)[i]))
			free_range(map_of(boot)[i].base_physical, map_of(boot)[i].length_bytes);
	}
}

static void sort_out_chunks(struct pool *root, uint64_t area, uint64_t area_bytes, uint64_t metadata_bytes)
{
	for (unsigned r = 1; r < chunk_store.region_count; r++) {
		for (uint64_t i = 0; i < chunk_store.regions[r].chunk_count; i++) {
			struct chunk *chunk = &chunk_store.regions[r].chunks[i];

			if (chunk->physical - area < area_bytes) {
				chunk->kind = CHUNK_KERNEL;
				for (uint64_t page = 0; page < CHUNK_PAGES; page++) {
					if (chunk->physical + page * PAGE_SIZE_BYTES < area + metadata_bytes)
						(void)chunk_page_take(chunk);
				}
				pool_adopt_chunk(root, chunk);
			} else if (chunk->free_pages == CHUNK_PAGES) {
				chunk_reset(chunk, NULL, CHUNK_FREE);
				chunk_store.regions[r].free_in_group[i / GROUP_CHUNKS]++;
				chunk_store.free_count++;
			} else if (chunk->free_pages > 0) {
				pool_adopt_chunk(root, chunk);
			} else {
				chunk->kind = CHUNK_ABSENT;
			}
		}
	}
}

/* Region 0: the boot heap, whose free pages serve until the rest is known. */
static void adopt_boot_heap(const struct boot_info *boot, struct pool *root)
{
	uint64_t count = boot->heap_length_bytes >> 21;

	ASSERT(count > 0 && boot->heap_physical % PAGE_2M_BYTES == 0);
	count = count < HEAP_CHUNKS_MAX ? count : HEAP_CHUNKS_MAX;
	chunk_store.regions[0] = (struct region){
		.first_index = boot->heap_physical >> 21, .chunk_count = count, .chunks = chunk_store.heap_chunks,
		.free_in_group = &chunk_store.free_in_heap};
	chunk_store.region_count = 1;
	for (uint64_t i = 0; i < count; i++) {
		struct chunk *chunk = &chunk_store.heap_chunks[i];

		chunk_reset(chunk, root, CHUNK_KERNEL);
		chunk->physical = boot->heap_physical + i * PAGE_2M_BYTES;
		for (uint64_t page = 0; page < CHUNK_PAGES; page++) {
			if (i * PAGE_2M_BYTES + page * PAGE_SIZE_BYTES < boot->heap_used_bytes)
				(void)chunk_page_take(chunk);
		}
		pool_adopt_chunk(root, chunk);
	}
}

/* Of a region's counters, so that chunks stay aligned behind them. */
static uint64_t group_bytes(const struct region *region)
{
	uint64_t groups = (region->chunk_count + GROUP_CHUNKS - 1) / GROUP_CHUNKS;

	return (groups * sizeof(*region->free_in_group) + 7) & ~7ULL;
}

enum status chunks_init(const struct boot_info *boot, struct pool *root)
{
	uint64_t metadata_bytes = 0;
	uint64_t area_bytes;
	uint64_t area;
	uint8_t *next;

	adopt_boot_heap(boot, root);
	find_regions(boot);
	for (unsigned r = 1; r < chunk_store.region_count; r++)
		metadata_bytes += chunk_store.regions[r].chunk_count * sizeof(struct chunk) + group_bytes(&chunk_store.regions[r]);
	metadata_bytes = (metadata_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
	/* A page directory for each GiB, so that mapping a chunk later never allocates. */
	area_bytes = metadata_bytes + (chunk_store.total_bytes >> 18) + 64 * PAGE_SIZE_BYTES;
	area_bytes = (area_bytes + PAGE_2M_BYTES - 1) & ~(PAGE_2M_BYTES - 1);
	area = find_place(boot, area_bytes);
	if (area == 0)
		return ERR_NO_MEMORY;
	for (uint64_t at = 0; at < area_bytes; at += PAGE_2M_BYTES)
		kernel_map_chunk(area + at);
	next = direct_pointer(area);
	for (unsigned r = 1; r < chunk_store.region_count; r++) {
		chunk_store.regions[r].chunks = (struct chunk *)next;
		next += chunk_store.regions[r].chunk_count * sizeof(struct chunk);
		chunk_store.regions[r].free_in_group = memset(next, 0, group_bytes(&chunk_store.regions[r]));
		next += group_bytes(&chunk_store.regions[r]);
	}
	fill_regions(boot, root);
	sort_out_chunks(root, area, area_bytes, metadata_bytes);
	for (unsigned r = 1; r < chunk_store.region_count; r++) {
		for (uint64_t i = 0; i < chunk_store.regions[r].chunk_count; i += 256)
			kernel_map_prepare((chunk_store.regions[r].first_index + i) << 21);
		kernel_map_prepare((chunk_store.regions[r].first_index + chunk_store.regions[r].chunk_count - 1) << 21);
	}
	return OK;
}
