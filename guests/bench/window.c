/* How steady the starts of a VM's time windows are: it reads the TSC in a loop; where that jumps by a quarter of the frame, a
 * window begins. Words of the command line: frame=US, start=MS by this VM's TSC. */
#include "guests/bench/bench.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define US_PER_SECOND 1000000U
#define US_PER_MS     1000U

static uint64_t next_window(uint64_t gap_ticks)
{
	for (uint64_t last = read_tsc();;) {
		uint64_t now = read_tsc();

		if (now - last > gap_ticks)
			return now;
		last = now;
	}
}

void guest_main(const struct guest_flat_info *info)
{
	const char *words = (const char *)info->command_line_address;
	uint64_t ticks_per_us = flat_tsc_hz() / US_PER_SECOND;
	uint64_t frame = flat_number(words, "frame=", 2000) * ticks_per_us;
	uint64_t first, skipped = 0, last;

	exceptions_install();
	interrupts_on();
	print("window: runs\n");
	while (read_tsc() < flat_number(words, "start=", 1000) * US_PER_MS * ticks_per_us)
		;
	last = first = next_window(frame / 4);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t begin = next_window(frame / 4);

		skipped += (begin - last + frame / 2) / frame - 1;
		last = begin;
		/* By how much it is late, plus half a frame: the first may have been later. */
		ticks[round] = (uint32_t)((begin - first + frame / 2) % frame);
	}
	(void)median();
	show("window_jitter_max", ticks[ROUNDS - 1] - ticks[0]);
	show("skipped", (uint32_t)skipped);
	print("bench end\n");
	for (;;)
		__asm__ volatile("");
}
