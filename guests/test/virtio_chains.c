/* Every shape of descriptor chain that no driver may make, on a queue of a virtio device, with split and packed rings: the device
 * asks for its reset, and after it works again. And what a driver may do, though it is odd. Command line: type=N queue=M; without
 * it the entropy device's. One file because each shape is a few lines, and the table that names them is the program. */
#include <stddef.h>

#include "guests/flat/cpu.h"
#include "guests/flat/expect.h"
#include "guests/flat/flat.h"
#include "guests/flat/virtio.h"

#define SIZE        8U
#define TABLE_MAX   300U
#define BYTES       16U
#define WAIT_TICKS  400000000ULL
#define NO_MEMORY   0xd0000000ULL /* a device's place, if anything's */
#define LAST        UINT64_MAX

/* A chain that a device of this type returns at once: readable_bytes of zeros, then room for written_bytes. */
static const struct target {
	uint16_t type;
	unsigned queue;
	uint32_t readable_bytes, written_bytes;
} targets[] = {
	{VIRTIO_TYPE_ENTROPY, 0, 0, BYTES},
	{VIRTIO_TYPE_BLOCK, 0, 16, 513},  /* reads sector 0 */
	{VIRTIO_TYPE_NET, 1, 12 + 60, 0}, /* a frame from nobody to nobody */
	{VIRTIO_TYPE_CONSOLE, 1, 1, 0},
	{VIRTIO_TYPE_CONSOLE, 3, 8, 0},   /* a control message: this device is ready, but with a value that says no */
	{VIRTIO_TYPE_BALLOON, 0, 4, 0},   /* gives page 0 away: one alone stays where it is */
	{VIRTIO_TYPE_VSOCK, 1, 44, 0},
};

static const struct target *target = targets;
static uint8_t zeros[100], answer[1024];
static struct flat_virtio device;
static struct flat_virtqueue queue;
static struct virtio_descriptor table[TABLE_MAX];
static uint8_t bytes[BYTES];

static void offer(uint64_t address, uint32_t len_bytes, uint16_t flags)
{
	const struct virtio_buffer buffer = {(const void *)(uintptr_t)address, len_bytes, flags};

	virtio_offer(&queue, 0, &buffer, 1);
}

static uint64_t place(const volatile void *at)
{
	return (uint64_t)(uintptr_t)at;
}

/* Makes descriptor 0 of a split ring's chain, or the table's, link to another. */
static void link_split(unsigned index, uint16_t next)
{
	queue.descriptors[index].address = place(bytes);
	queue.descriptors[index].len_bytes = BYTES;
	queue.descriptors[index].flags = VIRTIO_F_WRITE | VIRTIO_F_NEXT;
	queue.descriptors[index].next = next;
}

static void publish_head(uint16_t head)
{
	queue.driver[2] = head;
	queue.driver[1] = 1;
}

static void index_jumps(void)
{
	queue.driver[1] = SIZE + 1;
}

static void index_jumps_far(void)
{
	queue.driver[1] = 0xffff;
}

static void head_outside(void)
{
	publish_head(SIZE);
}

static void link_outside(void)
{
	link_split(0, 0xffff);
	publish_head(0);
}

static void loop_of_one(void)
{
	link_split(0, 0);
	publish_head(0);
}

static void loop_of_all(void)
{
	for (uint16_t i = 0; i < SIZE; i++)
		link_split(i, (uint16_t)((i + 1) % SIZE));
	publish_head(0);
}

static void endless_packed(void)
{
	const struct virtio_buffer buffer = {bytes, BYTES, VIRTIO_F_WRITE | VIRTIO_F_NEXT};

	for (unsigned i = 0; i < SIZE; i++)
		virtio_offer(&queue, 0, &buffer, 1);
}

static void zero_length(void)
{
	offer(place(bytes), 0, VIRTIO_F_WRITE);
}

static void read_after_write(void)
{
	const struct virtio_buffer buffers[] = {{bytes, BYTES, VIRTIO_F_WRITE}, {bytes, BYTES, 0}};

	virtio_offer(&queue, 0, buffers, 2);
}

static void past_the_last_address(void)
{
	offer(LAST - 3, BYTES, VIRTIO_F_WRITE);
}

static void offer_table(uint32_t len_bytes, uint16_t flags)
{
	offer(place(table), len_bytes, VIRTIO_F_INDIRECT | flags);
}

static void set_table(unsigned index, uint64_t address, uint32_t len_bytes, uint16_t flags, uint16_t next)
{
	/* A packed ring's table has ID, flags in the place of flags, next. */
	table[index] = (struct virtio_descriptor){address, len_bytes, queue.packed ? 0 : flags, queue.packed ? flags : next};
}

static void table_not_whole(void)
{
	offer_table(sizeof(table[0]) + 1, 0);
}

static void table_empty(void)
{
	offer_table(0, 0);
}

static void table_huge(void)
{
	offer_table(0xfffffff0, 0);
}

