/* Batches of bytes to the console, and what becomes of them where it does not read. */
#include "vmm/terminal.h"

#include "drivers/virt/device.h"
#include "user/calls.h"

void terminal_init(struct terminal *terminal, const struct vmm_spec *spec)
{
	const struct vmm_console *console = &spec->console;

	*terminal = (struct terminal){
		.event = spec->handles.console_event,
		.event_bits = console->event_bits,
		.signal_due_ns = NO_EVENT_NS,
		.full_since_ns = NO_EVENT_NS,
	};
	terminal->has_output = console->to_console_address != 0 &&
			       channel_writer_open(&terminal->output, (void *)(uintptr_t)console->to_console_address,
						   console->to_console_bytes) == OK;
	terminal->has_input = console->from_console_address != 0 &&
			      channel_reader_open(&terminal->input, (void *)(uintptr_t)console->from_console_address,
						  console->from_console_bytes) == OK;
}

static void tell_console(struct terminal *terminal)
{
	terminal->signal_due_ns = NO_EVENT_NS;
	if (terminal->event != HANDLE_NONE)
		sys_event_signal(terminal->event, terminal->event_bits);
}

/* True: the byte is done with, as it is lost. */
static bool drop_after_stall(struct terminal *terminal, uint64_t now_ns)
{
	if (terminal->full_since_ns == NO_EVENT_NS) {
		terminal->full_since_ns = now_ns;
		tell_console(terminal);
	}
	terminal->holds_byte = now_ns - terminal->full_since_ns < TERMINAL_STALL_NS;
	if (!terminal->holds_byte)
		terminal->dropped_bytes++;
	return !terminal->holds_byte;
}

bool terminal_transmit(struct terminal *terminal, uint8_t byte, uint64_t now_ns)
{
	size_t written_bytes = 0;

	if (!terminal->has_output)
		return true;
	if (channel_write(&terminal->output, &byte, 1, &written_bytes) != OK) {
		terminal->has_output = false;
		return true;
	}
	if (written_bytes == 0)
		return drop_after_stall(terminal, now_ns);
	terminal->holds_byte = false;
	terminal->full_since_ns = NO_EVENT_NS;
	if (terminal->signal_due_ns == NO_EVENT_NS)
		terminal->signal_due_ns = now_ns + TERMINAL_BATCH_NS;
	return true;
}

size_t terminal_receive(struct terminal *terminal, uint8_t *out, size_t size_bytes)
{
	size_t read_bytes = 0;

	if (!terminal->has_input)
		return 0;
	if (channel_read(&terminal->input, out, size_bytes, &read_bytes) != OK) {
		terminal->has_input = false;
		return 0;
	}
	if (read_bytes > 0)
		tell_console(terminal);
	return read_bytes;
}

uint64_t terminal_next_event_ns(const struct terminal *terminal)
{
	uint64_t stall_end_ns = terminal->holds_byte ? terminal->full_since_ns + TERMINAL_STALL_NS : NO_EVENT_NS;

	return stall_end_ns < terminal->signal_due_ns ? stall_end_ns : terminal->signal_due_ns;
}

void terminal_tick(struct terminal *terminal, uint64_t now_ns)
{
	if (terminal->signal_due_ns <= now_ns)
		tell_console(terminal);
}
