/* boot/common/files.c: the list of boot files and the form of their paths. */
#include "tests/unit/unit.h"

#include "boot/common/budget.h"
#include "boot/common/firmware.h"

#define ENTRIES 4U

static struct boot_file entries[ENTRIES];

static struct boot_files empty_list(void)
{
	memset(entries, 0xa5, sizeof(entries));
	return (struct boot_files){.files = entries, .capacity = ENTRIES};
}

static void test_boot_files_paths_are_normal(void **state)
{
	struct boot_files list = empty_list();
	struct boot_file *file = NULL;

	(void)state;
	assert_int_equal(boot_files_add(&list, "\\a\\.\\b//c.txt", &file), OK);
	assert_string_equal(file->path, "a/b/c.txt");
	assert_int_equal(file->state, BOOT_FILE_SKIPPED_UNREADABLE);
	assert_int_equal(file->base_physical, 0);
	assert_int_equal(boot_files_add(&list, "a/../b", &file), ERR_INVALID);
	assert_int_equal(boot_files_add(&list, "./", &file), ERR_INVALID);
	assert_int_equal(boot_files_add(&list, "", &file), ERR_INVALID);
	assert_int_equal(list.left_out_count, 0);
}

static void test_boot_files_are_found_without_regard_to_case(void **state)
{
	struct boot_files list = empty_list();
	struct boot_file *file = NULL;

	(void)state;
	assert_int_equal(boot_files_add(&list, "LINUX/VMLINUZ", &file), OK);
	file->state = BOOT_FILE_LOADED;
	assert_ptr_equal(boot_files_find(&list, "linux/Vmlinuz"), file);
	assert_null(boot_files_find(&list, "linux/vmlinu"));
	assert_int_equal(boot_files_add(&list, "linux/vmlinuz", &file), ERR_EXISTS);
}

static void test_boot_files_path_length(void **state)
{
	struct boot_files list = empty_list();
	struct boot_file *file = NULL;
	char path[BOOT_FILE_PATH_BYTES + 1];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[BOOT_FILE_PATH_BYTES] = '\0';
	assert_int_equal(boot_files_add(&list, path, &file), ERR_OVERFLOW);
	assert_int_equal(list.left_out_count, 1);
	path[BOOT_FILE_PATH_BYTES - 1] = '\0';
	assert_int_equal(boot_files_add(&list, path, &file), OK);
	assert_int_equal(strlen(file->path), BOOT_FILE_PATH_BYTES - 1);
	path[BOOT_FILE_PATH_BYTES - 3] = '/'; /* 125 + 1 + 1 */
	assert_int_equal(boot_files_add(&list, path, &file), OK);
	path[BOOT_FILE_PATH_BYTES - 1] = 'x'; /* and one too many */
	assert_int_equal(boot_files_add(&list, path, &file), ERR_OVERFLOW);
	memset(path, 'x', BOOT_FILE_PATH_BYTES);
	path[BOOT_FILE_PATH_BYTES - 1] = '/'; /* a full part, then another */
	path[BOOT_FILE_PATH_BYTES] = '\0';
	assert_int_equal(boot_files_add(&list, path, &file), ERR_EXISTS);
}

static void test_boot_files_refuse_doubles_and_more_than_fit(void **state)
{
	struct boot_files list = empty_list();
	struct boot_file *file = NULL;

	(void)state;
	assert_int_equal(boot_files_add(&list, "a", &file), OK);
	assert_int_equal(boot_files_add(&list, "A", &file), ERR_EXISTS);
	assert_int_equal(boot_files_add(&list, "b", &file), OK);
	assert_int_equal(boot_files_add(&list, "c", &file), OK);
	assert_int_equal(boot_files_add(&list, "d", &file), OK);
	assert_int_equal(boot_files_add(&list, "e", &file), ERR_NO_SPACE);
	assert_int_equal(list.count, 4);
	assert_int_equal(list.left_out_count, 1);
}

static void test_boot_files_find_only_loaded(void **state)
{
	struct boot_files list = empty_list();
	struct boot_file *file = NULL;

	(void)state;
	assert_int_equal(boot_files_add(&list, "system/kernel", &file), OK);
	assert_null(boot_files_find(&list, "system/kernel"));
	file->state = BOOT_FILE_LOADED;
	assert_ptr_equal(boot_files_find(&list, "system/kernel"), file);
	assert_ptr_equal(boot_files_find(&list, "/SYSTEM\\KERNEL"), file);
	assert_null(boot_files_find(&list, "system/kernel2"));
	assert_null(boot_files_find(&list, "system"));
	assert_null(boot_files_find(&list, ""));
}

enum status firmware_memory(struct memory_map *raw)
{
	raw->count = 0;
	return memory_map_add(raw, 0x100000, 0x4000000, BOOT_MEMORY_USABLE);
}

static struct boot_file *add_loaded(struct boot_files *list, const char *path, uint64_t size_bytes)
{
	struct boot_file *file = NULL;

	assert_int_equal(boot_files_add(list, path, &file), OK);
	file->state = BOOT_FILE_LOADED;
	file->size_bytes = size_bytes;
	file->base_physical = 0x100000;
	return file;
}

/* As under GRUB, which loads all files before anybody can say no. */
static void test_boot_files_fill_three_quarters_of_memory(void **state)
{
	struct boot_memory raw[4], normal[4];
	struct start_memory memory = {.raw = {raw, 0, 4}, .normal = {normal, 0, 4}};
	struct boot_files list = empty_list();
	const struct boot_file *small = add_loaded(&list, "small", 0x1000000);
	const struct boot_file *large = add_loaded(&list, "large", 0x2000001);
	const struct boot_file *system = add_loaded(&list, "system/kernel", 0x3000000);
	const struct boot_file *rest = add_loaded(&list, "rest", 0x2000000);

	(void)state;
	assert_int_equal(budget_bytes(&memory), 0x3000000);
	budget_apply(&list, budget_bytes(&memory));
	assert_int_equal(small->state, BOOT_FILE_LOADED);
	assert_int_equal(large->state, BOOT_FILE_SKIPPED_NO_MEMORY);
	assert_int_equal(large->base_physical, 0);
	assert_int_equal(system->state, BOOT_FILE_LOADED);
	assert_int_equal(rest->state, BOOT_FILE_LOADED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_files_paths_are_normal),
		cmocka_unit_test(test_boot_files_are_found_without_regard_to_case),
		cmocka_unit_test(test_boot_files_path_length),
		cmocka_unit_test(test_boot_files_refuse_doubles_and_more_than_fit),
		cmocka_unit_test(test_boot_files_find_only_loaded),
		cmocka_unit_test(test_boot_files_fill_three_quarters_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
