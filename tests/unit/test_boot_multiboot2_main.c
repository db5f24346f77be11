/* boot/multiboot2/main.c: what it says to whoever did not start it by Multiboot2. */
#include "tests/unit/unit.h"

#include "boot/common/firmware.h"
#include "boot/common/launch.h"
#include "boot/common/report.h"
#include "boot/common/serial.h"
#include "boot/multiboot2/multiboot2_loader.h"
#include "tests/fake/boot_screen.h"

void launch(struct handover *found, char line[COMMAND_LINE_BYTES], struct start_memory *memory)
{
	(void)found;
	(void)line;
	(void)memory;
	fail_msg("launched");
}

void launch_add_options(char line[COMMAND_LINE_BYTES], const char *text, size_t len_bytes)
{
	(void)line;
	(void)text;
	(void)len_bytes;
}

enum status firmware_memory(struct memory_map *raw)
{
	(void)raw;
	return ERR_NOT_FOUND;
}

uint64_t paging_extend(void)
{
	return UINT64_MAX;
}

void serial_init(void)
{
}

void screen_init(const struct multiboot2_info *info, uint64_t reach)
{
	(void)info;
	(void)reach;
}

void firmware_init(const struct multiboot2_info *info, uint64_t reach)
{
	(void)info;
	(void)reach;
}

int64_t rtc_wall_clock(void)
{
	return 0;
}

uint64_t rsdp_find(const struct multiboot2_info *info, uint64_t reach)
{
	(void)info;
	(void)reach;
	return 0;
}

static void expect_refused(uint32_t magic, const void *information)
{
	boot_screen_text[0] = '\0';
	multiboot2_main(magic, (uintptr_t)information);
	assert_non_null(strstr(boot_screen_text, "Bulkhead: E513: no usable Multiboot2 information (status "));
	assert_non_null(strstr(boot_screen_text, "What to do: start bulkhead/system/multiboot2 by GRUB's command multiboot2, "
		"version 2.02 or later.\n"));
}

static void test_multiboot2_main_refuses_other_loaders(void **state)
{
	static const uint32_t too_large[2] = {0x80001, 0}, unended[2] = {8, 0};

	(void)state;
	expect_refused(0x2badb002, NULL); /* Multiboot 1 */
	expect_refused(MULTIBOOT2_LOADER_MAGIC, too_large);
	expect_refused(MULTIBOOT2_LOADER_MAGIC, unended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multiboot2_main_refuses_other_loaders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
