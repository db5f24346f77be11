/* The flash's command set, and when its contents are to be seen. */
#include "drivers/virt/flash.h"
#include "tests/unit/unit.h"

#define SIZE_BYTES (4 * FLASH_BLOCK_BYTES)

static uint8_t contents[SIZE_BYTES];
static struct flash flash;
static bool shown;
static unsigned changes;

static void shows_contents(void *ctx, bool shows)
{
	assert_ptr_equal(ctx, &flash);
	assert_true(shows != shown);
	shown = shows;
	changes++;
}

static uint64_t get(uint64_t offset)
{
	return flash_ops.read(&flash, offset, 1, 0);
}

static void put(uint64_t offset, uint64_t value)
{
	flash_ops.write(&flash, offset, 1, value, 0);
}

static int set_up(void **state)
{
	const struct flash_wires wires = {
		.bytes = contents, .size_bytes = SIZE_BYTES, .shows_contents = shows_contents, .ctx = &flash};

	(void)state;
	for (unsigned i = 0; i < SIZE_BYTES; i++)
		contents[i] = (uint8_t)(i * 7 + 1);
	flash_init(&flash, &wires);
	shown = true;
	changes = 0;
	return 0;
}

/* As OvmfPkg's QemuFlash.c looks for it: 50h must not stay as in RAM, 70h give 0 as no ROM would. */
static void test_flash_is_known_by_its_cleared_status(void **state)
{
	(void)state;
	put(3, 0x50);
	assert_int_equal(get(3), contents[3]);
	assert_true(shown);
	put(3, 0x70);
	assert_false(shown);
	assert_int_equal(get(3), 0);
	put(3, 0xff);
	assert_true(shown);
	assert_int_equal(get(3), contents[3]);
	assert_int_equal(changes, 2);
}

static void test_flash_programs_bytes_and_shows_its_status_until_told_otherwise(void **state)
{
	static const uint8_t commands[] = {0x10, 0x40};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		put(SIZE_BYTES - 1 - i, commands[i]);
		put(SIZE_BYTES - 1 - i, 0x10 + i);
		assert_false(shown);
		assert_int_equal(get(SIZE_BYTES - 1), FLASH_STATUS_READY);
		assert_int_equal(contents[SIZE_BYTES - 1 - i], 0x10 + i);
	}
	assert_int_equal(changes, 1);
	put(0, 0xf0);
	assert_true(shown);
	assert_int_equal(get(SIZE_BYTES - 1), 0x10);
	assert_int_equal(get(SIZE_BYTES - 2), 0x11);
	assert_int_equal(contents[SIZE_BYTES - 3], (uint8_t)((SIZE_BYTES - 3) * 7 + 1));
}

static void test_flash_erases_the_block_that_is_confirmed(void **state)
{
	(void)state;
	put(FLASH_BLOCK_BYTES + 5, 0x20);
	assert_int_equal(contents[FLASH_BLOCK_BYTES], (uint8_t)(FLASH_BLOCK_BYTES * 7 + 1));
	put(FLASH_BLOCK_BYTES + 5, 0xd0);
	for (unsigned i = FLASH_BLOCK_BYTES; i < 2 * FLASH_BLOCK_BYTES; i++)
		assert_int_equal(contents[i], 0xff);
	assert_int_equal(contents[FLASH_BLOCK_BYTES - 1], (uint8_t)((FLASH_BLOCK_BYTES - 1) * 7 + 1));
	assert_int_equal(contents[2 * FLASH_BLOCK_BYTES], (uint8_t)(2 * FLASH_BLOCK_BYTES * 7 + 1));
	assert_int_equal(get(0), FLASH_STATUS_READY);
}

static void test_flash_does_nothing_without_the_confirmation(void **state)
{
	(void)state;
	put(0, 0x20);
	put(0, 0x01);
	assert_int_equal(contents[0], 1);
	assert_int_equal(get(0), FLASH_STATUS_READY | FLASH_STATUS_ERASE_ERROR | FLASH_STATUS_WRITE_ERROR);
	put(0, 0x50);
	put(0, 0x20);
	put(0, 0xff);
	assert_true(shown);
	assert_int_equal(contents[0], 1);
	put(0, 0x60);
	put(0, 0x01);
	put(0, 0x60);
	put(0, 0xd0);
	put(0, 0x50);
	assert_int_equal(get(0), 1);
}

