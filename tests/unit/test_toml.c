/* The TOML subset: what is read, what is refused, and that the arena's limits hold. */
#include "lib/base/format.h"
#include "lib/toml/toml.h"
#include "tests/unit/unit.h"

#define NODES      64
#define TEXT_BYTES 512

static struct toml_node nodes[NODES];
static char texts[TEXT_BYTES];
static struct toml_arena arena = {.nodes = nodes, .node_max = NODES, .text = texts, .text_max = TEXT_BYTES};
static struct toml_error error;

static const struct toml_node *parse_good(const char *text)
{
	const struct toml_node *root = NULL;
	enum status status = toml_parse(&arena, text, strlen(text), &root, &error);

	if (status != OK)
		print_message("line %u: %s\n", error.line, error.message);
	assert_int_equal(status, OK);
	assert_non_null(root);
	return root;
}

static void expect_bad(const char *text, uint32_t line, uint32_t column, const char *part_of_message)
{
	const struct toml_node *root = NULL;

	assert_int_equal(toml_parse(&arena, text, strlen(text), &root, &error), ERR_BAD_FORMAT);
	assert_null(root);
	if (strstr(error.message, part_of_message) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part_of_message, error.message);
	assert_int_equal(error.line, line);
	assert_int_equal(error.column, column);
}

static void expect_integer(const char *text, int64_t value)
{
	const struct toml_node *node = toml_find(parse_good(text), "a");

	assert_int_equal(node->kind, TOML_INTEGER);
	assert_false(node->integer_overflows);
	assert_true(node->integer == value);
}

static void test_toml_reads_integers(void **state)
{
	(void)state;
	expect_integer("a = 0", 0);
	expect_integer("a = -0", 0);
	expect_integer("a = +7", 7);
	expect_integer("a = 1_000", 1000);
	expect_integer("a = 0xFf_00", 0xff00);
	expect_integer("a = 9223372036854775807", INT64_MAX);
	expect_integer("a = -9223372036854775808", INT64_MIN);
}

static void test_toml_marks_integers_that_overflow(void **state)
{
	static const char *const values[] = {"a = 9223372036854775808", "a = -9223372036854775809",
					     "a = 100000000000000000000", "a = 18446744073709551616",
					     "a = 0xffffffffffffffff"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const struct toml_node *node = toml_find(parse_good(values[i]), "a");

		assert_int_equal(node->kind, TOML_INTEGER);
		assert_true(node->integer_overflows);
		assert_string_equal(node->text, values[i] + 4);
	}
}

static void test_toml_leaves_values_outside_the_subset_to_the_caller(void **state)
{
	static const char *const values[] = {"1.5",  "1e9",        "-2.0E-3",  "inf",
					     "-nan", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z",
					     "0o17", "0b1010"};
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		format_text(line, sizeof(line), "a = %s # comment", values[i]);
		assert_int_equal(toml_find(parse_good(line), "a")->kind, TOML_UNSUPPORTED);
	}
}

static void test_toml_reads_strings(void **state)
{
	const struct toml_node *root;

	(void)state;
	root = parse_good("a = \"x\\t\\\"\\\\\\u00e9\\U0001F600\"\nb = 'c:\\d # no'\nc = \"\"\nd = \"é # no\" # yes\n");
	assert_string_equal(toml_find(root, "a")->text, "x\t\"\\\xc3\xa9\xf0\x9f\x98\x80");
	assert_string_equal(toml_find(root, "b")->text, "c:\\d # no");
	assert_string_equal(toml_find(root, "c")->text, "");
	assert_string_equal(toml_find(root, "d")->text, "é # no");
}

static void test_toml_reads_booleans(void **state)
{
	const struct toml_node *root = parse_good("a = true\nb = false");

	(void)state;
	assert_int_equal(toml_find(root, "a")->kind, TOML_BOOLEAN);
	assert_int_equal(toml_find(root, "a")->integer, 1);
	assert_int_equal(toml_find(root, "b")->integer, 0);
}

