/* Checks the memory map against everything else that boot_info names. */
#include <stddef.h>

#include "abi/layout.h"
#include "abi/syscall.h"
#include "tests/testkernel/test.h"

static bool within(uint64_t base, uint64_t length, uint64_t outer_base, uint64_t outer_length)
{
	return base >= outer_base && base - outer_base <= outer_length && length <= outer_length - (base - outer_base);
}

/* Whether all of [base, base + length) has this type. */
static bool has_type(const struct boot_info *info, uint64_t base, uint64_t length, uint32_t type)
{
	const struct boot_memory *map = (const struct boot_memory *)(uintptr_t)info->memory_virtual;

	for (uint32_t i = 0; i < info->memory_count; i++) {
		if (map[i].type == type && within(base, length, map[i].base_physical, map[i].length_bytes))
			return true;
	}
	return false;
}

static void check_order(const struct boot_info *info)
{
	const struct boot_memory *map = (const struct boot_memory *)(uintptr_t)info->memory_virtual;
	uint64_t end = 0;

	for (uint32_t i = 0; i < info->memory_count; i++) {
		const struct boot_memory *piece = &map[i];

		check(piece->type >= BOOT_MEMORY_USABLE && piece->type <= BOOT_MEMORY_FILES, "memory types are known");
		check((piece->base_physical | piece->length_bytes) % PAGE_SIZE_BYTES == 0, "memory map is page-aligned");
		check(piece->length_bytes > 0, "no empty piece in the memory map");
		check(piece->base_physical >= end, "memory map is sorted and does not overlap");
		check(piece->base_physical > 0 || piece->type != BOOT_MEMORY_USABLE, "page 0 is not usable");
		end = piece->base_physical + piece->length_bytes;
	}
}

static void check_file(const struct boot_info *info, const struct boot_file *file)
{
	uint64_t pages_bytes = (file->size_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
	uint32_t sum = 2166136261U; /* FNV-1a */
	bool padding_is_zero = true;

	if (file->state != BOOT_FILE_LOADED) {
		check(file->base_physical == 0, "a skipped file has no base");
		print("file: %s %lu skipped %u\n", file->path, file->size_bytes, file->state);
		return;
	}
	check(file->base_physical % PAGE_SIZE_BYTES == 0, "files start on a page");
	check(has_type(info, file->base_physical, pages_bytes, BOOT_MEMORY_FILES), "files lie in file memory");
	for (uint64_t page = 0; page < pages_bytes; page += PAGE_SIZE_BYTES) {
		const volatile uint8_t *bytes = window(info, file->base_physical + page);

		for (uint64_t i = 0; i < PAGE_SIZE_BYTES; i++) {
			if (page + i < file->size_bytes)
				sum = (sum ^ bytes[i]) * 16777619U;
			else
				padding_is_zero = padding_is_zero && bytes[i] == 0;
		}
	}
	check(padding_is_zero, "the rest of a file's last page is zero");
	print("file: %s %lu %08x\n", file->path, file->size_bytes, sum);
}

/* The first program lies in file memory and is whole; its regions do not meet. The stack, the last one, is zero. */
static void check_program(const struct boot_info *info)
{
	const struct boot_program *program = &info->program;
	uint64_t length_bytes = 0;

	check(has_type(info, program->physical, program->length_bytes, BOOT_MEMORY_FILES), "the program lies in file memory");
	check(program->region_count >= 2 && program->region_count <= BOOT_REGIONS_MAX, "the program has code and a stack");
	for (uint32_t i = 0; i < program->region_count; i++) {
		const struct boot_region *region = &program->regions[i];
		const struct boot_region *previous = i > 0 ? region - 1 : NULL;

		check((region->virtual_address | region->length_bytes) % PAGE_SIZE_BYTES == 0, "regions are page-aligned");
		check(previous == NULL || region->virtual_address >= previous->virtual_address + previous->length_bytes,
		      "regions are sorted and do not overlap");
		check((region->rights & (RIGHT_WRITE | RIGHT_EXECUTE)) != (RIGHT_WRITE | RIGHT_EXECUTE), "no region is W and X");
		length_bytes += region->length_bytes;
		print("program: %lx bytes %lx rights %u\n", region->virtual_address, region->length_bytes, region->rights);
	}
	check(length_bytes == program->length_bytes, "the regions are all of the program");
	check(window(info, program->physical + length_bytes - 1)[0] == 0, "the stack is zero");
}

static void print_totals(const struct boot_info *info)
{
	const struct boot_memory *map = (const struct boot_memory *)(uintptr_t)info->memory_virtual;
	uint64_t totals[BOOT_MEMORY_FILES + 1] = {0};

	for (uint32_t i = 0; i < info->memory_count; i++)
		totals[map[i].type <= BOOT_MEMORY_FILES ? map[i].type : 0] += map[i].length_bytes;
	print("memory: %u pieces, KiB of types 1 to 9:", info->memory_count);
	for (uint32_t type = 1; type <= BOOT_MEMORY_FILES; type++)
		print(" %lu", totals[type] >> 10);
	print("\n");
}

void check_memory(const struct boot_info *info)
{
	const struct boot_file *files = (const struct boot_file *)(uintptr_t)info->files_virtual;

	check_order(info);
	check(has_type(info, info->kernel_physical, info->kernel_length_bytes, BOOT_MEMORY_KERNEL), "kernel in the map");
	check(has_type(info, info->heap_physical, info->heap_length_bytes, BOOT_MEMORY_HEAP), "heap in the map");
	check(info->kernel_physical % PAGE_2M_BYTES == 0, "kernel is 2 MiB-aligned");
	check(info->heap_physical % PAGE_2M_BYTES == 0 && info->heap_length_bytes % PAGE_2M_BYTES == 0 &&
	      info->heap_length_bytes >= 2 * PAGE_2M_BYTES, "heap is aligned and large enough");
	for (uint32_t i = 0; i < info->file_count; i++)
		check_file(info, &files[i]);
	check_program(info);
	check(info->start_pages_physical < 0xa0000 && (info->start_pages_physical == 0 ||
	      has_type(info, info->start_pages_physical, 2 * PAGE_SIZE_BYTES, BOOT_MEMORY_USABLE)), "pages to start CPUs on");
	check(has_type(info, info->ram_end_physical - PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, BOOT_MEMORY_USABLE) ||
	      has_type(info, info->ram_end_physical - PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, BOOT_MEMORY_HEAP), "the end of RAM");
	print_totals(info);
}
