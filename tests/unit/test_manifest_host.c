/* The manifest against the PC, and the manifest of a PC without one. */
#include "lib/base/format.h"
#include "tests/unit/manifest_text.h"

#define VM(name) "[[vm]]\nname = \"" name "\"\nkernel = \"linux/vmlinuz\"\n"

static enum status find_file(void *context, const char *path)
{
	(*(unsigned *)context)++;
	if (strcmp(path, "linux/vmlinuz") == 0 || strcmp(path, "linux/initrd") == 0)
		return OK;
	if (strcmp(path, "big") == 0)
		return ERR_NO_MEMORY;
	return strcmp(path, "bad") == 0 ? ERR_TRUNCATED : ERR_NOT_FOUND;
}

static unsigned check_host(const char *text, uint32_t cpu_count, uint64_t free_mib)
{
	unsigned calls = 0;
	const struct manifest_limits limits = {
		.cpu_count = cpu_count,
		.free_bytes = free_mib << 20,
		.find_file = find_file,
		.context = &calls,
	};

	read_text(text);
	assert_int_equal(manifest.error_count, 0);
	manifest_check_host(&manifest, &limits);
	return calls;
}

static void test_manifest_host_accepts_what_the_pc_has(void **state)
{
	(void)state;
	assert_int_equal(check_host(VM("a") "initrd = \"linux/initrd\"\nmemory = \"64M\"\ncpus = [1]\n", 2, 64), 2);
	assert_int_equal(manifest.message_count, 0);
	assert_false(manifest.vms[0].refused);
}

static void test_manifest_host_refuses_missing_files(void **state)
{
	(void)state;
	check_host("[[vm]]\nname = \"a\"\nkernel = \"linux/vmlinux\"\ninitrd = \"x/initrd\"\n" VM("b"), 1, 4096);
	assert_int_equal(manifest.message_count, 2);
	expect_message(0, "E201 bulkhead.toml line 1: VM \"a\": linux/vmlinux is not on the boot volume; copy it to "
			  "bulkhead/linux/vmlinux or correct the path");
	expect_message(1, "E202 bulkhead.toml line 1: VM \"a\": x/initrd is not on the boot volume; copy it to "
			  "bulkhead/x/initrd or correct the path");
	assert_true(manifest.vms[0].refused);
	check_host(VM("a") "modules = [\"linux/initrd ro\", \"x/module linux/initrd\"]\n", 1, 4096);
	assert_int_equal(manifest.message_count, 1);
	expect_message(0, "E220 bulkhead.toml line 1: VM \"a\": x/module is not on the boot volume; copy it to "
			  "bulkhead/x/module or correct the path");
	check_host("[[vm]]\nname = \"a\"\nkernel = \"linux/vmlinux\"\ninitrd = \"x/initrd\"\n" VM("b"), 1, 4096);
	assert_true(manifest.vms[0].refused);
	assert_false(manifest.vms[1].refused);
	check_host("[[vm]]\nname = \"a\"\nfirmware = \"x/bios.bin\"\n", 1, 4096);
	assert_int_equal(manifest.message_count, 1);
	expect_message(0, "E230 bulkhead.toml line 1: VM \"a\": x/bios.bin is not on the boot volume; copy it to "
			  "bulkhead/x/bios.bin or correct the path");
}

static void test_manifest_host_tells_skipped_files_from_missing_ones(void **state)
{
	(void)state;
	check_host("[[vm]]\nname = \"a\"\nkernel = \"big\"\n[[vm]]\nname = \"b\"\nkernel = \"bad\"\n", 1, 4096);
	expect_message(0,
		       "E205 bulkhead.toml line 1: VM \"a\": big did not fit into memory; remove files from bulkhead/ "
		       "or add memory");
	expect_message(1, "E206 bulkhead.toml line 4: VM \"b\": bad could not be read; copy it again or check the boot "
			  "volume");
}

