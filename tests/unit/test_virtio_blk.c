/* The block device: each type of request, data that is cut anywhere, and requests that make no sense. */
#include "drivers/virt/virtio_blk.h"
#include "tests/fake/virtio_chains.h"
#include "tests/unit/unit.h"

#define SECTORS     64U
#define DISK_BYTES  (SECTORS * DISK_SECTOR_BYTES)
#define CHANGES_MAX 0x20000U
#define SERIAL      "serial-of-20-letters"

static uint8_t file[DISK_BYTES];
static _Alignas(4096) uint8_t changes[CHANGES_MAX];
static struct disk disk;
static struct virtio_blk blk;
static unsigned full_count;

static void note_full(void *ctx)
{
	assert_ptr_equal(ctx, &full_count);
	full_count++;
}

static void make(uint64_t changes_bytes)
{
	const struct disk_source source = {
		.file = file,
		.file_bytes = DISK_BYTES,
		.size_bytes = DISK_BYTES,
		.changes = changes_bytes == 0 ? NULL : changes,
		.changes_bytes = changes_bytes,
	};

	assert_int_equal(disk_open(&disk, &source), OK);
	blk = (struct virtio_blk){
		.transport = &fake_virtio.device, .disk = &disk, .queue_count = 1, .wires = {note_full, &full_count}};
	memcpy(blk.serial, SERIAL, sizeof(blk.serial));
}

static int reset(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DISK_BYTES; i++)
		file[i] = (uint8_t)(i / DISK_SECTOR_BYTES + i);
	memset(changes, 0, sizeof(changes));
	full_count = 0;
	fake_virtio_reset(0);
	make(CHANGES_MAX);
	return 0;
}

/* Offers a request with out data and room for in_bytes and the status; serves it; returns the status. */
static uint8_t ask(uint32_t type, uint64_t sector, const void *out, size_t out_bytes, size_t in_bytes, unsigned *number)
{
	static uint8_t readable[FAKE_CHAIN_BYTES];
	const struct virtio_blk_request request = {.type = type, .sector = sector};

	memcpy(readable, &request, sizeof(request));
	if (out_bytes != 0)
		memcpy(readable + sizeof(request), out, out_bytes);
	*number = fake_offer(0, readable, sizeof(request) + out_bytes, in_bytes + 1);
	while (virtio_blk_ops.serve(&blk, 0)) {
	}
	assert_true(fake_virtio.chains[*number].returned);
	return fake_written(*number)[in_bytes];
}

static void check_sectors(uint64_t sector, const uint8_t *wanted, size_t len_bytes)
{
	unsigned number;

	assert_int_equal(ask(VIRTIO_BLK_T_IN, sector, NULL, 0, len_bytes, &number), VIRTIO_BLK_S_OK);
	assert_memory_equal(fake_written(number), wanted, len_bytes);
	assert_int_equal(fake_virtio.chains[number].written_bytes, len_bytes + 1);
}

static void test_virtio_blk_reads(void **state)
{
	(void)state;
	check_sectors(0, file, DISK_BYTES);
	check_sectors(SECTORS - 1, file + DISK_BYTES - 512, 512);
	check_sectors(SECTORS, file, 0);
	assert_int_equal(fake_virtio.interrupts[0], 3);
}

static void test_virtio_blk_writes(void **state)
{
	uint8_t data[3 * 512];
	unsigned number;

	(void)state;
	memset(data, 0x77, sizeof(data));
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 7, data, sizeof(data), 0, &number), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 1);
	check_sectors(7, data, sizeof(data));
	check_sectors(6, file + 6 * 512, 512);
	check_sectors(10, file + 10 * 512, 512);
	assert_int_equal(ask(VIRTIO_BLK_T_FLUSH, 0, NULL, 0, 0, &number), VIRTIO_BLK_S_OK);
}

static void test_virtio_blk_refuses_what_is_not_on_the_disk(void **state)
{
	static const uint64_t sectors[] = {SECTORS, SECTORS - 1, UINT64_MAX, UINT64_MAX / 512, 1ULL << 55};
	uint8_t data[1024] = {0};
	unsigned number;

	(void)state;
	for (unsigned i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
		assert_int_equal(ask(VIRTIO_BLK_T_IN, sectors[i], NULL, 0, 1024, &number), VIRTIO_BLK_S_IOERR);
		assert_int_equal(fake_virtio.chains[number].written_bytes, 0);
		assert_int_equal(ask(VIRTIO_BLK_T_OUT, sectors[i], data, 1024, 0, &number), VIRTIO_BLK_S_IOERR);
	}
	/* No whole sectors. */
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 0, NULL, 0, 511, &number), VIRTIO_BLK_S_IOERR);
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 0, data, 513, 0, &number), VIRTIO_BLK_S_IOERR);
	check_sectors(0, file, DISK_BYTES);
}

