/* The socket device: what leaves, what is answered by a reset, how packets are cut to buffers. */
#include "drivers/virt/virtio_vsock.h"
#include "tests/fake/virtio_chains.h"
#include "tests/unit/unit.h"

#define HEADER_BYTES sizeof(struct virtio_vsock_header)

static struct virtio_vsock vsock;
static struct {
	struct virtio_vsock_packet sent, arriving;
	unsigned sent_count, room;
	size_t arriving_bytes; /* 0: nothing arrives */
	unsigned arriving_count, moved;
} far;

static bool send(void *ctx, const struct virtio_vsock_packet *packet)
{
	assert_ptr_equal(ctx, &far);
	if (far.room == 0)
		return false;
	far.room--;
	far.sent_count++;
	memcpy(&far.sent, packet, HEADER_BYTES + packet->header.len_bytes);
	return true;
}

static size_t receive(void *ctx, struct virtio_vsock_packet *packet)
{
	assert_ptr_equal(ctx, &far);
	if (far.arriving_count == 0)
		return 0;
	far.arriving_count--;
	memcpy(packet, &far.arriving, far.arriving_bytes);
	return far.arriving_bytes;
}

static void moved(void *ctx)
{
	assert_ptr_equal(ctx, &far);
	far.moved++;
}

static int reset(void **state)
{
	(void)state;
	fake_virtio_reset(VIRTIO_FEATURE(VIRTIO_VSOCK_F_STREAM));
	memset(&far, 0, sizeof(far));
	far.room = UINT32_MAX;
	vsock = (struct virtio_vsock){.wires = {send, receive, moved, &far}, .transport = &fake_virtio.device, .cid = 5};
	return 0;
}

static struct virtio_vsock_packet *packet(uint64_t source, uint64_t destination, uint16_t operation, uint32_t len_bytes)
{
	static struct virtio_vsock_packet packet;

	packet.header = (struct virtio_vsock_header){
		.source_cid = source,
		.destination_cid = destination,
		.source_port = 1000,
		.destination_port = 80,
		.len_bytes = len_bytes,
		.type = 1,
		.operation = operation,
		.buffer_bytes = 0x40000,
		.forwarded_bytes = 77,
	};
	for (uint32_t i = 0; i < len_bytes && i < sizeof(packet.data); i++)
		packet.data[i] = (uint8_t)(i % 253);
	return &packet;
}

static unsigned offer_packet(uint64_t source, uint64_t destination, uint16_t operation, uint32_t len_bytes)
{
	return fake_offer(VIRTIO_VSOCK_TRANSMIT, packet(source, destination, operation, len_bytes), HEADER_BYTES + len_bytes, 0);
}

static void let_arrive(uint64_t source, uint64_t destination, uint32_t len_bytes)
{
	memcpy(&far.arriving, packet(source, destination, VIRTIO_VSOCK_OP_RW, len_bytes), HEADER_BYTES + len_bytes);
	far.arriving_bytes = HEADER_BYTES + len_bytes;
	far.arriving_count = 1;
}

static void test_virtio_vsock_sends_unchanged(void **state)
{
	unsigned number = offer_packet(5, 7, VIRTIO_VSOCK_OP_RW, 0x10000);

	(void)state;
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_TRANSMIT));
	assert_int_equal(far.sent_count, 1);
	assert_memory_equal(&far.sent, packet(5, 7, VIRTIO_VSOCK_OP_RW, 0x10000), HEADER_BYTES + 0x10000);
	assert_true(fake_virtio.chains[number].returned);
	assert_int_equal(fake_virtio.interrupts[VIRTIO_VSOCK_TRANSMIT], 1);
	assert_true(far.moved > 0);
}

/* Nobody speaks for another guest, and lengths are what is there. */
static void test_virtio_vsock_drops_forged_packets(void **state)
{
	struct virtio_vsock_header header = packet(5, 7, VIRTIO_VSOCK_OP_RW, 100)->header;

	(void)state;
	offer_packet(6, 7, VIRTIO_VSOCK_OP_REQUEST, 0);
	offer_packet(UINT64_MAX, 7, VIRTIO_VSOCK_OP_RW, 3);
	fake_offer(VIRTIO_VSOCK_TRANSMIT, &header, HEADER_BYTES, 0); /* its data is missing */
	fake_offer(VIRTIO_VSOCK_TRANSMIT, &header, HEADER_BYTES - 1, 0);
	fake_offer(VIRTIO_VSOCK_TRANSMIT, NULL, 0, 64);
	header.len_bytes = VIRTIO_VSOCK_DATA_MAX + 1;
	fake_offer_segments(VIRTIO_VSOCK_TRANSMIT, (struct virtqueue_segment[]){{0x1000, 0x80000}}, 1, 0);
	memcpy(fake_virtio.memory + 0x1000, &header, HEADER_BYTES);
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_TRANSMIT));
	assert_int_equal(far.sent_count, 0);
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_TRANSMIT), 6);
}

