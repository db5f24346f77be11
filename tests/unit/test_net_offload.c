/* Cutting and checksums: each frame that comes out is whole, together they are the packet, and fields that do not fit the frame
 * are refused. */
#include "tests/fake/net_frames.h"
#include "tests/unit/unit.h"

static uint8_t packet[FRAME_ROOM_BYTES], frame[NET_FRAME_BYTES_MAX];
static struct net_offload offload;

/* Cuts the packet; compares each frame's data with its part of the packet; returns how many there were. */
static unsigned cut(size_t len_bytes, uint8_t flags)
{
	size_t first = frame_data_offset(packet, len_bytes), done = 0, frame_bytes;
	uint32_t sequence = frame_sequence(packet, len_bytes);
	struct net_cut state;
	unsigned count = 0;

	net_cut_begin(&state, &offload, packet, len_bytes);
	while ((frame_bytes = net_cut_next(&state, packet, frame, sizeof(frame))) != 0) {
		size_t data_bytes = frame_bytes - frame_data_offset(frame, frame_bytes);
		bool is_last = first + done + data_bytes == len_bytes;

		frame_expect_whole(frame, frame_bytes);
		assert_memory_equal(frame + first, packet + first + done, data_bytes);
		assert_int_equal(frame_sequence(frame, frame_bytes), (uint32_t)(sequence + done));
		assert_int_equal(frame_flags(frame, frame_bytes),
				 flags & ~(is_last ? 0 : 0x09) & ~(count == 0 ? 0 : 0x80));
		assert_true(data_bytes == offload.segment_bytes || is_last);
		done += data_bytes;
		count++;
	}
	assert_int_equal(first + done, len_bytes);
	return count;
}

static void test_net_offload_cuts_packets(void **state)
{
	const struct tcp_frame frames[] = {
		{.data_bytes = 65000, .flags = 0x19},
		{.data_bytes = 1449, .flags = 0x18},
		{.data_bytes = 4000, .ip_options = 40, .tcp_options = 12, .flags = 0x90},
		{.is_ip6 = true, .data_bytes = 60001, .tcp_options = 40, .flags = 0x11},
		{.has_vlan = true, .data_bytes = 3001, .flags = 0x99},
		{.is_ip6 = true, .has_vlan = true, .data_bytes = 3001, .flags = 0x10},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		for (uint16_t segment_bytes = 48; segment_bytes <= 1398; segment_bytes += 135) {
			size_t len_bytes = frame_make(&frames[i], segment_bytes, packet, &offload);

			assert_true(net_offload_is_right(&offload, packet, len_bytes));
			assert_int_equal(cut(len_bytes, frames[i].flags),
					 (frames[i].data_bytes + segment_bytes - 1) / segment_bytes);
		}
	}
}

static void test_net_offload_fills_checksums(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		const struct tcp_frame tcp = {.is_ip6 = i % 2 == 1, .has_vlan = i > 1, .data_bytes = 101 + i};
		size_t len_bytes = frame_make(&tcp, 0, packet, &offload);

		assert_true(net_offload_is_right(&offload, packet, len_bytes));
		net_fill_checksum(&offload, packet, len_bytes);
		frame_expect_whole(packet, len_bytes);
	}
	/* UDP's checksum is never 0, which would say that there is none. */
	memset(packet, 0xff, 60);
	offload = (struct net_offload){.flags = NET_OFFLOAD_NEEDS_CHECKSUM, .checksum_start = 34, .checksum_offset = 6};
	net_fill_checksum(&offload, packet, 60);
	assert_int_equal(packet[40] << 8 | packet[41], 0xffff);
	(void)state;
}

#define EXPECT_WRONG(change)                                                      \
	do {                                                                      \
		len_bytes = frame_make(&tcp, 1000, packet, &offload);             \
		assert_true(net_offload_is_right(&offload, packet, len_bytes)); \
		change;                                                           \
		assert_false(net_offload_is_right(&offload, packet, len_bytes)); \
	} while (0)