static void table_too_long(void)
{
	for (unsigned i = 0; i < TABLE_MAX; i++)
		set_table(i, place(bytes), 1, VIRTIO_F_WRITE | VIRTIO_F_NEXT, (uint16_t)(i + 1));
	offer_table(sizeof(table), 0);
}

static void table_and_more(void)
{
	set_table(0, place(bytes), BYTES, VIRTIO_F_WRITE, 0);
	offer_table(sizeof(table[0]), VIRTIO_F_NEXT);
}

static void table_in_table(void)
{
	set_table(0, place(&table[1]), sizeof(table[0]), VIRTIO_F_INDIRECT, 0);
	set_table(1, place(bytes), BYTES, VIRTIO_F_WRITE, 0);
	offer_table(sizeof(table[0]), 0);
}

static void loop_in_table(void)
{
	set_table(0, place(bytes), BYTES, VIRTIO_F_WRITE | VIRTIO_F_NEXT, 1);
	set_table(1, place(bytes), BYTES, VIRTIO_F_WRITE | VIRTIO_F_NEXT, 0);
	offer_table(2 * sizeof(table[0]), 0);
}

static void table_outside(void)
{
	offer(NO_MEMORY, sizeof(table[0]), VIRTIO_F_INDIRECT);
}

static void table_past_the_last_address(void)
{
	offer(LAST - 7, 2 * sizeof(table[0]), VIRTIO_F_INDIRECT);
}

static void good_table(void)
{
	set_table(0, place(bytes), BYTES, VIRTIO_F_WRITE, 0);
	offer_table(sizeof(table[0]), 0);
}

#define SPLIT    1U
#define PACKED   2U
#define BOTH     (SPLIT | PACKED)
#define INDIRECT VIRTIO_BIT(VIRTIO_INDIRECT)

static const struct shape {
	const char *name;
	void (*make)(void);
	unsigned kinds;
	uint64_t features;
} shapes[] = {
	{"index jumps", index_jumps, SPLIT, 0},
	{"index jumps far", index_jumps_far, SPLIT, 0},
	{"head outside", head_outside, SPLIT, 0},
	{"link outside", link_outside, SPLIT, 0},
	{"loop of one", loop_of_one, SPLIT, 0},
	{"loop of all", loop_of_all, SPLIT, 0},
	{"chain without end", endless_packed, PACKED, 0},
	{"zero length", zero_length, BOTH, 0},
	{"read after write", read_after_write, BOTH, 0},
	{"past the last address", past_the_last_address, BOTH, 0},
	{"table not whole", table_not_whole, BOTH, INDIRECT},
	{"table empty", table_empty, BOTH, INDIRECT},
	{"table huge", table_huge, BOTH, INDIRECT},
	{"table too long", table_too_long, BOTH, INDIRECT},
	{"table and more", table_and_more, BOTH, INDIRECT},
	{"table in table", table_in_table, BOTH, INDIRECT},
	{"loop in table", loop_in_table, SPLIT, INDIRECT},
	{"table outside", table_outside, BOTH, INDIRECT},
	{"table past the last address", table_past_the_last_address, BOTH, INDIRECT},
	{"table not negotiated", good_table, BOTH, 0},
};

static void begin(unsigned kind, uint64_t features)
{
	expect("features", virtio_begin(&device, features | (kind == PACKED ? VIRTIO_BIT(VIRTIO_PACKED) : 0)), true);
}

static void start(unsigned kind, uint64_t features)
{
	begin(kind, features);
	virtio_queue_start(&device, &queue, target->queue, SIZE);
	virtio_go(&device);
}

static bool asks_for_reset(void)
{
	uint64_t deadline = read_tsc() + WAIT_TICKS;

	while ((virtio_status(&device) & VIRTIO_NEEDS_RESET) == 0) {
		if (read_tsc() >= deadline)
			return false;
		__builtin_ia32_pause();
	}
	return true;
}

/* One good chain: how many bytes it brought; UINT32_MAX: it did not come back. */
static uint32_t good_bytes(void)
{
	const struct virtio_buffer readable = {zeros, target->readable_bytes, 0};
	const struct virtio_buffer writable = {answer, target->written_bytes, VIRTIO_F_WRITE};
	struct virtio_buffer buffers[2];
	unsigned count = 0;
	uint16_t id;
	uint32_t written;

	if (readable.len_bytes != 0)
		buffers[count++] = readable;
	if (writable.len_bytes != 0)
		buffers[count++] = writable;
	virtio_offer(&queue, 0, buffers, count);
	virtio_notify(&queue);
	return virtio_wait_used(&queue, &id, &written, count, WAIT_TICKS) ? written : UINT32_MAX;
}

static void expect_works_after_reset(unsigned kind)
{
	start(kind, INDIRECT);
	expect("works after its reset", good_bytes(), target->written_bytes);
	expect("status then", virtio_status(&device) & VIRTIO_NEEDS_RESET, 0);
}

static void try_shapes(unsigned kind)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if ((shapes[i].kinds & kind) == 0)
			continue;
		expect_while(shapes[i].name);
		start(kind, shapes[i].features);
		shapes[i].make();
		virtio_notify(&queue);
		expect("asks for its reset", asks_for_reset(), true);
		expect_works_after_reset(kind);
	}
}

