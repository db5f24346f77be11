/* A framebuffer's description from channel masks, as UEFI's PixelBitMask and Multiboot2's direct RGB have them. */
#include "boot/common/framebuffer.h"

struct channel {
	uint8_t shift;
	uint8_t bits;
};

static enum status channel_from_mask(uint32_t mask, struct channel *channel)
{
	struct channel found = {.shift = 0, .bits = 0};

	if (mask == 0)
		return ERR_INVALID;
	while ((mask >> found.shift & 1) == 0)
		found.shift++;
	mask >>= found.shift;
	while (mask & 1) {
		found.bits++;
		mask >>= 1;
	}
	if (mask != 0 || found.bits > 8)
		return ERR_INVALID;
	*channel = found;
	return OK;
}

enum status framebuffer_set_channels(struct boot_framebuffer *framebuffer, const struct channel_masks *masks)
{
	struct channel red, green, blue;

	if ((masks->red & masks->green) != 0 || (masks->red & masks->blue) != 0 || (masks->green & masks->blue) != 0)
		return ERR_INVALID;
	if (channel_from_mask(masks->red, &red) != OK || channel_from_mask(masks->green, &green) != OK ||
	    channel_from_mask(masks->blue, &blue) != OK)
		return ERR_INVALID;
	framebuffer->red_shift = red.shift;
	framebuffer->red_bits = red.bits;
	framebuffer->green_shift = green.shift;
	framebuffer->green_bits = green.bits;
	framebuffer->blue_shift = blue.shift;
	framebuffer->blue_bits = blue.bits;
	return OK;
}
