/* The console program: console.c's turns, with the system calls that it needs. */
#include "abi/syscall.h"
#include "console/console.h"
#include "lib/base/error_codes.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"
#include "user/program.h"

/* The program is its state; large, so not on the stack. */
static struct console console;
static struct uart uart;
static struct screen screen;

static uint8_t read_port(void *context, uint16_t port)
{
	const struct console_setup *setup = context;
	uint32_t value;

	return sys_port_read(setup->ports, port, 1, &value) == OK ? (uint8_t)value : 0xff;
}

static void write_port(void *context, uint16_t port, uint8_t value)
{
	const struct console_setup *setup = context;

	if (sys_port_write(setup->ports, port, 1, value) != OK)
		return; /* as if nobody were there: the port's answers will say so */
}

static void signal_event(void *context, uint32_t event, uint64_t bits)
{
	(void)context;
	sys_event_signal(event, bits);
}

static size_t read_log(void *context, uint64_t *position, char *out, size_t size_bytes)
{
	size_t count;

	(void)context;
	return sys_log_read(position, out, size_bytes, &count) == OK ? count : 0;
}

static const struct console_effects effects = {.signal = signal_event, .log = {.read = read_log}};

static struct uart *start_uart(struct console_setup *setup)
{
	const struct port_io io = {.in = read_port, .out = write_port, .context = setup};

	if (setup->ports == HANDLE_NONE || uart_init(&uart, &io, setup->serial_base_port) != OK)
		return NULL;
	return &uart;
}

static struct screen *start_screen(const struct console_setup *setup)
{
	if (setup->framebuffer_address == 0)
		return NULL;
	if (screen_init(&screen, (volatile void *)(uintptr_t)setup->framebuffer_address, &setup->framebuffer,
			&console_font) != OK) {
		log_print("E618 console: the screen has a mode of %u bits a pixel, %ux%u, that cannot be drawn on; "
			  "choose another in the firmware's settings", setup->framebuffer.bits_per_pixel,
			  setup->framebuffer.width_pixels, setup->framebuffer.height_pixels);
		return NULL;
	}
	return &screen;
}

static uint64_t now_ms(void)
{
	return clock_now_ns() / NS_PER_MS;
}

/* Runs for ever. The interrupt is acknowledged before the port is looked at: its line is edge-triggered, so that an edge
 * is lost that comes while the line is masked; uart_service leaves it low. */
static void serve(const struct console_setup *setup)
{
	for (;;) {
		uint64_t deadline;
		uint64_t bits;

		while (console_turn(&console, now_ms()))
			;
		deadline = clock_deadline_in_ms(console_wait_ms(&console, setup->serial_irq != HANDLE_NONE));
		if (sys_event_wait(setup->own_event, deadline, &bits) == OK && (bits & CONSOLE_EVENT_SERIAL) != 0 &&
		    setup->serial_irq != HANDLE_NONE)
			sys_irq_ack(setup->serial_irq);
	}
}

int program_main(uint64_t argument)
{
	static struct console_setup setup;

	setup = *(const struct console_setup *)(uintptr_t)argument;
	if (setup.magic != CONSOLE_SETUP_MAGIC || setup.version != CONSOLE_SETUP_VERSION) {
		log_print("E617 console: manager and console are of different releases; copy both from the same one");
		return 1;
	}
	if (console_init(&console, &setup, start_uart(&setup), start_screen(&setup), &effects) != OK) {
		log_print("E614 console: the manager's channel is damaged; restart the PC");
		return 1;
	}
	serve(&setup);
	return 0;
}
