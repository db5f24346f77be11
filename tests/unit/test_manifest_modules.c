/* The key `modules` of bulkhead.toml. */
#include "lib/base/format.h"
#include "tests/unit/manifest_text.h"

#define VM_LINES "[[vm]]\nname = \"a\"\nkernel = \"k\"\n"

static void read_line(const char *vm_line)
{
	static char text[1024];

	format_text(text, sizeof(text), VM_LINES "%s\n", vm_line);
	read_text(text);
	assert_int_equal(manifest.vm_count, 1);
}

static const struct manifest_vm *read_vm_line(const char *vm_line)
{
	read_line(vm_line);
	assert_int_equal(manifest.message_count, 0);
	return &manifest.vms[0];
}

static void expect_refused(const char *vm_line, const char *expected)
{
	read_line(vm_line);
	expect_one_message(expected);
	assert_true(manifest.vms[0].refused);
}

static void test_manifest_modules_are_read(void **state)
{
	const struct manifest_vm *vm = read_vm_line("modules = [\"env/cpus\", \"disk/root.img ro  x\", 'a/b']");
	char path[BOOT_FILE_PATH_BYTES];

	(void)state;
	assert_int_equal(vm->module_count, 3);
	assert_string_equal(vm->modules[0], "env/cpus");
	assert_string_equal(vm->modules[1], "disk/root.img ro  x");
	manifest_module_path(vm->modules[1], path);
	assert_string_equal(path, "disk/root.img");
	manifest_module_path(vm->modules[2], path);
	assert_string_equal(path, "a/b");
	assert_int_equal(read_vm_line("modules = []")->module_count, 0);
}

static void test_manifest_modules_that_are_wrong(void **state)
{
	char line[400] = "modules = [";
	const size_t start = strlen(line);

	(void)state;
	expect_refused("modules = \"a\"", "E106 bulkhead.toml line 4: modules is text; write an array of files, like "
					  "[\"os/initrd words\"]");
	expect_refused("modules = [3]", "E106 bulkhead.toml line 4: modules lists files in \"quotes\", but here is an integer");
	expect_refused("modules = [\" a\"]", "E117 bulkhead.toml line 4: modules \"\" is no path below bulkhead/; write it like "
					    "\"linux/vmlinuz\"");
	expect_refused("modules = [\"../a x\"]", "E117 bulkhead.toml line 4: modules \"../a\" is no path below bulkhead/; write it "
						"like \"linux/vmlinuz\"");
	expect_refused("modules = [\"a\\t\"]", "E108 bulkhead.toml line 4: modules holds a control character (\\n, \\t, \\u00..); "
					      "remove it");
	for (unsigned i = 0; i < MANIFEST_MODULES_MAX; i++)
		memcpy(line + start + 4U * i, "'a',", 4);
	memcpy(line + start + 4U * MANIFEST_MODULES_MAX, "]", 2);
	assert_int_equal(read_vm_line(line)->module_count, MANIFEST_MODULES_MAX);
	memcpy(line + start + 4U * MANIFEST_MODULES_MAX, "'b']", 5);
	expect_refused(line, "E107 bulkhead.toml line 4: modules lists more than 16 files; leave some out");
	memset(line, 'a', sizeof(line));
	memcpy(line, "modules = ['", 12);
	memcpy(line + 12 + 127, " ", 1);
	memcpy(line + 12 + 255, "']", 3);
	assert_int_equal(strlen(read_vm_line(line)->modules[0]), 255);
	memcpy(line + 12 + 255, "a']", 4);
	expect_refused(line, "E108 bulkhead.toml line 4: modules has a text of 256 bytes; shorten it to at most 255");
	memcpy(line + 12 + 127, "a ", 2);
	memcpy(line + 12 + 255, "']", 3);
	expect_refused(line, "E117 bulkhead.toml line 4: modules has a path of 128 bytes; shorten it to at most 127");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_modules_are_read),
		cmocka_unit_test(test_manifest_modules_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
