/* Disks as a driver finds them: what they hold at first, what may be written, and what is there after a reset. Expects three disks
 * of one VM: a file copy-on-write, the same file read-only, zeros. The file: byte i is i / 512 + i, FILE_BYTES of them.
 *
 * Writes at its first start and asks for a reset; the last disk tells which start it is. Command line "wait": looks only whether
 * the first disk holds the file, once a key came. */
#include "guests/flat/cpu.h"
#include "guests/flat/expect.h"
#include "guests/flat/flat.h"
#include "guests/flat/virtio.h"

#define FILE_BYTES    10100U
#define FILE_SECTORS  32U
#define ZERO_SECTORS  128U
#define SECTOR        512U
#define ALL_BYTES     (FILE_SECTORS * SECTOR)
#define BLOCK_SECTORS 8U
#define WAIT_TICKS    4000000000ULL
#define COM1          0x3f8U
#define RESET_CONTROL 0xcf9U
#define HARD_RESET    0x06U

#define FEATURE_RO 5
#define IN         0U
#define OUT        1U
#define FLUSH      4U
#define GET_ID     8U
#define ZEROES     13U
#define UNKNOWN    99U
#define S_OK       0U
#define S_IOERR    1U
#define S_UNSUPP   2U
#define S_NONE     0xffU /* the request did not come back */

enum { COPIED, READ_ONLY, ZEROS };

static struct flat_virtio device;
static struct flat_virtqueue queue;
static uint8_t data[ALL_BYTES];

static void use(unsigned disk)
{
	expect("disk found", virtio_find(VIRTIO_TYPE_BLOCK, disk, &device), true);
	expect("features", virtio_begin(&device, VIRTIO_BIT(FEATURE_RO)), true);
	virtio_queue_start(&device, &queue, 0, 0);
	virtio_go(&device);
}

/* len_bytes of data, which the device writes or reads. */
static uint8_t ask(uint32_t type, uint64_t sector, uint32_t len_bytes)
{
	static struct {
		uint32_t type, reserved;
		uint64_t sector;
	} header;
	static volatile uint8_t answer;
	const uint16_t direction = type == IN || type == GET_ID ? VIRTIO_F_WRITE : 0;
	const struct virtio_buffer buffers[] = {
		{&header, sizeof(header), 0}, {data, len_bytes, direction}, {&answer, 1, VIRTIO_F_WRITE}};
	const struct virtio_buffer without_data[] = {buffers[0], buffers[2]};
	unsigned count = len_bytes == 0 ? 2 : 3;
	uint32_t written;
	uint16_t id;

	header.type = type;
	header.sector = sector;
	answer = S_NONE;
	virtio_offer(&queue, 0, len_bytes == 0 ? without_data : buffers, count);
	virtio_notify(&queue);
	if (!virtio_wait_used(&queue, &id, &written, count, WAIT_TICKS))
		return S_NONE;
	return answer;
}

static uint8_t file_byte(uint32_t at)
{
	return (uint8_t)(at < FILE_BYTES ? at / SECTOR + at : 0);
}

static void fill(uint8_t value, uint32_t len_bytes)
{
	for (uint32_t i = 0; i < len_bytes; i++)
		data[i] = value;
}

/* How many bytes of these sectors are not the file's. */
static uint64_t other_than_file(uint32_t sector, uint32_t sectors)
{
	uint64_t others = 0;

	fill(0xee, sectors * SECTOR);
	expect("read", ask(IN, sector, sectors * SECTOR), S_OK);
	for (uint32_t i = 0; i < sectors * SECTOR; i++)
		others += data[i] != file_byte(sector * SECTOR + i);
	return others;
}

static uint64_t other_than(uint8_t value, uint32_t sector, uint32_t sectors)
{
	uint64_t others = 0;

	fill(0xee, sectors * SECTOR);
	expect("read", ask(IN, sector, sectors * SECTOR), S_OK);
	for (uint32_t i = 0; i < sectors * SECTOR; i++)
		others += data[i] != value;
	return others;
}

