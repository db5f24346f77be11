/* Bytes that cost little and repeat nowhere, for what moves much data: writes so many to standard output.
 *
 *     pattern BYTES SEED */
#include "guests/linux/program.h"

const char program_name[] = "pattern";
static uint32_t words[16384];

int program(int count, char **arguments)
{
	uint64_t left;
	uint32_t state;

	if (count != 3) {
		say("usage: pattern BYTES SEED\n");
		return 2;
	}
	left = number_of(arguments[1]);
	state = (uint32_t)number_of(arguments[2]);
	while (left != 0) {
		long bytes = left < sizeof(words) ? (long)left : (long)sizeof(words);

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			state = state * 1664525U + 1013904223U;
			words[i] = state;
		}
		for (long done = 0; done < bytes;)
			done += must("write", SYS_WRITE, 1, (long)((const uint8_t *)words + done), bytes - done);
		left -= (uint64_t)bytes;
	}
	return 0;
}
