/* The network card: frames out and in, what is done for guests without offloads, queues, and guests that break the rules. */
#include "drivers/virt/virtio_net.h"
#include "tests/fake/net_frames.h"
#include "tests/fake/virtio_chains.h"
#include "tests/unit/unit.h"

#define F(name) VIRTIO_FEATURE(VIRTIO_NET_F_##name)
#define ALL     (F(CSUM) | F(GUEST_CSUM) | F(GUEST_TSO4) | F(GUEST_TSO6) | F(HOST_TSO4) | F(HOST_TSO6) | F(MRG_RXBUF) | F(CTRL_VQ))
#define HEADER_BYTES 12U

static struct virtio_net net;
static struct {
	unsigned room, sent_count, told;
	struct virtio_net_message sent;
	struct virtio_net_message arriving[2];
	unsigned arriving_count, arriving_next;
} far;
static uint8_t packet[FRAME_ROOM_BYTES];

static bool send(void *ctx, struct virtio_net_message *message)
{
	assert_ptr_equal(ctx, &far);
	if (far.room == 0)
		return false;
	far.room--;
	far.sent_count++;
	memcpy(&far.sent, message, sizeof(message->header) + message->header.len_bytes);
	return true;
}

static bool receive(void *ctx, struct virtio_net_message *message)
{
	assert_ptr_equal(ctx, &far);
	if (far.arriving_next == far.arriving_count)
		return false;
	memcpy(message, &far.arriving[far.arriving_next++ % 2], sizeof(*message));
	return true;
}

static void sent(void *ctx)
{
	assert_ptr_equal(ctx, &far);
	far.told++;
}

static void start(uint64_t features, unsigned pairs)
{
	const struct virtio_net_wires wires = {send, receive, sent, &far};

	fake_virtio_reset(features);
	memset(&far, 0, sizeof(far));
	far.room = UINT32_MAX;
	virtio_net_init(&net, (const uint8_t[]){2, 0, 0, 0, 0, 7}, pairs, &wires);
	net.transport = &fake_virtio.device;
}

static struct virtio_net_header header_of(const struct net_offload *offload)
{
	return (struct virtio_net_header){.flags = offload->flags,
					  .type = offload->type,
					  .segment_bytes = offload->segment_bytes,
					  .checksum_start = offload->checksum_start,
					  .checksum_offset = offload->checksum_offset};
}

static unsigned offer(unsigned queue, const struct virtio_net_header *header, const uint8_t *frame, size_t len_bytes)
{
	static uint8_t bytes[HEADER_BYTES + FRAME_ROOM_BYTES];

	memcpy(bytes, header, HEADER_BYTES);
	memcpy(bytes + HEADER_BYTES, frame, len_bytes);
	return fake_offer(queue, bytes, HEADER_BYTES + len_bytes, 0);
}

static size_t let_arrive(const struct tcp_frame *tcp, uint16_t segment_bytes)
{
	struct virtio_net_message *message = &far.arriving[far.arriving_count++ % 2];
	struct net_offload offload;
	size_t len_bytes = frame_make(tcp, segment_bytes, message->data, &offload);

	message->header = (struct virtio_net_frame){.len_bytes = (uint32_t)len_bytes,
						  .offload_flags = offload.flags,
						  .offload_type = offload.type,
						  .segment_bytes = offload.segment_bytes,
						  .checksum_start = offload.checksum_start,
						  .checksum_offset = offload.checksum_offset};
	return len_bytes;
}

static struct virtio_net_header got_header(unsigned number)
{
	struct virtio_net_header header;

	memcpy(&header, fake_written(number), sizeof(header));
	return header;
}