static void test_virtio_blk_read_only_changes_nothing(void **state)
{
	const struct virtio_blk_range range = {.sector = 0, .sector_count = 1};
	uint8_t data[512] = {0};
	unsigned number;

	(void)state;
	make(0);
	assert_true((virtio_blk_config(&blk).features & VIRTIO_FEATURE(VIRTIO_BLK_F_RO)) != 0);
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 0, data, 512, 0, &number), VIRTIO_BLK_S_IOERR);
	assert_int_equal(ask(VIRTIO_BLK_T_DISCARD, 0, &range, sizeof(range), 0, &number), VIRTIO_BLK_S_IOERR);
	assert_int_equal(ask(VIRTIO_BLK_T_WRITE_ZEROES, 0, &range, sizeof(range), 0, &number), VIRTIO_BLK_S_IOERR);
	check_sectors(0, file, DISK_BYTES);
}

static void test_virtio_blk_zeroes_and_discards(void **state)
{
	static const uint8_t zeros[32 * 512];
	const struct virtio_blk_range ranges[] = {{1, 2, 1}, {16, 32, 0}};
	struct virtio_blk_range wrong[] = {{8, 1, 0}, {SECTORS - 1, 2, 0}};
	unsigned number;

	(void)state;
	assert_int_equal(ask(VIRTIO_BLK_T_WRITE_ZEROES, 0, ranges, sizeof(ranges), 0, &number), VIRTIO_BLK_S_OK);
	check_sectors(0, file, 512);
	check_sectors(1, zeros, 1024);
	check_sectors(3, file + 3 * 512, 512);
	check_sectors(16, zeros, sizeof(zeros));
	assert_int_equal(ask(VIRTIO_BLK_T_DISCARD, 0, ranges, sizeof(ranges), 0, &number), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(ask(VIRTIO_BLK_T_DISCARD, 0, wrong, sizeof(wrong), 0, &number), VIRTIO_BLK_S_IOERR);
	check_sectors(8, file + 8 * 512, 512);
	wrong[1].sector_count = 1;
	assert_int_equal(ask(VIRTIO_BLK_T_DISCARD, 0, wrong, sizeof(wrong), 0, &number), VIRTIO_BLK_S_OK);
	check_sectors(8, zeros, 512);
	assert_int_equal(ask(VIRTIO_BLK_T_DISCARD, 0, wrong, sizeof(wrong) - 1, 0, &number), VIRTIO_BLK_S_IOERR);
	assert_int_equal(ask(VIRTIO_BLK_T_DISCARD, 0, NULL, 0, 0, &number), VIRTIO_BLK_S_IOERR);
	wrong[0].sector_count = VIRTIO_BLK_RANGE_SECTORS + 1;
	assert_int_equal(ask(VIRTIO_BLK_T_WRITE_ZEROES, 0, wrong, sizeof(wrong), 0, &number), VIRTIO_BLK_S_IOERR);
}

static void test_virtio_blk_tells_serial_and_refuses_unknown_types(void **state)
{
	unsigned number;

	(void)state;
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, NULL, 0, 20, &number), VIRTIO_BLK_S_OK);
	assert_memory_equal(fake_written(number), SERIAL, 20);
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, NULL, 0, 4, &number), VIRTIO_BLK_S_OK);
	assert_int_equal(ask(2, 0, NULL, 0, 0, &number), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(ask(UINT32_MAX, 0, NULL, 0, 512, &number), VIRTIO_BLK_S_UNSUPP);
}

static void test_virtio_blk_chains_that_are_no_requests_come_back(void **state)
{
	const struct virtio_blk_request request = {.type = VIRTIO_BLK_T_IN};
	unsigned number;

	(void)state;
	number = fake_offer(0, &request, sizeof(request), 0);
	assert_false(virtio_blk_ops.serve(&blk, 0));
	assert_int_equal(fake_virtio.chains[number].written_bytes, 0);
	number = fake_offer(0, &request, 15, 1);
	assert_false(virtio_blk_ops.serve(&blk, 0));
	assert_int_equal(fake_written(number)[0], VIRTIO_BLK_S_IOERR);
	assert_int_equal(fake_returned_count(0), 2);
}

