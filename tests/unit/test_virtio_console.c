/* The console device: control messages, bytes of ports, ports that nobody listens at, room that ends. */
#include "drivers/virt/virtio_console.h"
#include "tests/fake/virtio_chains.h"
#include "tests/unit/unit.h"

#define MULTIPORT VIRTIO_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT)

static struct virtio_console console;
static struct far_end {
	uint8_t sent[0x20000];
	size_t sent_bytes, room_bytes;
	const char *typed;
	unsigned moved;
	bool listens;
} ends[VIRTIO_CONSOLE_PORTS_MAX];

static size_t transmit(void *ctx, unsigned port, const void *bytes, size_t len_bytes)
{
	struct far_end *end = &ends[port];
	size_t count = len_bytes < end->room_bytes ? len_bytes : end->room_bytes;

	assert_ptr_equal(ctx, ends);
	assert_true(count <= sizeof(end->sent) - end->sent_bytes);
	memcpy(end->sent + end->sent_bytes, bytes, count);
	end->sent_bytes += count;
	end->room_bytes -= count;
	return count;
}

static size_t receive(void *ctx, unsigned port, void *out, size_t size_bytes)
{
	size_t count = strnlen(ends[port].typed, size_bytes);

	assert_ptr_equal(ctx, ends);
	memcpy(out, ends[port].typed, count);
	ends[port].typed += count;
	return count;
}

static void moved(void *ctx, unsigned port)
{
	assert_ptr_equal(ctx, ends);
	ends[port].moved++;
}

static void listens(void *ctx, unsigned port, bool does)
{
	assert_ptr_equal(ctx, ends);
	ends[port].listens = does;
}

static int reset(void **state)
{
	(void)state;
	fake_virtio_reset(MULTIPORT);
	memset(ends, 0, sizeof(ends));
	for (unsigned i = 0; i < VIRTIO_CONSOLE_PORTS_MAX; i++)
		ends[i] = (struct far_end){.room_bytes = SIZE_MAX, .typed = ""};
	console = (struct virtio_console){
		.wires = {transmit, receive, moved, listens, ends},
		.transport = &fake_virtio.device,
		.port_count = 3,
		.names = {"", "log", "data"},
	};
	virtio_console_ops.start(&console, MULTIPORT);
	return 0;
}

static unsigned control(uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control message = {id, event, value};

	return fake_offer(VIRTIO_CONSOLE_CONTROL_TRANSMIT, &message, sizeof(message), 0);
}

static void say(uint32_t id, uint16_t event, uint16_t value)
{
	control(id, event, value);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_CONTROL_TRANSMIT));
}

/* The next message that the device has sent, from chain `first` on. */
static void expect_message(unsigned number, uint32_t id, uint16_t event, const char *name)
{
	const struct virtio_console_control message = {id, event, 1};

	assert_true(fake_virtio.chains[number].returned);
	assert_int_equal(fake_virtio.chains[number].written_bytes, sizeof(message) + strlen(name));
	assert_memory_equal(fake_written(number), &message, sizeof(message));
	assert_memory_equal(fake_written(number) + sizeof(message), name, strlen(name));
}

static void offer_control_buffers(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		fake_offer(VIRTIO_CONSOLE_CONTROL_RECEIVE, NULL, 0, 64);
}

static void test_virtio_console_introduces_its_ports(void **state)
{
	(void)state;
	offer_control_buffers(10);
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (unsigned i = 0; i < 3; i++)
		expect_message(i, i, VIRTIO_CONSOLE_PORT_ADD, "");
	assert_int_equal(fake_returned_count(VIRTIO_CONSOLE_CONTROL_RECEIVE), 3);
	say(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_message(3, 0, VIRTIO_CONSOLE_CONSOLE_PORT, "");
	expect_message(4, 0, VIRTIO_CONSOLE_PORT_OPEN, "");
	assert_true(ends[0].listens);
	say(2, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_message(5, 2, VIRTIO_CONSOLE_PORT_NAME, "data");
	expect_message(6, 2, VIRTIO_CONSOLE_PORT_OPEN, "");
	assert_int_equal(fake_returned_count(VIRTIO_CONSOLE_CONTROL_RECEIVE), 7);
	assert_false(ends[2].listens);
	say(2, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_true(ends[2].listens);
	say(2, VIRTIO_CONSOLE_PORT_OPEN, 0);
	assert_false(ends[2].listens);
}

/* Messages wait for buffers, each kind once however often it was asked for. */
static void test_virtio_console_keeps_messages(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	offer_control_buffers(2);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_CONTROL_RECEIVE));
	offer_control_buffers(2);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_CONTROL_RECEIVE));
	assert_int_equal(fake_returned_count(VIRTIO_CONSOLE_CONTROL_RECEIVE), 3);
	expect_message(20, 0, VIRTIO_CONSOLE_PORT_ADD, "");
	expect_message(22, 2, VIRTIO_CONSOLE_PORT_ADD, "");
}