static void test_virtio_net_sends_frames_with_their_fields(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 60000};
	struct net_offload offload;
	struct virtio_net_header header;
	size_t len_bytes = frame_make(&tcp, 1400, packet, &offload);

	(void)state;
	start(ALL, 1);
	header = header_of(&offload);
	offer(1, &header, packet, len_bytes);
	assert_false(virtio_net_ops.serve(&net, 1));
	assert_int_equal(far.sent_count, 1);
	assert_int_equal(far.sent.header.len_bytes, len_bytes);
	assert_int_equal(far.sent.header.offload_type, NET_OFFLOAD_TCP4);
	assert_int_equal(far.sent.header.segment_bytes, 1400);
	assert_int_equal(far.sent.header.checksum_start, 34);
	assert_memory_equal(far.sent.data, packet, len_bytes);
	assert_int_equal(far.told, 1);
	assert_int_equal(fake_virtio.interrupts[1], 1);
	assert_int_equal(fake_returned_count(1), 1);
}

/* Chains come back, and nothing leaves. */
static void test_virtio_net_drops_what_was_not_negotiated(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 3000}, small = {.data_bytes = 10};
	struct net_offload offload;
	struct virtio_net_header header, plain = {.flags = 0};
	size_t len_bytes = frame_make(&tcp, 1400, packet, &offload);

	(void)state;
	start(F(CSUM) | F(HOST_TSO6), 1);
	header = header_of(&offload);
	offer(1, &header, packet, len_bytes); /* TSO4 */
	offer(1, &plain, packet, len_bytes);  /* longer than a frame */
	offer(1, &plain, packet, 13);
	fake_offer(1, packet, 5, 0);
	fake_offer(1, NULL, 0, 100);
	header.type = 3;
	offer(1, &header, packet, len_bytes);
	assert_false(virtio_net_ops.serve(&net, 1));
	assert_int_equal(fake_returned_count(1), 6);
	start(0, 1);
	len_bytes = frame_make(&small, 0, packet, &offload);
	header = header_of(&offload);
	offer(1, &header, packet, len_bytes); /* CSUM */
	assert_false(virtio_net_ops.serve(&net, 1));
	assert_int_equal(far.sent_count, 0);
	start(ALL, 1);
	header.checksum_start = 65000;
	offer(1, &header, packet, len_bytes);
	assert_false(virtio_net_ops.serve(&net, 1));
	assert_int_equal(far.sent_count, 0);
	assert_int_equal(fake_returned_count(1), 1);
}

static void test_virtio_net_waits_for_room(void **state)
{
	const struct virtio_net_header plain = {.flags = 0};

	(void)state;
	start(ALL, 1);
	far.room = 1;
	memset(packet, 2, 60);
	offer(1, &plain, packet, 60);
	offer(1, &plain, packet, 61);
	assert_false(virtio_net_ops.serve(&net, 1));
	assert_int_equal(fake_returned_count(1), 1);
	far.room = 5;
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(fake_returned_count(1), 2);
	assert_int_equal(far.sent.header.len_bytes, 61);
}

static void test_virtio_net_works_in_portions(void **state)
{
	const struct virtio_net_header plain = {.flags = 0};

	(void)state;
	start(ALL, 1);
	for (unsigned i = 0; i < VIRTIO_SERVE_CHAINS + 1; i++)
		offer(1, &plain, packet, 60);
	assert_true(virtio_net_ops.serve(&net, 1));
	assert_int_equal(far.sent_count, VIRTIO_SERVE_CHAINS);
	assert_false(virtio_net_ops.serve(&net, 1));
	assert_int_equal(far.sent_count, VIRTIO_SERVE_CHAINS + 1);
}

static void test_virtio_net_passes_on_what_was_negotiated(void **state)
{
	const struct tcp_frame tcp = {.is_ip6 = true, .data_bytes = 20000};
	size_t len_bytes, done = 0;
	unsigned first;

	(void)state;
	start(ALL, 1);
	len_bytes = let_arrive(&tcp, 1400);
	first = fake_offer(0, NULL, 0, 1536);
	for (unsigned i = 1; i < 20; i++)
		fake_offer(0, NULL, 0, 1536);
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(got_header(first).type, NET_OFFLOAD_TCP6);
	assert_int_equal(got_header(first).segment_bytes, 1400);
	assert_int_equal(got_header(first).header_bytes, 74);
	assert_int_equal(got_header(first).flags, NET_OFFLOAD_NEEDS_CHECKSUM);
	assert_int_equal(got_header(first).buffer_count, fake_returned_count(0));
	assert_int_equal(fake_returned_count(0), (len_bytes + HEADER_BYTES + 1535) / 1536);
	for (unsigned i = first; i < first + fake_returned_count(0); i++) {
		size_t skip = i == first ? HEADER_BYTES : 0, part = fake_virtio.chains[i].written_bytes - skip;

		assert_memory_equal(fake_written(i) + skip, far.arriving[0].data + done, part);
		done += part;
	}
	assert_int_equal(done, len_bytes);
	assert_int_equal(fake_virtio.interrupts[0], 1);
}

