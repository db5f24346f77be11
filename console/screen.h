/* The text screen: output goes in, and refreshing draws what changed, a bounded piece at a time. */
#pragma once
#include <stdbool.h>

#include "console/screen_text.h"
#include "drivers/host/framebuffer.h"

#define SCREEN_REFRESH_CELLS 1024U /* drawn in one go; a cell costs some hundred writes to the framebuffer */

struct screen {
	struct screen_text text;
	struct framebuffer framebuffer;
	uint32_t next_row;        /* where the next refresh goes on */
	uint32_t drawn_changes;   /* text.grid.change_count when the round that is under way began */
	bool round_under_way;
};

/* Takes the framebuffer mapped at pixels and clears it. Errors: ERR_UNSUPPORTED, see glyph_surface_init. */
MUST_CHECK enum status screen_init(struct screen *screen, volatile void *pixels, const struct boot_framebuffer *mode,
				   const struct font *font);

/* Draws up to SCREEN_REFRESH_CELLS cells (rounded up to a row). Returns true when the screen shows all there is. */
bool screen_refresh(struct screen *screen);
