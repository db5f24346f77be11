/* The block device under a hostile guest (tests/fake/hostile_guest.h), on a disk with a file, zeros behind it, and memory for some
 * changes or all. Checked besides: the file stays as it is, and a disk that is opened again holds what it held, with as many free
 * blocks. */
#include "drivers/virt/virtio_blk.h"
#include "tests/fake/hostile_guest.h"
#include "tests/fake/queue_judge.h"

#define DISK_BYTES    (6U * DISK_BLOCK_BYTES + DISK_SECTOR_BYTES)
#define FILE_BYTES    (3U * DISK_BLOCK_BYTES + 77U)
#define CHANGES_BYTES 0xa000U /* header, map, free blocks, and all of the disk's */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t file[FILE_BYTES], original[FILE_BYTES];
static _Alignas(4096) uint8_t changes[CHANGES_BYTES];
static struct virtio_blk blk;
static struct disk disk;
static unsigned times_full;

static void is_full(void *ctx)
{
	(void)ctx;
	hostile_under_lock();
	times_full++;
}

static void open_disk(struct disk *of, bool is_writable, uint64_t changes_bytes)
{
	const struct disk_source source = {
		.file = file,
		.file_bytes = FILE_BYTES,
		.size_bytes = DISK_BYTES,
		.changes = is_writable ? changes : NULL,
		.changes_bytes = is_writable ? changes_bytes : 0,
	};

	demand(disk_open(of, &source) == OK);
}

static void make_file(void)
{
	if (original[0] != 0)
		return;
	for (unsigned i = 0; i < FILE_BYTES; i++)
		original[i] = (uint8_t)(i * 7 + 1);
	memcpy(file, original, sizeof(file));
}

/* Bit 0: writable; bit 1: with memory for all changes; bit 2: what an earlier program left there makes no sense. */
static struct virtio_config create(struct virtio *transport, struct fuzz_input *input)
{
	unsigned how = fuzz_u8(input);

	make_file();
	memset(changes, (how & 4) != 0 ? fuzz_u8(input) : 0, sizeof(changes));
	open_disk(&disk, (how & 1) != 0, (how & 2) != 0 ? disk_changes_bytes(DISK_BYTES) : disk_changes_least_bytes(DISK_BYTES));
	blk = (struct virtio_blk){.transport = transport,
				  .disk = &disk,
				  .wires = {.is_full = is_full},
				  .serial = "fuzz",
				  .queue_count = (uint16_t)(1 + (how >> 3 & 3))};
	times_full = 0;
	return virtio_blk_config(&blk);
}

static size_t message(struct fuzz_input *input, uint8_t *out)
{
	static const uint32_t types[] = {VIRTIO_BLK_T_IN,      VIRTIO_BLK_T_OUT,          VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_GET_ID,
					 VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES, UINT32_MAX,         2};
	unsigned how = fuzz_u8(input), ranges = how >> 3 & 3;
	struct virtio_blk_request request = {.type = types[how % 8], .sector = fuzz_u8(input)};
	size_t len_bytes = sizeof(request);

	if ((how & 0xe0) == 0xe0)
		request.sector <<= fuzz_u8(input) % 57;
	memcpy(out, &request, sizeof(request));
	if (request.type != VIRTIO_BLK_T_DISCARD && request.type != VIRTIO_BLK_T_WRITE_ZEROES)
		return len_bytes;
	for (unsigned i = 0; i <= ranges; i++, len_bytes += sizeof(struct virtio_blk_range)) {
		const struct virtio_blk_range range = {
			.sector = fuzz_u8(input), .sector_count = fuzz_u8(input), .flags = how >> 7};

		memcpy(out + len_bytes, &range, sizeof(range));
	}
	return len_bytes;
}

static void expect_same(struct disk *one, struct disk *other)
{
	for (size_t at = 0; at < DISK_BYTES;) {
		size_t one_bytes, other_bytes, both_bytes;
		const void *first = disk_view(one, at, DISK_BYTES - at, &one_bytes);
		const void *second = disk_view(other, at, DISK_BYTES - at, &other_bytes);

		both_bytes = one_bytes < other_bytes ? one_bytes : other_bytes;
		demand(both_bytes > 0 && one_bytes <= DISK_BYTES - at && memcmp(first, second, both_bytes) == 0);
		at += both_bytes;
	}
}

/* Opening writes the list of free blocks anew: of the disk that was open, only its map and blocks are good after that. */
static void check_disk(void)
{
	struct disk again;
	uint32_t free_count = disk.free_count;

	open_disk(&again, disk_is_writable(&disk), disk.source.changes_bytes);
	demand(again.free_count == free_count);
	expect_same(&disk, &again);
	demand(times_full == 0 || disk_is_writable(&disk));
	demand(memcmp(file, original, sizeof(file)) == 0);
}

/* The last request of a turn moves as much again; headers, ranges and status come with each. */
static const struct hostile_type type = {
	.create = create,
	.message = message,
	.takes_max = VIRTIO_SERVE_CHAINS,
	.moved_bytes_max = 2 * VIRTIO_BLK_TURN_BYTES + VIRTIO_SERVE_CHAINS * 0x200U,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostile_guest_run(&type, data, size);
	check_disk();
	return 0;
}
