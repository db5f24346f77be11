/* The Multiboot2 loader: gathers what GRUB left and hands over to boot/common. Works on legacy BIOS and on UEFI. */
#include "abi/layout.h"
#include "boot/common/budget.h"
#include "boot/common/cpu.h"
#include "boot/common/launch.h"
#include "boot/common/report.h"
#include "boot/common/serial.h"
#include "boot/common/wall_clock.h"
#include "boot/multiboot2/multiboot2_loader.h"
#include "lib/base/string.h"

#define STRUCTURE_BYTES_MAX 0x80000U
#define MAP_PIECES_MAX      4096U
#define GRUB_REMEDY         "start bulkhead/system/multiboot2 by GRUB's command multiboot2, version 2.02 or later"

/* Zero the rest of the last page: GRUB aligned the modules to pages, and the structure was copied before. */
static void clear_padding(const struct boot_file *file)
{
	uint64_t used = file->size_bytes % PAGE_SIZE_BYTES;

	if (used != 0)
		memset((void *)(uintptr_t)(file->base_physical + file->size_bytes), 0, PAGE_SIZE_BYTES - used);
}

/* What every empty file is: GRUB gives them no memory. The map shows this page as theirs. */
static const uint8_t empty_file[PAGE_SIZE_BYTES] __attribute__((aligned(4096)));

static bool names_a_folder(const char *path)
{
	size_t length = strnlen(path, BOOT_FILE_PATH_BYTES);

	return length > 0 && path[length - 1] == '/';
}

static void add_module(struct boot_files *files, const struct multiboot2_module *module)
{
	char path[BOOT_FILE_PATH_BYTES];
	struct boot_file *file;

	/* "FOLDER/": what GRUB's configuration did not descend into. */
	if (multiboot2_module_path(module, path) != OK || names_a_folder(path)) {
		boot_files_leave_out(files, path);
		return;
	}
	if (boot_files_add(files, path, &file) != OK)
		return;
	if (module->end_physical == module->start_physical) {
		file->base_physical = (uint64_t)(uintptr_t)empty_file;
		file->state = BOOT_FILE_LOADED;
		return;
	}
	file->size_bytes = module->end_physical - module->start_physical;
	if (module->start_physical % PAGE_SIZE_BYTES != 0 || module->start_physical == 0)
		return; /* stays "unreadable": a loader that ignores the alignment it was asked for */
	file->base_physical = module->start_physical;
	file->state = BOOT_FILE_LOADED;
}

static void add_modules(struct boot_files *files, const struct multiboot2_info *info)
{
	for (uint32_t i = 0; i < info->module_count; i++) {
		struct multiboot2_module module;

		if (multiboot2_module(info, i, &module) == OK)
			add_module(files, &module);
	}
	for (uint32_t i = 0; i < files->count; i++) {
		if (files->files[i].state == BOOT_FILE_LOADED)
			clear_padding(&files->files[i]);
	}
}

/* Copies the structure out of the way of everything, and reads it. */
static enum status read_structure(uint32_t magic, uint64_t information, struct multiboot2_info *info)
{
	static uint64_t copy[STRUCTURE_BYTES_MAX / sizeof(uint64_t)];
	uint32_t total_bytes;

	if (magic != MULTIBOOT2_LOADER_MAGIC)
		return ERR_BAD_FORMAT;
	memcpy(&total_bytes, (const void *)(uintptr_t)information, sizeof(total_bytes));
	if (total_bytes > sizeof(copy))
		return ERR_OVERFLOW;
	memcpy(copy, (const void *)(uintptr_t)information, total_bytes);
	return multiboot2_parse(copy, total_bytes, info);
}

static void run(const struct multiboot2_info *info, uint64_t reach)
{
	static char line[COMMAND_LINE_BYTES];
	static struct boot_file file_entries[BOOT_FILES_MAX];
	static struct boot_memory raw_entries[MAP_PIECES_MAX], normal_entries[MAP_PIECES_MAX];
	struct boot_files files = {.files = file_entries, .capacity = BOOT_FILES_MAX};
	struct start_memory memory = {
		.raw = {.entries = raw_entries, .capacity = MAP_PIECES_MAX},
		.normal = {.entries = normal_entries, .capacity = MAP_PIECES_MAX},
	};
	struct handover found = {
		.loader = info->uefi_system_table != 0 ? BOOT_LOADER_MULTIBOOT2_UEFI : BOOT_LOADER_MULTIBOOT2_BIOS,
		.files = &files,
		.command_line = line,
		.uefi_system_table_physical = info->uefi_system_table,
		.framebuffer = multiboot2_framebuffer(info),
	};

	add_modules(&files, info);
	budget_apply(&files, budget_bytes(&memory));
	launch_add_options(line, (const char *)info->command_line.bytes, info->command_line.length);
	found.rsdp_physical = rsdp_find(info, reach);
	found.wall_clock_seconds = rtc_wall_clock();
	found.wall_clock_tsc = rdtsc();
	launch(&found, line, &memory);
}

void multiboot2_main(uint32_t magic, uint64_t information)
{
	static struct multiboot2_info info;
	uint64_t reach = paging_extend();
	enum status status;

	serial_init();
	status = read_structure(magic, information, &info);
	screen_init(&info, reach);
	if (status == OK) {
		firmware_init(&info, reach);
		run(&info, reach);
	} else {
		report_error(E513, GRUB_REMEDY, "no usable Multiboot2 information (status %d)", (int)status);
	}
	report("stopped; switch the PC off or press its reset button");
}