/* A guest that negotiated nothing gets whole frames with their checksums. */
static void test_virtio_net_cuts_and_fills_in_for_others(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 10000}, whole = {.data_bytes = 100};
	unsigned count;

	(void)state;
	start(0, 1);
	let_arrive(&tcp, 1400);
	let_arrive(&whole, 0);
	for (unsigned i = 0; i < 5; i++)
		fake_offer(0, NULL, 0, 1530);
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(fake_returned_count(0), 5);
	for (unsigned i = 0; i < 9; i++)
		fake_offer(0, NULL, 0, 1530);
	assert_false(virtio_net_ops.serve(&net, 0));
	count = fake_returned_count(0);
	assert_int_equal(count, 8 + 1);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(got_header(i).flags, 0);
		assert_int_equal(got_header(i).type, 0);
		assert_int_equal(got_header(i).buffer_count, 1);
		frame_expect_whole(fake_written(i) + HEADER_BYTES, fake_virtio.chains[i].written_bytes - HEADER_BYTES);
	}
}

/* Who is behind the wires is not trusted: what is wrong is dropped, and what follows comes. */
static void test_virtio_net_drops_wrong_frames_of_others(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 10000}, whole = {.data_bytes = 100};

	(void)state;
	start(ALL, 1);
	fake_offer(0, NULL, 0, 1530);
	let_arrive(&tcp, 1400);
	far.arriving[0].header.checksum_start = 60000;
	let_arrive(&whole, 0);
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(far.arriving_next, 2);
	assert_int_equal(fake_returned_count(0), 1);
	let_arrive(&whole, 0);
	far.arriving[0].header.len_bytes = 13;
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(far.arriving_next, 3);
	assert_int_equal(fake_returned_count(0), 1);
	far.arriving_count = UINT32_MAX; /* a stream of such ends a turn */
	far.arriving[1].header.len_bytes = 13;
	assert_true(virtio_net_ops.serve_backend(&net));
}

/* Buffers too small for any frame come back empty; a frame without buffers waits, and no buffer is lost. */
static void test_virtio_net_keeps_frames_without_buffers(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 1000};

	(void)state;
	start(ALL, 1);
	let_arrive(&tcp, 0);
	fake_offer(0, NULL, 0, 500);
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(fake_returned_count(0), 0);
	fake_offer(0, NULL, 0, 800);
	assert_false(virtio_net_ops.serve(&net, 0));
	assert_int_equal(fake_returned_count(0), 2);
	assert_int_equal(got_header(0).buffer_count, 2);
	start(0, 1);
	let_arrive(&tcp, 0);
	fake_offer(0, NULL, 0, 500);
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(fake_returned_count(0), 1);
	assert_int_equal(fake_virtio.chains[0].written_bytes, 0);
	start(ALL, 1);
	let_arrive(&tcp, 0);
	for (unsigned i = 0; i < VIRTIO_NET_MERGE_MAX + 1; i++)
		fake_offer(0, NULL, 0, 3);
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(fake_returned_count(0), VIRTIO_NET_MERGE_MAX);
}

static uint8_t command(unsigned queue, uint8_t class, uint8_t number, uint16_t pairs)
{
	uint8_t bytes[4] = {class, number, (uint8_t)pairs, (uint8_t)(pairs >> 8)};
	unsigned chain = fake_offer(queue, bytes, sizeof(bytes), 1);

	fake_virtio.memory[fake_virtio.chains[chain].chain.segments[1].address] = 0xee;
	assert_false(virtio_net_ops.serve(&net, queue));
	assert_true(fake_virtio.chains[chain].returned);
	return fake_written(chain)[0];
}

