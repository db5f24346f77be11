/* Random bytes from what the CPU has: RDSEED, where that has none to give RDRAND, else the jitter of instructions' times. Each is
 * watched: one that repeats itself is not asked again. Not here: the instructions (struct random_cpu brings them).
 *
 * The words of RDSEED and RDRAND are passed on as they are. Of jitter a quarter bit of entropy a sample is assumed; samples for
 * 320 bits are hashed, and half of the hash is given out. A deterministic machine (an emulator) has no jitter: no such source.
 * Source: SDM Vol. 1, "Random Number Generator Instructions"; NIST SP 800-90B, "Health Tests", "Conditioning Component". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/random/health.h"
#include "lib/random/sha256.h"

/* The instructions of the CPU; of those that it lacks: NULL. False: it had no number at that moment. */
struct random_cpu {
	bool (*seed)(uint64_t *value);  /* RDSEED */
	bool (*random)(uint64_t *value); /* RDRAND */
	/* Work whose time varies, in ticks of the finest clock. */
	uint64_t (*sample)(void);
};

enum random_kind { RANDOM_SEED, RANDOM_RANDOM, RANDOM_JITTER, RANDOM_KIND_COUNT };

struct random {
	struct random_cpu cpu;
	struct random_health health[RANDOM_KIND_COUNT];
	uint8_t jitter[SHA256_BYTES];
	size_t jitter_left; /* unused bytes at its end */
};

void random_init(struct random *random, const struct random_cpu *cpu);

/* Fills out with up to len_bytes and returns how many: fewer where only jitter is left, of which a call makes one hash at most
 * (some 1,300 samples). 0: no source works, and none will. */
size_t random_take(struct random *random, void *out, size_t len_bytes);
