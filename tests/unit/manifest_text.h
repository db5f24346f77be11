/* bulkhead.toml read from a text, and the messages that it gives: for the unit tests of lib/manifest. */
#pragma once
#include "lib/manifest/manifest.h"
#include "tests/unit/unit.h"

static struct manifest manifest;
static struct manifest_workspace workspace;

static inline void read_text(const char *text)
{
	manifest_read(&manifest, &workspace, MANIFEST_FILE_NAME, text, strlen(text));
}

static inline void expect_message(uint32_t index, const char *expected)
{
	char line[MANIFEST_LINE_BYTES];

	if (index >= manifest.message_count)
		fail_msg("no message %u, expected \"%s\"", index, expected);
	manifest_message_format(&manifest, &manifest.messages[index], line, sizeof(line));
	assert_string_equal(line, expected);
}

static inline void print_messages(void)
{
	char line[MANIFEST_LINE_BYTES];

	for (uint32_t i = 0; i < manifest.message_count; i++) {
		manifest_message_format(&manifest, &manifest.messages[i], line, sizeof(line));
		print_message("%s\n", line);
	}
}

/* What was read gave just that message. */
static inline void expect_one_message(const char *expected)
{
	if (manifest.message_count != 1)
		print_messages();
	assert_int_equal(manifest.message_count, 1);
	expect_message(0, expected);
}

/* The file gives just that message. */
static inline void expect_only(const char *text, const char *expected)
{
	read_text(text);
	expect_one_message(expected);
}