static void test_manifest_host_gives_memory_in_order(void **state)
{
	(void)state;
	check_host(VM("a") "memory = \"600M\"\n" VM("b") "memory = \"8G\"\n" VM("c") "memory = \"401M\"\n" VM(
			   "d") "memory = \"400M\"\n",
		   1, 1000);
	assert_int_equal(manifest.message_count, 2);
	expect_message(
		0, "E203 bulkhead.toml line 5: VM \"b\" wants 8G (8192 MiB) of memory, but 400 MiB are left of 1000 "
		   "MiB for VMs; lower memory");
	expect_message(1, "E203 bulkhead.toml line 9: VM \"c\" wants 401M (401 MiB) of memory, but 400 MiB are left of "
			  "1000 MiB for VMs; lower memory");
	assert_false(manifest.vms[0].refused);
	assert_false(manifest.vms[3].refused);
}

/* One that is started later is measured against all memory, and leaves it to others. */
static void test_manifest_host_gives_no_memory_before_the_start(void **state)
{
	(void)state;
	check_host(VM("a") "memory = \"600M\"\nautostart = false\n" VM("c") "memory = \"500M\"\n"
		   VM("b") "memory = \"900M\"\nautostart = false\n" VM("d") "memory = \"1001M\"\nautostart = false\n", 1, 1000);
	assert_int_equal(manifest.message_count, 1);
	expect_message(0, "E203 bulkhead.toml line 15: VM \"d\" wants 1001M (1001 MiB) of memory, but 1000 MiB are left of 1000 "
			  "MiB for VMs; lower memory");
	assert_false(manifest.vms[0].autostart);
	assert_true(manifest.vms[1].autostart);
}

static void test_manifest_host_refuses_cpus_that_are_not_there(void **state)
{
	(void)state;
	check_host(VM("a") "cpus = [0, 70, 4]\n" VM("b") "cpus = [3]\n", 4, 4096);
	assert_int_equal(manifest.message_count, 1);
	expect_message(
		0, "E204 bulkhead.toml line 4: VM \"a\": cpus names CPU 4, but this PC has 0 to 3; correct it");
	check_host(VM("a") "cpus = [3]\ndedicated = true\nservice_cpu = 4\n" VM("b"), 4, 4096);
	assert_int_equal(manifest.message_count, 1);
	expect_message(0, "E204 bulkhead.toml line 6: VM \"a\": service_cpu names CPU 4, but this PC has 0 to 3; correct it");
	check_host(VM("a") VM("b") "[schedule]\nframe = \"10ms\"\nwindows = [\n"
		   "{ start = \"0ms\", length = \"1ms\", vms = [\"b\"], cpus = [3, 4] } ]\n", 4, 4096);
	assert_int_equal(manifest.message_count, 1);
	expect_message(0, "E204 bulkhead.toml line 10: VM \"b\": a window names CPU 4, but this PC has 0 to 3; correct it");
	assert_false(manifest.vms[0].refused);
	check_host(VM("a") "cpus = [255]\n", 256, 4096);
	assert_int_equal(manifest.message_count, 0);
}

static void test_manifest_host_leaves_refused_vms_alone(void **state)
{
	unsigned calls = 0;
	const struct manifest_limits limits = {.cpu_count = 1, .find_file = find_file, .context = &calls};
	const char *text = "[[vm]]\nname = \"a\"\n";

	(void)state;
	read_text(text);
	manifest_check_host(&manifest, &limits);
	assert_int_equal(manifest.message_count, 1);
	assert_int_equal(calls, 0);
}

static void test_manifest_default_makes_a_vm_for_each_kernel(void **state)
{
	static const struct manifest_boot_file files[] = {
		{"linux/vmlinuz", true},    {"linux/initrd", false}, {"tests/hello.bin", true},
		{"tests/Spin 1.bin", true}, {"tests/initrd.a", false},  {"tests/initrd.b", false},
		{"vmlinuz-6.1.0", true},    {"readme.txt", false},      {"a/b/linux/bzImage", true},
		{"A/B/Linux/INITRD.GZ", false}, {"initrd", false},
	};

	(void)state;
	manifest_default(&manifest, files, sizeof(files) / sizeof(files[0]));
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.vm_count, 5);
	assert_string_equal(manifest.vms[0].name, "linux");
	assert_string_equal(manifest.vms[0].kernel, "linux/vmlinuz");
	assert_string_equal(manifest.vms[0].initrd, "linux/initrd");
	assert_string_equal(manifest.vms[0].cmdline, "console=ttyS0");
	assert_true(manifest.vms[0].memory_bytes == UINT64_C(512) << 20);
	assert_int_equal(manifest.vms[0].vcpu_count, 1);
	assert_string_equal(manifest.vms[1].name, "hello");
	assert_string_equal(manifest.vms[1].initrd, "");
	assert_string_equal(manifest.vms[2].name, "spin-1");
	assert_string_equal(manifest.vms[3].name, "vmlinuz-6");
	assert_string_equal(manifest.vms[3].initrd, "initrd");
	assert_string_equal(manifest.vms[4].name, "linux-2");
	assert_string_equal(manifest.vms[4].initrd, "A/B/Linux/INITRD.GZ");
	assert_int_equal(manifest.host.console, MANIFEST_CONSOLE_SERIAL | MANIFEST_CONSOLE_SCREEN);
}