static void test_toml_reads_arrays_and_inline_tables(void **state)
{
	const struct toml_node *root;
	const struct toml_node *array;
	const struct toml_node *table;

	(void)state;
	root = parse_good("a = [ 1, # one\n  [2, 'x'], \n { b.c = 3, \"d e\" = [] },\n]\nz = {}");
	array = toml_find(root, "a");
	assert_int_equal(array->kind, TOML_ARRAY);
	assert_int_equal(array->first->integer, 1);
	assert_int_equal(array->first->next->line, 2);
	assert_string_equal(array->first->next->last->text, "x");
	table = array->last;
	assert_int_equal(table->kind, TOML_TABLE);
	assert_int_equal(table->line, 3);
	assert_int_equal(toml_find(toml_find(table, "b"), "c")->integer, 3);
	assert_null(toml_find(table, "d e")->first);
	assert_int_equal(toml_find(root, "z")->kind, TOML_TABLE);
}

static void test_toml_reads_headers(void **state)
{
	const struct toml_node *root;
	const struct toml_node *vm;

	(void)state;
	root = parse_good("\xef\xbb\xbftop=1\r\n[host] # c\r\nx.y = 1\r\nx.z = 2\r\n[[vm]]\r\nname='a'\r\n"
			  "[vm.net]\nq=1\n[[ vm ]]\nname='b'\n[p.q.r]\n[p]\ns=4\n");
	assert_int_equal(toml_find(root, "top")->integer, 1);
	assert_int_equal(toml_find(toml_find(toml_find(root, "host"), "x"), "z")->integer, 2);
	vm = toml_find(root, "vm");
	assert_int_equal(vm->kind, TOML_ARRAY);
	assert_int_equal(vm->first->line, 5);
	assert_int_equal(toml_find(toml_find(vm->first, "net"), "q")->integer, 1);
	assert_string_equal(toml_find(vm->last, "name")->text, "b");
	assert_int_equal(toml_find(toml_find(root, "p"), "s")->integer, 4);
}

static void test_toml_keeps_place_of_nodes(void **state)
{
	const struct toml_node *root = parse_good("\n  a = 1\n [b]\n c = [\n  2]");

	(void)state;
	assert_int_equal(toml_find(root, "a")->line, 2);
	assert_int_equal(toml_find(root, "a")->column, 3);
	assert_int_equal(toml_find(root, "b")->line, 3);
	assert_int_equal(toml_find(root, "b")->column, 2);
	assert_int_equal(toml_find(toml_find(root, "b"), "c")->first->line, 5);
	assert_int_equal(toml_find(toml_find(root, "b"), "c")->first->column, 3);
}

static void test_toml_accepts_empty_files(void **state)
{
	(void)state;
	assert_null(parse_good("")->first);
	assert_null(parse_good("# only a comment")->first);
	assert_null(parse_good(" \t\r\n\n")->first);
}

static void test_toml_marks_keys_set_twice(void **state)
{
	const struct toml_node *root = parse_good("a = 1\nb = 2\na = 3\n");

	(void)state;
	assert_int_equal(toml_find(root, "a")->integer, 1);
	assert_int_equal(toml_find(root, "a")->duplicate_line, 0);
	assert_int_equal(root->last->integer, 3);
	assert_int_equal(root->last->duplicate_line, 1);
}

static void test_toml_refuses_what_is_not_a_line(void **state)
{
	(void)state;
	expect_bad("a", 1, 2, "= is missing");
	expect_bad("a 1", 1, 3, "= is missing");
	expect_bad("\n= 1", 2, 1, "a key is missing");
	expect_bad("a =", 1, 4, "a value is missing");
	expect_bad("a = # c\n", 1, 5, "a value is missing");
	expect_bad("a = 1 b = 2", 1, 7, "should end here");
	expect_bad("a = \"x\" y", 1, 9, "should end here");
	expect_bad("[a", 1, 3, "not closed");
	expect_bad("[[a]", 1, 5, "not closed");
	expect_bad("[]", 1, 2, "a key is missing");
	expect_bad("[a] b = 1", 1, 5, "should end here");
	expect_bad("a..b = 1", 1, 3, "a key is missing");
}