static void test_net_offload_refuses_what_does_not_fit(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 5000};
	size_t len_bytes;

	(void)state;
	EXPECT_WRONG(offload.segment_bytes = 47);
	EXPECT_WRONG(offload.segment_bytes = 1500);
	EXPECT_WRONG(offload.segment_bytes = 65535);
	EXPECT_WRONG(offload.type = NET_OFFLOAD_TCP6);
	EXPECT_WRONG(offload.type = NET_OFFLOAD_NONE); /* too long then */
	EXPECT_WRONG(offload.type = 3);
	EXPECT_WRONG(offload.type |= 0x80);
	EXPECT_WRONG(offload.flags = 0);
	EXPECT_WRONG(offload.flags |= 2);
	EXPECT_WRONG(offload.checksum_start++);
	EXPECT_WRONG(offload.checksum_start = 65535);
	EXPECT_WRONG(offload.checksum_offset = 6);
	EXPECT_WRONG(packet[12] = 0x86);        /* no IP */
	EXPECT_WRONG(packet[14] = 0x44);        /* header too short */
	EXPECT_WRONG(packet[14] = 0x65);        /* version 6 */
	EXPECT_WRONG(packet[16]++);             /* total length */
	EXPECT_WRONG(packet[20] = 0x20);        /* a fragment */
	EXPECT_WRONG(packet[23] = 17);          /* UDP */
	EXPECT_WRONG(packet[34 + 12] = 0x40);   /* TCP's header too short */
	EXPECT_WRONG(len_bytes--);              /* less than it says */
	EXPECT_WRONG(len_bytes = 54);           /* headers only */
	EXPECT_WRONG(len_bytes = 13);
	EXPECT_WRONG(len_bytes = 0);
}

static void test_net_offload_refuses_sums_outside(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 50};
	size_t len_bytes = frame_make(&tcp, 0, packet, &offload);

	(void)state;
	offload.checksum_start = (uint16_t)(len_bytes - 18);
	assert_true(net_offload_is_right(&offload, packet, len_bytes));
	offload.checksum_start++;
	assert_false(net_offload_is_right(&offload, packet, len_bytes));
	offload.checksum_start = 13;
	assert_false(net_offload_is_right(&offload, packet, len_bytes));
	offload = (struct net_offload){.checksum_start = 65535};
	assert_true(net_offload_is_right(&offload, packet, NET_FRAME_BYTES_MAX));
	assert_false(net_offload_is_right(&offload, packet, NET_FRAME_BYTES_MAX + 1));
}

/* One connection keeps to its queue; others go elsewhere. */
static void test_net_offload_tells_flows_apart(void **state)
{
	const struct tcp_frame tcp = {.data_bytes = 50}, other = {.data_bytes = 900, .flags = 0x10};
	uint32_t flow, different = 0;
	size_t len_bytes = frame_make(&tcp, 0, packet, &offload);

	(void)state;
	flow = net_flow(packet, len_bytes);
	len_bytes = frame_make(&other, 0, packet, &offload);
	assert_int_equal(net_flow(packet, len_bytes), flow);
	for (unsigned i = 0; i < 64; i++) {
		packet[35]++; /* the source port */
		different += net_flow(packet, len_bytes) % 2;
	}
	assert_in_range(different, 16, 48);
	assert_int_equal(net_flow(packet, 13), net_flow(packet, 0));
}

/* A provider's tag is a tag. */
static void test_net_offload_looks_behind_either_tag(void **state)
{
	const struct tcp_frame tcp = {.has_vlan = true, .data_bytes = 3000};
	size_t len_bytes = frame_make(&tcp, 1000, packet, &offload);

	(void)state;
	assert_true(net_offload_is_right(&offload, packet, len_bytes));
	packet[12] = 0x88;
	packet[13] = 0xa8;
	assert_true(net_offload_is_right(&offload, packet, len_bytes));
	packet[13] = 0xa9;
	assert_false(net_offload_is_right(&offload, packet, len_bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_net_offload_looks_behind_either_tag),
		cmocka_unit_test(test_net_offload_cuts_packets),
		cmocka_unit_test(test_net_offload_fills_checksums),
		cmocka_unit_test(test_net_offload_refuses_what_does_not_fit),
		cmocka_unit_test(test_net_offload_refuses_sums_outside),
		cmocka_unit_test(test_net_offload_tells_flows_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
