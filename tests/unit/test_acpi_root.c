/* RSDP, XSDT, RSDT and the table header. */
#include "tests/unit/unit.h"

#include "tests/unit/acpi_memory.h"

static struct acpi_test_memory memory;

static void put_rsdp(uint8_t *rsdp, uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
	memset(rsdp, 0, 36);
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = revision;
	acpi_store32(rsdp + 16, rsdt);
	rsdp[8] = (uint8_t)(0U - acpi_sum(rsdp, 20));
	if (revision < 2)
		return;
	acpi_store32(rsdp + 20, 36);
	acpi_store64(rsdp + 24, xsdt);
	rsdp[8] = 0;
	rsdp[8] = (uint8_t)(0U - acpi_sum(rsdp, 20));
	rsdp[32] = (uint8_t)(0U - acpi_sum(rsdp, 36));
}

/* An RSDP at the start of the span; RSDT and XSDT list two tables (SSDT, APIC) and one address that cannot be
 * mapped. */
struct roots {
	uint8_t *rsdp, *rsdt, *xsdt;
};

static struct roots make_roots(void)
{
	struct roots roots;
	uint8_t body[24] = {0};
	uint64_t first, second;

	acpi_test_memory_free(&memory);
	acpi_test_memory_init(&memory);
	roots.rsdp = acpi_builder_reserve(&memory.builder, 36, 16);
	first = acpi_test_physical(&memory, acpi_test_table(&memory, "SSDT", 2, "abc", 3));
	second = acpi_test_physical(&memory, acpi_test_table(&memory, "APIC", 2, "defghijk", 8));
	acpi_store64(body, first);
	acpi_store64(body + 8, 0xdead0000);
	acpi_store64(body + 16, second);
	roots.xsdt = acpi_test_table(&memory, "XSDT", 1, body, 24);
	acpi_store32(body, (uint32_t)second);
	acpi_store32(body + 4, (uint32_t)first);
	roots.rsdt = acpi_test_table(&memory, "RSDT", 1, body, 8);
	put_rsdp(roots.rsdp, 2, (uint32_t)acpi_test_physical(&memory, roots.rsdt),
		 acpi_test_physical(&memory, roots.xsdt));
	return roots;
}

static void test_acpi_rsdp_accepts_both_revisions(void **state)
{
	uint8_t bytes[36];
	struct acpi_rsdp rsdp;

	(void)state;
	put_rsdp(bytes, 0, 0x1000, 0);
	assert_int_equal(acpi_rsdp_parse(bytes, 20, &rsdp), OK);
	assert_int_equal(rsdp.rsdt_physical, 0x1000);
	assert_int_equal(rsdp.xsdt_physical, 0);
	put_rsdp(bytes, 2, 0x1000, 0x123456789000);
	assert_int_equal(acpi_rsdp_parse(bytes, 36, &rsdp), OK);
	assert_int_equal(rsdp.xsdt_physical, 0x123456789000);
	assert_int_equal(acpi_rsdp_parse(bytes, 19, &rsdp), ERR_TRUNCATED);
}

static void test_acpi_rsdp_doubts_the_extended_part_alone(void **state)
{
	uint8_t bytes[36];
	struct acpi_rsdp rsdp;

	(void)state;
	put_rsdp(bytes, 2, 0x1000, 0x2000);
	bytes[24] ^= 1;
	assert_int_equal(acpi_rsdp_parse(bytes, 36, &rsdp), OK);
	assert_int_equal(rsdp.xsdt_physical, 0);
	put_rsdp(bytes, 2, 0x1000, 0x2000);
	assert_int_equal(acpi_rsdp_parse(bytes, 35, &rsdp), OK);
	assert_int_equal(rsdp.xsdt_physical, 0);
	put_rsdp(bytes, 2, 0, 0x2000);
	bytes[33] ^= 1;
	assert_int_equal(acpi_rsdp_parse(bytes, 36, &rsdp), ERR_BAD_FORMAT);
	put_rsdp(bytes, 2, 0x1000, 0x2000);
	bytes[16] ^= 1;
	assert_int_equal(acpi_rsdp_parse(bytes, 36, &rsdp), ERR_BAD_FORMAT);
}

static void test_acpi_rsdp_search_looks_at_16_byte_boundaries(void **state)
{
	uint8_t *span = calloc(1, 256 + 20);
	size_t offset = 0;

	(void)state;
	assert_int_equal(acpi_rsdp_search(span, 276, &offset), ERR_NOT_FOUND);
	put_rsdp(span + 8, 0, 0x3000, 0);
	assert_int_equal(acpi_rsdp_search(span, 276, &offset), ERR_NOT_FOUND);
	put_rsdp(span + 240, 0, 0x1000, 0);
	assert_int_equal(acpi_rsdp_search(span, 276, &offset), OK);
	assert_int_equal(offset, 240);
	assert_int_equal(acpi_rsdp_search(span, 259, &offset), ERR_NOT_FOUND);
	free(span);
}