/* Written to the queue's registers before it is enabled. */
static const struct place_of_rings {
	const char *name;
	unsigned offset;
	uint64_t address;
	bool at_once; /* refused when the queue is enabled; the others when the device first looks, whenever that is */
} places[] = {
	{"descriptors outside", VIRTIO_QUEUE_DESC, NO_MEMORY, false},
	{"driver area outside", VIRTIO_QUEUE_DRIVER, NO_MEMORY, false},
	{"device area outside", VIRTIO_QUEUE_DEVICE, NO_MEMORY, false},
	{"descriptors past the last address", VIRTIO_QUEUE_DESC, LAST & ~15ULL, true},
	{"descriptors misaligned", VIRTIO_QUEUE_DESC, 0x100008, true},
	{"device area misaligned", VIRTIO_QUEUE_DEVICE, 0x100002, true},
};

static void write_register32(unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(volatile void *)(device.common + offset) = value;
}

static void write_register16(unsigned offset, uint16_t value)
{
	*(volatile uint16_t *)(volatile void *)(device.common + offset) = value;
}

/* The library enables the queue with good places: so the device is reset once more, and only its features are settled. */
static void try_places(unsigned kind)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		expect_while(places[i].name);
		start(kind, 0);
		begin(kind, 0);
		write_register16(VIRTIO_QUEUE_SELECT, (uint16_t)target->queue);
		write_register16(VIRTIO_QUEUE_SIZE, SIZE);
		write_register32(VIRTIO_QUEUE_DESC, (uint32_t)place(queue.descriptors));
		write_register32(VIRTIO_QUEUE_DRIVER, (uint32_t)place(queue.driver));
		write_register32(VIRTIO_QUEUE_DEVICE, (uint32_t)place(queue.used));
		write_register32(places[i].offset, (uint32_t)places[i].address);
		write_register32(places[i].offset + 4, (uint32_t)(places[i].address >> 32));
		write_register16(VIRTIO_QUEUE_ENABLE, 1);
		virtio_go(&device);
		if (places[i].at_once)
			expect("at once", virtio_status(&device) & VIRTIO_NEEDS_RESET, VIRTIO_NEEDS_RESET);
		offer(place(bytes), BYTES, VIRTIO_F_WRITE);
		virtio_notify(&queue);
		expect("asks for its reset", asks_for_reset(), true);
		expect_works_after_reset(kind);
	}
}

/* What is odd and harmless. */
static void try_oddities(unsigned kind)
{
	expect_while("rings moved and shrunk in use");
	start(kind, INDIRECT);
	write_register32(VIRTIO_QUEUE_DESC, (uint32_t)NO_MEMORY);
	write_register16(VIRTIO_QUEUE_SIZE, 2);
	write_register16(VIRTIO_QUEUE_ENABLE, 0);
	expect("works on", good_bytes(), target->written_bytes);
	expect_while("reset in the middle");
	offer(place(bytes), BYTES, VIRTIO_F_WRITE);
	virtio_notify(&queue);
	expect_works_after_reset(kind);
}

/* How many bytes a chain of the entropy device brought. */
static uint32_t come_back(void)
{
	uint16_t id;
	uint32_t written;

	virtio_notify(&queue);
	return virtio_wait_used(&queue, &id, &written, 1, WAIT_TICKS) ? written : UINT32_MAX;
}

static void try_entropy(unsigned kind)
{
	expect_while("buffer outside");
	start(kind, INDIRECT);
	offer(NO_MEMORY, BYTES, VIRTIO_F_WRITE);
	expect("comes back with nothing", come_back(), 0);
	expect_while("buffer to read");
	offer(place(bytes), BYTES, 0);
	expect("comes back with nothing", come_back(), 0);
	expect_while("good table");
	good_table();
	expect("comes back", come_back(), BYTES);
}

void guest_main(const struct guest_flat_info *info)
{
	const char *command_line = (const char *)(uintptr_t)info->command_line_address;
	uint64_t type = flat_number(command_line, "type=", VIRTIO_TYPE_ENTROPY);
	uint64_t queue_index = flat_number(command_line, "queue=", 0);

	exceptions_install();
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		if (targets[i].type == type && targets[i].queue == queue_index)
			target = &targets[i];
	}
	if (!virtio_find(target->type, 0, &device)) {
		print("TEST-FAIL virtio_chains: no such device\n");
		return;
	}
	for (unsigned kind = SPLIT; kind <= PACKED; kind++) {
		expect_for(kind == PACKED ? "virtio_chains packed" : "virtio_chains split");
		try_shapes(kind);
		try_places(kind);
		try_oddities(kind);
		if (target->type == VIRTIO_TYPE_ENTROPY)
			try_entropy(kind);
	}
	print("virtio_chains type ");
	print_number(target->type);
	print(" queue ");
	print_number(target->queue);
	expect_tell(": answers right: ");
}
