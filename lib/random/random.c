/* The choice among the sources, word by word, and the conditioning of jitter. */
#include "lib/random/random.h"

#include "lib/base/string.h"

#define TRIES            10U /* that Intel recommends for RDRAND; an empty RDSEED is not worth more either */
#define JITTER_SAMPLES   1280U /* a quarter bit each, for the 256 bits of a hash and 64 more */
#define WORD_REPETITIONS 2U  /* equal words of 64 bits: a chance of 2^-64 */
#define WORD_PROPORTION  2U
/* For a quarter bit a sample; SP 800-90B's formulas with a false alarm of 2^-30. */
#define JITTER_REPETITIONS 121U
#define JITTER_PROPORTION  477U
#define JITTER_SYMBOL_MASK 0xffU

void random_init(struct random *random, const struct random_cpu *cpu)
{
	memset(random, 0, sizeof(*random));
	random->cpu = *cpu;
	for (unsigned i = 0; i < RANDOM_KIND_COUNT; i++) {
		random->health[i].repetition_cutoff = i == RANDOM_JITTER ? JITTER_REPETITIONS : WORD_REPETITIONS;
		random->health[i].proportion_cutoff = i == RANDOM_JITTER ? JITTER_PROPORTION : WORD_PROPORTION;
	}
}

/* Processors are known whose RDRAND answers all ones for ever and says that it worked. */
static bool ask(bool (*instruction)(uint64_t *value), struct random_health *health, uint64_t *value)
{
	if (instruction == NULL || health->failed)
		return false;
	for (unsigned i = 0; i < TRIES; i++) {
		if (instruction(value))
			return random_health_admit(health, *value);
	}
	return false;
}

/* One hash, of the one before and of as many samples as it takes. */
static bool gather_jitter(struct random *random)
{
	struct random_health *health = &random->health[RANDOM_JITTER];
	struct sha256 hash;

	if (random->cpu.sample == NULL || health->failed)
		return false;
	sha256_init(&hash);
	sha256_add(&hash, random->jitter, sizeof(random->jitter));
	for (unsigned i = 0; i < JITTER_SAMPLES; i++) {
		uint64_t sample = random->cpu.sample();

		sha256_add(&hash, &sample, sizeof(sample));
		if (!random_health_admit(health, sample & JITTER_SYMBOL_MASK))
			return false;
	}
	sha256_end(&hash, random->jitter);
	random->jitter_left = sizeof(random->jitter);
	return true;
}

/* Half of a hash is given out: from the other half, which is hashed into the next, nobody can go back to it. */
static size_t take_jitter(struct random *random, uint8_t *out, size_t len_bytes, bool may_gather)
{
	size_t count;

	if (random->jitter_left <= SHA256_BYTES / 2 && (!may_gather || !gather_jitter(random)))
		return 0;
	count = random->jitter_left - SHA256_BYTES / 2;
	count = len_bytes < count ? len_bytes : count;
	memcpy(out, random->jitter + SHA256_BYTES - random->jitter_left, count);
	random->jitter_left -= count;
	return count;
}

size_t random_take(struct random *random, void *out, size_t len_bytes)
{
	uint8_t *next = out;
	size_t done = 0;

	while (done < len_bytes) {
		size_t left = len_bytes - done, count;
		uint64_t word;

		if (ask(random->cpu.seed, &random->health[RANDOM_SEED], &word) ||
		    ask(random->cpu.random, &random->health[RANDOM_RANDOM], &word)) {
			count = left < sizeof(word) ? left : sizeof(word);
			memcpy(next + done, &word, count);
		} else {
			return done + take_jitter(random, next + done, left, done == 0);
		}
		done += count;
	}
	return done;
}
