/* The switch: who gets which frame, what is dropped, and what closes a port. */
#include "tests/fake/switch_pc.h"
#include "tests/unit/unit.h"

static struct switch_report *const report = &switch_pc.report;

static void start(uint32_t port_count)
{
	pc_prepare(port_count);
	pc_start();
}

static void test_switch_passes_frames_to_their_port(void **state)
{
	(void)state;
	start(3);
	assert_true(pc_send(0, 0, 1, 60));
	pc_turn(1);
	assert_false(pc_receive(0) || pc_receive(2));
	assert_true(pc_receive(1));
	assert_int_equal(switch_pc.got.header.len_bytes, 60);
	assert_int_equal(switch_pc.got.data[5], 1);
	assert_int_equal(switch_pc.got.data[11], 0);
	assert_true(switch_take_wake(&switch_pc.state, 1));
	assert_false(switch_take_wake(&switch_pc.state, 1));
	assert_false(switch_take_wake(&switch_pc.state, 0));
	assert_int_equal(report->passed, 1);
}

static void test_switch_keeps_offload_fields(void **state)
{
	const struct switch_message header = {.kind = SWITCH_FRAME,
					      .len_bytes = 60000,
					      .offload_flags = 1,
					      .offload_type = 4,
					      .header_bytes = 54,
					      .segment_bytes = 1400,
					      .checksum_start = 34,
					      .checksum_offset = 16,
					      .reserved = 7};
	static uint8_t frame[60000] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0};

	(void)state;
	start(2);
	assert_true(pc_send_message(0, &header, frame));
	pc_turn(1);
	assert_true(pc_receive(1));
	assert_memory_equal(&switch_pc.got.header, &header, offsetof(struct switch_message, reserved));
	assert_int_equal(switch_pc.got.header.reserved, 0);
}

static void test_switch_floods_broadcasts(void **state)
{
	(void)state;
	start(3);
	assert_true(pc_send(1, 1, 0xff, 60));
	assert_true(pc_counts_are(1, 0, 1));
}

/* What is for nobody known goes only where other addresses than the port's own can be. */
static void test_switch_floods_unknown_addresses_to_open_ports(void **state)
{
	(void)state;
	pc_prepare(3);
	switch_pc.spec.ports[2].flags = 0;
	pc_start();
	assert_true(pc_send(0, 0, 77, 60));
	assert_true(pc_counts_are(0, 0, 1));
	assert_true(pc_send(2, 77, 0, 60)); /* it is there */
	assert_true(pc_send(2, 78, 2, 60)); /* behind the sender: not sent back */
	assert_true(pc_counts_are(1, 0, 0));
	assert_true(pc_send(1, 1, 77, 60));
	assert_true(pc_counts_are(0, 0, 1));
}

static void test_switch_filters_sources(void **state)
{
	(void)state;
	start(3);
	assert_true(pc_send(0, 1, 2, 60)); /* as another card */
	assert_true(pc_send(0, 99, 2, 60));
	assert_true(pc_counts_are(0, 0, 0));
	assert_int_equal(report->dropped_filter, 2);
}

/* Without a filter, a port still cannot be another one, or many. */
static void test_switch_protects_addresses_of_cards(void **state)
{
	static const uint8_t multicast[60] = {2, 0, 0, 0, 0, 1, 3};
	const struct switch_message header = {.kind = SWITCH_FRAME, .len_bytes = sizeof(multicast)};

	(void)state;
	pc_prepare(3);
	switch_pc.spec.ports[0].flags = 0;
	pc_start();
	assert_true(pc_send(0, 1, 2, 60));
	assert_true(pc_send_message(0, &header, multicast));
	assert_true(pc_counts_are(0, 0, 0));
	assert_int_equal(report->dropped_filter, 2);
	assert_true(pc_send(2, 2, 1, 60)); /* port 1 still has its own */
	assert_true(pc_counts_are(0, 1, 0));
}

static void test_switch_isolates_ports(void **state)
{
	(void)state;
	pc_prepare(3);
	switch_pc.spec.ports[0].flags |= SWITCH_PORT_ISOLATED;
	switch_pc.spec.ports[1].flags |= SWITCH_PORT_ISOLATED;
	pc_start();
	assert_true(pc_send(0, 0, 1, 60));
	assert_true(pc_counts_are(0, 0, 0));
	assert_int_equal(report->dropped_other, 1);
	assert_true(pc_send(0, 0, 0xff, 60));
	assert_true(pc_counts_are(0, 0, 1));
	assert_true(pc_send(2, 2, 0xff, 60));
	assert_true(pc_counts_are(1, 1, 0));
	assert_true(pc_send(0, 0, 2, 60));
	assert_true(pc_counts_are(0, 0, 1));
}