static void test_virtio_console_ignores_messages_without_sense(void **state)
{
	(void)state;
	offer_control_buffers(4);
	say(3, VIRTIO_CONSOLE_PORT_READY, 1);
	say(UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
	say(0, VIRTIO_CONSOLE_PORT_READY, 0);
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	say(0, VIRTIO_CONSOLE_PORT_ADD, 1);
	say(0, 0xffff, 0xffff);
	fake_offer(VIRTIO_CONSOLE_CONTROL_TRANSMIT, "short", 5, 0);
	fake_offer(VIRTIO_CONSOLE_CONTROL_TRANSMIT, NULL, 0, 8);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_CONTROL_TRANSMIT));
	assert_int_equal(fake_returned_count(VIRTIO_CONSOLE_CONTROL_TRANSMIT), 8);
	assert_int_equal(fake_returned_count(VIRTIO_CONSOLE_CONTROL_RECEIVE), 0);
}

/* A message that does not fit is cut, not written past the buffer. */
static void test_virtio_console_cuts_messages_to_the_buffer(void **state)
{
	(void)state;
	fake_offer(VIRTIO_CONSOLE_CONTROL_RECEIVE, NULL, 0, 10);
	fake_offer(VIRTIO_CONSOLE_CONTROL_RECEIVE, "x", 1, 0);
	say(1, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_int_equal(fake_virtio.chains[0].written_bytes, 10);
	assert_memory_equal(fake_written(0) + 8, "lo", 2);
	assert_int_equal(fake_virtio.chains[1].written_bytes, 0);
}

static void test_virtio_console_transmits(void **state)
{
	static uint8_t text[3000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i % 251);
	fake_offer(VIRTIO_CONSOLE_TRANSMIT, "hello", 5, 0);
	fake_offer(VIRTIO_CONSOLE_PORTS + 3, text, sizeof(text), 0);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_TRANSMIT));
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_PORTS + 3));
	assert_int_equal(ends[0].sent_bytes, 5);
	assert_memory_equal(ends[0].sent, "hello", 5);
	assert_int_equal(ends[0].moved, 1);
	assert_int_equal(ends[2].sent_bytes, sizeof(text));
	assert_memory_equal(ends[2].sent, text, sizeof(text));
	assert_int_equal(ends[1].sent_bytes, 0);
	assert_int_equal(fake_virtio.interrupts[VIRTIO_CONSOLE_PORTS + 3], 1);
}

/* What the far end did not take is neither lost nor sent twice, and its chain comes back when all is gone. */
static void test_virtio_console_waits_for_room(void **state)
{
	static const char text[] = "nobody reads this so soon";
	unsigned number = fake_offer(VIRTIO_CONSOLE_PORTS + 1, text, sizeof(text), 0);

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 5) {
		ends[1].room_bytes = 5;
		assert_false(fake_virtio.chains[number].returned);
		assert_false(virtio_console_ops.serve_backend(&console));
	}
	assert_true(fake_virtio.chains[number].returned);
	assert_int_equal(ends[1].sent_bytes, sizeof(text));
	assert_memory_equal(ends[1].sent, text, sizeof(text));
	/* The next chain begins at its beginning. */
	ends[1].room_bytes = SIZE_MAX;
	fake_offer(VIRTIO_CONSOLE_PORTS + 1, "next", 4, 0);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_PORTS + 1));
	assert_memory_equal(ends[1].sent + sizeof(text), "next", 4);
}

