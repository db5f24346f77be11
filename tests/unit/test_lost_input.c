/* console/lost_input.c: when the user hears of typed bytes that were lost. */
#include "console/lost_input.h"

#include "tests/unit/unit.h"

static struct lost_input lost;
static char text[LOST_INPUT_TEXT_BYTES];

static int start(void **state)
{
	(void)state;
	lost = (struct lost_input){0};
	return 0;
}

static void test_lost_input_is_told_once_it_is_over(void **state)
{
	uint64_t now_ms = 5;

	(void)state;
	assert_int_equal(lost_input_words(&lost, 0, NULL, now_ms, text), 0);
	for (uint64_t count = 1; count <= 9; count++) {
		assert_int_equal(lost_input_words(&lost, count, NULL, now_ms, text), 0);
		now_ms += LOST_INPUT_QUIET_MS - 1;
		assert_int_equal(lost_input_words(&lost, count, NULL, now_ms, text), 0);
	}
	assert_true(lost_input_words(&lost, 9, NULL, now_ms + 1, text) > 0);
	assert_string_equal(text, "E619 console: 9 typed bytes or more were lost at the serial port: they came faster than they "
				  "were taken; send less at once\n");
	assert_int_equal(lost_input_words(&lost, 9, NULL, now_ms + 10000, text), 0);
}

/* A terminal that nobody reads loses each byte typed there: that is a few lines, not one for each. */
static void test_lost_input_is_told_again_when_twice_as_much_is_lost(void **state)
{
	unsigned told = 0;

	(void)state;
	for (uint64_t count = 1; count <= 1000; count++) {
		(void)lost_input_words(&lost, count, "deaf", count * 10000, text);
		told += lost_input_words(&lost, count, "deaf", count * 10000 + LOST_INPUT_QUIET_MS, text) > 0;
	}
	assert_int_equal(told, 10);
	assert_string_equal(text, "E619 deaf: 512 typed bytes were lost: the guest does not read them; send less at once\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lost_input_is_told_once_it_is_over, start),
		cmocka_unit_test_setup(test_lost_input_is_told_again_when_twice_as_much_is_lost, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
