/* format_text() and format_args(): conversions, widths, truncation. Expected texts: those of C11, "The fprintf function". */
#include "lib/base/format.h"
#include "tests/unit/unit.h"

static void expect_text(const char *expected, const char *format, ...)
{
	char out[128];
	va_list args;

	va_start(args, format);
	assert_int_equal(format_args(out, sizeof(out), format, args), strlen(expected));
	va_end(args);
	assert_string_equal(out, expected);
}

static void test_format_prints_numbers(void **state)
{
	(void)state;
	expect_text("-5 7 ff FF 0", "%d %u %x %X %i", -5, 7U, 255U, 255U, 0);
	expect_text("-9223372036854775808", "%lld", INT64_MIN);
	expect_text("18446744073709551615 deadbeefcafe", "%llu %lx", UINT64_MAX, 0xdeadbeefcafeUL);
	expect_text("0000002a|-002|  7|7  |", "%08x|%04d|%3u|%-3u|", 42U, -2, 7U, 7U);
}

static void test_format_prints_text(void **state)
{
	(void)state;
	expect_text("ab   |   ab|a|abc%", "%-5s|%5s|%.1s|%.*s%%", "ab", "ab", "abc", 3, "abcdef");
	expect_text("(null)x", "%s%c", (const char *)NULL, 'x');
}

static void test_format_cuts_what_does_not_fit(void **state)
{
	char out[4];

	(void)state;
	assert_int_equal(format_text(out, sizeof(out), "%s", "abcdef"), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(format_text(out, 1, "x"), 0);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format_prints_numbers),
		cmocka_unit_test(test_format_prints_text),
		cmocka_unit_test(test_format_cuts_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