/* A port that invents addresses forgets its own, never those of others; and all are forgotten in time. */
static void test_switch_learns_a_bounded_number(void **state)
{
	unsigned received;

	(void)state;
	pc_prepare(3);
	switch_pc.spec.ports[0].flags = 0;
	switch_pc.spec.ports[1].flags = 0;
	pc_start();
	assert_true(pc_send(1, 200, 2, 60));
	pc_turn(1);
	received = pc_count(2);
	for (uint8_t i = 0; i < 100; i++) {
		assert_true(pc_send(0, (uint8_t)(i + 20), 2, 60));
		pc_turn(2);
		received += pc_count(2);
	}
	assert_int_equal(received, 101);
	assert_true(pc_send(2, 2, 200, 60));
	assert_true(pc_counts_are(0, 1, 0));
	assert_int_equal(addresses_find(&switch_pc.state.addresses, (uint8_t[]){2, 0, 0, 0, 0, 119}, 2), 0);
	assert_int_equal(addresses_find(&switch_pc.state.addresses, (uint8_t[]){2, 0, 0, 0, 0, 20}, 2), ADDRESSES_NONE);
	assert_true(pc_send(1, 119, 2, 60)); /* as one that was heard just now */
	pc_turn(3);
	assert_int_equal(report->dropped_filter, 1);
	assert_int_equal(addresses_find(&switch_pc.state.addresses, (uint8_t[]){2, 0, 0, 0, 0, 119}, 3), 0);
	assert_true(pc_send(1, 119, 2, 60)); /* it moves */
	pc_turn(S(11));
	assert_int_equal(addresses_find(&switch_pc.state.addresses, (uint8_t[]){2, 0, 0, 0, 0, 119}, S(11)), 1);
	assert_int_equal(addresses_find(&switch_pc.state.addresses, (uint8_t[]){2, 0, 0, 0, 0, 119}, S(312)), ADDRESSES_NONE);
	assert_int_equal(addresses_find(&switch_pc.state.addresses, (uint8_t[]){2, 0, 0, 0, 0, 2}, S(312)), 2);
}

static void test_switch_drops_where_a_receiver_is_full(void **state)
{
	(void)state;
	start(3);
	for (unsigned i = 0; i < 64; i++) {
		assert_true(pc_send(0, 0, 1, 60000));
		pc_turn(1);
	}
	assert_true(report->dropped_full > 0);
	assert_int_equal(report->passed + report->dropped_full, 64);
	/* There is room for others. */
	assert_true(pc_send(2, 2, 1, 60000));
	pc_turn(1);
	assert_int_equal(report->passed + report->dropped_full, 65);
	assert_true(pc_count(1) > 8);
	assert_int_equal(switch_pc.got.data[11], 2);
}

/* Where two send, what is in front of the other's is bounded: by bytes, by frames, and by frames that are still to be cut. */
static void test_switch_bounds_what_others_wait_behind(void **state)
{
	static const uint8_t packet[60000] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0};
	const struct switch_message many_frames = {.kind = SWITCH_FRAME, .len_bytes = sizeof(packet), .offload_flags = 1,
						   .offload_type = 1, .segment_bytes = 48};
	const uint32_t lengths[] = {60, 1514, 60000};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned most = PORT_SHARE_COST_MAX / (lengths[i] + PORT_MESSAGE_COST);

		start(3);
		assert_true(pc_send(2, 2, 1, 60));
		pc_turn(S(1));
		for (unsigned frames = 0; frames < 1000; frames++) {
			pc_send(0, 0, 1, lengths[i]);
			pc_turn(S(1) + 1);
		}
		assert_int_equal(pc_count(1), 1 + most);
		assert_true(pc_send_message(0, &many_frames, packet));
		pc_turn(S(1) + 1);
		assert_int_equal(pc_count(1), 0);
		/* Alone again. */
		assert_true(pc_send_message(0, &many_frames, packet));
		pc_turn(S(1) + 1 + PORT_ALONE_NS);
		assert_int_equal(pc_count(1), 1);
	}
}

/* Short frames cost time, too. */
static void test_switch_limits_rates_of_short_frames(void **state)
{
	(void)state;
	pc_prepare(2);
	switch_pc.spec.ports[0].rate_bytes = 1000000;
	pc_start();
	for (uint64_t ms = 1; ms <= 1000; ms++) {
		while (pc_send(0, 0, 1, 60))
			;
		pc_turn(ms * 1000000);
		pc_count(1);
	}
	assert_in_range(report->passed, 1000000 / PORT_FRAME_COST - 1, 1000000 / PORT_FRAME_COST + 1);
}

/* A broadcast to many is as much as a turn has room for; who sends one frame has his turn soon. */
static void test_switch_counts_each_copy_of_a_turn(void **state)
{
	(void)state;
	start(8);
	while (pc_send(0, 0, 0xff, 60))
		;
	switch_turn(&switch_pc.state, 1);
	assert_in_range(report->passed, 1, SWITCH_TURN_BYTES / PORT_MESSAGE_COST + 7);
}

