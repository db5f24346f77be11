/* The instructions of the CPU that runs this test. */
#include "tests/unit/unit.h"
#include "user/random_cpu.h"

static void test_random_cpu_gives_different_words(void **state)
{
	uint64_t first[2] = {0}, second[2] = {0};
	struct random_cpu cpu;
	struct random random;

	(void)state;
	random_cpu_find(&cpu);
	random_init(&random, &cpu);
	assert_int_equal(random_take(&random, first, sizeof(first)), sizeof(first));
	assert_int_equal(random_take(&random, second, sizeof(second)), sizeof(second));
	assert_memory_not_equal(first, second, sizeof(first));
	assert_int_not_equal(first[0], first[1]);
}

/* Without its instructions for that, a CPU that is no emulator has jitter. */
static void test_random_cpu_has_jitter(void **state)
{
	uint64_t word = 0;
	struct random_cpu cpu;
	struct random random;

	(void)state;
	random_cpu_find(&cpu);
	cpu.seed = NULL;
	cpu.random = NULL;
	random_init(&random, &cpu);
	assert_int_equal(random_take(&random, &word, sizeof(word)), sizeof(word));
	assert_int_not_equal(word, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_cpu_gives_different_words),
		cmocka_unit_test(test_random_cpu_has_jitter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
