/* Draws text as Bulkhead's screen does and writes the picture as a PPM: the other half of the screen reader's test.
 * usage: render_text WIDTH HEIGHT BITS_PER_PIXEL < text > picture.ppm */
#include <stdio.h>
#include <stdlib.h>

#include "console/screen.h"

static struct screen screen;

static struct boot_framebuffer mode_of(uint32_t width, uint32_t height, uint8_t bits_per_pixel)
{
	bool deep = bits_per_pixel > 16;

	return (struct boot_framebuffer){
		.base_physical = 1,
		.width_pixels = width,
		.height_pixels = height,
		.pitch_bytes = (width + 5) * (bits_per_pixel / 8U),
		.bits_per_pixel = bits_per_pixel,
		.red_shift = deep ? 16 : 11, .red_bits = deep ? 8 : 5,
		.green_shift = deep ? 8 : 5, .green_bits = deep ? 8 : 6,
		.blue_shift = 0, .blue_bits = deep ? 8 : 5,
	};
}

static uint8_t part(uint32_t pixel, uint8_t shift, uint8_t bits)
{
	return (uint8_t)((pixel >> shift & ((1U << bits) - 1)) << (8 - bits));
}

static void write_ppm(const uint8_t *pixels, const struct boot_framebuffer *mode)
{
	uint32_t bytes = mode->bits_per_pixel / 8U;

	printf("P6\n%u %u\n255\n", mode->width_pixels, mode->height_pixels);
	for (uint32_t y = 0; y < mode->height_pixels; y++) {
		for (uint32_t x = 0; x < mode->width_pixels; x++) {
			uint32_t pixel = 0;

			for (uint32_t i = 0; i < bytes; i++)
				pixel |= (uint32_t)pixels[(size_t)y * mode->pitch_bytes + x * bytes + i] << 8 * i;
			putchar(part(pixel, mode->red_shift, mode->red_bits));
			putchar(part(pixel, mode->green_shift, mode->green_bits));
			putchar(part(pixel, mode->blue_shift, mode->blue_bits));
		}
	}
}

int main(int count, char **arguments)
{
	struct boot_framebuffer mode;
	uint8_t *pixels;
	int byte;

	if (count != 4) {
		fprintf(stderr, "usage: render_text WIDTH HEIGHT BITS_PER_PIXEL < text > picture.ppm\n");
		return 2;
	}
	mode = mode_of((uint32_t)atoi(arguments[1]), (uint32_t)atoi(arguments[2]), (uint8_t)atoi(arguments[3]));
	pixels = calloc(mode.height_pixels, mode.pitch_bytes);
	if (pixels == NULL || screen_init(&screen, pixels, &mode, &console_font) != OK) {
		fprintf(stderr, "render_text: no such mode\n");
		return 1;
	}
	while ((byte = getchar()) != EOF) {
		uint8_t one = (uint8_t)byte;

		if (one == '\n')
			(void)screen_text_write(&screen.text, "\r", 1);
		(void)screen_text_write(&screen.text, &one, 1);
	}
	while (!screen_refresh(&screen))
		;
	write_ppm(pixels, &mode);
	free(pixels);
	return 0;
}
