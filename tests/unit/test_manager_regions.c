/* manager/regions.c: what each VMM is granted of a region. */
#include "manager/regions.h"
#include "tests/unit/unit.h"
#include "user/calls.h"

#define SPACE 77U

static struct manifest manifest;
static struct regions regions;
static handle_t next_handle;
static enum status memory_status;
static struct {
	handle_t handle;
	uint32_t rights;
	uint64_t badge;
} grants[16];
static unsigned grant_count;

enum status sys_event_create(handle_t pool, handle_t *event)
{
	assert_int_equal(pool, MANAGER_HANDLE_POOL);
	*event = next_handle++;
	return OK;
}

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory)
{
	assert_int_equal(pool, MANAGER_HANDLE_POOL);
	assert_int_equal(len_bytes, 0x10000);
	if (memory_status == OK)
		*memory = 50;
	return memory_status;
}

enum status sys_handle_grant(handle_t space, handle_t handle, uint32_t rights, uint64_t badge, handle_t *there)
{
	assert_int_equal(space, SPACE);
	grants[grant_count].handle = handle;
	grants[grant_count].rights = rights;
	grants[grant_count].badge = badge;
	*there = 100 + grant_count++;
	return OK;
}

static int setup(void **state)
{
	(void)state;
	memset(&manifest, 0, sizeof(manifest));
	memset(&regions, 0, sizeof(regions));
	next_handle = 20;
	memory_status = OK;
	grant_count = 0;
	manifest.region_count = 1;
	manifest.regions[0] = (struct manifest_region){.size_bytes = 0x10000, .peer_count = 2, .peer_vectors = {3, 1}};
	manifest.vms[0].share_count = manifest.vms[1].share_count = 1;
	manifest.vms[0].shares[0] = (struct manifest_shared){.own_id = 0, .vector_count = 3};
	manifest.vms[1].shares[0] =
		(struct manifest_shared){.own_id = 1, .vector_count = 1, .access = MANIFEST_ACCESS_READ_ONLY};
	return 0;
}

static void test_manager_regions_give_what_is_declared(void **state)
{
	struct vmm_spec spec = {.region_count = 0};

	(void)state;
	regions_make(&regions, &manifest);
	assert_int_equal(regions_give(&regions, &manifest.vms[1], SPACE, &spec), OK);
	assert_int_equal(spec.region_count, 1);
	assert_int_equal(grant_count, 4);
	assert_true(grants[0].handle == 50 && grants[0].rights == RIGHT_READ);
	assert_true(grants[1].handle == 21 && grants[1].rights == RIGHT_WAIT);
	assert_true(grants[2].handle == 20 && grants[2].rights == RIGHT_SIGNAL && grants[2].badge == 7);
	assert_true(grants[3].handle == 21 && grants[3].rights == RIGHT_SIGNAL && grants[3].badge == 1);
	assert_true(spec.regions[0].memory == 100 && spec.regions[0].event == 101 && spec.regions[0].peers[1] == 103);
	assert_true(spec.regions[0].rights == RIGHT_READ && spec.regions[0].own_id == 1 && spec.regions[0].vector_count == 1);
	grant_count = 0;
	assert_int_equal(regions_give(&regions, &manifest.vms[0], SPACE, &spec), OK);
	assert_int_equal(grants[0].rights, RIGHT_READ | RIGHT_WRITE);
	assert_int_equal(regions_give(&regions, &manifest.vms[2], SPACE, &spec), OK);
	assert_int_equal(spec.region_count, 0);
}

static void test_manager_regions_without_memory(void **state)
{
	struct vmm_spec spec = {.region_count = 0};

	(void)state;
	memory_status = ERR_NO_MEMORY;
	regions_make(&regions, &manifest);
	assert_int_equal(regions_give(&regions, &manifest.vms[0], SPACE, &spec), ERR_NO_MEMORY);
	assert_int_equal(grant_count, 0);
	assert_int_equal(regions_give(&regions, &manifest.vms[2], SPACE, &spec), OK);
}

static void test_manager_regions_are_counted(void **state)
{
	(void)state;
	assert_int_equal(regions_memory_bytes(&manifest), 0x10000);
	manifest.vms[0].shares[0].size_bytes = 1 << 28;
	assert_true(regions_pool_bytes(&manifest.vms[0]) > (1 << 28) / 512);
	assert_int_equal(regions_pool_bytes(&manifest.vms[2]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_manager_regions_give_what_is_declared, setup),
		cmocka_unit_test_setup(test_manager_regions_without_memory, setup),
		cmocka_unit_test_setup(test_manager_regions_are_counted, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
