/* Rounds, their median, and lines of figures. */
#include "guests/bench/bench.h"
#include "guests/flat/flat.h"

uint32_t ticks[ROUNDS];

/* Shell sort: small, and quick enough. */
uint32_t median(void)
{
	for (unsigned gap = ROUNDS / 2; gap > 0; gap /= 2) {
		for (unsigned i = gap; i < ROUNDS; i++) {
			uint32_t value = ticks[i];
			unsigned at = i;

			for (; at >= gap && ticks[at - gap] > value; at -= gap)
				ticks[at] = ticks[at - gap];
			ticks[at] = value;
		}
	}
	return ticks[ROUNDS / 2];
}

void show(const char *name, uint32_t value)
{
	print("bench ");
	print(name);
	print(" ");
	print_number(value);
	print("\n");
}

uint32_t empty_ticks(const char *name)
{
	uint32_t value = median();

	show(name, value);
	return value;
}
