/* kernel/handle_table.c: numbers, references, exhaustion, closing. */
#include "tests/unit/unit.h"

#include "kernel/handle_table.h"
#include "kernel/pool.h"
#include "tests/fake/kernel_pc.h"

static struct handle_table table;
static struct object object;
static unsigned released;

static bool count_release(struct object *gone)
{
	assert_ptr_equal(gone, &object);
	released++;
	return true;
}

static void boot(void)
{
	fake_pc_boot_simple(64 * FAKE_MIB);
	table.lock = SPINLOCK(RANK_HANDLES);
	object_init(&object, OBJECT_EVENT, count_release);
}

static enum status add(handle_t first, handle_t *out)
{
	const struct handle_entry entry = {.object = &object, .rights = RIGHT_READ, .badge = first};
	enum status status = handle_table_add(&table, root_pool, &entry, first, out);

	if (status == OK)
		object_get(&object);
	return status;
}

static void body_every_number_once(void)
{
	struct handle_entry entry;
	struct object *taken;
	handle_t handle = 0;

	boot();
	for (handle_t expected = 64; expected < HANDLES_MAX; expected++) {
		assert_int_equal(add(64, &handle), OK);
		assert_int_equal(handle, expected);
	}
	assert_int_equal(add(64, &handle), ERR_NO_SPACE);
	assert_int_equal(add(3, &handle), OK);
	assert_int_equal(handle, 3);
	assert_int_equal(add(HANDLES_MAX, &handle), ERR_NO_SPACE);
	assert_int_equal(add(UINT32_MAX, &handle), ERR_NO_SPACE);
	assert_int_equal(handle_table_take(&table, 500, &taken), OK);
	object_put(taken);
	assert_int_equal(handle_table_get(&table, 500, &entry), ERR_BAD_HANDLE);
	assert_int_equal(add(64, &handle), OK);
	assert_int_equal(handle, 500);
	assert_int_equal(atomic_load(&object.references), HANDLES_MAX - 64 + 2);
	handle_table_close(&table, root_pool);
	assert_int_equal(atomic_load(&object.references), 1);
	handle_table_close(&table, root_pool);
	assert_int_equal(add(64, &handle), ERR_DEAD);
	assert_int_equal(released, 0);
}

static void body_bad_numbers(void)
{
	static const uint64_t bad[] = {0,		63,	    65,			HANDLES_MAX - 1, HANDLES_MAX,
				       HANDLES_MAX + 1, UINT32_MAX, 1ULL << 32 | 64, UINT64_MAX};
	struct handle_entry entry;
	struct object *taken;
	handle_t handle = 0;

	boot();
	assert_int_equal(handle_table_get(&table, 64, &entry), ERR_BAD_HANDLE);
	assert_int_equal(add(64, &handle), OK);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(handle_table_get(&table, bad[i], &entry), ERR_BAD_HANDLE);
		assert_int_equal(handle_table_take(&table, bad[i], &taken), ERR_BAD_HANDLE);
	}
	assert_int_equal(handle_table_get(&table, 64, &entry), OK);
	assert_int_equal(entry.rights, RIGHT_READ);
	assert_int_equal(entry.badge, 64);
	assert_int_equal(atomic_load(&object.references), 3);
}

static void body_no_memory(void)
{
	handle_t handle = 0;

	boot();
	while (pool_page_alloc(root_pool) != NULL)
		continue;
	assert_int_equal(add(64, &handle), ERR_NO_MEMORY);
	assert_int_equal(atomic_load(&object.references), 1);
	handle_table_close(&table, root_pool);
}

#define PC_TEST(name)                                           \
	static void test_kernel_handle_table_##name(void **state) \
	{                                                       \
		(void)state;                                    \
		fake_pc_run(body_##name);                       \
	}
PC_TEST(every_number_once)
PC_TEST(bad_numbers)
PC_TEST(no_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_handle_table_every_number_once),
		cmocka_unit_test(test_kernel_handle_table_bad_numbers),
		cmocka_unit_test(test_kernel_handle_table_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
