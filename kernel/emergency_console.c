/* Polled 16550 output (PC16550D data sheet) and a plain text screen without a shadow: a full screen starts again at the top. */
#include "kernel/emergency_console.h"

#include <stdbool.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "kernel/cpu_insn.h"
#include "kernel/kernel_map.h"
#include "lib/font/glyph_blit.h"

#define COM1           0x3f8
#define UART_DATA      0
#define UART_IER       1
#define UART_FCR       2
#define UART_LCR       3
#define UART_MCR       4
#define UART_LSR       5
#define UART_SCRATCH   7
#define LSR_THR_EMPTY  0x20
#define WAIT_SPINS     200000U

static struct {
	bool serial;
	bool screen;
	uint32_t row, column;
	struct glyph_surface surface;
	uint32_t foreground, background;
} emergency;

void emergency_serial_init(void)
{
	out8(COM1 + UART_SCRATCH, 0x5a);
	if (in8(COM1 + UART_SCRATCH) != 0x5a)
		return;
	out8(COM1 + UART_IER, 0);
	out8(COM1 + UART_LCR, 0x80);
	out8(COM1 + UART_DATA, 1); /* 115200 baud */
	out8(COM1 + UART_IER, 0);
	out8(COM1 + UART_LCR, 0x03); /* 8N1 */
	out8(COM1 + UART_FCR, 0x07);
	out8(COM1 + UART_MCR, 0x03);
	emergency.serial = true;
}

static void serial_put(char c)
{
	for (unsigned i = 0; i < WAIT_SPINS && !(in8(COM1 + UART_LSR) & LSR_THR_EMPTY); i++)
		pause();
	out8(COM1 + UART_DATA, (uint8_t)c);
}

void emergency_screen_init(const struct boot_framebuffer *mode)
{
	uint64_t len_bytes = (uint64_t)mode->pitch_bytes * mode->height_pixels;
	void *pixels;

	if (mode->base_physical == 0 || len_bytes == 0)
		return;
	pixels = kernel_map_device(mode->base_physical, len_bytes, DEVICE_WRITE_COMBINING, true);
	if (pixels == NULL || glyph_surface_init(&emergency.surface, pixels, mode, &console_font) != OK)
		return;
	emergency.foreground = glyph_pixel(&emergency.surface, 0xd0d0d0);
	emergency.background = glyph_pixel(&emergency.surface, 0x000000);
	glyph_clear(&emergency.surface, emergency.background);
	emergency.screen = true;
}

static void screen_new_line(void)
{
	emergency.column = 0;
	emergency.row = emergency.row + 1 < emergency.surface.rows ? emergency.row + 1 : 0;
	/* Blanks the row that comes next. */
	glyph_print_row(&emergency.surface, emergency.row, "", emergency.foreground, emergency.background);
}

static void screen_put(char c)
{
	if (c == '\n' || emergency.column == emergency.surface.columns)
		screen_new_line();
	if (c >= ' ')
		glyph_draw(&emergency.surface, emergency.column++, emergency.row, font_glyph(&console_font, (uint8_t)c),
			   emergency.foreground, emergency.background);
}

void emergency_screen_home(void)
{
	emergency.row = 0;
	emergency.column = 0;
}

void emergency_write(const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		if (emergency.serial && text[i] == '\n')
			serial_put('\r');
		if (emergency.serial)
			serial_put(text[i]);
		if (emergency.screen)
			screen_put(text[i]);
	}
}
