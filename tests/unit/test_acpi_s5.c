/* \_S5_ by pattern: every encoding of package lengths and integers, false matches, and the search over tables. */
#include "lib/acpi/s5.h"
#include "tests/unit/unit.h"

#include "tests/unit/acpi_memory.h"

static struct acpi_test_memory memory;

static enum status search(const char *aml, size_t aml_bytes, struct acpi_s5 *s5)
{
	const uint8_t *table;
	const void *copy;

	acpi_test_memory_free(&memory);
	acpi_test_memory_init(&memory);
	table = acpi_test_table(&memory, "DSDT", 2, aml, aml_bytes);
	copy = acpi_test_map(&memory, acpi_test_physical(&memory, table), ACPI_HEADER_BYTES + aml_bytes);
	return acpi_s5_search(copy, ACPI_HEADER_BYTES + aml_bytes, s5);
}

#define SEARCH(aml, s5) search(aml, sizeof(aml) - 1, s5)

static void expect(enum status status, const struct acpi_s5 *s5, unsigned a, unsigned b, uint32_t warnings)
{
	assert_int_equal(status, OK);
	assert_int_equal(s5->sleep_type_a, a);
	assert_int_equal(s5->sleep_type_b, b);
	assert_int_equal(s5->warnings, warnings);
}

static void test_acpi_s5_reads_every_encoding(void **state)
{
	struct acpi_s5 s5;

	(void)state;
	expect(SEARCH("\x08_S5_\x12\x08\x04\x0a\x07\x0a\x06\x00\x00", &s5), &s5, 7, 6, 0);
	expect(SEARCH("\x08\\_S5_\x12\x06\x04\x00\x00\x00\x00", &s5), &s5, 0, 0, 0);
	expect(SEARCH("\x08^^_S5_\x12\x06\x04\x01\x01\x00\x00", &s5), &s5, 1, 1, 0);
	expect(SEARCH("\x08_S5_\x12\x07\x02\x0b\x05\x00\x01\x00", &s5), &s5, 5, 1, 0);
	expect(SEARCH("\x08_S5_\x12\x0c\x02\x0c\x05\x00\x00\x00\x0c\x04\x00\x00\x00", &s5), &s5, 5, 4, 0);
	expect(SEARCH("\x08_S5_\x12\x0c\x02\x0e\x05\x00\x00\x00\x00\x00\x00\x00\x00", &s5), &s5, 5, 0, 0);
	/* Lengths in 2, 3 and 4 bytes. */
	expect(SEARCH("\x08_S5_\x12\x45\x00\x02\x01\x00", &s5), &s5, 1, 0, 0);
	expect(SEARCH("\x08_S5_\x12\x86\x00\x00\x02\x01\x00", &s5), &s5, 1, 0, 0);
	expect(SEARCH("\x08_S5_\x12\xc7\x00\x00\x00\x02\x01\x00", &s5), &s5, 1, 0, 0);
	/* One element holds both. */
	expect(SEARCH("\x08_S5_\x12\x05\x01\x0b\x05\x07", &s5), &s5, 5, 7, 0);
}

static void test_acpi_s5_passes_over_false_matches(void **state)
{
	static const char after_false[] = "\x0d_S5_\0"                          /* a string */
					  "A_S5_\x12\x06\x04\x00\x00\x00\x00"   /* no NameOp */
					  "\x08_S5_\x12\x3f\x04\x00\x00"        /* length beyond the table */
					  "\x08_S5_\x12\x06\x04\x0a\x09\x00\x00" /* 9 is no SLP_TYP */
					  "\x08_S5_\x11\x06\x04\x00\x00\x00\x00" /* a buffer */
					  "\x08_S5_\x12\x02\x00"                 /* no elements */
					  "\x08_S5_\x12\x02\x02\x05\x05"         /* elements beyond its length */
					  "\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00";
	struct acpi_s5 s5;

	(void)state;
	expect(SEARCH(after_false, &s5), &s5, 5, 0, 0);
	assert_int_equal(search(after_false, sizeof(after_false) - 14, &s5), ERR_NOT_FOUND);
	assert_int_equal(search("", 0, &s5), ERR_NOT_FOUND);
}

static void test_acpi_s5_is_bounded_by_the_table(void **state)
{
	static const char aml[] = "\x08_S5_\x12\x08\x04\x0a\x07\x0a\x06\x00\x00";
	struct acpi_s5 s5;

	(void)state;
	for (size_t length = 0; length < sizeof(aml) - 1; length++)
		assert_int_equal(search(aml, length, &s5), ERR_NOT_FOUND);
}

static void test_acpi_s5_warns_when_objects_differ(void **state)
{
	struct acpi_s5 s5;

	(void)state;
	expect(SEARCH("\x08_S5_\x12\x04\x02\x01\x01\x08_S5_\x12\x04\x02\x00\x00", &s5), &s5, 1, 1,
	       ACPI_WARN_S5_AMBIGUOUS);
	expect(SEARCH("\x08_S5_\x12\x04\x02\x01\x01\x08_S5_\x12\x04\x02\x01\x01", &s5), &s5, 1, 1, 0);
}

static void test_acpi_s5_find_goes_on_to_ssdts(void **state)
{
	uint8_t body[16];
	struct acpi_root root = {.entry_bytes = 8, .entry_count = 2};
	const uint8_t *dsdt, *first, *second, *xsdt;
	struct acpi_s5 s5;

	(void)state;
	acpi_test_memory_free(&memory);
	acpi_test_memory_init(&memory);
	dsdt = acpi_test_table(&memory, "DSDT", 2, "nothing", 7);
	first = acpi_test_table(&memory, "SSDT", 2, "nothing", 7);
	second = acpi_test_table(&memory, "SSDT", 2, "\x08_S5_\x12\x05\x02\x0a\x05\x01", 11);
	acpi_store64(body, acpi_test_physical(&memory, first));
	acpi_store64(body + 8, acpi_test_physical(&memory, second));
	xsdt = acpi_test_table(&memory, "XSDT", 1, body, 16);
	root.physical = acpi_test_physical(&memory, xsdt);
	assert_int_equal(acpi_s5_find(&memory.access, &root, acpi_test_physical(&memory, dsdt), &s5), OK);
	assert_int_equal(s5.sleep_type_a, 5);
	assert_int_equal(acpi_s5_find(&memory.access, &root, 0, &s5), OK);
	root.entry_count = 1;
	assert_int_equal(acpi_s5_find(&memory.access, &root, 0, &s5), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acpi_s5_reads_every_encoding),
		cmocka_unit_test(test_acpi_s5_passes_over_false_matches),
		cmocka_unit_test(test_acpi_s5_is_bounded_by_the_table),
		cmocka_unit_test(test_acpi_s5_warns_when_objects_differ),
		cmocka_unit_test(test_acpi_s5_find_goes_on_to_ssdts),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	acpi_test_memory_free(&memory);
	return failed;
}