static void test_toml_refuses_bad_values(void **state)
{
	(void)state;
	expect_bad("a = 512M", 1, 5, "put it in \"quotes\"");
	expect_bad("a = linux/vmlinuz", 1, 5, "put it in \"quotes\"");
	expect_bad("a = True", 1, 5, "true or false");
	expect_bad("a = 007", 1, 5, "no number");
	expect_bad("a = 1__0", 1, 5, "no number");
	expect_bad("a = _1", 1, 5, "no number");
	expect_bad("a = 1_", 1, 5, "no number");
	expect_bad("a = 0x", 1, 5, "no number");
	expect_bad("a = +0x1", 1, 5, "no number");
	expect_bad("a = [1, 2", 1, 10, ", or the closing ]");
	expect_bad("a = [1,", 1, 8, "line 1 is not closed");
	expect_bad("a = [1 2]", 1, 8, ", or the closing ]");
	expect_bad("a = {b = 1", 1, 11, ", or the closing }");
	expect_bad("a = {b = 1,}", 1, 12, "a key is missing");
	expect_bad("a = {b = 1\n}", 1, 11, "stays on one line");
}

static void test_toml_refuses_bad_strings(void **state)
{
	(void)state;
	expect_bad("a = \"x", 1, 7, "not closed");
	expect_bad("a = \"x\nb = 1", 1, 7, "not closed");
	expect_bad("a = 'x\r\n'", 1, 7, "not closed");
	expect_bad("a = \"\"\"x\"\"\"", 1, 6, "several lines");
	expect_bad("a = '''x'''", 1, 6, "several lines");
	expect_bad("a = \"\\q\"", 1, 7, "unknown escape");
	expect_bad("a = \"\\", 1, 7, "unknown escape");
	expect_bad("a = \"\\u12\"", 1, 10, "hexadecimal");
	expect_bad("a = \"\\u0000\"", 1, 12, "no character");
	expect_bad("a = \"\\ud800\"", 1, 12, "no character");
	expect_bad("a = \"\\U00110000\"", 1, 16, "no character");
}

static void test_toml_refuses_bytes_that_are_no_text(void **state)
{
	(void)state;
	expect_bad("\n a\x01", 2, 3, "byte 0x01 is not text");
	expect_bad("#\x80", 1, 2, "byte 0x80");
	expect_bad("#\xc0\x80", 1, 2, "byte 0xc0");
	expect_bad("#\xe0\x80\x80", 1, 2, "byte 0xe0");
	expect_bad("#\xed\xa0\x80", 1, 2, "byte 0xed");
	expect_bad("#\xf4\x90\x80\x80", 1, 2, "byte 0xf4");
	expect_bad("#\xf5\x80\x80\x80", 1, 2, "byte 0xf5");
	expect_bad("#\xe2\x82", 1, 2, "byte 0xe2");
	expect_bad("a = 1\r", 1, 6, "byte 0x0d");
	expect_bad("#\x7f", 1, 2, "byte 0x7f");
}

static void test_toml_refuses_tables_that_clash(void **state)
{
	(void)state;
	expect_bad("[a]\n[b]\n[a]", 3, 1, "\"a\" is already set on line 1");
	expect_bad("a = 1\n[a]", 2, 1, "already set");
	expect_bad("a = 1\n[a.b]", 2, 1, "already set");
	expect_bad("a = {}\n[a.b]", 2, 1, "already set");
	expect_bad("a = []\n[[a]]", 2, 1, "already set");
	expect_bad("[a]\n[[a]]", 2, 1, "already set");
	expect_bad("[[a]]\n[a]", 2, 1, "already set");
	expect_bad("a = 1\na.b = 2", 2, 1, "already set");
	expect_bad("a = {b = 1}\na.c = 2", 2, 1, "already set");
	expect_bad("[a.b]\n[a]\nb.c = 1", 3, 1, "already set");
}

static void test_toml_bounds_depth(void **state)
{
	(void)state;
	parse_good("a = [[[[[[[[1]]]]]]]]");
	expect_bad("a = [[[[[[[[[1]]]]]]]]]", 1, 13, "inside one another");
	expect_bad("a = [{b=[{b=[{b=[{b=[]}]}]}]}]", 1, 21, "inside one another");
	parse_good("a.b.c.d.e.f.g.h = 1");
	expect_bad("a.b.c.d.e.f.g.h.i = 1", 1, 17, "more than 8 parts");
}

