/* boot/efi/main.c: what ends the loader before it has read a file. */
#include "boot/efi/efi_loader.h"
#include "tests/unit/unit.h"

#include "boot/common/firmware.h"
#include "boot/common/launch.h"
#include "boot/common/report.h"
#include "tests/fake/boot_screen.h"

void launch(struct handover *found, char line[COMMAND_LINE_BYTES], struct start_memory *memory)
{
	(void)found;
	(void)line;
	(void)memory;
	fail_msg("launched");
}

static enum status paging_status, volume_status;
static bool has_pages;
static uint8_t pages[1 << 20];

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
	(void)image;
	(void)system_table;
}

EFI_SYSTEM_TABLE *firmware_table(void)
{
	return NULL;
}

void *firmware_pages(uint64_t length_bytes)
{
	assert_in_range(length_bytes, 1, sizeof(pages));
	return has_pages ? pages : NULL;
}

bool firmware_has_ended(void)
{
	return false;
}

enum status firmware_memory(struct memory_map *raw)
{
	(void)raw;
	return ERR_UNSUPPORTED;
}

enum status paging_prepare(void)
{
	return paging_status;
}

void screen_init(void)
{
	boot_screen_text[0] = '\0';
}

void screen_wait_for_key(void)
{
}

enum status volume_load(struct boot_files *list, uint64_t budget_bytes)
{
	(void)list;
	(void)budget_bytes;
	return volume_status;
}

uint64_t platform_rsdp(void)
{
	return 0;
}

struct boot_framebuffer platform_framebuffer(void)
{
	return (struct boot_framebuffer){0};
}

int64_t platform_wall_clock(void)
{
	return 0;
}

void platform_load_options(char line[COMMAND_LINE_BYTES])
{
	(void)line;
}

static void test_efi_main_says_what_ends_it(void **state)
{
	(void)state;
	paging_status = ERR_NO_MEMORY;
	assert_true(efi_main(NULL, NULL) == EFI_LOAD_ERROR);
	assert_string_equal(boot_screen_text,
			    "Bulkhead: E510: the firmware runs this CPU with 5-level paging and has no memory below 4 "
			"GiB to leave "
			    "it.\n  What to do: switch 5-level paging (LA57) off in the firmware's settings, or boot "
			"through GRUB.\n");
	paging_status = OK;
	assert_true(efi_main(NULL, NULL) == EFI_LOAD_ERROR);
	assert_string_equal(boot_screen_text, "Bulkhead: E504: the firmware has not even 1 MiB for the loader.\n"
				  "  What to do: fit more memory (256 MiB is the least that is supported).\n");
	has_pages = true;
	volume_status = ERR_NOT_FOUND;
	assert_true(efi_main(NULL, NULL) == EFI_LOAD_ERROR);
	assert_string_equal(boot_screen_text, "Bulkhead: E505: the boot volume has no readable folder \\bulkhead.\n"
				  "  What to do: copy the folder bulkhead of the release to the volume that holds "
				  "EFI\\BOOT\\BOOTX64.EFI.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_efi_main_says_what_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
