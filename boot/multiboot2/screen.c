/* Text on whatever screen GRUB left: a framebuffer (with the console's font) or VGA text mode.
 * Source: for text mode, IBM VGA Technical Reference, "Alphanumeric Modes": cells of character and attribute. */
#include <stdbool.h>

#include "boot/common/report.h"
#include "boot/multiboot2/multiboot2_loader.h"
#include "lib/base/string.h"
#include "lib/font/font.h"
#include "lib/font/glyph_blit.h"

#define VGA_TEXT_PHYSICAL 0xb8000U
#define VGA_COLUMNS       80U
#define VGA_ROWS          25U
#define VGA_WHITE         0x0f00U
#define WHITE             0xffffffU
#define BLACK             0x000000U

enum screen_kind { SCREEN_NONE, SCREEN_VGA_TEXT, SCREEN_FRAMEBUFFER };

/* Set by screen_init(); the position by screen_write(). One CPU. */
static struct {
	enum screen_kind kind;
	struct glyph_surface surface;
	uint32_t columns, rows;
	uint32_t column, row;
	bool was_used;
} screen;

void screen_init(const struct multiboot2_info *info, uint64_t reach)
{
	struct boot_framebuffer mode = multiboot2_framebuffer(info);
	uint64_t length_bytes = (uint64_t)mode.pitch_bytes * mode.height_pixels;

	screen.kind = SCREEN_NONE;
	if (mode.base_physical == 0) {
		screen.kind = info->uefi_system_table == 0 ? SCREEN_VGA_TEXT : SCREEN_NONE;
		screen.columns = VGA_COLUMNS;
		screen.rows = VGA_ROWS;
		return;
	}
	if (mode.base_physical > reach || length_bytes > reach - mode.base_physical)
		return;
	if (glyph_surface_init(&screen.surface, (volatile void *)(uintptr_t)mode.base_physical, &mode, &console_font) != OK)
		return;
	screen.kind = SCREEN_FRAMEBUFFER;
	screen.columns = screen.surface.columns;
	screen.rows = screen.surface.rows;
}

static void draw(uint32_t column, uint32_t row, char c)
{
	volatile uint16_t *cells = (volatile uint16_t *)(uintptr_t)VGA_TEXT_PHYSICAL;

	switch (screen.kind) {
	case SCREEN_NONE:
		break;
	case SCREEN_VGA_TEXT:
		cells[row * VGA_COLUMNS + column] = (uint16_t)(VGA_WHITE | (uint8_t)c);
		break;
	case SCREEN_FRAMEBUFFER:
		glyph_draw(&screen.surface, column, row, font_glyph(&console_font, (uint8_t)c),
			   glyph_pixel(&screen.surface, WHITE), glyph_pixel(&screen.surface, BLACK));
		break;
	}
}

static void clear(void)
{
	if (screen.kind == SCREEN_FRAMEBUFFER)
		glyph_clear(&screen.surface, glyph_pixel(&screen.surface, BLACK));
	for (uint32_t row = 0; screen.kind == SCREEN_VGA_TEXT && row < VGA_ROWS; row++) {
		for (uint32_t column = 0; column < VGA_COLUMNS; column++)
			draw(column, row, ' ');
	}
	screen.column = 0;
	screen.row = 0;
}

/* A full screen starts again at its top: the loader has little to say. */
static void new_line(void)
{
	screen.column = 0;
	screen.row++;
	if (screen.row == screen.rows)
		clear();
}

bool screen_write(const char *text)
{
	if (screen.kind == SCREEN_NONE)
		return false;
	if (!screen.was_used)
		clear();
	screen.was_used = true;
	for (; *text != '\0'; text++) {
		if (*text == '\n' || screen.column == screen.columns)
			new_line();
		if (*text != '\n')
			draw(screen.column++, screen.row, *text);
	}
	return false;
}
