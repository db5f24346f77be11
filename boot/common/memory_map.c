/* Assembly of the boot memory map. Owns the order of precedence of memory types; knows no firmware.
 * Source: ACPI Specification, "System Address Map Interfaces"; abi/boot_info.h. */
#include "boot/common/memory_map.h"

#include <stddef.h>

#include "abi/layout.h"

/* Rising strength: where pieces overlap the later type in this list wins. */
static const uint32_t precedence[] = {
	BOOT_MEMORY_USABLE,       MEMORY_LOADER,        BOOT_MEMORY_KERNEL,       BOOT_MEMORY_HEAP,     BOOT_MEMORY_FILES,
	BOOT_MEMORY_ACPI_RECLAIM, BOOT_MEMORY_ACPI_NVS, BOOT_MEMORY_UEFI_RUNTIME, BOOT_MEMORY_RESERVED, BOOT_MEMORY_BAD,
};

/* SDM Vol. 3A, "Physical-Address Size": never more than 52 bits. */
#define PHYSICAL_END     (1ULL << 52)
#define PRECEDENCE_COUNT (sizeof(precedence) / sizeof(precedence[0]))

/* Types that are not in the list are as strong as the last one; memory_map_add() lets none in. */
static unsigned strength(uint32_t type)
{
	unsigned i = 0;

	while (i < PRECEDENCE_COUNT - 1 && precedence[i] != type)
		i++;
	return i;
}

static bool is_known(uint32_t type)
{
	return precedence[strength(type)] == type;
}

enum status memory_map_add(struct memory_map *map, uint64_t base_physical, uint64_t length_bytes, uint32_t type)
{
	if (length_bytes == 0 || base_physical >= PHYSICAL_END)
		return OK;
	if (map->count == map->capacity)
		return ERR_NO_SPACE;
	if (length_bytes > PHYSICAL_END - base_physical)
		length_bytes = PHYSICAL_END - base_physical;
	map->entries[map->count++] = (struct boot_memory){
		.base_physical = base_physical,
		.length_bytes = length_bytes,
		.type = is_known(type) ? type : BOOT_MEMORY_RESERVED,
	};
	return OK;
}

/* A piece in whole pages, by number: [first, end). */
struct page_span {
	uint64_t first;
	uint64_t end;
};

static struct page_span whole_pages(const struct boot_memory *piece)
{
	uint64_t last_byte = piece->base_physical + (piece->length_bytes - 1);
	struct page_span span = {
		.first = piece->base_physical >> PAGE_SHIFT,
		.end = (last_byte >> PAGE_SHIFT) + 1,
	};

	if (piece->type != BOOT_MEMORY_USABLE)
		return span;
	if (piece->base_physical % PAGE_SIZE_BYTES != 0)
		span.first++;
	if ((last_byte + 1) % PAGE_SIZE_BYTES != 0)
		span.end--;
	if (span.first == 0)
		span.first = 1;
	return span;
}

/* One stretch from page onward over which no piece begins or ends. */
struct stretch {
	uint64_t end;  /* UINT64_MAX: nothing follows */
	uint32_t type; /* 0: a hole */
};

static struct stretch stretch_at(const struct memory_map *raw, uint64_t page)
{
	struct stretch stretch = {.end = UINT64_MAX, .type = 0};

	for (uint32_t i = 0; i < raw->count; i++) {
		const struct boot_memory *piece = &raw->entries[i];
		struct page_span span = whole_pages(piece);

		if (span.first >= span.end || span.end <= page)
			continue;
		if (span.first > page) {
			stretch.end = span.first < stretch.end ? span.first : stretch.end;
			continue;
		}
		stretch.end = span.end < stretch.end ? span.end : stretch.end;
		if (stretch.type == 0 || strength(piece->type) > strength(stretch.type))
			stretch.type = piece->type;
	}
	return stretch;
}

static enum status append_joined(struct memory_map *out, uint64_t first_page, uint64_t end_page, uint32_t type)
{
	struct boot_memory *last = out->count > 0 ? &out->entries[out->count - 1] : NULL;
	uint64_t base_physical = first_page << PAGE_SHIFT;
	uint64_t length_bytes = (end_page - first_page) << PAGE_SHIFT;

	if (last != NULL && last->type == type && last->base_physical + last->length_bytes == base_physical) {
		last->length_bytes += length_bytes;
		return OK;
	}
	return memory_map_add(out, base_physical, length_bytes, type);
}

enum status memory_map_normalize(const struct memory_map *raw, bool for_kernel, struct memory_map *out)
{
	uint64_t page = 0;

	out->count = 0;
	for (;;) {
		struct stretch stretch = stretch_at(raw, page);
		enum status status;

		if (stretch.end == UINT64_MAX)
			return OK;
		if (for_kernel && stretch.type == MEMORY_LOADER)
			stretch.type = BOOT_MEMORY_USABLE;
		if (stretch.type != 0) {
			status = append_joined(out, page, stretch.end, stretch.type);
			if (status != OK)
				return status;
		}
		page = stretch.end;
	}
}

uint64_t memory_map_total(const struct memory_map *map, uint32_t type)
{
	uint64_t total_bytes = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		if (map->entries[i].type == type)
			total_bytes += map->entries[i].length_bytes;
	}
	return total_bytes;
}
