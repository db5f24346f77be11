/* The terminal interpreter: what a line of bytes leaves on a small screen. */
#include "console/screen_text.h"

#include "tests/unit/unit.h"

#define COLUMNS 10U
#define ROWS    4U

static struct screen_text screen;

static int setup(void **state)
{
	(void)state;
	screen_text_init(&screen, COLUMNS, ROWS);
	return 0;
}

static void feed(const char *text)
{
	assert_int_equal(screen_text_write(&screen, text, strlen(text)), strlen(text));
}

/* Compares the screen with rows of ASCII, '|' between rows, spaces at their ends left out. */
static void expect_screen(const char *expected)
{
	char got[ROWS * (COLUMNS + 1) + 1];
	size_t used = 0;

	for (uint32_t row = 0; row < ROWS; row++) {
		const struct text_cell *cells = text_grid_row(&screen.grid, row);
		size_t end = used;

		for (uint32_t column = 0; column < COLUMNS; column++) {
			got[used++] = cells[column].code_point < 0x7f ? (char)cells[column].code_point : '?';
			end = got[used - 1] == ' ' ? end : used;
		}
		used = end;
		got[used++] = '|';
	}
	got[used - 1] = '\0';
	assert_string_equal(got, expected);
}

static void expect_cursor(uint32_t column, uint32_t row)
{
	assert_int_equal(screen.grid.column, column);
	assert_int_equal(screen.grid.row, row);
}

static void test_screen_text_writes_lines(void **state)
{
	(void)state;
	feed("one\r\ntwo\r\nx\by\tz");
	expect_screen("one|two|y       z|");
	expect_cursor(9, 2);
}

static void test_screen_text_wraps_late_and_scrolls(void **state)
{
	(void)state;
	feed("0123456789");
	expect_cursor(9, 0);
	feed("\r\n");
	expect_cursor(0, 1);
	feed("abcdefghijK\r\n3\r\n4\r\n5");
	expect_screen("K|3|4|5");
	feed("\x1b[?7l\r0123456789ABC");
	expect_screen("K|3|4|012345678C");
}

static void test_screen_text_moves_cursor(void **state)
{
	(void)state;
	feed("\x1b[2;3Ha\x1b[Hb\x1b[9999;9999Hc\x1b[99A\x1b[99Dd\x1b[2B\x1b[3Ce\x1b[4Gf\x1b[2dg\x1b[E\x1b[1Fh");
	expect_screen("d|h a g|   fe|         c");
	feed("\x1b[s\x1b[H\x1b[u!\x1b" "7\x1b[H\x1b" "8?");
	expect_screen("d|h!? g|   fe|         c");
}

static void test_screen_text_erases(void **state)
{
	(void)state;
	feed("0123456789abcdefghijABCDEFGHIJ");
	feed("\x1b[2;5H\x1b[1K");
	expect_screen("0123456789|     fghij|ABCDEFGHIJ|");
	feed("\x1b[K\x1b[3;9H\x1b[J\x1b[1;3H\x1b[2X");
	expect_screen("01  456789||ABCDEFGH|");
	feed("\x1b[3;2H\x1b[1J");
	expect_screen("||  CDEFGH|");
	feed("\x1b[2J");
	expect_screen("|||");
	expect_cursor(1, 2);
}

static void test_screen_text_inserts_and_deletes(void **state)
{
	(void)state;
	feed("0123456789\r\nB\r\nC\r\nD\x1b[1;3H\x1b[2@");
	expect_screen("01  234567|B|C|D");
	feed("\x1b[4P\x1b[2;1H\x1b[L");
	expect_screen("014567||B|C");
	feed("\x1b[2M\x1b[99M");
	expect_screen("014567|||");
}

static void test_screen_text_scrolls_a_region(void **state)
{
	(void)state;
	feed("A\r\nB\r\nC\r\nD\x1b[2;3r\x1b[3;1H\nX");
	expect_screen("A|C|X|D");
	feed("\x1b[2;1H\x1bMY\x1b[T");
	expect_screen("A||Y|D");
	feed("\x1b[r\x1b[2S");
	expect_screen("Y|D||");
	feed("\x1b[3;2r\x1b[4;1Hq\n");
	expect_screen("D||q|");
}

