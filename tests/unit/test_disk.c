/* Disks against a plain array: every operation at random, opened again in between; full and damaged memory of changes. */
#include "lib/disk/disk.h"
#include "tests/unit/unit.h"

#define DISK_BYTES  (40 * DISK_BLOCK_BYTES + 3 * DISK_SECTOR_BYTES)
#define FILE_BYTES  (25 * DISK_BLOCK_BYTES + 700)
#define CHANGES_MAX (80 * DISK_BLOCK_BYTES)
#define OPERATIONS  20000

static uint8_t file[FILE_BYTES];
static _Alignas(4096) uint8_t changes[CHANGES_MAX];
static uint8_t wanted[DISK_BYTES];
static struct disk disk;

static struct disk_source source_of(uint64_t changes_bytes)
{
	return (struct disk_source){
		.file = file,
		.file_bytes = FILE_BYTES,
		.size_bytes = DISK_BYTES,
		.changes = changes_bytes == 0 ? NULL : changes,
		.changes_bytes = changes_bytes,
	};
}

static void open_with(uint64_t changes_bytes)
{
	const struct disk_source source = source_of(changes_bytes);

	assert_int_equal(disk_open(&disk, &source), OK);
}

static int fill(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FILE_BYTES; i++)
		file[i] = (uint8_t)(i * 7 + i / 256 + 1);
	memset(changes, 0, sizeof(changes));
	memset(wanted, 0, sizeof(wanted));
	memcpy(wanted, file, FILE_BYTES);
	return 0;
}

static void check_range(uint64_t offset, size_t len_bytes)
{
	while (len_bytes > 0) {
		size_t part_bytes = 0;
		const void *view = disk_view(&disk, offset, len_bytes, &part_bytes);

		assert_in_range(part_bytes, 1, len_bytes);
		assert_memory_equal(view, wanted + offset, part_bytes);
		offset += part_bytes;
		len_bytes -= part_bytes;
	}
}

static enum status write_range(uint64_t offset, size_t len_bytes, uint8_t value)
{
	while (len_bytes > 0) {
		size_t part_bytes = 0;
		void *place;
		enum status status = disk_change(&disk, offset, len_bytes, &place, &part_bytes);

		if (status != OK)
			return status;
		assert_in_range(part_bytes, 1, len_bytes);
		memset(place, value, part_bytes);
		memset(wanted + offset, value, part_bytes);
		offset += part_bytes;
		len_bytes -= part_bytes;
	}
	return OK;
}

static void test_disk_sizes_are_checked(void **state)
{
	struct disk_source source = source_of(CHANGES_MAX);

	(void)state;
	source.size_bytes = 0;
	assert_int_equal(disk_open(&disk, &source), ERR_INVALID);
	source.size_bytes = DISK_SECTOR_BYTES + 1;
	assert_int_equal(disk_open(&disk, &source), ERR_INVALID);
	source.size_bytes = DISK_MAX_BYTES + DISK_SECTOR_BYTES;
	assert_int_equal(disk_open(&disk, &source), ERR_INVALID);
	source = source_of(disk_changes_least_bytes(DISK_BYTES) - 1);
	assert_int_equal(disk_open(&disk, &source), ERR_NO_SPACE);
}

static void test_disk_read_only_is_the_file_and_zeros(void **state)
{
	size_t len_bytes;
	void *place;

	(void)state;
	open_with(0);
	assert_false(disk_is_writable(&disk));
	check_range(0, DISK_BYTES);
	(void)disk_view(&disk, 100, FILE_BYTES, &len_bytes);
	assert_int_equal(len_bytes, FILE_BYTES - 100); /* as one piece */
	assert_int_equal(disk_change(&disk, 0, 512, &place, &len_bytes), ERR_DENIED);
	assert_int_equal(disk_zero(&disk, 0, 512), ERR_DENIED);
}

static void test_disk_without_a_file_is_zeros(void **state)
{
	struct disk_source source = source_of(CHANGES_MAX);

	(void)state;
	source.file = NULL; /* its length then counts for nothing */
	memset(wanted, 0, sizeof(wanted));
	assert_int_equal(disk_open(&disk, &source), OK);
	check_range(0, DISK_BYTES);
	assert_int_equal(write_range(5, 1, 9), OK);
	check_range(0, DISK_BYTES);
}

static void test_disk_change_keeps_the_rest_of_the_block(void **state)
{
	uint8_t before[512];

	(void)state;
	memcpy(before, file + DISK_BLOCK_BYTES + 512, 512);
	open_with(CHANGES_MAX);
	assert_int_equal(write_range(DISK_BLOCK_BYTES + 512, 512, 0xee), OK);
	check_range(0, DISK_BYTES);
	/* The block in which the file ends. */
	assert_int_equal(write_range(FILE_BYTES + 100, 10, 0xdd), OK);
	check_range(0, DISK_BYTES);
	assert_memory_equal(file + DISK_BLOCK_BYTES + 512, before, 512);
}