static void test_virtio_vsock_waits_for_room(void **state)
{
	(void)state;
	offer_packet(5, 7, VIRTIO_VSOCK_OP_REQUEST, 0);
	offer_packet(5, 8, VIRTIO_VSOCK_OP_REQUEST, 0);
	far.room = 1;
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_TRANSMIT));
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_TRANSMIT), 1);
	far.room = 1;
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_TRANSMIT), 2);
	assert_int_equal(far.sent.header.destination_cid, 8);
}

/* Host, reserved numbers, the guest itself, numbers past 32 bits: nobody is there. */
static void test_virtio_vsock_resets_what_goes_nowhere(void **state)
{
	static const uint64_t nobody[] = {2, 0, 1, 5, UINT32_MAX, UINT64_MAX};
	const size_t count = sizeof(nobody) / sizeof(nobody[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		fake_offer(VIRTIO_VSOCK_RECEIVE, NULL, 0, 4096);
	for (size_t i = 0; i < count; i++)
		offer_packet(5, nobody[i], VIRTIO_VSOCK_OP_REQUEST, 0);
	offer_packet(5, 2, VIRTIO_VSOCK_OP_RST, 0); /* answered by nothing */
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_TRANSMIT));
	assert_int_equal(far.sent_count, 0);
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_RECEIVE), count);
	for (size_t i = 0; i < count; i++) {
		struct virtio_vsock_header answer;

		memcpy(&answer, fake_written((unsigned)i), HEADER_BYTES);
		assert_int_equal(fake_virtio.chains[i].written_bytes, HEADER_BYTES);
		assert_int_equal(answer.source_cid, nobody[i]);
		assert_int_equal(answer.destination_cid, 5);
		assert_int_equal(answer.source_port, 80);
		assert_int_equal(answer.destination_port, 1000);
		assert_int_equal(answer.operation, VIRTIO_VSOCK_OP_RST);
		assert_int_equal(answer.type, 1);
		assert_int_equal(answer.len_bytes, 0);
	}
}

static void test_virtio_vsock_keeps_a_bounded_number_of_resets(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VIRTIO_VSOCK_RESETS_MAX + 5; i++)
		offer_packet(5, 2, VIRTIO_VSOCK_OP_REQUEST, 0);
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_TRANSMIT));
	for (unsigned i = 0; i < VIRTIO_VSOCK_RESETS_MAX + 5; i++)
		fake_offer(VIRTIO_VSOCK_RECEIVE, NULL, 0, 4096);
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_RECEIVE));
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_RECEIVE), VIRTIO_VSOCK_RESETS_MAX);
}

/* A large packet goes into as many buffers as it takes; only the last part ends a message. */
static void test_virtio_vsock_cuts_to_buffers(void **state)
{
	struct virtio_vsock_header header;

	(void)state;
	let_arrive(9, 5, 10000);
	far.arriving.header.flags = VIRTIO_VSOCK_SEQ_EOM;
	for (unsigned i = 0; i < 4; i++)
		fake_offer(VIRTIO_VSOCK_RECEIVE, NULL, 0, HEADER_BYTES + 4096);
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_RECEIVE), 3);
	for (unsigned i = 0; i < 3; i++) {
		size_t expected_bytes = i < 2 ? 4096 : 10000 - 2 * 4096;

		memcpy(&header, fake_written(i), HEADER_BYTES);
		assert_int_equal(header.len_bytes, expected_bytes);
		assert_int_equal(header.source_cid, 9);
		assert_int_equal(header.forwarded_bytes, 77);
		assert_int_equal(header.flags, i == 2 ? VIRTIO_VSOCK_SEQ_EOM : 0);
		assert_int_equal(fake_virtio.chains[i].written_bytes, HEADER_BYTES + expected_bytes);
		assert_memory_equal(fake_written(i) + HEADER_BYTES, far.arriving.data + i * 4096U, expected_bytes);
	}
}