/* Data and status at addresses that are nobody's. */
static void test_virtio_blk_faults_are_errors(void **state)
{
	const struct virtio_blk_request request = {.type = VIRTIO_BLK_T_IN};
	unsigned good = fake_offer(0, &request, sizeof(request), 1);
	const struct virtqueue_chain *chain = &fake_virtio.chains[good].chain;
	const struct virtqueue_segment segments[] = {chain->segments[0], {1ULL << 60, 512}, chain->segments[1]};
	unsigned number = fake_offer_segments(0, segments, 3, 2);

	(void)state;
	assert_false(virtio_blk_ops.serve(&blk, 0));
	assert_int_equal(fake_virtio.memory[segments[2].address], VIRTIO_BLK_S_IOERR);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 0);
}

static void test_virtio_blk_full_is_told(void **state)
{
	uint8_t data[512] = {0};
	unsigned number;

	(void)state;
	make(disk_changes_least_bytes(DISK_BYTES));
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 0, data, 512, 0, &number), VIRTIO_BLK_S_OK);
	assert_int_equal(full_count, 0);
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 32, data, 512, 0, &number), VIRTIO_BLK_S_IOERR);
	assert_int_equal(full_count, 1);
}

static void test_virtio_blk_ends_its_turn(void **state)
{
	const struct virtio_blk_request request = {.type = VIRTIO_BLK_T_FLUSH};

	(void)state;
	for (unsigned i = 0; i < VIRTIO_SERVE_CHAINS + 1; i++)
		fake_offer(0, &request, sizeof(request), 1);
	assert_true(virtio_blk_ops.serve(&blk, 0));
	assert_int_equal(fake_returned_count(0), VIRTIO_SERVE_CHAINS);
	assert_false(virtio_blk_ops.serve(&blk, 0));
	assert_false(virtio_blk_ops.serve(&blk, 0));
	assert_int_equal(fake_virtio.interrupts[0], 2);
}

static void test_virtio_blk_configuration(void **state)
{
	(void)state;
	assert_int_equal(virtio_blk_ops.read_config(&blk, 0, 8), SECTORS);
	assert_int_equal(virtio_blk_ops.read_config(&blk, 0, 1), SECTORS);
	assert_int_equal(virtio_blk_ops.read_config(&blk, 12, 4), VIRTIO_BLK_SEGMENTS);
	assert_int_equal(virtio_blk_ops.read_config(&blk, 20, 4), 512);
	assert_int_equal(virtio_blk_ops.read_config(&blk, 24, 1), 3);
	assert_int_equal(virtio_blk_ops.read_config(&blk, 34, 2), 1);
	assert_int_equal(virtio_blk_ops.read_config(&blk, 36, 4), VIRTIO_BLK_RANGE_SECTORS);
	assert_int_equal(virtio_blk_ops.read_config(&blk, 56, 4), 1);
}

#define MIB        0x100000U
#define BIG_MIB    17U
#define BIG_BYTES  (BIG_MIB * MIB)
#define BIG_PLACE  0x400000U /* of the one MiB that all data go through */
#define HEAD_PLACE 0x300000U
#define STATUS     0x310000U

/* A request of 17 MiB of a disk of 18, in a chain of 19 buffers; all data at one place. Returns its chain. */
static unsigned offer_big(uint32_t type, uint64_t sector)
{
	const struct virtio_blk_request request = {.type = type, .sector = sector};
	struct virtqueue_segment segments[BIG_MIB + 2] = {{HEAD_PLACE, sizeof(request)}};

	memcpy(fake_virtio.memory + HEAD_PLACE, &request, sizeof(request));
	for (unsigned i = 1; i <= BIG_MIB; i++)
		segments[i] = (struct virtqueue_segment){BIG_PLACE, MIB};
	segments[BIG_MIB + 1] = (struct virtqueue_segment){STATUS, 1};
	fake_virtio.memory[STATUS] = 0xee;
	return fake_offer_segments(0, segments, BIG_MIB + 2, type == VIRTIO_BLK_T_IN ? BIG_MIB + 1 : 1);
}

static void make_big(void)
{
	static uint8_t big_file[BIG_BYTES + MIB];
	static _Alignas(4096) uint8_t big_changes[BIG_BYTES + 2 * MIB];
	const struct disk_source source = {.file = big_file,
					   .file_bytes = sizeof(big_file),
					   .size_bytes = sizeof(big_file),
					   .changes = big_changes,
					   .changes_bytes = disk_changes_bytes(sizeof(big_file))};

	for (unsigned i = 0; i <= BIG_MIB; i++)
		memset(big_file + i * MIB, (int)i + 1, MIB);
	memset(big_changes, 0, sizeof(big_changes));
	assert_true(source.changes_bytes <= sizeof(big_changes));
	assert_int_equal(disk_open(&disk, &source), OK);
	blk.queue_count = 2;
}