static void test_disk_full_says_so_and_takes_again_what_is_dropped(void **state)
{
	uint32_t room;

	(void)state;
	open_with(disk_changes_least_bytes(DISK_BYTES) + 2 * DISK_BLOCK_BYTES);
	room = disk.free_count;
	assert_in_range(room, 2, 3);
	for (uint32_t i = 0; i < room; i++)
		assert_int_equal(write_range(i * DISK_BLOCK_BYTES, 512, 1), OK);
	assert_int_equal(write_range(30 * DISK_BLOCK_BYTES, 512, 1), ERR_NO_SPACE);
	assert_int_equal(disk_zero(&disk, 30 * DISK_BLOCK_BYTES, 512), ERR_NO_SPACE);
	check_range(0, DISK_BYTES);
	assert_int_equal(disk_zero(&disk, 0, DISK_BLOCK_BYTES), OK);
	memset(wanted, 0, DISK_BLOCK_BYTES);
	assert_int_equal(write_range(30 * DISK_BLOCK_BYTES, 512, 1), OK);
	check_range(0, DISK_BYTES);
}

static void test_disk_that_never_runs_full(void **state)
{
	(void)state;
	assert_true(disk_changes_bytes(DISK_BYTES) <= CHANGES_MAX);
	open_with(disk_changes_bytes(DISK_BYTES));
	assert_int_equal(write_range(0, DISK_BYTES, 3), OK);
	check_range(0, DISK_BYTES);
	assert_int_equal(disk.free_count, 0);
	assert_int_equal(disk_zero(&disk, 0, DISK_BYTES), OK);
	assert_int_equal(disk.free_count, disk.room_count);
}

static void test_disk_is_found_again(void **state)
{
	(void)state;
	open_with(CHANGES_MAX);
	assert_int_equal(write_range(3000, 9000, 0x42), OK);
	assert_int_equal(disk_zero(&disk, 2 * DISK_BLOCK_BYTES, DISK_BLOCK_BYTES), OK);
	memset(wanted + 2 * DISK_BLOCK_BYTES, 0, DISK_BLOCK_BYTES);
	open_with(CHANGES_MAX);
	check_range(0, DISK_BYTES);
}

static void test_disk_with_a_map_without_sense_is_as_at_first(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		fill(NULL);
		open_with(CHANGES_MAX);
		assert_int_equal(write_range(0, 3 * DISK_BLOCK_BYTES, 0x42), OK);
		if (kind == 0)
			disk.map[1] = UINT32_MAX;
		else if (kind == 1)
			disk.map[1] = disk.map[0];
		else
			changes[0] ^= 1;
		open_with(CHANGES_MAX);
		assert_int_equal(disk.free_count, disk.room_count);
		memcpy(wanted, file, FILE_BYTES);
		check_range(0, DISK_BYTES);
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static void test_disk_random_operations(void **state)
{
	uint32_t seed = 1;

	(void)state;
	open_with(disk_changes_bytes(DISK_BYTES));
	for (unsigned i = 0; i < OPERATIONS; i++) {
		uint64_t offset = next_random(&seed) % DISK_BYTES;
		size_t len_bytes = 1 + next_random(&seed) % (3 * DISK_BLOCK_BYTES);

		len_bytes = len_bytes < DISK_BYTES - offset ? len_bytes : (size_t)(DISK_BYTES - offset);
		switch (next_random(&seed) % 4) {
		case 0:
			assert_int_equal(write_range(offset, len_bytes, (uint8_t)i), OK);
			break;
		case 1:
			assert_int_equal(disk_zero(&disk, offset, len_bytes), OK);
			memset(wanted + offset, 0, len_bytes);
			break;
		case 2:
			if (i % 64 == 0)
				open_with(disk_changes_bytes(DISK_BYTES));
			break;
		default:
			check_range(offset, len_bytes);
			break;
		}
	}
	check_range(0, DISK_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_disk_sizes_are_checked, fill),
		cmocka_unit_test_setup(test_disk_read_only_is_the_file_and_zeros, fill),
		cmocka_unit_test_setup(test_disk_without_a_file_is_zeros, fill),
		cmocka_unit_test_setup(test_disk_change_keeps_the_rest_of_the_block, fill),
		cmocka_unit_test_setup(test_disk_full_says_so_and_takes_again_what_is_dropped, fill),
		cmocka_unit_test_setup(test_disk_that_never_runs_full, fill),
		cmocka_unit_test_setup(test_disk_is_found_again, fill),
		cmocka_unit_test_setup(test_disk_with_a_map_without_sense_is_as_at_first, fill),
		cmocka_unit_test_setup(test_disk_random_operations, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
