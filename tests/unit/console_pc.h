/* A PC for tests of the whole console program but its system calls: a fake port for the user, real channels for manager and
 * VMMs. Each test program has its own. */
#pragma once
#include "console/console.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

#define CHANNEL_BYTES (CHANNEL_HEADER_BYTES + 8192U)
#define VMS           3U

static _Alignas(4096) uint8_t memory[2 + 2 * VMS][CHANNEL_BYTES];
static struct console console;
static struct uart uart;
static char sent[400000];
static size_t sent_count;
static char typed[128];
static size_t typed_count, typed_taken;
static unsigned signals[16];
static struct channel_writer manager_out;
static struct channel_reader manager_in;
static struct channel_writer vm_out[VMS];
static struct channel_reader vm_in[VMS];
static uint64_t now_ms;

static bool line_is_busy;

/* A port that has room, unless the line is busy, and gives what was typed. */
static uint8_t port_in(void *context, uint16_t port)
{
	(void)context;
	if (port == 5)
		return (uint8_t)((line_is_busy ? 0 : 0x60) | (typed_taken < typed_count));
	if (port == 0 && typed_taken < typed_count)
		return (uint8_t)typed[typed_taken++];
	return port == 2 ? 0xc1 : 0;
}

static void port_out(void *context, uint16_t port, uint8_t value)
{
	(void)context;
	if (port == 0) {
		assert_true(sent_count < sizeof(sent) - 1);
		sent[sent_count++] = (char)value;
		sent[sent_count] = '\0';
	}
}

static void take_signal(void *context, uint32_t event, uint64_t bits)
{
	(void)context;
	assert_in_range(event, 1, 15);
	assert_int_equal(bits, event * 2);
	signals[event]++;
}

static char kernel_log[60000];
static size_t kernel_log_bytes, kernel_log_oldest;

static size_t read_log(void *context, uint64_t *position, char *out, size_t size_bytes)
{
	size_t count;

	(void)context;
	*position = *position < kernel_log_oldest ? kernel_log_oldest : *position;
	assert_true(*position <= kernel_log_bytes);
	count = kernel_log_bytes - *position < size_bytes ? kernel_log_bytes - *position : size_bytes;
	memcpy(out, kernel_log + *position, count);
	*position += count;
	return count;
}

static void log_text(const char *text)
{
	assert_true(strlen(text) < sizeof(kernel_log) - kernel_log_bytes);
	memcpy(kernel_log + kernel_log_bytes, text, strlen(text));
	kernel_log_bytes += strlen(text);
}

static const struct console_effects effects = {.signal = take_signal, .log = {.read = read_log}};

static struct console_channels channels_at(unsigned index, uint32_t event)
{
	return (struct console_channels){
		.to_console_address = (uintptr_t)memory[index],
		.to_console_bytes = CHANNEL_BYTES,
		.from_console_address = (uintptr_t)memory[index + 1],
		.from_console_bytes = CHANNEL_BYTES,
		.peer_event = event,
		.peer_event_bits = event * 2,
	};
}

static int setup(void **state)
{
	const struct console_setup setup_block = {.manager = channels_at(0, 1)};

	(void)state;
	kernel_log_bytes = kernel_log_oldest = 0;
	memset(memory, 0, sizeof(memory));
	memset(signals, 0, sizeof(signals));
	memset(&uart, 0, sizeof(uart));
	uart.io = (struct port_io){.in = port_in, .out = port_out};
	uart.fifo_bytes = 16;
	sent_count = typed_count = typed_taken = 0;
	line_is_busy = false;
	now_ms = 1000;
	if (channel_writer_open(&manager_out, memory[0], CHANNEL_BYTES) != OK ||
	    channel_reader_open(&manager_in, memory[1], CHANNEL_BYTES) != OK)
		return 1;
	return console_init(&console, &setup_block, &uart, NULL, &effects);
}

/* Until nothing moves any more; a port with something left to send would interrupt. */
static void run(void)
{
	for (unsigned turns = 0; console_turn(&console, now_ms) || uart_free_bytes(&uart) < UART_QUEUE_BYTES; turns++)
		assert_true(turns < 20000);
}

static void type(const char *text)
{
	sent_count = 0;
	sent[0] = '\0';
	typed_taken = 0;
	typed_count = strlen(text);
	memcpy(typed, text, typed_count);
	run();
}

static void send(enum console_message_kind kind, uint32_t request, const void *payload, uint32_t len_bytes)
{
	const struct console_message message = {.kind = kind, .request = request, .len_bytes = len_bytes};

	assert_int_equal(channel_write_all(&manager_out, &message, sizeof(message)), OK);
	assert_int_equal(channel_write_all(&manager_out, payload, len_bytes), OK);
}

static void send_text(enum console_message_kind kind, uint32_t request, const char *text)
{
	send(kind, request, text, (uint32_t)strlen(text));
}

static void add_vm(unsigned index, const char *name)
{
	struct console_terminal terminal = {.channels = channels_at(2 + 2 * index, 2 + index)};

	strncpy(terminal.name, name, sizeof(terminal.name) - 1);
	memset(memory[2 + 2 * index], 0, 2 * CHANNEL_BYTES);
	assert_int_equal(channel_writer_open(&vm_out[index], memory[2 + 2 * index], CHANNEL_BYTES), OK);
	assert_int_equal(channel_reader_open(&vm_in[index], memory[3 + 2 * index], CHANNEL_BYTES), OK);
	send(CONSOLE_TERMINAL_OPEN, 0, &terminal, sizeof(terminal));
	run();
}

static size_t vm_prints(unsigned index, const char *text)
{
	size_t written = 0;

	assert_int_equal(channel_write(&vm_out[index], text, strlen(text), &written), OK);
	return written;
}

static struct console_message next_request(void)
{
	struct console_message message;
	size_t count;

	assert_int_equal(channel_read(&manager_in, &message, sizeof(message), &count), OK);
	assert_int_equal(count, sizeof(message));
	return message;
}
