/* A filter that leaves text and takes out what drives a terminal: control characters and escape sequences.
 * For output that is shown again: a replayed question to the terminal would be answered into the guest. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum plain_text_state {
	PLAIN_TEXT_GROUND,
	PLAIN_TEXT_ESCAPE,
	PLAIN_TEXT_INTERMEDIATE,
	PLAIN_TEXT_CONTROL,
	PLAIN_TEXT_STRING,
	PLAIN_TEXT_AFTER_C2, /* the next byte may make a C1 control, encoded as UTF-8 */
};

/* Takes one byte; returns whether it is to be shown. Start with PLAIN_TEXT_GROUND. */
bool plain_text_keeps(enum plain_text_state *state, uint8_t byte);
