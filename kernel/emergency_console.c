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
#define UART_IIR       2 /* read */
#define UART_LCR       3
#define UART_MCR       4
#define UART_LSR       5
#define UART_SCRATCH   7
#define LSR_THR_EMPTY  0x20
#define IIR_FIFOS      0xc0
#define FIFO_BYTES     16U
#define WAIT_SPINS     200000U

static struct {
	bool serial, fifo;
	bool screen;
	uint32_t row, column;
	uint32_t refused; /* times in a row */
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
	emergency.fifo = (in8(COM1 + UART_IIR) & IIR_FIFOS) == IIR_FIFOS;
}

static bool serial_is_empty(void)
{
	return in8(COM1 + UART_LSR) & LSR_THR_EMPTY;
}

static void serial_put(char c)
{
	for (unsigned i = 0; i < WAIT_SPINS && !serial_is_empty(); i++)
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

static void draw(uint32_t column, char c)
{
	glyph_draw(&emergency.surface, column, emergency.row, font_glyph(&console_font, (uint8_t)c), emergency.foreground,
		   emergency.background);
}

static void screen_new_line(void)
{
	emergency.column = 0;
	emergency.row = emergency.row + 1 < emergency.surface.rows ? emergency.row + 1 : 0;
	for (uint32_t column = 0; column < emergency.surface.columns; column++)
		draw(column, ' ');
}

static void screen_put(char c)
{
	if (c == '\n' || emergency.column == emergency.surface.columns)
		screen_new_line();
	if (c >= ' ')
		draw(emergency.column++, c);
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

size_t emergency_write_some(const char *text, size_t len_bytes)
{
	size_t done = 0;

	/* A port that never says that it is empty is written to all the same, as by emergency_write(). */
	if (emergency.serial && !serial_is_empty() && emergency.refused++ < WAIT_SPINS)
		return 0;
	emergency.refused = 0;
	if (emergency.serial && !emergency.fifo)
		len_bytes = len_bytes > 0 ? 1 : 0;
	/* One place is kept for the CR of a line end. The FIFO is empty, so that nobody waits but for that CR without a FIFO. */
	while (done < len_bytes && done < FIFO_BYTES - 1) {
		if (emergency.serial && text[done] == '\n')
			out8(COM1 + UART_DATA, '\r');
		if (emergency.serial && text[done] == '\n' && !emergency.fifo)
			serial_put('\n');
		else if (emergency.serial)
			out8(COM1 + UART_DATA, (uint8_t)text[done]);
		if (emergency.screen)
			screen_put(text[done]);
		if (text[done++] == '\n')
			break;
	}
	return done;
}
