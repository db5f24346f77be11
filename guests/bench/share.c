/* How much of a CPU this guest gets: it never halts, reads the TSC in a loop, and what is longer than a turn of the loop is time in
 * which somebody else ran. Prints "share N of M ticks, longest gap G, T gaps" for each period.
 * Words of the command line: start=MS, when the first period begins, by this VM's TSC, which is 0 when the VM is made;
 * period=MS, its length; rounds=N, after which it prints no more, but spins on. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define USUAL_START_MS  500U
#define USUAL_PERIOD_MS 500U
#define MS_PER_SECOND   1000U
/* A turn of the loop takes some ticks, the shortest exit a hundred. */
#define GAP_TICKS       60U

struct share {
	uint64_t run_ticks, wall_ticks, longest_gap_ticks, gaps;
};

/* From now to end_tsc, or a little later where somebody else ran at that time. */
static struct share measure(uint64_t end_tsc)
{
	uint64_t begin = read_tsc(), last = begin;
	struct share share = {.run_ticks = 0};

	while (last < end_tsc) {
		uint64_t now = read_tsc(), passed = now - last;

		last = now;
		if (passed < GAP_TICKS) {
			share.run_ticks += passed;
			continue;
		}
		share.gaps++;
		if (passed > share.longest_gap_ticks)
			share.longest_gap_ticks = passed;
	}
	share.wall_ticks = last - begin;
	return share;
}

static void show(const struct share *share)
{
	print("share ");
	print_number(share->run_ticks);
	print(" of ");
	print_number(share->wall_ticks);
	print(" ticks, longest gap ");
	print_number(share->longest_gap_ticks);
	print(", ");
	print_number(share->gaps);
	print(" gaps\n");
}

void guest_main(const struct guest_flat_info *info)
{
	const char *words = (const char *)info->command_line_address;
	uint64_t ticks_per_ms = flat_tsc_hz() / MS_PER_SECOND;
	uint64_t period = flat_number(words, "period=", USUAL_PERIOD_MS) * ticks_per_ms;
	uint64_t rounds = flat_number(words, "rounds=", UINT64_MAX);

	exceptions_install();
	interrupts_on();
	print("share: runs\n");
	(void)measure(flat_number(words, "start=", USUAL_START_MS) * ticks_per_ms);
	for (uint64_t round = 0; round < rounds; round++) {
		struct share share = measure(read_tsc() + period);

		show(&share);
	}
	for (;;)
		__asm__ volatile("");
}
