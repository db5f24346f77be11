/* The pages for users say all that the code knows: keys and features in docs/manifest.md, codes in docs/errors.md.
 * The examples of docs/manifest.md are read too. Run from the repository's root. */
#include <stdio.h>

#include "lib/base/format.h"
#include "lib/manifest/keys.h"
#include "tests/unit/unit.h"

static char page[256 * 1024];

static void load(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	if (file == NULL)
		fail_msg("%s cannot be opened; run the test from the repository's root", path);
	size = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	assert_true(size > 0 && size < sizeof(page) - 1);
	page[size] = '\0';
}

static void expect_in_page(const char *text)
{
	if (strstr(page, text) == NULL)
		fail_msg("the page has no \"%s\"", text);
}

/* Each key has a row of its own in its table's part of the page: "| `memory` |". Keys that are tables have rows in the same part:
 * "| `reserve.budget` |". */
static void expect_rows(const struct manifest_section *section, const char *prefix, const char *start, const char *end)
{
	char text[96];

	for (uint32_t k = 0; k < section->key_count; k++) {
		const struct manifest_key *key = &section->keys[k];
		const char *row;

		format_text(text, sizeof(text), "\n| `%s%s` |", prefix, key->name);
		row = strstr(start, text);
		if (row == NULL || (end != NULL && row > end))
			fail_msg("docs/manifest.md has no row for %s%s", prefix, key->name);
		format_text(text, sizeof(text), "%s.", key->name);
		if (key->section != NULL)
			expect_rows(key->section, text, start, end);
	}
}

static void test_manifest_docs_explain_every_key(void **state)
{
	char text[96];

	(void)state;
	load("docs/manifest.md");
	for (uint32_t i = 0; i < manifest_section_count; i++) {
		const char *start;

		format_text(text, sizeof(text), "\n## `%s`", manifest_sections[i].header);
		expect_in_page(text);
		start = strstr(page, text) + 1;
		expect_rows(&manifest_sections[i], "", start, strstr(start, "\n## "));
	}
}

static void test_manifest_docs_explain_every_feature(void **state)
{
	static const char *const names[] = {
#define NAME(symbol, name) "\n| `" name "` |",
		FEATURES(NAME)
#undef NAME
	};

	(void)state;
	load("docs/manifest.md");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_in_page(names[i]);
}

static void test_manifest_docs_list_every_error_code(void **state)
{
	static const char *const codes[] = {
#define CODE(code, meaning) "\n## " #code " ",
		ERROR_CODES(CODE)
#undef CODE
	};

	(void)state;
	load("docs/errors.md");
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		expect_in_page(codes[i]);
}

/* Reads the TOML block that starts behind *at; false when there is none left. */
static bool read_example(const char **at, struct manifest *manifest)
{
	static struct manifest_workspace workspace;
	const char *start = strstr(*at, "```toml\n");
	const char *end;

	if (start == NULL)
		return false;
	start += strlen("```toml\n");
	end = strstr(start, "```");
	assert_non_null(end);
	manifest_read(manifest, &workspace, "docs/manifest.md", start, (size_t)(end - start));
	*at = end + 3;
	return true;
}

static void test_manifest_docs_have_examples_without_errors(void **state)
{
	static struct manifest manifest;
	const char *at = page;
	unsigned count = 0;

	(void)state;
	load("docs/manifest.md");
	for (; read_example(&at, &manifest); count++) {
		for (uint32_t i = 0; i < manifest.message_count; i++)
			print_message("example %u line %u: %s\n", count + 1, manifest.messages[i].line,
				      manifest.messages[i].text);
		assert_int_equal(manifest.error_count, 0);
	}
	assert_true(count >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_docs_explain_every_key),
		cmocka_unit_test(test_manifest_docs_explain_every_feature),
		cmocka_unit_test(test_manifest_docs_list_every_error_code),
		cmocka_unit_test(test_manifest_docs_have_examples_without_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
