/* Shared memory of bulkhead.toml. */
#include "lib/base/format.h"
#include "tests/unit/manifest_text.h"

#define VM(name, more)  "[[vm]]\nname = \"" name "\"\nkernel = \"k\"\n" more "\n"
#define REGION(name, size) "[[shared]]\nname = \"" name "\"\nsize = " size "\n"

/* The region may stand below the VMs that name it. */
static void test_manifest_regions_are_read(void **state)
{
	const struct manifest_shared *shared;

	(void)state;
	read_text(VM("a", "shared = [{ name = \"ring\" }]") VM("b", "")
		  VM("c", "shared = [{ name = \"small\" }, { name = \"ring\", access = \"read-only\", vectors = 2 }]")
		  REGION("ring", "\"1M\"") REGION("small", "4096"));
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.region_count, 2);
	assert_int_equal(manifest.regions[0].size_bytes, 1 << 20);
	assert_int_equal(manifest.regions[0].peer_count, 2);
	assert_int_equal(manifest.regions[0].peer_vectors[1], 2);
	assert_int_equal(manifest.regions[1].peer_count, 1);
	assert_int_equal(manifest.vms[1].share_count, 0);
	shared = &manifest.vms[0].shares[0];
	assert_true(shared->region_index == 0 && shared->own_id == 0 && shared->access == MANIFEST_ACCESS_READ_WRITE);
	assert_int_equal(shared->vector_count, 1);
	shared = &manifest.vms[2].shares[1];
	assert_true(shared->region_index == 0 && shared->own_id == 1 && shared->access == MANIFEST_ACCESS_READ_ONLY);
	assert_true(shared->vector_count == 2 && shared->size_bytes == 1 << 20);
	assert_int_equal(manifest.vms[2].shares[0].region_index, 1);
}

static void test_manifest_regions_that_are_wrong(void **state)
{
	(void)state;
	expect_only(REGION("ring", "\"1M\"") VM("a", "shared = [{ name = \"rong\" }]"),
		    "E145 bulkhead.toml line 7: VM \"a\" shares \"rong\", which there is not; did you mean \"ring\"?");
	assert_true(manifest.vms[0].refused);
	expect_only(VM("a", "shared = [{ name = \"x\" }]"),
		    "E145 bulkhead.toml line 4: VM \"a\" shares \"x\", which there is not; add a [[shared]] of that name");
	expect_only(REGION("ring", "\"1M\"") VM("a", "shared = [{ name = \"ring\" }, { name = \"ring\" }]"),
		    "E145 bulkhead.toml line 7: VM \"a\" shares \"ring\" twice; remove one");
	expect_only(REGION("ring", "\"12K\"") VM("a", ""),
		    "E107 bulkhead.toml line 1: size of region \"ring\" must be a power of two, like \"1M\" or \"64K\"; change it");
	assert_false(manifest.vms[0].refused);
	expect_only(REGION("ring", "\"1M\"") REGION("ring", "\"2M\"") VM("a", ""),
		    "E109 bulkhead.toml line 4: name \"ring\" is already that of the region on line 1; choose another");
}

static void test_manifest_regions_have_room_for_16(void **state)
{
	static char text[8192];
	size_t used = format_text(text, sizeof(text), "[[shared]]\nname = \"r\"\nsize = 4096\n");

	(void)state;
	for (unsigned i = 0; i < 17; i++)
		used += format_text(text + used, sizeof(text) - used,
				    "[[vm]]\nname = \"v%u\"\nkernel = \"k\"\nshared = [{ name = \"r\" }]\n", i);
	expect_only(text, "E145 bulkhead.toml line 71: VM \"v16\" is one too many for region \"r\", which up to 16 can "
			  "share; add another [[shared]]");
	assert_true(manifest.vms[16].refused && !manifest.vms[15].refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_regions_are_read),
		cmocka_unit_test(test_manifest_regions_that_are_wrong),
		cmocka_unit_test(test_manifest_regions_have_room_for_16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