/* The rest of a packet waits for buffers, and nothing else overtakes it. */
static void test_virtio_vsock_keeps_the_rest(void **state)
{
	struct virtio_vsock_header header;
	unsigned small, next;

	(void)state;
	let_arrive(9, 5, 100);
	far.arriving_count = 2;
	fake_offer(VIRTIO_VSOCK_RECEIVE, NULL, 0, HEADER_BYTES + 60);
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	assert_int_equal(far.arriving_count, 1);
	small = fake_offer(VIRTIO_VSOCK_RECEIVE, NULL, 0, HEADER_BYTES);
	next = fake_offer(VIRTIO_VSOCK_RECEIVE, NULL, 0, 4096);
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_RECEIVE));
	assert_int_equal(fake_virtio.chains[small].written_bytes, 0);
	memcpy(&header, fake_written(next), HEADER_BYTES);
	assert_int_equal(header.len_bytes, 40);
	assert_memory_equal(fake_written(next) + HEADER_BYTES, far.arriving.data + 60, 40);
}

static void test_virtio_vsock_drops_what_is_not_its_own(void **state)
{
	(void)state;
	fake_offer(VIRTIO_VSOCK_RECEIVE, NULL, 0, 4096);
	let_arrive(9, 6, 10);
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	let_arrive(2, 5, 10);
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	let_arrive(9, 5, 10);
	far.arriving_bytes--;
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	let_arrive(9, 5, 10);
	far.arriving_bytes = HEADER_BYTES - 1;
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_RECEIVE), 0);
	/* A stream of such ends a turn. */
	far.arriving_count = UINT32_MAX;
	assert_true(virtio_vsock_ops.serve_backend(&vsock));
}

/* The guest hears once that its connections have ended, when it has a buffer; one that starts anew has none. */
static void test_virtio_vsock_tells_of_lost_packets(void **state)
{
	static const uint8_t transport_reset[4];
	unsigned number;

	(void)state;
	fake_offer(VIRTIO_VSOCK_EVENT, NULL, 0, 4);
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_EVENT), 0);
	virtio_vsock_lost(&vsock);
	assert_false(virtio_vsock_ops.serve_backend(&vsock));
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_EVENT), 1);
	assert_int_equal(fake_virtio.interrupts[VIRTIO_VSOCK_EVENT], 1);
	virtio_vsock_lost(&vsock);
	virtio_vsock_lost(&vsock);
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_RECEIVE));
	assert_int_equal(fake_virtio.interrupts[VIRTIO_VSOCK_EVENT], 1);
	number = fake_offer(VIRTIO_VSOCK_EVENT, NULL, 0, 4);
	fake_offer(VIRTIO_VSOCK_EVENT, NULL, 0, 4);
	memset((uint8_t *)(uintptr_t)fake_written(number), 0xff, 4);
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_EVENT));
	assert_int_equal(fake_virtio.chains[number].written_bytes, 4);
	assert_memory_equal(fake_written(number), transport_reset, 4);
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_EVENT), 2);
	virtio_vsock_lost(&vsock);
	virtio_vsock_ops.reset(&vsock);
	assert_false(virtio_vsock_ops.serve(&vsock, VIRTIO_VSOCK_EVENT));
	assert_int_equal(fake_returned_count(VIRTIO_VSOCK_EVENT), 2);
}

static void test_virtio_vsock_shows_its_cid(void **state)
{
	(void)state;
	vsock.cid = 0x11223344;
	assert_int_equal(virtio_vsock_ops.read_config(&vsock, 0, 8), 0x11223344);
	assert_int_equal(virtio_vsock_ops.read_config(&vsock, 4, 4), 0);
	assert_int_equal(virtio_vsock_ops.read_config(&vsock, 1, 1), 0x33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_vsock_sends_unchanged, reset),
		cmocka_unit_test_setup(test_virtio_vsock_drops_forged_packets, reset),
		cmocka_unit_test_setup(test_virtio_vsock_waits_for_room, reset),
		cmocka_unit_test_setup(test_virtio_vsock_resets_what_goes_nowhere, reset),
		cmocka_unit_test_setup(test_virtio_vsock_keeps_a_bounded_number_of_resets, reset),
		cmocka_unit_test_setup(test_virtio_vsock_cuts_to_buffers, reset),
		cmocka_unit_test_setup(test_virtio_vsock_keeps_the_rest, reset),
		cmocka_unit_test_setup(test_virtio_vsock_drops_what_is_not_its_own, reset),
		cmocka_unit_test_setup(test_virtio_vsock_tells_of_lost_packets, reset),
		cmocka_unit_test_setup(test_virtio_vsock_shows_its_cid, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
