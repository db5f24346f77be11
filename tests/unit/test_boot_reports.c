/* boot/common: what the loaders' users read when a boot cannot go on or leaves something out. The firmware is made here. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "boot/common/bare_jump.h"
#include "boot/common/firmware.h"
#include "boot/common/jump.h"
#include "boot/common/launch.h"
#include "boot/common/random.h"
#include "boot/common/report.h"
#include "boot/common/tsc.h"
#include "lib/base/format.h"
#include "tests/fake/boot_screen.h"
#include "tests/unit/boot_elf.h"

#define MAP_PIECES 32U

static struct boot_file file_entries[8];
static struct boot_files files;
static struct boot_memory raw_entries[MAP_PIECES], normal_entries[MAP_PIECES];
static enum status memory_status;
static bool many_cpus;

/* --- What each loader has */

enum status firmware_memory(struct memory_map *raw)
{
	raw->count = 0;
	return memory_status;
}

enum status firmware_claim(uint64_t base_physical, uint64_t length_bytes)
{
	(void)base_physical;
	(void)length_bytes;
	return OK;
}

uint64_t firmware_reach(void)
{
	return UINT64_MAX;
}

enum status pc_read(const struct acpi_memory *memory, uint64_t rsdp_physical, struct pc *out)
{
	(void)memory;
	(void)rsdp_physical;
	out->left_out = many_cpus;
	return many_cpus ? OK : ERR_NOT_FOUND;
}

uint64_t tsc_measure(uint16_t pm_timer_port)
{
	(void)pm_timer_port;
	return 1000000000;
}

bool firmware_can_read(uint64_t physical, uint64_t length_bytes)
{
	(void)physical;
	(void)length_bytes;
	return false;
}

enum status firmware_leave(struct memory_map *raw)
{
	(void)raw;
	return ERR_UNSUPPORTED;
}

uint64_t random64(void)
{
	return 4;
}

const uint8_t jump_to_kernel_end[1], jump_to_linux_end[1];

void jump_to_kernel(uint64_t entry_virtual, uint64_t root_physical, uint64_t stack_top_virtual, uint64_t info_virtual)
{
	fail_msg("jumped: %lx %lx %lx %lx", entry_virtual, root_physical, stack_top_virtual, info_virtual);
	abort();
}

void jump_to_linux(uint64_t entry, uint64_t page_tables, uint64_t stack_top, uint64_t boot_params, uint64_t gdt)
{
	fail_msg("jumped: %lx %lx %lx %lx %lx", entry, page_tables, stack_top, boot_params, gdt);
	abort();
}

/* --- The boots */

static uint8_t kernel[FILE_BYTES], program[FILE_BYTES];

static void add_file(const char *path, const void *bytes, uint64_t size_bytes)
{
	struct boot_file *file;

	assert_int_equal(boot_files_add(&files, path, &file), OK);
	file->base_physical = (uintptr_t)bytes;
	file->size_bytes = size_bytes;
	file->state = BOOT_FILE_LOADED;
}

static int make_volume(void **state)
{
	(void)state;
	files = (struct boot_files){.files = file_entries, .capacity = sizeof(file_entries) / sizeof(file_entries[0])};
	boot_screen_text[0] = '\0';
	memory_status = OK;
	many_cpus = false;
	make_kernel(kernel, BOOT_INFO_VERSION);
	make_program(program);
	add_file("system/kernel", kernel, sizeof(kernel));
	add_file("system/manager", program, sizeof(program));
	return 0;
}

/* Boots with this command line; the message must be among what is said. */
static void expect_message(const char *command_line, const char *message)
{
	char line[COMMAND_LINE_BYTES] = "";
	struct handover found = {.loader = BOOT_LOADER_UEFI, .files = &files, .command_line = line};
	struct start_memory memory = {
		.raw = {.entries = raw_entries, .capacity = MAP_PIECES},
		.normal = {.entries = normal_entries, .capacity = MAP_PIECES},
	};

	boot_screen_text[0] = '\0';
	format_text(line, sizeof(line), "%s", command_line);
	launch(&found, line, &memory);
	if (strstr(boot_screen_text, message) == NULL)
		fail_msg("not said: %s\nbut: %s", message, boot_screen_text);
}

