/* vmm/terminal: bytes are signalled in batches, a console that does not read holds the line up only for a while. */
#include "vmm/terminal.h"

#include "drivers/virt/device.h"
#include "tests/unit/unit.h"
#include "user/calls.h"

#define CAPACITY 4096U

static _Alignas(4096) uint8_t output[CHANNEL_HEADER_BYTES + CAPACITY];
static _Alignas(4096) uint8_t input[CHANNEL_HEADER_BYTES + CAPACITY];
static unsigned signal_count;

/* Instead of the system call. */
void sys_event_signal(handle_t event, uint64_t bits)
{
	assert_int_equal(event, 7);
	assert_int_equal(bits, 4);
	signal_count++;
}

static void open_terminal(struct terminal *terminal)
{
	const struct vmm_spec spec = {
		.console = {
			.to_console_address = (uintptr_t)output,
			.to_console_bytes = sizeof(output),
			.from_console_address = (uintptr_t)input,
			.from_console_bytes = sizeof(input),
			.event_bits = 4,
		},
		.handles = {.console_event = 7},
	};

	memset(output, 0, sizeof(output));
	memset(input, 0, sizeof(input));
	signal_count = 0;
	terminal_init(terminal, &spec);
}

static void fill(struct terminal *terminal, uint64_t now_ns)
{
	for (unsigned i = 0; i < CAPACITY; i++)
		assert_true(terminal_transmit(terminal, 'x', now_ns));
}

static void test_terminal_signals_once_a_batch(void **state)
{
	struct terminal terminal;

	(void)state;
	open_terminal(&terminal);
	assert_int_equal(terminal_next_event_ns(&terminal), NO_EVENT_NS);
	assert_true(terminal_transmit(&terminal, 'a', 100));
	assert_true(terminal_transmit(&terminal, 'b', 200));
	assert_int_equal(terminal_next_event_ns(&terminal), 100 + TERMINAL_BATCH_NS);
	assert_int_equal(signal_count, 0);
	terminal_tick(&terminal, 100 + TERMINAL_BATCH_NS);
	assert_int_equal(signal_count, 1);
	assert_int_equal(terminal_next_event_ns(&terminal), NO_EVENT_NS);
	assert_memory_equal(output + CHANNEL_HEADER_BYTES, "ab", 2);
}

static void test_terminal_drops_after_a_stall(void **state)
{
	struct terminal terminal;

	(void)state;
	open_terminal(&terminal);
	fill(&terminal, 0);
	assert_false(terminal_transmit(&terminal, 'y', 10));
	assert_int_equal(terminal_next_event_ns(&terminal), 10 + TERMINAL_STALL_NS);
	assert_true(terminal_transmit(&terminal, 'y', 10 + TERMINAL_STALL_NS));
	assert_true(terminal_transmit(&terminal, 'y', 11 + TERMINAL_STALL_NS));
	assert_int_equal(terminal.dropped_bytes, 2);
	assert_int_equal(terminal_next_event_ns(&terminal), NO_EVENT_NS);
}

static void test_terminal_goes_on_once_there_is_room(void **state)
{
	struct terminal terminal;

	(void)state;
	open_terminal(&terminal);
	fill(&terminal, 0);
	assert_false(terminal_transmit(&terminal, 'y', 10));
	((struct channel_header *)output)->consumed_count = 1;
	assert_true(terminal_transmit(&terminal, 'y', 20));
	assert_int_equal(terminal.dropped_bytes, 0);
}

static void test_terminal_gives_a_damaged_channel_up(void **state)
{
	struct terminal terminal;
	uint8_t bytes[4];

	(void)state;
	open_terminal(&terminal);
	((struct channel_header *)output)->consumed_count = 5;
	((struct channel_header *)input)->produced_count = CAPACITY + 1;
	assert_true(terminal_transmit(&terminal, 'a', 0));
	assert_false(terminal.has_output);
	assert_int_equal(terminal_receive(&terminal, bytes, sizeof(bytes)), 0);
	assert_false(terminal.has_input);
}

static void test_terminal_passes_what_is_typed(void **state)
{
	struct terminal terminal;
	uint8_t bytes[4];

	(void)state;
	open_terminal(&terminal);
	memcpy(input + CHANNEL_HEADER_BYTES, "hi", 2);
	((struct channel_header *)input)->produced_count = 2;
	assert_int_equal(terminal_receive(&terminal, bytes, sizeof(bytes)), 2);
	assert_memory_equal(bytes, "hi", 2);
	assert_int_equal(signal_count, 1);
	assert_int_equal(terminal_receive(&terminal, bytes, sizeof(bytes)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminal_signals_once_a_batch),
		cmocka_unit_test(test_terminal_drops_after_a_stall),
		cmocka_unit_test(test_terminal_goes_on_once_there_is_room),
		cmocka_unit_test(test_terminal_gives_a_damaged_channel_up),
		cmocka_unit_test(test_terminal_passes_what_is_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