/* A turn moves a MiB of it; requests of another queue do not wait for its end. */
static void test_virtio_blk_big_requests_take_turns(void **state)
{
	const struct virtio_blk_request flush = {.type = VIRTIO_BLK_T_FLUSH};
	unsigned number, other, turns = 0;

	(void)state;
	make_big();
	number = offer_big(VIRTIO_BLK_T_IN, MIB / 512);
	while (!fake_virtio.chains[number].returned) {
		assert_true(virtio_blk_ops.serve(&blk, 0));
		turns++;
		assert_int_equal(fake_virtio.memory[BIG_PLACE], turns + 1);
		other = fake_offer(1, &flush, sizeof(flush), 1);
		assert_false(virtio_blk_ops.serve(&blk, 1));
		assert_true(fake_virtio.chains[other].returned);
	}
	assert_int_equal(turns, BIG_MIB);
	assert_int_equal(fake_virtio.memory[STATUS], VIRTIO_BLK_S_OK);
	assert_int_equal(fake_virtio.memory[BIG_PLACE + MIB - 1], BIG_MIB + 1);
	assert_int_equal(fake_virtio.chains[number].written_bytes, BIG_BYTES + 1);

	memset(fake_virtio.memory + BIG_PLACE, 0x55, MIB);
	number = offer_big(VIRTIO_BLK_T_OUT, 0);
	for (turns = 0; !fake_virtio.chains[number].returned; turns++)
		assert_true(virtio_blk_ops.serve(&blk, 0));
	assert_int_equal(turns, BIG_MIB);
	assert_int_equal(fake_virtio.memory[STATUS], VIRTIO_BLK_S_OK);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 1);
	for (uint64_t at = 0; at < BIG_BYTES + MIB; at += DISK_BLOCK_BYTES) {
		size_t len_bytes;

		assert_int_equal(*(const uint8_t *)disk_view(&disk, at, 1, &len_bytes), at < BIG_BYTES ? 0x55 : BIG_MIB + 1);
	}
}

/* The status of a refused one is its last byte, whatever its length; a reset forgets what moved. */
static void test_virtio_blk_refuses_big_requests_at_their_end(void **state)
{
	unsigned number;

	(void)state;
	make_big();
	number = offer_big(VIRTIO_BLK_T_IN, 2 * MIB / 512);
	assert_false(virtio_blk_ops.serve(&blk, 0));
	assert_int_equal(fake_virtio.memory[STATUS], VIRTIO_BLK_S_IOERR);
	assert_int_equal(fake_virtio.memory[BIG_PLACE], 0);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 0);
	offer_big(VIRTIO_BLK_T_IN, 0);
	assert_true(virtio_blk_ops.serve(&blk, 0));
	virtio_blk_ops.reset(&blk);
	fake_virtio_reset(0);
	check_sectors(0, disk.source.file, 512);
}

/* The used length counts what was written from the first byte on, and nothing behind a gap. */
static void test_virtio_blk_says_what_it_wrote(void **state)
{
	const struct virtio_blk_range range = {.sector = 0, .sector_count = 1};
	uint8_t data[512] = {0};
	unsigned number;

	(void)state;
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, NULL, 0, 100, &number), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 20);
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, NULL, 0, 20, &number), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 21);
	assert_int_equal(ask(VIRTIO_BLK_T_FLUSH, 0, NULL, 0, 5, &number), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 0);
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 0, data, 512, 5, &number), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 0);
	assert_int_equal(ask(VIRTIO_BLK_T_DISCARD, 0, &range, sizeof(range), 5, &number), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_blk_big_requests_take_turns, reset),
		cmocka_unit_test_setup(test_virtio_blk_refuses_big_requests_at_their_end, reset),
		cmocka_unit_test_setup(test_virtio_blk_says_what_it_wrote, reset),
		cmocka_unit_test_setup(test_virtio_blk_reads, reset),
		cmocka_unit_test_setup(test_virtio_blk_writes, reset),
		cmocka_unit_test_setup(test_virtio_blk_refuses_what_is_not_on_the_disk, reset),
		cmocka_unit_test_setup(test_virtio_blk_read_only_changes_nothing, reset),
		cmocka_unit_test_setup(test_virtio_blk_zeroes_and_discards, reset),
		cmocka_unit_test_setup(test_virtio_blk_tells_serial_and_refuses_unknown_types, reset),
		cmocka_unit_test_setup(test_virtio_blk_chains_that_are_no_requests_come_back, reset),
		cmocka_unit_test_setup(test_virtio_blk_faults_are_errors, reset),
		cmocka_unit_test_setup(test_virtio_blk_full_is_told, reset),
		cmocka_unit_test_setup(test_virtio_blk_ends_its_turn, reset),
		cmocka_unit_test_setup(test_virtio_blk_configuration, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
