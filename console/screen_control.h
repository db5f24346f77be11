/* What a complete control sequence (ESC [ parameters final) does to the screen; screen_text has parsed it. */
#pragma once
#include "console/screen_text.h"

/* Runs the sequence that ended with this byte; one that is not known does nothing. */
void screen_control_run(struct screen_text *screen, uint8_t final);

/* Position and pen, one level deep (ESC 7 and ESC 8 do the same as ESC [ s and ESC [ u). */
void screen_control_save_cursor(struct screen_text *screen);
void screen_control_restore_cursor(struct screen_text *screen);
