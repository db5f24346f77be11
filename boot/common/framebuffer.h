/* A framebuffer's description from channel masks. */
#pragma once
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"

struct channel_masks {
	uint32_t red, green, blue;
};

/* Sets the shift and bits fields of framebuffer from masks.
 * Errors: ERR_INVALID if a mask is empty, has holes or more than 8 bits, or two overlap; framebuffer is then unchanged.
 * Context: any; pure. */
MUST_CHECK enum status framebuffer_set_channels(struct boot_framebuffer *framebuffer, const struct channel_masks *masks);
