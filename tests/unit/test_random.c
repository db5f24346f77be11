/* Sources of random bytes: which is asked, when one is given up, how jitter becomes bytes. */
#include "lib/random/random.h"
#include "tests/unit/unit.h"

static unsigned seeds_left, seeds_asked, randoms_asked, samples_asked;
static uint64_t next_word;
static bool words_are_stuck, samples_are_stuck;

static uint64_t new_word(void)
{
	return words_are_stuck ? UINT64_MAX : (next_word += 0x9e3779b97f4a7c15);
}

static bool seed(uint64_t *value)
{
	seeds_asked++;
	if (seeds_left == 0)
		return false;
	seeds_left--;
	*value = new_word();
	return true;
}

static bool no_random(uint64_t *value)
{
	(void)value;
	randoms_asked++;
	return false;
}

static bool own_random(uint64_t *value)
{
	randoms_asked++;
	*value = 0x1111111111111111 * (1 + randoms_asked);
	return true;
}

static uint64_t sample(void)
{
	samples_asked++;
	return samples_are_stuck ? 0x1234 : 0x1200 + (samples_asked * 2654435761U >> 24);
}

static int reset(void **state)
{
	(void)state;
	seeds_left = UINT32_MAX;
	seeds_asked = randoms_asked = samples_asked = 0;
	next_word = 0;
	words_are_stuck = samples_are_stuck = false;
	return 0;
}

static size_t take(const struct random_cpu *cpu, uint8_t *out, size_t len_bytes)
{
	struct random random;

	random_init(&random, cpu);
	return random_take(&random, out, len_bytes);
}

static void test_random_takes_words_of_the_best_source(void **state)
{
	const struct random_cpu cpu = {.seed = seed, .random = own_random, .sample = sample};
	uint8_t out[12];
	uint64_t word;

	(void)state;
	assert_int_equal(take(&cpu, out, sizeof(out)), sizeof(out));
	memcpy(&word, out, sizeof(word));
	assert_int_equal(word, 0x9e3779b97f4a7c15);
	assert_memory_equal(out + 8, "\x2a\xf8\x94\xfe", 4);
	assert_int_equal(randoms_asked, 0);
	assert_int_equal(samples_asked, 0);
}

/* Each source is asked a bounded number of times for a word; then the next one has to give it. */
static void test_random_goes_on_to_the_next_source(void **state)
{
	const struct random_cpu cpu = {.seed = seed, .random = own_random};
	uint8_t out[8];

	(void)state;
	seeds_left = 0;
	assert_int_equal(take(&cpu, out, sizeof(out)), sizeof(out));
	assert_int_equal(seeds_asked, 10);
	assert_int_equal(randoms_asked, 1);
	assert_memory_equal(out, "\x22\x22\x22\x22\x22\x22\x22\x22", 8);
}

/* A CPU that answers all ones for ever: none of the repeated words is given out, and it is not asked again. */
static void test_random_notices_a_stuck_cpu(void **state)
{
	const struct random_cpu cpu = {.seed = seed, .random = own_random};
	uint8_t out[32];

	(void)state;
	words_are_stuck = true;
	assert_int_equal(take(&cpu, out, sizeof(out)), sizeof(out));
	assert_int_equal(seeds_asked, 2);
	assert_memory_equal(out + 8, "\x22\x22\x22\x22\x22\x22\x22\x22\x33\x33\x33\x33\x33\x33\x33\x33", 16);
}

static void test_random_conditions_jitter(void **state)
{
	const struct random_cpu cpu = {.random = no_random, .sample = sample};
	struct random random;
	uint8_t first[100], second[16];

	(void)state;
	random_init(&random, &cpu);
	/* One hash a call, half of it. */
	assert_int_equal(random_take(&random, first, sizeof(first)), 16);
	assert_int_equal(samples_asked, 1280);
	assert_int_equal(random_take(&random, second, 5), 5);
	assert_int_equal(random_take(&random, second + 5, 11), 11);
	assert_int_equal(samples_asked, 2 * 1280);
	assert_memory_not_equal(first, second, 16);
}

static void test_random_gives_nothing_without_jitter(void **state)
{
	const struct random_cpu cpu = {.sample = sample};
	const struct random_cpu none = {0};
	struct random random;
	uint8_t out[16];

	(void)state;
	samples_are_stuck = true;
	random_init(&random, &cpu);
	assert_int_equal(random_take(&random, out, sizeof(out)), 0);
	assert_int_equal(samples_asked, 121);
	/* For good: a source that failed once is no source. */
	samples_are_stuck = false;
	assert_int_equal(random_take(&random, out, sizeof(out)), 0);
	assert_int_equal(samples_asked, 121);
	assert_int_equal(take(&none, out, sizeof(out)), 0);
}

static void test_health_counts_proportions(void **state)
{
	struct random_health sound = {.repetition_cutoff = 121, .proportion_cutoff = 4};
	struct random_health poor = sound;

	(void)state;
	/* Three in a window of 512, thrice; then four. */
	for (unsigned i = 0; i < 3 * RANDOM_HEALTH_WINDOW; i++)
		assert_true(random_health_admit(&sound, i % 200 == 0 ? 7 : 1000 + i));
	for (unsigned i = 0; i < 450; i++)
		assert_true(random_health_admit(&poor, i % 150 == 0 ? 7 : 1000 + i));
	assert_false(random_health_admit(&poor, 7));
	assert_false(random_health_admit(&poor, 8));
}

/* A source with a period that a window holds. */
static void test_health_notices_a_cycle(void **state)
{
	struct random_health health = {.repetition_cutoff = 2, .proportion_cutoff = 2};
	unsigned count = 0;

	(void)state;
	while (random_health_admit(&health, count % 100) && count < 1000)
		count++;
	assert_int_equal(count, 100);
}

/* The examples of FIPS 180-4's "SHA-256" (NIST, "Examples with Intermediate Values"). */
static void test_sha256_of_the_examples(void **state)
{
	static const struct {
		const char *text;
		const char *digest;
	} examples[] = {
		{"abc", "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
			"\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "\x24\x8d\x6a\x61\xd2\x06\x38\xb8\xe5\xc0\x26\x93\x0c\x3e\x60\x39"
		 "\xa3\x3c\xe4\x59\x64\xff\x21\x67\xf6\xec\xed\xd4\x19\xdb\x06\xc1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		uint8_t digest[SHA256_BYTES];
		struct sha256 hash;

		sha256_init(&hash);
		sha256_add(&hash, examples[i].text, strlen(examples[i].text));
		sha256_end(&hash, digest);
		assert_memory_equal(digest, examples[i].digest, SHA256_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random_takes_words_of_the_best_source, reset),
		cmocka_unit_test_setup(test_random_goes_on_to_the_next_source, reset),
		cmocka_unit_test_setup(test_random_notices_a_stuck_cpu, reset),
		cmocka_unit_test_setup(test_random_conditions_jitter, reset),
		cmocka_unit_test_setup(test_random_gives_nothing_without_jitter, reset),
		cmocka_unit_test(test_health_counts_proportions),
		cmocka_unit_test(test_health_notices_a_cycle),
		cmocka_unit_test(test_sha256_of_the_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
