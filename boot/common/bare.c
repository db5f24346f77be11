/* bare=FILE. Owns the order of steps; places and structures are lib/bzimage's.
 * Source: Linux, Documentation/arch/x86/boot.rst, "64-bit Boot Protocol". */
#include "boot/common/bare.h"

#include "abi/layout.h"
#include "boot/common/bare_jump.h"
#include "boot/common/command_line.h"
#include "boot/common/cpu.h"
#include "boot/common/firmware.h"
#include "boot/common/report.h"
#include "boot/common/serial.h"
#include "lib/base/format.h"
#include "lib/base/string.h"
#include "lib/bzimage/bzimage.h"

#define RANGES_MAX 512U
#define FOUR_GIB   0x100000000ULL
#define REMEDY     "see bare= in docs/boot.md"

/* All that start_bare() works with. */
struct bare {
	const struct handover *found;
	struct start_memory *memory;
	const struct boot_file *initrd; /* NULL: none */
	const char *command_line;
	struct bzimage image;
	struct bzimage_plan plan;
};

static void *at_physical(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static enum status refuse(const struct bzimage_problem *problem)
{
	report_error(E511, REMEDY, "bare=: %s %lu", problem->what, problem->number);
	return ERR_INVALID;
}

static enum status open_files(struct bare *bare, const char *path)
{
	const struct boot_file *kernel = boot_files_find(bare->found->files, path);
	char initrd_path[BOOT_FILE_PATH_BYTES];
	struct bzimage_problem problem;

	if (kernel == NULL) {
		report_error(E511, REMEDY, "bare=%s: no such file below bulkhead/", path);
		return ERR_NOT_FOUND;
	}
	if (bzimage_parse(at_physical(kernel->base_physical), kernel->size_bytes, kernel->size_bytes, &bare->image,
			  &problem) != OK)
		return refuse(&problem);
	if (!bare->image.has_64_bit_entry) {
		report_error(E511, REMEDY, "bare=%s: Linux kernel without a 64-bit entry", path);
		return ERR_UNSUPPORTED;
	}
	bare->command_line = command_line_rest(bare->found->command_line);
	if (!command_line_value(bare->found->command_line, "initrd", initrd_path, sizeof(initrd_path)))
		return OK;
	bare->initrd = boot_files_find(bare->found->files, initrd_path);
	if (bare->initrd != NULL)
		return OK;
	report_error(E511, REMEDY, "initrd=%s: no such file below bulkhead/", initrd_path);
	return ERR_NOT_FOUND;
}

static enum status find_places(struct bare *bare)
{
	static struct bzimage_range ranges[RANGES_MAX];
	struct memory_map *normal = &bare->memory->normal;
	struct bzimage_problem problem;
	size_t count = 0;
	enum status status = firmware_memory(&bare->memory->raw);

	if (status == OK)
		status = handover_add_files(bare->found->files, &bare->memory->raw);
	if (status == OK)
		status = memory_map_normalize(&bare->memory->raw, false, normal);
	if (status != OK) {
		report_error(E507, REMEDY, "the firmware's memory map cannot be used (status %d)", (int)status);
		return status;
	}
	for (uint32_t i = 0; i < normal->count && count < RANGES_MAX; i++) {
		const struct boot_memory *piece = &normal->entries[i];

		if (piece->type == BOOT_MEMORY_USABLE && piece->base_physical < firmware_reach())
			ranges[count++] = (struct bzimage_range){piece->base_physical, piece->length_bytes};
	}
	if (bzimage_place(&bare->image, ranges, count, strlen(bare->command_line) + 1,
			  bare->initrd != NULL ? bare->initrd->size_bytes : 0, &bare->plan, &problem) != OK)
		return refuse(&problem);
	return OK;
}

static uint64_t whole_pages(uint64_t size_bytes)
{
	return (size_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
}

/* The small structures lie together: from the zero page to the end of the command line. */
static enum status claim_places(const struct bzimage_plan *plan)
{
	uint64_t small_bytes = whole_pages(plan->command_line + plan->command_line_bytes) - plan->boot_params;
	enum status status = firmware_claim(plan->kernel, plan->kernel_bytes);

	if (status == OK)
		status = firmware_claim(plan->boot_params, small_bytes);
	if (status == OK && plan->initrd_bytes > 0)
		status = firmware_claim(plan->initrd, whole_pages(plan->initrd_bytes));
	if (status != OK)
		report_error(E511, REMEDY, "bare=: the firmware does not give memory that its map calls free");
	return status;
}

static void fill_places(const struct bare *bare)
{
	const struct bzimage_plan *plan = &bare->plan;

	memset(at_physical(plan->kernel), 0, plan->kernel_bytes);
	memcpy(at_physical(plan->kernel), bare->image.bytes + bare->image.code_offset, bare->image.code_bytes);
	if (bare->initrd != NULL)
		memcpy(at_physical(plan->initrd), at_physical(bare->initrd->base_physical), plan->initrd_bytes);
	memcpy(at_physical(plan->command_line), bare->command_line, plan->command_line_bytes);
	bzimage_fill_page_tables(plan->page_tables, at_physical(plan->page_tables));
	bzimage_fill_gdt(true, at_physical(plan->gdt));
}

static uint32_t e820_type(uint32_t type)
{
	enum { E820_USABLE = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_BAD = 5 };

	switch ((enum boot_memory_type)type) {
	case BOOT_MEMORY_USABLE:
	case BOOT_MEMORY_KERNEL:
	case BOOT_MEMORY_HEAP:
	case BOOT_MEMORY_FILES:
		return E820_USABLE;
	case BOOT_MEMORY_ACPI_RECLAIM:
		return E820_ACPI;
	case BOOT_MEMORY_ACPI_NVS:
		return E820_NVS;
	case BOOT_MEMORY_BAD:
		return E820_BAD;
	case BOOT_MEMORY_RESERVED:
	case BOOT_MEMORY_UEFI_RUNTIME:
		break;
	}
	return E820_RESERVED;
}

/* The zero page needs the last map, so it is filled after the firmware's services ended. Neighbours of one e820 type are
 * joined: there is room for BZIMAGE_E820_MAX only. */
static enum status fill_boot_params(const struct bare *bare)
{
	static struct bzimage_e820 e820[BZIMAGE_E820_MAX];
	const struct memory_map *map = &bare->memory->normal;
	size_t count = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		const struct boot_memory *piece = &map->entries[i];
		uint32_t type = e820_type(piece->type);
		struct bzimage_e820 *last = count > 0 ? &e820[count - 1] : NULL;

		if (last != NULL && last->type == type && last->base + last->length_bytes == piece->base_physical) {
			last->length_bytes += piece->length_bytes;
			continue;
		}
		if (count == BZIMAGE_E820_MAX)
			return ERR_NO_SPACE;
		e820[count++] = (struct bzimage_e820){piece->base_physical, piece->length_bytes, type};
	}
	return bzimage_fill_boot_params(&bare->image, &bare->plan, e820, count, bare->found->rsdp_physical,
					at_physical(bare->plan.boot_params));
}

static void print_entry_tsc(void)
{
	char line[48];

	(void)format_text(line, sizeof(line), "bare-entry-tsc: %lu\n", rdtsc());
	serial_write(line);
}

void start_bare(const struct handover *found, const char *path, struct start_memory *memory)
{
	static struct bare bare;
	bool wants_tsc = command_line_has(found->command_line, "baretsc");
	const struct bzimage_plan *plan = &bare.plan;

	bare = (struct bare){.found = found, .memory = memory};
	if (open_files(&bare, path) != OK || find_places(&bare) != OK || claim_places(plan) != OK)
		return;
	if ((uint64_t)(uintptr_t)jump_to_linux_end > FOUR_GIB) {
		report_error(E511, "boot through GRUB", "bare=: the firmware put the loader above 4 GiB");
		return;
	}
	fill_places(&bare);
	if (firmware_leave(&memory->raw) != OK) {
		report_error(E507, REMEDY, "the firmware does not end its boot services");
		return;
	}
	if (memory_map_normalize(&memory->raw, true, &memory->normal) != OK || fill_boot_params(&bare) != OK) {
		report_error(E511, REMEDY, "bare=: the memory map has too many pieces for Linux");
		return;
	}
	if (wants_tsc)
		print_entry_tsc();
	jump_to_linux(plan->entry, plan->page_tables, plan->stack_top, plan->boot_params, plan->gdt);
}
