/* The two tests. Both count the sample that they compare with. */
#include "lib/random/health.h"

static void count_repetitions(struct random_health *health, uint64_t sample)
{
	health->run_count = health->run_count != 0 && sample == health->last ? health->run_count + 1 : 1;
	health->last = sample;
	if (health->run_count >= health->repetition_cutoff)
		health->failed = true;
}

static void count_in_window(struct random_health *health, uint64_t sample)
{
	if (health->window_count == 0) {
		health->window_first = sample;
		health->equal_count = 0;
	}
	health->equal_count += sample == health->window_first;
	health->window_count = (health->window_count + 1) % RANDOM_HEALTH_WINDOW;
	if (health->equal_count >= health->proportion_cutoff)
		health->failed = true;
}

bool random_health_admit(struct random_health *health, uint64_t sample)
{
	count_repetitions(health, sample);
	count_in_window(health, sample);
	return !health->failed;
}