static void test_virtio_net_spreads_over_queues(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 100};
	unsigned queues = 0;

	(void)state;
	start(ALL | F(MQ), 4);
	assert_int_equal(virtio_net_config(&net).queue_count, 9);
	assert_int_equal(command(8, 4, 0, 3), 0);
	assert_int_equal(command(8, 4, 0, 5), 1);
	assert_int_equal(command(8, 4, 0, 0), 1);
	assert_int_equal(command(8, 4, 1, 1), 1);
	assert_int_equal(command(8, 0, 0, 1), 1);
	assert_int_equal(net.state.active_pairs, 3);
	for (unsigned i = 0; i < 32; i++) {
		fake_offer(0, NULL, 0, 1530);
		fake_offer(2, NULL, 0, 1530);
		fake_offer(4, NULL, 0, 1530);
		let_arrive(&tcp, 0);
		far.arriving[(far.arriving_count - 1) % 2].data[35] = (uint8_t)i;
		assert_false(virtio_net_ops.serve_backend(&net));
	}
	for (unsigned queue = 0; queue < 8; queue += 2)
		queues += fake_returned_count(queue) > 4;
	assert_int_equal(queues, 3);
	assert_int_equal(fake_returned_count(6), 0);
	virtio_net_ops.reset(&net);
	assert_int_equal(net.state.active_pairs, 1);
}

/* Without several pairs, the control queue is the third. */
static void test_virtio_net_has_control_without_pairs(void **state)
{
	(void)state;
	start(ALL, 4);
	assert_int_equal(command(2, 4, 0, 2), 1);
	start(ALL & ~F(CTRL_VQ), 1);
	fake_offer(2, packet, 4, 1);
	assert_false(virtio_net_ops.serve(&net, 2));
	assert_int_equal(fake_returned_count(2), 0);
	assert_true((virtio_net_config(&net).features & F(MQ)) == 0);
}

static void test_virtio_net_shows_its_address(void **state)
{
	(void)state;
	start(ALL, 2);
	assert_true(virtio_net_ops.read_config(&net, 0, 4) == 2);
	assert_int_equal(virtio_net_ops.read_config(&net, 5, 1), 7);
	assert_int_equal(virtio_net_ops.read_config(&net, 6, 2), 1);
	assert_int_equal(virtio_net_ops.read_config(&net, 8, 2), 2);
}

/* Of what lies in no memory nothing is written, and the used lengths say so. */
static void test_virtio_net_says_what_it_wrote(void **state)
{
	static const struct virtqueue_segment nowhere = {1ULL << 60, 1530}, cut[] = {{0x100000, 100}, {1ULL << 60, 1430}};
	const struct tcp_frame whole = {.data_bytes = 100};

	(void)state;
	start(ALL, 1);
	for (unsigned i = 0; i < 2; i++)
		let_arrive(&whole, 0);
	fake_offer_segments(0, &nowhere, 1, 1);
	fake_offer_segments(0, cut, 2, 2);
	assert_false(virtio_net_ops.serve_backend(&net));
	assert_int_equal(fake_returned_count(0), 2);
	assert_int_equal(fake_virtio.chains[0].written_bytes, 0);
	assert_int_equal(fake_virtio.chains[1].written_bytes, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtio_net_says_what_it_wrote),
		cmocka_unit_test(test_virtio_net_sends_frames_with_their_fields),
		cmocka_unit_test(test_virtio_net_drops_what_was_not_negotiated),
		cmocka_unit_test(test_virtio_net_waits_for_room),
		cmocka_unit_test(test_virtio_net_works_in_portions),
		cmocka_unit_test(test_virtio_net_passes_on_what_was_negotiated),
		cmocka_unit_test(test_virtio_net_cuts_and_fills_in_for_others),
		cmocka_unit_test(test_virtio_net_drops_wrong_frames_of_others),
		cmocka_unit_test(test_virtio_net_keeps_frames_without_buffers),
		cmocka_unit_test(test_virtio_net_spreads_over_queues),
		cmocka_unit_test(test_virtio_net_has_control_without_pairs),
		cmocka_unit_test(test_virtio_net_shows_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
