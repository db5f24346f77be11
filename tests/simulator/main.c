/* simulator SCENARIO [FACTOR]: runs the scheduler's source on a simulated PC and prints figures; FACTOR times as long as usual. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/scenarios.h"

static const struct scenario {
	const char *name;
	void (*run)(uint64_t factor);
} scenarios[] = {
	{"shares", scenario_shares},
	{"caps", scenario_caps},
	{"starvation", scenario_starvation},
	{"wakeup", scenario_wakeup},
	{"hostile", scenario_hostile},
	{"reserved", scenario_reserved},
	{"reserved-sets", scenario_reserved_sets},
	{"reserved-overrun", scenario_reserved_overrun},
	{"windows", scenario_windows},
	{"balance", scenario_balance},
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

void print_ticks(const char *name, uint64_t ticks)
{
	printf("%s %llu ticks\n", name, (unsigned long long)ticks);
}

void print_count(const char *name, uint64_t count)
{
	printf("%s %llu count\n", name, (unsigned long long)count);
}

void print_percent(const char *name, double percent)
{
	printf("%s %.4f percent\n", name, percent);
}

int main(int argc, char **argv)
{
	uint64_t factor = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	for (unsigned i = 0; i < SCENARIOS && argc > 1; i++) {
		if (strcmp(argv[1], scenarios[i].name) == 0) {
			scenarios[i].run(factor == 0 ? 1 : factor);
			return 0;
		}
	}
	fprintf(stderr, "usage: simulator SCENARIO [FACTOR], of:");
	for (unsigned i = 0; i < SCENARIOS; i++)
		fprintf(stderr, " %s", scenarios[i].name);
	fprintf(stderr, "\n");
	return 2;
}