static void test_screen_text_renders_colours(void **state)
{
	const struct text_cell *cells = text_grid_row(&screen.grid, 0);

	(void)state;
	feed("\x1b[31ma\x1b[1mb\x1b[44;7mc\x1b[0md\x1b[38;5;196me\x1b[48;2;0;0;255mf"
	     "\x1b[mg\x1b[38;5;10;92mh\x1b[97;100mi");
	assert_int_equal(cells[0].foreground, 1);
	assert_int_equal(cells[1].foreground, 9);
	assert_int_equal(cells[2].foreground, 4);
	assert_int_equal(cells[2].background, 9);
	assert_int_equal(cells[3].foreground, 7);
	assert_int_equal(cells[3].background, 0);
	assert_int_equal(cells[4].foreground, 9);
	assert_int_equal(cells[5].background, 12);
	assert_int_equal(cells[6].background, 0);
	assert_int_equal(cells[7].foreground, 10);
	assert_int_equal(cells[8].foreground, 15);
	assert_int_equal(cells[8].background, 8);
}

static void test_screen_text_reads_utf8_and_line_drawing(void **state)
{
	const struct text_cell *cells = text_grid_row(&screen.grid, 0);

	(void)state;
	feed("\xc3\xa9\xe2\x94\x80\xf0\x9f\x98\x80\x1b(0q\x1b(Bq\xff\xc3" "A\x1b)0\x0ex\x0f");
	assert_int_equal(cells[0].code_point, 0xe9);
	assert_int_equal(cells[1].code_point, 0x2500);
	assert_int_equal(cells[2].code_point, 0xfffd);
	assert_int_equal(cells[3].code_point, 0x2500);
	assert_int_equal(cells[4].code_point, 'q');
	assert_int_equal(cells[5].code_point, 0xfffd);
	assert_int_equal(cells[6].code_point, 0xfffd);
	assert_int_equal(cells[7].code_point, 'A');
	assert_int_equal(cells[8].code_point, 0x2502);
}

static void test_screen_text_utf8_rejects_overlong_and_surrogates(void **state)
{
	static const char *const bad[] = {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup(NULL);
		feed(bad[i]);
		assert_int_equal(text_grid_row(&screen.grid, 0)[0].code_point, 0xfffd);
	}
}

static void test_screen_text_drops_what_it_does_not_know(void **state)
{
	(void)state;
	feed("a\x1b]0;a title\x07" "b\x1bPq#0\x1b\\c\x1b[6n\x1b[>c\x1b[?1h\x1b[4 q\x1b[1!p\x1b#8d\x1b[\x18" "e");
	expect_screen("abcde|||");
	feed("\x1b]never ends\r\nf");
	expect_screen("abcde|     f||");
	feed("\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1Hg");
	expect_screen("abcde|     fg||");
}

static void test_screen_text_bounds_its_work(void **state)
{
	static char bytes[4096];

	(void)state;
	screen_text_init(&screen, TEXT_GRID_MAX_COLUMNS, TEXT_GRID_MAX_ROWS);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = "\x1b[2J"[i % 4];
	size_t taken = screen_text_write(&screen, bytes, sizeof(bytes));

	assert_in_range(taken, 1, 16);
	for (unsigned turns = 0; taken < sizeof(bytes); turns++) {
		assert_true(turns < sizeof(bytes));
		taken += screen_text_write(&screen, bytes + taken, sizeof(bytes) - taken);
	}
}

static void test_screen_text_shows_cursor(void **state)
{
	struct text_cell cells[COLUMNS];

	(void)state;
	feed("ab");
	assert_true(screen_text_row(&screen, 0, cells));
	assert_int_equal(cells[2].background, 7);
	assert_int_equal(cells[1].background, 0);
	feed("\x1b[?25l");
	assert_true(screen_text_row(&screen, 0, cells));
	assert_int_equal(cells[2].background, 0);
	assert_false(screen_text_row(&screen, ROWS, cells));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_screen_text_writes_lines, setup),
		cmocka_unit_test_setup(test_screen_text_wraps_late_and_scrolls, setup),
		cmocka_unit_test_setup(test_screen_text_moves_cursor, setup),
		cmocka_unit_test_setup(test_screen_text_erases, setup),
		cmocka_unit_test_setup(test_screen_text_inserts_and_deletes, setup),
		cmocka_unit_test_setup(test_screen_text_scrolls_a_region, setup),
		cmocka_unit_test_setup(test_screen_text_renders_colours, setup),
		cmocka_unit_test_setup(test_screen_text_reads_utf8_and_line_drawing, setup),
		cmocka_unit_test_setup(test_screen_text_utf8_rejects_overlong_and_surrogates, setup),
		cmocka_unit_test_setup(test_screen_text_drops_what_it_does_not_know, setup),
		cmocka_unit_test_setup(test_screen_text_bounds_its_work, setup),
		cmocka_unit_test_setup(test_screen_text_shows_cursor, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
