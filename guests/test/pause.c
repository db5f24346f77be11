/* Spins in PAUSE, as one does who waits for another processor, and prints how many of the turns were long: those in which it exited
 * or somebody else ran. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define TURNS      20000U
#define LONG_TICKS 60U /* a turn takes a few ticks, the shortest exit more than these */

void guest_main(const struct guest_flat_info *info)
{
	uint64_t last, count = 0;

	(void)info;
	last = read_tsc();
	for (unsigned i = 0; i < TURNS; i++) {
		uint64_t now;

		__builtin_ia32_pause();
		now = read_tsc();
		count += now - last > LONG_TICKS ? 1 : 0;
		last = now;
	}
	print("pause: ");
	print_number(count);
	print(" long turns\n");
}