static void test_toml_reports_full_arena(void **state)
{
	const struct toml_node *root = NULL;
	char text[2 * TEXT_BYTES];
	size_t used;

	(void)state;
	memcpy(text, "a = [", 5);
	memset(text + 5, '1', sizeof(text) - 5);
	for (size_t i = 6; i < sizeof(text); i += 2)
		text[i] = ',';
	assert_int_equal(toml_parse(&arena, text, sizeof(text), &root, &error), ERR_NO_SPACE);
	assert_non_null(strstr(error.message, "more than 64 values"));
	used = format_text(text, sizeof(text), "a = '");
	memset(text + used, 'x', sizeof(text) - used);
	assert_int_equal(toml_parse(&arena, text, sizeof(text), &root, &error), ERR_NO_SPACE);
	assert_non_null(strstr(error.message, "more text"));
	memset(text, 'x', sizeof(text));
	assert_int_equal(toml_parse(&arena, text, sizeof(text), &root, &error), ERR_NO_SPACE);
	assert_null(root);
}

static void test_toml_fills_arena_text_to_the_last_byte(void **state)
{
	const struct toml_node *root = NULL;
	char small[8];
	struct toml_arena tight = {.nodes = nodes, .node_max = NODES, .text = small, .text_max = sizeof(small)};

	(void)state;
	assert_int_equal(toml_parse(&tight, "abcdefg = [", 11, &root, &error), ERR_BAD_FORMAT);
	assert_int_equal(toml_parse(&tight, "abcdefgh = [", 12, &root, &error), ERR_NO_SPACE);
	assert_int_equal(toml_parse(&tight, "a = 'bcdefghi'", 14, &root, &error), ERR_NO_SPACE);
	assert_int_equal(toml_parse(&tight, "a = ''", 6, &root, &error), OK);
}

static void test_toml_refuses_large_files(void **state)
{
	const struct toml_node *root = NULL;
	char *text = test_malloc(TOML_FILE_BYTES_MAX);

	(void)state;
	memset(text, ' ', TOML_FILE_BYTES_MAX);
	assert_int_equal(toml_parse(&arena, text, TOML_FILE_BYTES_MAX, &root, &error), OK);
	test_free(text);
	assert_int_equal(toml_parse(&arena, texts, TOML_FILE_BYTES_MAX + 1, &root, &error), ERR_OUT_OF_RANGE);
	assert_non_null(strstr(error.message, "1 MiB"));
}

static void test_toml_gives_one_error_for_random_bytes(void **state)
{
	const struct toml_node *root = NULL;
	unsigned char *bytes = test_malloc(TOML_FILE_BYTES_MAX);
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < TOML_FILE_BYTES_MAX; i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(random >> 24);
	}
	assert_int_equal(toml_parse(&arena, (const char *)bytes, TOML_FILE_BYTES_MAX, &root, &error), ERR_BAD_FORMAT);
	assert_non_null(strstr(error.message, "UTF-8"));
	test_free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_toml_reads_integers),
		cmocka_unit_test(test_toml_marks_integers_that_overflow),
		cmocka_unit_test(test_toml_leaves_values_outside_the_subset_to_the_caller),
		cmocka_unit_test(test_toml_reads_strings),
		cmocka_unit_test(test_toml_reads_booleans),
		cmocka_unit_test(test_toml_reads_arrays_and_inline_tables),
		cmocka_unit_test(test_toml_reads_headers),
		cmocka_unit_test(test_toml_keeps_place_of_nodes),
		cmocka_unit_test(test_toml_accepts_empty_files),
		cmocka_unit_test(test_toml_marks_keys_set_twice),
		cmocka_unit_test(test_toml_refuses_what_is_not_a_line),
		cmocka_unit_test(test_toml_refuses_bad_values),
		cmocka_unit_test(test_toml_refuses_bad_strings),
		cmocka_unit_test(test_toml_refuses_bytes_that_are_no_text),
		cmocka_unit_test(test_toml_refuses_tables_that_clash),
		cmocka_unit_test(test_toml_bounds_depth),
		cmocka_unit_test(test_toml_reports_full_arena),
		cmocka_unit_test(test_toml_fills_arena_text_to_the_last_byte),
		cmocka_unit_test(test_toml_refuses_large_files),
		cmocka_unit_test(test_toml_gives_one_error_for_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
