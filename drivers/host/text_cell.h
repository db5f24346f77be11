/* One character cell of a text screen, and its 16 colours. */
#pragma once
#include <stdint.h>

#define TEXT_COLOUR_COUNT 16U

struct text_cell {
	uint16_t code_point; /* Unicode, basic plane; U+FFFD stands for all others */
	uint8_t foreground;  /* 0 to 15, ECMA-48's order, 8 and above bright */
	uint8_t background;
};
