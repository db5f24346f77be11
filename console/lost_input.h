/* Typed bytes that were lost: the user is told once the loss is over, and again only when twice as many are lost. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define LOST_INPUT_QUIET_MS   500U
#define LOST_INPUT_TEXT_BYTES 160U

struct lost_input { /* all zero: nothing was lost */
	uint64_t seen_count, told_count;
	uint64_t changed_ms;
};

/* count: bytes lost since the boot, as it stands now; vm: whose they were, NULL: lost at the serial port already. Writes what the
 * user is to be told now, with its newline, and returns the length; 0: nothing. */
size_t lost_input_words(struct lost_input *lost, uint64_t count, const char *vm, uint64_t now_ms,
			char out[LOST_INPUT_TEXT_BYTES]);