/* A turn ends, however much there is. */
static void test_virtio_console_moves_a_bounded_amount(void **state)
{
	static uint8_t text[0x10000];
	unsigned first = fake_offer(VIRTIO_CONSOLE_TRANSMIT, text, sizeof(text), 0);
	unsigned second = fake_offer(VIRTIO_CONSOLE_TRANSMIT, text, 0x4000, 0);

	(void)state;
	assert_true(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_TRANSMIT));
	assert_int_equal(ends[0].sent_bytes, VIRTIO_CONSOLE_TURN_BYTES);
	assert_false(fake_virtio.chains[second].returned);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_TRANSMIT));
	assert_true(fake_virtio.chains[first].returned);
	assert_true(fake_virtio.chains[second].returned);
	assert_int_equal(ends[0].sent_bytes, 0x14000);
	for (unsigned i = 0; i < VIRTIO_SERVE_CHAINS + 1; i++)
		fake_offer(VIRTIO_CONSOLE_TRANSMIT, "x", 1, 0);
	assert_true(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_TRANSMIT));
	assert_int_equal(fake_returned_count(VIRTIO_CONSOLE_TRANSMIT), 2 + VIRTIO_SERVE_CHAINS);
}

static void test_virtio_console_receives_for_who_listens(void **state)
{
	unsigned number = fake_offer(VIRTIO_CONSOLE_PORTS, NULL, 0, 4);

	(void)state;
	ends[1].typed = "typed";
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_PORTS));
	assert_false(virtio_console_ops.serve_backend(&console));
	assert_string_equal(ends[1].typed, "typed");
	/* Opening the port is enough: what waits is passed on at once. */
	say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(fake_virtio.chains[number].written_bytes, 4);
	assert_memory_equal(fake_written(number), "type", 4);
	assert_string_equal(ends[1].typed, "d");
	number = fake_offer(VIRTIO_CONSOLE_PORTS, NULL, 0, 4096);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_PORTS));
	assert_int_equal(fake_virtio.chains[number].written_bytes, 1);
	/* A buffer for which nothing is there stays. */
	number = fake_offer(VIRTIO_CONSOLE_PORTS, NULL, 0, 4096);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_PORTS));
	assert_false(fake_virtio.chains[number].returned);
}

static void test_virtio_console_without_several_ports(void **state)
{
	unsigned number = fake_offer(VIRTIO_CONSOLE_RECEIVE, NULL, 0, 8);

	(void)state;
	virtio_console_ops.reset(&console);
	virtio_console_ops.start(&console, 0);
	assert_true(ends[0].listens);
	ends[0].typed = "k";
	assert_false(virtio_console_ops.serve_backend(&console));
	assert_int_equal(fake_virtio.chains[number].written_bytes, 1);
}

static void test_virtio_console_configuration(void **state)
{
	(void)state;
	assert_int_equal(virtio_console_ops.read_config(&console, 0, 4), 0);
	assert_int_equal(virtio_console_ops.read_config(&console, 4, 4), 3);
	assert_int_equal(virtio_console_ops.read_config(&console, 0, 8), 3ULL << 32);
	assert_int_equal(virtio_console_ops.read_config(&console, 11, 1), 0);
	virtio_console_ops.write_config(&console, 4, 4, 7);
	virtio_console_ops.write_config(&console, 8, 4, 'E');
	assert_int_equal(virtio_console_ops.read_config(&console, 4, 4), 3);
	assert_int_equal(ends[0].sent_bytes, 1);
	assert_int_equal(ends[0].sent[0], 'E');
}

static void test_virtio_console_forgets_at_reset(void **state)
{
	(void)state;
	say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	virtio_console_ops.reset(&console);
	assert_false(ends[1].listens);
	offer_control_buffers(2);
	assert_false(virtio_console_ops.serve(&console, VIRTIO_CONSOLE_CONTROL_RECEIVE));
	assert_int_equal(fake_returned_count(VIRTIO_CONSOLE_CONTROL_RECEIVE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_console_introduces_its_ports, reset),
		cmocka_unit_test_setup(test_virtio_console_keeps_messages, reset),
		cmocka_unit_test_setup(test_virtio_console_ignores_messages_without_sense, reset),
		cmocka_unit_test_setup(test_virtio_console_cuts_messages_to_the_buffer, reset),
		cmocka_unit_test_setup(test_virtio_console_transmits, reset),
		cmocka_unit_test_setup(test_virtio_console_waits_for_room, reset),
		cmocka_unit_test_setup(test_virtio_console_moves_a_bounded_amount, reset),
		cmocka_unit_test_setup(test_virtio_console_receives_for_who_listens, reset),
		cmocka_unit_test_setup(test_virtio_console_without_several_ports, reset),
		cmocka_unit_test_setup(test_virtio_console_configuration, reset),
		cmocka_unit_test_setup(test_virtio_console_forgets_at_reset, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
