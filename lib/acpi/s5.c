/* Search for \_S5_ by pattern. A match must be a whole, well-formed object with values that fit SLP_TYP, so that
 * the same four letters in a string, a method call or data do not count.
 * Source: ACPI Specification 6.4, "AML Grammar Definition": "Name Objects Encoding", "Package Length Encoding". */
#include "lib/acpi/s5.h"

#include <stdbool.h>

#include "lib/acpi/table.h"
#include "lib/base/string.h"

enum aml_op {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE_PREFIX = 0x0a,
	AML_WORD_PREFIX = 0x0b,
	AML_DWORD_PREFIX = 0x0c,
	AML_QWORD_PREFIX = 0x0e,
	AML_PACKAGE = 0x12,
	AML_ROOT_CHAR = '\\',
	AML_PARENT_CHAR = '^',
};

#define SLP_TYP_MAX 7U
#define NAME_PREFIX_MAX 16U /* "^" repeated; a real one has none or a single root character */

/* What is left of an object: each step checks the length, reads, and moves on. */
struct reader {
	const uint8_t *at;
	size_t left;
};

static bool read_bytes(struct reader *reader, size_t count, uint64_t *value)
{
	*value = 0;
	if (count > reader->left)
		return false;
	for (size_t i = 0; i < count; i++)
		*value |= (uint64_t)reader->at[i] << (8 * i);
	reader->at += count;
	reader->left -= count;
	return true;
}

/* PkgLength: bits 7:6 of the first byte say how many bytes follow. It counts itself. Cuts the reader to the package. */
static bool enter_package(struct reader *reader)
{
	size_t left = reader->left;
	uint64_t lead, more, length;
	size_t more_count;

	if (!read_bytes(reader, 1, &lead))
		return false;
	more_count = (size_t)(lead >> 6);
	if (!read_bytes(reader, more_count, &more))
		return false;
	length = more_count == 0 ? lead : (lead & 0xf) | more << 4;
	if (length < 1 + more_count || length > left)
		return false;
	reader->left = (size_t)length - 1 - more_count;
	return true;
}

static bool read_integer(struct reader *reader, uint64_t *value)
{
	uint64_t op;

	if (!read_bytes(reader, 1, &op))
		return false;
	switch (op) {
	case AML_ZERO:
	case AML_ONE:
		*value = op;
		return true;
	case AML_BYTE_PREFIX:
		return read_bytes(reader, 1, value);
	case AML_WORD_PREFIX:
		return read_bytes(reader, 2, value);
	case AML_DWORD_PREFIX:
		return read_bytes(reader, 4, value);
	case AML_QWORD_PREFIX:
		return read_bytes(reader, 8, value);
	}
	return false;
}

/* Package {a, b, ...}; a package of one element holds b in its second byte. */
static bool read_sleep_types(struct reader *reader, struct acpi_s5 *s5)
{
	uint64_t op, count, a, b;

	if (!read_bytes(reader, 1, &op) || op != AML_PACKAGE || !enter_package(reader) ||
	    !read_bytes(reader, 1, &count) || count == 0 || !read_integer(reader, &a))
		return false;
	if (count == 1) {
		b = a >> 8;
		a &= 0xff;
	} else if (!read_integer(reader, &b)) {
		return false;
	}
	if (a > SLP_TYP_MAX || b > SLP_TYP_MAX)
		return false;
	*s5 = (struct acpi_s5){.sleep_type_a = (uint8_t)a, .sleep_type_b = (uint8_t)b};
	return true;
}

/* Whether a NameOp stands before the name segment at `at`, with nothing but root or parent characters between. */
static bool is_named(const uint8_t *aml, size_t at)
{
	for (size_t i = 0; i < NAME_PREFIX_MAX && at > 0; i++) {
		at--;
		if (aml[at] == AML_NAME)
			return true;
		if (aml[at] != AML_ROOT_CHAR && aml[at] != AML_PARENT_CHAR)
			return false;
	}
	return false;
}

enum status acpi_s5_search(const void *table, size_t span_bytes, struct acpi_s5 *out)
{
	struct acpi_table opened;
	bool found = false;
	enum status status = acpi_table_open(table, span_bytes, NULL, ACPI_HEADER_BYTES, &opened);

	if (status != OK)
		return status;
	for (size_t at = ACPI_HEADER_BYTES; at + 4 <= opened.length_bytes; at++) {
		struct reader reader = {.at = opened.bytes + at + 4, .left = opened.length_bytes - at - 4};
		struct acpi_s5 s5;

		if (opened.bytes[at] != '_' || memcmp(opened.bytes + at, "_S5_", 4) != 0 ||
		    !is_named(opened.bytes, at) || !read_sleep_types(&reader, &s5))
			continue;
		if (!found) {
			found = true;
			*out = s5;
			out->warnings = opened.warnings;
		} else if (s5.sleep_type_a != out->sleep_type_a || s5.sleep_type_b != out->sleep_type_b) {
			out->warnings |= ACPI_WARN_S5_AMBIGUOUS;
		}
	}
	return found ? OK : ERR_NOT_FOUND;
}

enum status acpi_s5_find(const struct acpi_memory *memory, const struct acpi_root *root, uint64_t dsdt_physical,
			 struct acpi_s5 *out)
{
	struct acpi_table table;

	if (acpi_table_at(memory, dsdt_physical, "DSDT", &table) == OK &&
	    acpi_s5_search(table.bytes, table.length_bytes, out) == OK)
		return OK;
	for (unsigned nth = 0; nth < root->entry_count; nth++) {
		if (acpi_root_find(memory, root, "SSDT", nth, &table) != OK)
			break;
		if (acpi_s5_search(table.bytes, table.length_bytes, out) == OK)
			return OK;
	}
	return ERR_NOT_FOUND;
}