static void test_flash_buffer_is_programmed_as_a_whole(void **state)
{
	(void)state;
	put(0x1010, 0xe8);
	assert_int_equal(get(0), FLASH_STATUS_READY);
	put(0x1010, 2);
	put(0x1011, 0xaa);
	put(0x1010, 0xab);
	put(0x10ff, 0xac);
	assert_int_equal(contents[0x1010], (uint8_t)(0x1010 * 7 + 1));
	put(0x1010, 0xd0);
	assert_int_equal(contents[0x1010], 0xab);
	assert_int_equal(contents[0x1011], 0xaa);
	assert_int_equal(contents[0x10ff], 0xac);
	assert_int_equal(contents[0x1012], (uint8_t)(0x1012 * 7 + 1));
	assert_int_equal(get(0), FLASH_STATUS_READY);
}

static void test_flash_buffer_refuses_bytes_of_two_lines_and_other_than_d0(void **state)
{
	(void)state;
	put(0, 0xe8);
	put(0, 1);
	put(0xff, 0xaa);
	put(0x100, 0xaa);
	assert_int_equal(get(0), FLASH_STATUS_READY | FLASH_STATUS_ERASE_ERROR | FLASH_STATUS_WRITE_ERROR);
	put(0, 0x50);
	put(0, 0xe8);
	put(0, 0);
	put(0xff, 0xaa);
	put(0, 0x70);
	assert_int_equal(get(0), FLASH_STATUS_READY | FLASH_STATUS_ERASE_ERROR | FLASH_STATUS_WRITE_ERROR);
	assert_int_equal(contents[0xff], (uint8_t)(0xff * 7 + 1));
}

static void test_flash_says_what_it_is(void **state)
{
	static const uint8_t head[] = {'Q', 'R', 'Y', 1, 0, 0x31, 0};

	(void)state;
	put(0x55, 0x98);
	for (unsigned i = 0; i < sizeof(head); i++)
		assert_int_equal(get(0x10 + i), head[i]);
	assert_int_equal(get(0x27), 14);
	assert_int_equal(get(0x2a), 8);
	assert_int_equal(get(0x2d) | get(0x2e) << 8, 3);
	assert_int_equal(get(0x2f) | get(0x30) << 8, FLASH_BLOCK_BYTES / 256);
	assert_int_equal(get(0x31), 'P');
	assert_int_equal(get(0xff), 0);
	put(0, 0x90);
	assert_int_equal(get(0), 0x89);
	assert_int_equal(get(1), 0x18);
	assert_int_equal(get(2), 0);
}

static void test_flash_reset_forgets_commands_and_keeps_contents(void **state)
{
	(void)state;
	put(0, 0x20);
	flash_ops.reset(&flash);
	assert_true(shown);
	put(0, 0xd0);
	assert_int_equal(get(0), 1);
	flash_ops.reset(&flash);
	assert_int_equal(changes, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_flash_is_known_by_its_cleared_status, set_up),
		cmocka_unit_test_setup(test_flash_programs_bytes_and_shows_its_status_until_told_otherwise, set_up),
		cmocka_unit_test_setup(test_flash_erases_the_block_that_is_confirmed, set_up),
		cmocka_unit_test_setup(test_flash_does_nothing_without_the_confirmation, set_up),
		cmocka_unit_test_setup(test_flash_buffer_is_programmed_as_a_whole, set_up),
		cmocka_unit_test_setup(test_flash_buffer_refuses_bytes_of_two_lines_and_other_than_d0, set_up),
		cmocka_unit_test_setup(test_flash_says_what_it_is, set_up),
		cmocka_unit_test_setup(test_flash_reset_forgets_commands_and_keeps_contents, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