static void write_sectors(uint8_t value, uint32_t sector, uint32_t sectors)
{
	fill(value, sectors * SECTOR);
	expect("write", ask(OUT, sector, sectors * SECTOR), S_OK);
}

static void expect_what_it_says(uint64_t sectors, bool is_read_only, const char *serial)
{
	const volatile uint32_t *capacity = (const volatile uint32_t *)(const volatile void *)device.config;

	expect("capacity", capacity[0] | (uint64_t)capacity[1] << 32, sectors);
	expect("read-only", (device.features & VIRTIO_BIT(FEATURE_RO)) != 0, is_read_only);
	expect("ID", ask(GET_ID, 0, 20), S_OK);
	for (unsigned i = 0; i < 20; i++) {
		if (data[i] != (uint8_t)*serial) {
			expect("letter of the serial number", data[i], (uint8_t)*serial);
			break;
		}
		serial += *serial != '\0';
	}
}

/* Sectors 3 and 4 are changed, of the first block; the second one becomes zeros. */
static void expect_changed(void)
{
	expect("before the written sectors", other_than_file(0, 3), 0);
	expect("the written sectors", other_than(0x77, 3, 2), 0);
	expect("behind the written sectors", other_than_file(5, 3), 0);
	expect("block of zeros", other_than(0, BLOCK_SECTORS, BLOCK_SECTORS), 0);
	expect("unchanged blocks", other_than_file(2 * BLOCK_SECTORS, 2 * BLOCK_SECTORS), 0);
}

static void change(void)
{
	const uint32_t range[] = {BLOCK_SECTORS, 0, BLOCK_SECTORS, 0}; /* sector, 64 bits; count; flags */

	use(COPIED);
	expect_what_it_says(FILE_SECTORS, false, "first");
	expect("the file, then zeros", other_than_file(0, FILE_SECTORS), 0);
	write_sectors(0x77, 3, 2);
	for (unsigned i = 0; i < sizeof(range); i++)
		data[i] = ((const uint8_t *)range)[i];
	expect("write zeroes", ask(ZEROES, 0, sizeof(range)), S_OK);
	expect("flush", ask(FLUSH, 0, 0), S_OK);
	expect("unknown type", ask(UNKNOWN, 0, 0), S_UNSUPP);
	expect("past the end", ask(OUT, FILE_SECTORS - 1, 2 * SECTOR), S_IOERR);
	expect_changed();
	use(READ_ONLY);
	expect_what_it_says(FILE_SECTORS, true, "disk1");
	expect("write to a read-only disk", ask(OUT, 0, SECTOR), S_IOERR);
	expect("the read-only disk", other_than_file(0, FILE_SECTORS), 0);
}

static void first_start(void)
{
	change();
	use(ZEROS);
	expect_what_it_says(ZERO_SECTORS, false, "disk2");
	write_sectors(0x55, 0, 1);
}

static void second_start(void)
{
	use(COPIED);
	expect_changed();
	use(READ_ONLY);
	expect("the read-only disk", other_than_file(0, FILE_SECTORS), 0);
}

static void wait_for_key(void)
{
	print("disk: waits for a key\n");
	while ((in8(COM1 + 5U) & 1) == 0)
		__builtin_ia32_pause();
	(void)in8(COM1);
}

void guest_main(const struct guest_flat_info *info)
{
	bool waits = flat_find((const char *)(uintptr_t)info->command_line_address, "wait") != 0;

	expect_for("disk");
	exceptions_install();
	if (waits) {
		wait_for_key();
		use(COPIED);
		expect("the file, then zeros", other_than_file(0, FILE_SECTORS), 0);
		expect_tell("disk: answers beside right: ");
		return;
	}
	use(ZEROS);
	if (other_than(0, 0, 1) == 0) {
		first_start();
		expect_tell("disk: answers right: ");
		out8(RESET_CONTROL, HARD_RESET);
	}
	expect("what was written to zeros", other_than(0x55, 0, 1), 0);
	second_start();
	expect_tell("disk: answers after reset right: ");
}
