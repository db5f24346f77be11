/* The filter of output that is shown again. ECMA-48, "Coding structure". */
#include "console/plain_text.h"

#define ESC 0x1b

/* Within a sequence: where this byte leads. All of them end at a newline at the latest. */
static enum plain_text_state after(enum plain_text_state state, uint8_t byte)
{
	if (state == PLAIN_TEXT_ESCAPE && byte == '[')
		return PLAIN_TEXT_CONTROL;
	if (state == PLAIN_TEXT_ESCAPE && (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_'))
		return PLAIN_TEXT_STRING;
	if ((state == PLAIN_TEXT_ESCAPE || state == PLAIN_TEXT_INTERMEDIATE) && byte >= 0x20 && byte <= 0x2f)
		return PLAIN_TEXT_INTERMEDIATE;
	if (state == PLAIN_TEXT_CONTROL && byte >= 0x20 && byte <= 0x3f)
		return PLAIN_TEXT_CONTROL;
	if (state == PLAIN_TEXT_STRING && byte != 0x07)
		return PLAIN_TEXT_STRING;
	return PLAIN_TEXT_GROUND;
}

bool plain_text_keeps(enum plain_text_state *state, uint8_t byte)
{
	if (byte == ESC) {
		*state = PLAIN_TEXT_ESCAPE;
		return false;
	}
	if (byte == '\n') {
		*state = PLAIN_TEXT_GROUND;
		return true;
	}
	if (*state == PLAIN_TEXT_AFTER_C2) {
		*state = PLAIN_TEXT_GROUND;
		if (byte >= 0x80 && byte <= 0x9f)
			return false;
	}
	if (*state != PLAIN_TEXT_GROUND) {
		*state = after(*state, byte);
		return false;
	}
	if (byte == 0xc2)
		*state = PLAIN_TEXT_AFTER_C2;
	return byte == '\r' || byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}
