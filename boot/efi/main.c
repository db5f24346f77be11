/* The UEFI loader, EFI/BOOT/BOOTX64.EFI: gathers what the firmware knows and hands over to boot/common. */
#include "boot/efi/efi_loader.h"

#include "boot/common/budget.h"
#include "boot/common/cpu.h"
#include "boot/common/firmware.h"
#include "boot/common/launch.h"
#include "boot/common/report.h"

#define MAP_PIECES_MAX 4096U

static enum status make_room(struct start_memory *memory, struct boot_files *files)
{
	memory->raw.capacity = MAP_PIECES_MAX;
	memory->raw.entries = firmware_pages(MAP_PIECES_MAX * sizeof(struct boot_memory));
	memory->normal.capacity = MAP_PIECES_MAX;
	memory->normal.entries = firmware_pages(MAP_PIECES_MAX * sizeof(struct boot_memory));
	files->capacity = BOOT_FILES_MAX;
	files->files = firmware_pages(BOOT_FILES_MAX * sizeof(struct boot_file));
	if (memory->raw.entries != NULL && memory->normal.entries != NULL && files->files != NULL)
		return OK;
	report_error(E504, "fit more memory (256 MiB is the least that is supported)",
		     "the firmware has not even 1 MiB for the loader");
	return ERR_NO_MEMORY;
}

static void run(void)
{
	static char line[COMMAND_LINE_BYTES];
	struct start_memory memory = {.raw = {.count = 0}};
	struct boot_files files = {.count = 0};
	struct handover found = {.loader = BOOT_LOADER_UEFI, .files = &files, .command_line = line};

	if (paging_prepare() != OK) {
		report_error(E510, "switch 5-level paging (LA57) off in the firmware's settings, or boot through GRUB",
			     "the firmware runs this CPU with 5-level paging and has no memory below 4 GiB to leave it");
		return;
	}
	if (make_room(&memory, &files) != OK)
		return;
	if (volume_load(&files, budget_bytes(&memory)) != OK) {
		report_error(E505, "copy the folder bulkhead of the release to the volume that holds EFI\\BOOT\\BOOTX64.EFI",
			     "the boot volume has no readable folder \\bulkhead");
		return;
	}
	platform_load_options(line);
	found.rsdp_physical = platform_rsdp();
	found.uefi_system_table_physical = (uint64_t)(uintptr_t)firmware_table();
	found.framebuffer = platform_framebuffer();
	found.wall_clock_tsc = rdtsc();
	found.wall_clock_seconds = platform_wall_clock();
	launch(&found, line, &memory);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
	firmware_init(image, system_table);
	screen_init();
	run();
	if (firmware_has_ended()) {
		for (;;)
			halt();
	}
	screen_wait_for_key();
	return EFI_LOAD_ERROR;
}
