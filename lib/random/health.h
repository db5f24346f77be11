/* Continuous health tests of a noise source: whether its samples repeat as no sound source's would. A source that failed once
 * stays failed. Source: NIST SP 800-90B, "Repetition Count Test", "Adaptive Proportion Test". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define RANDOM_HEALTH_WINDOW 512U /* samples, of sources whose samples are not single bits */

/* Cutoffs: a sound source reaches them with a chance of 2^-30 or less, by its entropy per sample. */
struct random_health {
	/* constant */
	uint32_t repetition_cutoff; /* as many equal samples in a row are too many */
	uint32_t proportion_cutoff; /* as many of a window that equal its first one are too many */
	/* its state; zero at the start */
	uint64_t last, window_first;
	uint32_t run_count, window_count, equal_count;
	bool failed;
};

/* Looks at one more sample. False: the source has failed, now or before. */
bool random_health_admit(struct random_health *health, uint64_t sample);