static void test_boot_reports_name_files_that_were_left_out(void **state)
{
	(void)state;
	add_file("big", NULL, 5 << 20);
	file_entries[2].state = BOOT_FILE_SKIPPED_NO_MEMORY;
	add_file("bad", NULL, 100);
	file_entries[3].state = BOOT_FILE_SKIPPED_UNREADABLE;
	boot_files_leave_out(&files, "a/b/c/d/e/f/g/h/i/j");
	expect_message("", "Bulkhead: warning E508: bulkhead/big (5120 KiB) was skipped: not enough memory.\n"
			   "  What to do: make it smaller or fit more memory; boot files may fill three quarters of it.\n");
	expect_message("", "Bulkhead: warning E509: bulkhead/bad was skipped: the firmware cannot read it.\n"
			   "  What to do: copy it to the boot volume again, or check that volume for errors.\n");
	expect_message("", "Bulkhead: warning E512: 1 boot files or folders were left out, the first: "
			   "bulkhead/a/b/c/d/e/f/g/h/i/j.\n"
			   "  What to do: use at most 512 files, 8 folders deep, paths of at most 127 bytes.\n");
}

static void test_boot_reports_firmware_without_acpi_tables(void **state)
{
	(void)state;
	expect_message("", "Bulkhead: warning E622: no usable ACPI tables: one CPU, no device interrupts, no power-off.\n"
			   "  What to do: update the PC's firmware, or switch ACPI on in its setup.\n");
}

static void test_boot_reports_more_cpus_than_are_used(void **state)
{
	(void)state;
	many_cpus = true;
	expect_message("", "Bulkhead: warning E514: the firmware lists more than 1024 CPUs or 16 IOAPICs: the rest is left out.\n");
}

static void test_boot_reports_kernel_that_is_none(void **state)
{
	(void)state;
	kernel[TEXT_OFFSET + NOTE_ADDRESS + 12] ^= 1;
	expect_message("", "Bulkhead: E502: bulkhead/system/kernel is not a kernel: no note of a Bulkhead kernel in a file of ");
	make_kernel(kernel, BOOT_INFO_VERSION + 1);
	expect_message("", "Bulkhead: E503: loader and kernel do not match: loader speaks version ");
	file_entries[0].path[0] = 'x';
	expect_message("", "Bulkhead: E501: there is no file bulkhead/system/kernel among the 2 boot files.\n"
			   "  What to do: copy the folder bulkhead/ of the release to the boot volume again, completely.\n");
}

static void test_boot_reports_first_program_that_is_none(void **state)
{
	(void)state;
	program[0] ^= 1;
	expect_message("", "Bulkhead: E606: bulkhead/system/manager is not a program: ");
	file_entries[1].path[0] = 'x';
	expect_message("", "Bulkhead: E607: there is no file bulkhead/system/manager among the 2 boot files.\n");
}

static void test_boot_reports_memory_that_cannot_be_used(void **state)
{
	(void)state;
	expect_message("", "Bulkhead: E504: no 12 KiB of free memory in one piece for Bulkhead.\n  What to do: ");
	memory_status = ERR_UNSUPPORTED;
	expect_message("", "Bulkhead: E507: the firmware's memory map cannot be used (status ");
}

static void test_boot_reports_bare_kernels_that_cannot_be_booted(void **state)
{
	(void)state;
	expect_message("bare=linux/vmlinuz", "Bulkhead: E511: bare=linux/vmlinuz: no such file below bulkhead/.\n"
					     "  What to do: see bare= in docs/boot.md.\n");
	expect_message("bare=system/kernel", "Bulkhead: E511: bare=: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_boot_reports_name_files_that_were_left_out, make_volume),
		cmocka_unit_test_setup(test_boot_reports_firmware_without_acpi_tables, make_volume),
		cmocka_unit_test_setup(test_boot_reports_more_cpus_than_are_used, make_volume),
		cmocka_unit_test_setup(test_boot_reports_kernel_that_is_none, make_volume),
		cmocka_unit_test_setup(test_boot_reports_first_program_that_is_none, make_volume),
		cmocka_unit_test_setup(test_boot_reports_memory_that_cannot_be_used, make_volume),
		cmocka_unit_test_setup(test_boot_reports_bare_kernels_that_cannot_be_booted, make_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