static void test_acpi_root_prefers_xsdt_and_skips_what_cannot_be_mapped(void **state)
{
	struct acpi_root root;
	struct acpi_table table;

	(void)state;
	make_roots();
	assert_int_equal(acpi_root_open(&memory.access, ACPI_TEST_PHYSICAL, &root), OK);
	assert_int_equal(root.entry_bytes, 8);
	assert_int_equal(root.entry_count, 3);
	assert_int_equal(root.warnings, 0);
	assert_int_equal(acpi_root_find(&memory.access, &root, "APIC", 0, &table), OK);
	assert_int_equal(table.length_bytes, ACPI_HEADER_BYTES + 8);
	assert_memory_equal(table.bytes + ACPI_HEADER_BYTES, "defghijk", 8);
	assert_int_equal(acpi_root_find(&memory.access, &root, "APIC", 1, &table), ERR_NOT_FOUND);
	assert_int_equal(acpi_root_find(&memory.access, &root, "HPET", 0, &table), ERR_NOT_FOUND);
}

static void test_acpi_root_falls_back_to_rsdt(void **state)
{
	struct roots roots = make_roots();
	struct acpi_root root;
	struct acpi_table table;

	(void)state;
	roots.xsdt[0] = 'Y';
	assert_int_equal(acpi_root_open(&memory.access, ACPI_TEST_PHYSICAL, &root), OK);
	assert_int_equal(root.entry_bytes, 4);
	assert_int_equal(root.warnings, ACPI_WARN_XSDT_UNUSABLE);
	assert_int_equal(acpi_root_find(&memory.access, &root, "SSDT", 0, &table), OK);
	roots.rsdt[0] = 'Y';
	assert_int_equal(acpi_root_open(&memory.access, ACPI_TEST_PHYSICAL, &root), ERR_BAD_FORMAT);
	assert_int_equal(acpi_root_open(&memory.access, 0x1000, &root), ERR_FAULT);
}

static void test_acpi_root_entry_checks_its_index(void **state)
{
	struct acpi_root root;
	uint64_t physical = 0;

	(void)state;
	make_roots();
	assert_int_equal(acpi_root_open(&memory.access, ACPI_TEST_PHYSICAL, &root), OK);
	assert_int_equal(acpi_root_entry(&memory.access, &root, 1, &physical), OK);
	assert_int_equal(physical, 0xdead0000);
	assert_int_equal(acpi_root_entry(&memory.access, &root, 3, &physical), ERR_OUT_OF_RANGE);
}

static void test_acpi_table_at_bounds_the_length(void **state)
{
	uint8_t *at;
	struct acpi_table table;
	uint64_t physical;

	(void)state;
	make_roots();
	at = acpi_test_table(&memory, "TEST", 1, "x", 1);
	physical = acpi_test_physical(&memory, at);
	assert_int_equal(acpi_table_at(&memory.access, physical, "TEST", &table), OK);
	assert_int_equal(acpi_table_at(&memory.access, physical, "FACP", &table), ERR_BAD_FORMAT);
	acpi_store32(at + 4, 35);
	assert_int_equal(acpi_table_at(&memory.access, physical, NULL, &table), ERR_TRUNCATED);
	acpi_store32(at + 4, ACPI_TABLE_MAX_BYTES + 1);
	assert_int_equal(acpi_table_at(&memory.access, physical, NULL, &table), ERR_OUT_OF_RANGE);
	acpi_store32(at + 4, ACPI_TABLE_MAX_BYTES);
	assert_int_equal(acpi_table_at(&memory.access, physical, NULL, &table), ERR_FAULT);
	assert_int_equal(acpi_table_at(&memory.access, UINT64_MAX - 16, NULL, &table), ERR_FAULT);
	assert_int_equal(acpi_table_at(&memory.access, 0, NULL, &table), ERR_FAULT);
}

static void test_acpi_table_open_warns_of_checksum_and_truncation(void **state)
{
	uint8_t *at;
	struct acpi_table table;

	(void)state;
	make_roots();
	at = acpi_test_table(&memory, "TEST", 1, "abcd", 4);
	assert_int_equal(acpi_table_open(at, 40, "TEST", 0, &table), OK);
	assert_int_equal(table.warnings, 0);
	at[39] ^= 0x40;
	assert_int_equal(acpi_table_open(at, 40, "TEST", 40, &table), OK);
	assert_int_equal(table.warnings, ACPI_WARN_CHECKSUM);
	at[39] = 0;
	assert_int_equal(acpi_table_open(at, 39, "TEST", 0, &table), OK);
	assert_int_equal(table.length_bytes, 39);
	assert_true((table.warnings & ACPI_WARN_TRUNCATED) != 0);
	assert_int_equal(acpi_table_open(at, 39, "TEST", 40, &table), ERR_TRUNCATED);
	assert_int_equal(acpi_table_open(at, 35, "TEST", 0, &table), ERR_TRUNCATED);
}

static void test_acpi_warning_text_is_total(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ACPI_WARNING_COUNT; i++)
		assert_non_null(acpi_warning_text(i));
	assert_null(acpi_warning_text(ACPI_WARNING_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acpi_rsdp_accepts_both_revisions),
		cmocka_unit_test(test_acpi_rsdp_doubts_the_extended_part_alone),
		cmocka_unit_test(test_acpi_rsdp_search_looks_at_16_byte_boundaries),
		cmocka_unit_test(test_acpi_root_prefers_xsdt_and_skips_what_cannot_be_mapped),
		cmocka_unit_test(test_acpi_root_falls_back_to_rsdt),
		cmocka_unit_test(test_acpi_root_entry_checks_its_index),
		cmocka_unit_test(test_acpi_table_at_bounds_the_length),
		cmocka_unit_test(test_acpi_table_open_warns_of_checksum_and_truncation),
		cmocka_unit_test(test_acpi_warning_text_is_total),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	acpi_test_memory_free(&memory);
	return failed;
}