static void test_manifest_default_memory_is_shared(void **state)
{
	static const struct manifest_boot_file files[] = {{"a/k", true}, {"b/k", true}, {"c/k", true}};
	const uint64_t mib = 1 << 20;

	(void)state;
	manifest_default(&manifest, files, 3);
	manifest_default_memory(&manifest, 10000 * mib);
	assert_true(manifest.vms[0].memory_bytes == 512 * mib);
	manifest_default_memory(&manifest, 400 * mib);
	for (unsigned i = 0; i < 3; i++)
		assert_true(manifest.vms[i].memory_bytes == 132 * mib);
	manifest_default_memory(&manifest, 1 * mib);
	assert_true(manifest.vms[2].memory_bytes == MANIFEST_MEMORY_MIN_BYTES);
	manifest_default(&manifest, files, 0);
	manifest_default_memory(&manifest, 400 * mib);
}

static void test_manifest_default_bounds_names_and_vms(void **state)
{
	static struct manifest_boot_file files[100];
	static char paths[100][BOOT_FILE_PATH_BYTES];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		format_text(paths[i], sizeof(paths[i]), "%u/abcdefghijklmnopqrstuvwxyz0123456789/k", i);
		files[i] = (struct manifest_boot_file){.path = paths[i], .is_kernel = true};
	}
	manifest_default(&manifest, files, 100);
	assert_int_equal(manifest.vm_count, MANIFEST_VMS_MAX);
	assert_string_equal(manifest.vms[0].name, "abcdefghijklmnopqrstuvwxyz01");
	assert_string_equal(manifest.vms[63].name, "abcdefghijklmnopqrstuvwxyz01-64");
	manifest_default(&manifest, files, 0);
	assert_int_equal(manifest.vm_count, 0);
}

static void test_manifest_size_format_uses_the_largest_unit(void **state)
{
	char out[24];

	(void)state;
	manifest_size_format(UINT64_C(512) << 20, out, sizeof(out));
	assert_string_equal(out, "512M");
	manifest_size_format(1028 * 1024, out, sizeof(out));
	assert_string_equal(out, "1028K");
	manifest_size_format(UINT64_C(3) << 60, out, sizeof(out));
	assert_string_equal(out, "3145728T");
	manifest_size_format(1000, out, sizeof(out));
	assert_string_equal(out, "1000");
	manifest_size_format(0, out, sizeof(out));
	assert_string_equal(out, "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_host_accepts_what_the_pc_has),
		cmocka_unit_test(test_manifest_host_refuses_missing_files),
		cmocka_unit_test(test_manifest_host_tells_skipped_files_from_missing_ones),
		cmocka_unit_test(test_manifest_host_gives_memory_in_order),
		cmocka_unit_test(test_manifest_host_gives_no_memory_before_the_start),
		cmocka_unit_test(test_manifest_host_refuses_cpus_that_are_not_there),
		cmocka_unit_test(test_manifest_host_leaves_refused_vms_alone),
		cmocka_unit_test(test_manifest_default_makes_a_vm_for_each_kernel),
		cmocka_unit_test(test_manifest_default_memory_is_shared),
		cmocka_unit_test(test_manifest_default_bounds_names_and_vms),
		cmocka_unit_test(test_manifest_size_format_uses_the_largest_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
