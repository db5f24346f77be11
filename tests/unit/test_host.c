/* manager/host.c: how boot files are found by the paths of the manifest. */
#include "tests/unit/unit.h"

#include "manager/host.h"
#include "user/calls.h"

enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	(void)space;
	(void)memory;
	(void)address;
	(void)offset;
	(void)len_bytes;
	(void)rights;
	return OK;
}

enum status space_unmap_all(handle_t space, uint64_t address)
{
	(void)space;
	(void)address;
	return OK;
}

static void test_host_finds_files_without_regard_to_case(void **state)
{
	static const struct boot_file files[] = {
		{.path = "linux/vmlinuz", .state = BOOT_FILE_LOADED},
		{.path = "HELLO/Hello.BIN", .state = BOOT_FILE_LOADED},
		{.path = "big", .state = BOOT_FILE_SKIPPED_NO_MEMORY},
		{.path = "bad", .state = BOOT_FILE_SKIPPED_UNREADABLE},
	};
	static const struct host_info info = {.file_count = 4};
	const struct host host = {.info = &info, .files = files};
	uint32_t index = 9;

	(void)state;
	assert_int_equal(host_find_file(&host, "Linux/VMLINUZ", &index), OK);
	assert_int_equal(index, 0);
	assert_int_equal(host_find_file(&host, "hello/hello.bin", &index), OK);
	assert_int_equal(index, 1);
	assert_int_equal(host_find_file(&host, "hello/hello.bi", &index), ERR_NOT_FOUND);
	assert_int_equal(host_find_file(&host, "hello/hello.bin2", &index), ERR_NOT_FOUND);
	assert_int_equal(host_find_file(&host, "linux@vmlinuz", &index), ERR_NOT_FOUND);
	assert_int_equal(host_find_file(&host, "BIG", NULL), ERR_NO_MEMORY);
	assert_int_equal(host_find_file(&host, "Bad", NULL), ERR_FAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_finds_files_without_regard_to_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