static void test_switch_limits_rates(void **state)
{
	unsigned passed;

	(void)state;
	pc_prepare(2);
	switch_pc.spec.ports[0].rate_bytes = 1000000;
	pc_start();
	for (uint64_t ms = 1; ms <= 1000; ms++) {
		while (pc_send(0, 0, 1, 1000))
			;
		pc_turn(ms * 1000000);
		if (ms % 10 == 0)
			pc_count(1);
	}
	passed = (unsigned)report->passed;
	assert_int_equal(report->dropped_full, 0);
	assert_in_range(passed, 990, 1000 + 1);
	/* It says when it goes on. */
	assert_in_range(switch_pc.state.deadline_ns, S(1) + 1, S(1) + 2000000);
	/* After a pause, a burst and no more. */
	pc_turn(S(100));
	while (pc_send(0, 0, 1, 1000))
		;
	pc_turn(S(100));
	assert_in_range(report->passed - passed, PORT_BURST_BYTES_MIN / 1000 - 1, PORT_BURST_BYTES_MIN / 1000 + 2);
}

static void expect_closed(const struct switch_message *header)
{
	static const uint8_t data[64];

	start(2);
	assert_true(pc_send_message(0, header, data));
	assert_true(pc_send(1, 1, 0, 60));
	pc_turn(1);
	assert_int_equal(report->closed_ports, 1);
	assert_false(pc_receive(1));
	pc_send(0, 0, 1, 60);
	assert_true(pc_send(1, 1, 1, 60));
	pc_turn(2);
	assert_false(pc_receive(1));
}

static void test_switch_closes_ports_for_nonsense(void **state)
{
	const struct switch_message wrong[] = {
		{.kind = SWITCH_VSOCK, .len_bytes = 60},
		{.kind = 2, .len_bytes = 60},
		{.kind = SWITCH_FRAME, .len_bytes = 13},
		{.kind = SWITCH_FRAME, .len_bytes = 0},
		{.kind = SWITCH_FRAME, .len_bytes = SWITCH_DATA_BYTES_MAX + 1},
	};
	struct switch_message more = {.kind = SWITCH_FRAME, .len_bytes = 60};
	size_t written;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_closed(&wrong[i]);
	start(2); /* a header, and less than it says */
	assert_int_equal(channel_write(&switch_pc.to_switch[0], &more, sizeof(more), &written), OK);
	pc_turn(1);
	assert_int_equal(report->closed_ports, 1);
	start(2); /* a counter that cannot be */
	switch_pc.to_switch[0].end.header->produced_count = 0x7fffffff;
	switch_pc.from_switch[1].end.header->consumed_count = 0x7fffffff;
	assert_true(pc_send(1, 1, 0, 60));
	pc_turn(1);
	assert_int_equal(report->closed_ports, 1);
}

/* A sender that found no room is told of it. */
static void test_switch_tells_of_room(void **state)
{
	(void)state;
	start(2);
	while (pc_send(0, 0, 1, 60000))
		;
	pc_turn(1);
	assert_true(switch_take_wake(&switch_pc.state, 0));
	assert_true(pc_send(0, 0, 1, 60000));
	pc_turn(1);
	assert_false(switch_take_wake(&switch_pc.state, 0));
}

static void test_switch_says_which_port_is_closed(void **state)
{
	char line[SWITCH_LINE_BYTES];

	(void)state;
	pc_prepare(2);
	strcpy(switch_pc.spec.name, "lan");
	strcpy(switch_pc.spec.ports[1].vm_name, "web");
	switch_closed_line(&switch_pc.spec, 1, line, sizeof(line));
	assert_string_equal(line, "E641 switch lan: port 1 is closed: what the VMM of web sends makes no sense; do not trust that "
				  "VM");
}

static void test_switch_refuses_other_releases(void **state)
{
	(void)state;
	pc_prepare(2);
	switch_pc.spec.version++;
	assert_int_equal(switch_init(&switch_pc.state, &switch_pc.spec, report, 0), ERR_INVALID);
	pc_prepare(2);
	switch_pc.spec.port_count = SWITCH_PORTS_MAX + 1;
	assert_int_equal(switch_init(&switch_pc.state, &switch_pc.spec, report, 0), ERR_INVALID);
	pc_prepare(2);
	switch_pc.spec.ports[1].to_switch_bytes = 5000;
	assert_int_equal(switch_init(&switch_pc.state, &switch_pc.spec, report, 0), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switch_passes_frames_to_their_port),
		cmocka_unit_test(test_switch_keeps_offload_fields),
		cmocka_unit_test(test_switch_floods_broadcasts),
		cmocka_unit_test(test_switch_floods_unknown_addresses_to_open_ports),
		cmocka_unit_test(test_switch_filters_sources),
		cmocka_unit_test(test_switch_protects_addresses_of_cards),
		cmocka_unit_test(test_switch_isolates_ports),
		cmocka_unit_test(test_switch_learns_a_bounded_number),
		cmocka_unit_test(test_switch_drops_where_a_receiver_is_full),
		cmocka_unit_test(test_switch_bounds_what_others_wait_behind),
		cmocka_unit_test(test_switch_counts_each_copy_of_a_turn),
		cmocka_unit_test(test_switch_limits_rates),
		cmocka_unit_test(test_switch_limits_rates_of_short_frames),
		cmocka_unit_test(test_switch_closes_ports_for_nonsense),
		cmocka_unit_test(test_switch_tells_of_room),
		cmocka_unit_test(test_switch_says_which_port_is_closed),
		cmocka_unit_test(test_switch_refuses_other_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
