/* The key disk: what is read, what contradicts itself, and what the PC's files and memory make of it. */
#include "lib/base/format.h"
#include "lib/disk/disk.h"
#include "tests/unit/manifest_text.h"

#define VM "[[vm]]\nname = \"a\"\nkernel = \"k\"\nmemory = \"16M\"\n"
#define MIB (1ULL << 20)

static enum status find_file(void *context, const char *path)
{
	(void)context;
	return strcmp(path, "none.img") == 0 ? ERR_NOT_FOUND : OK;
}

static uint64_t file_bytes(void *context, const char *path)
{
	(void)context;
	if (strcmp(path, "empty.img") == 0)
		return 0;
	if (strcmp(path, "huge.img") == 0)
		return DISK_MAX_BYTES + 1;
	return strcmp(path, "odd.img") == 0 ? 1000 : MIB;
}

static void read_disks(const char *disks)
{
	char text[512];

	format_text(text, sizeof(text), VM "disk = [%s]\n", disks);
	read_text(text);
}

static void check_host(uint64_t free_bytes)
{
	const struct manifest_limits limits = {
		.cpu_count = 1, .free_bytes = free_bytes, .find_file = find_file, .file_bytes = file_bytes};

	manifest_check_host(&manifest, &limits);
}

static void expect_refused(const char *expected)
{
	expect_one_message(expected);
	assert_true(manifest.vms[0].refused);
}

static void test_manifest_disks_are_read(void **state)
{
	const struct manifest_disk *disks = manifest.vms[0].disks;

	(void)state;
	read_disks("{ file = \"d/root.img\" }, { file = \"b.img\", mode = \"read-only\", size = \"2M\", serial = \"S1\" }, "
		   "{ size = \"4M\", changes = \"1M\" }");
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.vms[0].disk_count, 3);
	check_host(UINT64_MAX);
	assert_int_equal(manifest.message_count, 0);
	assert_string_equal(disks[0].file, "d/root.img");
	assert_int_equal(disks[0].mode, MANIFEST_DISK_COW);
	assert_int_equal(disks[0].size_bytes, MIB);
	assert_int_equal(disks[0].changes_bytes, disk_changes_bytes(MIB));
	assert_int_equal(disks[1].mode, MANIFEST_DISK_READ_ONLY);
	assert_int_equal(disks[1].size_bytes, 2 * MIB);
	assert_string_equal(disks[1].serial, "S1");
	assert_int_equal(disks[2].size_bytes, 4 * MIB);
	assert_int_equal(disks[2].changes_bytes, MIB);
	assert_int_equal(manifest_changes_bytes(&manifest.vms[0]), disk_changes_bytes(MIB) + MIB);
}

/* The last sector of a file is filled up. */
static void test_manifest_disks_have_whole_sectors(void **state)
{
	(void)state;
	read_disks("{ file = \"odd.img\" }");
	check_host(UINT64_MAX);
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.vms[0].disks[0].size_bytes, 1024);
}

static void test_manifest_disks_that_contradict_themselves(void **state)
{
	(void)state;
	read_disks("{ serial = \"x\" }");
	expect_refused("E142 bulkhead.toml line 5: VM \"a\": a disk has neither file nor size; write one of them");
	read_disks("{ size = \"1M\", mode = \"read-only\" }");
	expect_refused("E142 bulkhead.toml line 5: VM \"a\": a read-only disk without file holds nothing; write file, or "
		       "mode = \"cow\"");
	read_disks("{ file = \"x\", changes = \"1M\", mode = \"read-only\" }");
	expect_refused("E142 bulkhead.toml line 5: VM \"a\": a read-only disk has no changes; leave changes out, or write "
		       "mode = \"cow\"");
}

static void test_manifest_disks_against_their_files(void **state)
{
	(void)state;
	read_disks("{ file = \"none.img\" }");
	check_host(UINT64_MAX);
	expect_refused("E232 bulkhead.toml line 1: VM \"a\": none.img is not on the boot volume; copy it to bulkhead/none.img "
		       "or correct the path");
	read_disks("{ file = \"big.img\", size = \"512K\" }");
	check_host(UINT64_MAX);
	expect_refused("E233 bulkhead.toml line 5: VM \"a\": big.img has 1048576 bytes, which is no disk of that size; "
		       "correct size");
	read_disks("{ file = \"empty.img\" }");
	check_host(UINT64_MAX);
	expect_refused("E233 bulkhead.toml line 5: VM \"a\": empty.img is empty, which makes no disk; write its size, or "
		       "copy the file again");
	read_disks("{ file = \"huge.img\" }");
	check_host(UINT64_MAX);
	expect_refused("E233 bulkhead.toml line 5: VM \"a\": huge.img has 34359738369 bytes, and a disk 34359738368 at most; "
		       "take a smaller file");
	read_disks("{ size = \"1M\", changes = \"4K\" }");
	check_host(UINT64_MAX);
	expect_refused("E233 bulkhead.toml line 5: VM \"a\": changes of 4096 bytes are too few for a disk of that size; write at "
		       "least 16384");
}

static void test_manifest_disks_against_memory(void **state)
{
	(void)state;
	read_disks("{ size = \"32M\" }");
	check_host(32 * MIB);
	expect_refused("E203 bulkhead.toml line 1: VM \"a\" wants 32 MiB for changes of its disks besides its memory, but 32 MiB "
		       "are left for both; lower memory or changes");
	read_disks("{ size = \"32M\" }");
	check_host(50 * MIB);
	assert_int_equal(manifest.message_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_disks_are_read),
		cmocka_unit_test(test_manifest_disks_have_whole_sectors),
		cmocka_unit_test(test_manifest_disks_that_contradict_themselves),
		cmocka_unit_test(test_manifest_disks_against_their_files),
		cmocka_unit_test(test_manifest_disks_against_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
