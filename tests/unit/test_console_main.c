/* console/main.c: what the console says before its first turn. */
#include "tests/unit/unit.h"

#include "console/console.h"
#include "tests/fake/program.h"
#include "user/calls.h"
#include "user/program.h"

static struct screen *screen_given;
static enum status screen_status, console_status;

const struct font console_font;

enum status uart_init(struct uart *uart, const struct port_io *io, uint16_t base_port)
{
	(void)uart;
	(void)io;
	(void)base_port;
	return ERR_NOT_FOUND;
}

enum status screen_init(struct screen *screen, volatile void *pixels, const struct boot_framebuffer *mode,
			const struct font *font)
{
	(void)screen;
	(void)pixels;
	(void)mode;
	(void)font;
	return screen_status;
}

enum status console_init(struct console *console, const struct console_setup *setup, struct uart *uart, struct screen *screen,
			 const struct console_effects *effects)
{
	(void)console;
	(void)setup;
	(void)uart;
	(void)effects;
	screen_given = screen;
	return console_status;
}

bool console_turn(struct console *console, uint64_t now_ms)
{
	(void)console;
	(void)now_ms;
	return false;
}

uint64_t console_wait_ms(const struct console *console, bool serial_interrupts)
{
	(void)console;
	(void)serial_interrupts;
	return 0;
}

enum status sys_port_read(handle_t ports, uint16_t port, unsigned width_bytes, uint32_t *value)
{
	(void)ports;
	(void)port;
	(void)width_bytes;
	*value = 0xff;
	return OK;
}

enum status sys_port_write(handle_t ports, uint16_t port, unsigned width_bytes, uint32_t value)
{
	(void)ports;
	(void)port;
	(void)width_bytes;
	(void)value;
	return OK;
}

void sys_event_signal(handle_t event, uint64_t bits)
{
	(void)event;
	(void)bits;
}

enum status sys_log_read(uint64_t *position, char *out, size_t size_bytes, size_t *read_bytes)
{
	(void)position;
	(void)out;
	(void)size_bytes;
	*read_bytes = 0;
	return OK;
}

void sys_irq_ack(handle_t irq)
{
	(void)irq;
}

enum status sys_event_wait(handle_t event, uint64_t deadline_tsc, uint64_t *bits)
{
	(void)event;
	(void)deadline_tsc;
	(void)bits;
	fail_msg("serves");
	return OK;
}

static struct console_setup good_setup(void)
{
	return (struct console_setup){
		.magic = CONSOLE_SETUP_MAGIC,
		.version = CONSOLE_SETUP_VERSION,
		.framebuffer_address = 0x1000,
		.framebuffer = {.bits_per_pixel = 4, .width_pixels = 640, .height_pixels = 480},
	};
}

static int start(void **state)
{
	(void)state;
	fake_program_start();
	screen_status = console_status = OK;
	return 0;
}

static void test_console_main_refuses_another_release(void **state)
{
	struct console_setup setup = good_setup();

	(void)state;
	setup.version++;
	assert_int_equal(program_main((uintptr_t)&setup), 1);
	assert_string_equal(fake_program_log, "E617 console: manager and console are of different releases; copy both from the "
					      "same one\n");
}

static void test_console_main_goes_on_without_a_screen_it_cannot_draw_on(void **state)
{
	struct console_setup setup = good_setup();

	(void)state;
	screen_status = ERR_UNSUPPORTED;
	console_status = ERR_INVALID;
	assert_int_equal(program_main((uintptr_t)&setup), 1);
	assert_null(screen_given);
	assert_string_equal(fake_program_log,
			    "E618 console: the screen has a mode of 4 bits a pixel, 640x480, that cannot be drawn on; choose "
			    "another in the firmware's settings\n"
			    "E614 console: the manager's channel is damaged; restart the PC\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_console_main_refuses_another_release, start),
		cmocka_unit_test_setup(test_console_main_goes_on_without_a_screen_it_cannot_draw_on, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
