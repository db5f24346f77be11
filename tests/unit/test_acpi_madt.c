/* MADT: CPUs, IOAPICs, overrides, NMIs, and what real firmware gets wrong. */
#include "lib/acpi/madt.h"
#include "tests/unit/unit.h"

#include "tests/unit/acpi_memory.h"

static struct acpi_test_memory memory;
static struct acpi_madt madt;
static struct acpi_cpu cpus[4];

/* Parses a MADT of these entries after local APIC address FEE00000h and flags 1, from a heap copy. */
static enum status parse(uint8_t revision, const uint8_t *entries, size_t entries_bytes)
{
	uint8_t body[256] = {0, 0, 0xe0, 0xfe, 1, 0, 0, 0};
	const uint8_t *table;
	const void *copy;

	assert_true(entries_bytes <= sizeof(body) - 8);
	acpi_test_memory_free(&memory);
	acpi_test_memory_init(&memory);
	memcpy(body + 8, entries, entries_bytes);
	table = acpi_test_table(&memory, "APIC", revision, body, 8 + entries_bytes);
	copy = acpi_test_map(&memory, acpi_test_physical(&memory, table), 44 + entries_bytes);
	return acpi_madt_parse(copy, 44 + entries_bytes, cpus, 4, &madt);
}

static void test_acpi_madt_reads_a_plain_pc(void **state)
{
	static const uint8_t entries[] = {
		0, 8,  1, 0, 1, 0, 0, 0,                          /* CPU, UID 1, APIC id 0 */
		0, 8,  2, 2, 1, 0, 0, 0,                          /* CPU, UID 2, APIC id 2 */
		4, 6,  0xff, 5, 0, 1,                             /* LINT1 of all is an NMI */
		1, 12, 2, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,        /* IOAPIC */
		2, 10, 0, 0, 2, 0, 0, 0, 0, 0,                    /* timer: GSI 2, as the bus */
		2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0,                 /* SCI: level, high */
		3, 8,  0x0f, 0, 20, 0, 0, 0,                      /* NMI source: GSI 20, level, low */
	};

	(void)state;
	assert_int_equal(parse(3, entries, sizeof(entries)), OK);
	assert_int_equal(madt.warnings, 0);
	assert_int_equal(madt.local_apic_physical, 0xfee00000);
	assert_true(madt.has_8259);
	assert_int_equal(madt.cpu_count, 2);
	assert_int_equal(cpus[1].apic_id, 2);
	assert_int_equal(cpus[1].uid, 2);
	assert_int_equal(cpus[0].nmi_lint_mask, 2);
	assert_int_equal(madt.ioapic_count, 1);
	assert_int_equal(madt.ioapics[0].physical, 0xfec00000);
	assert_int_equal(madt.isa[0].gsi, 2);
	assert_false(madt.isa[0].level_triggered);
	assert_int_equal(madt.isa[4].gsi, 4);
	assert_false(madt.isa[4].overridden);
	assert_true(madt.isa[9].level_triggered);
	assert_int_equal(madt.global_nmi_count, 1);
	assert_true(madt.global_nmis[0].active_low);
}

static void test_acpi_madt_sci_is_level_low_unless_stated(void **state)
{
	static const uint8_t stated[] = {2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0};
	static const uint8_t as_bus[] = {2, 10, 0, 9, 20, 0, 0, 0, 0, 0};
	struct acpi_irq_route route;

	(void)state;
	assert_int_equal(parse(3, stated, sizeof(stated)), OK);
	route = acpi_madt_sci(&madt, 9);
	assert_true(route.level_triggered && !route.active_low && route.gsi == 9);
	assert_int_equal(parse(3, as_bus, sizeof(as_bus)), OK);
	route = acpi_madt_sci(&madt, 9);
	assert_true(route.level_triggered && route.active_low && route.gsi == 20);
	route = acpi_madt_sci(&madt, 23);
	assert_true(route.level_triggered && route.active_low && route.gsi == 23);
}

static void test_acpi_madt_takes_x2apic_ids_and_the_local_apic_override(void **state)
{
	static const uint8_t entries[] = {
		10, 12, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0,                    /* LINT1 of UID 300: before its CPU */
		9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0x2c, 1, 0, 0,         /* APIC id 256, UID 300 */
		9, 16, 0, 0, 0xff, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0,         /* id 255 is right here */
		9, 16, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1, 0, 0, 0, /* no id */
		5, 12, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0,
	};

	(void)state;
	assert_int_equal(parse(5, entries, sizeof(entries)), OK);
	assert_int_equal(madt.cpu_count, 2);
	assert_int_equal(cpus[0].apic_id, 256);
	assert_int_equal(cpus[0].nmi_lint_mask, 2);
	assert_int_equal(cpus[1].apic_id, 255);
	assert_int_equal(cpus[1].nmi_lint_mask, 0);
	assert_int_equal(madt.local_apic_physical, 0x1000000000ULL);
	assert_int_equal(madt.warnings, ACPI_WARN_CPU_BAD_ID);
}

static void test_acpi_madt_tells_disabled_from_online_capable_by_revision(void **state)
{
	static const uint8_t entries[] = {
		0, 8, 1, 0, 1, 0, 0, 0, 0, 8, 2, 0xff, 0, 0, 0, 0, 0, 8, 3, 3, 2, 0, 0, 0, 0, 8, 4, 0, 0, 0, 0, 0,
	};

	(void)state;
	assert_int_equal(parse(5, entries, sizeof(entries)), OK);
	assert_int_equal(madt.cpu_count, 2);
	assert_int_equal(cpus[1].state, ACPI_CPU_ONLINE_CAPABLE);
	assert_int_equal(madt.disabled_cpu_count, 2);
	assert_int_equal(parse(4, entries, sizeof(entries)), OK);
	assert_int_equal(madt.cpu_count, 1);
	assert_int_equal(madt.disabled_cpu_count, 3);
	assert_int_equal(madt.warnings, 0);
}

static void test_acpi_madt_drops_duplicates_and_overflow(void **state)
{
	static const uint8_t entries[] = {
		0, 8, 1, 0, 1, 0, 0, 0, 0, 8, 2, 0, 1, 0, 0, 0, 0, 8, 3, 0xff, 1, 0, 0, 0,
		0, 8, 1, 1, 1, 0, 0, 0, 0, 8, 2, 2, 1, 0, 0, 0, 0, 8, 3, 3, 1, 0, 0, 0, 0, 8, 4, 4, 1, 0, 0, 0,
		1, 12, 2, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0, 1, 12, 3, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0,
		2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0, 2, 10, 0, 9, 10, 0, 0, 0, 0, 0, 2, 10, 0, 16, 16, 0, 0, 0, 0, 0,
	};

	(void)state;
	assert_int_equal(parse(3, entries, sizeof(entries)), OK);
	assert_int_equal(madt.cpu_count, 4);
	assert_int_equal(cpus[3].apic_id, 3);
	assert_int_equal(madt.ioapic_count, 1);
	assert_int_equal(madt.isa[9].gsi, 9);
	assert_int_equal(madt.warnings, ACPI_WARN_CPU_DUPLICATE | ACPI_WARN_CPU_BAD_ID | ACPI_WARN_CPUS_DROPPED |
						ACPI_WARN_IOAPIC_DUPLICATE | ACPI_WARN_OVERRIDE_ODD);
}

static void test_acpi_madt_survives_broken_entries(void **state)
{
	static const uint8_t zero_length[] = {0, 8, 1, 0, 1, 0, 0, 0, 0, 0, 0, 8, 2, 2, 1, 0, 0, 0};
	static const uint8_t short_entry[] = {0, 4, 1, 0, 0, 8, 2, 2, 1, 0, 0, 0};
	static const uint8_t past_end[] = {0, 8, 2, 2, 1, 0, 0, 0, 1, 12, 0};
	static const uint8_t one_byte[] = {0, 8, 2, 2, 1, 0, 0, 0, 1};
	static const uint8_t unknown[] = {0x7f, 3, 0, 0xff, 2, 0, 8, 2, 2, 1, 0, 0, 0};

	(void)state;
	assert_int_equal(parse(3, zero_length, sizeof(zero_length)), OK);
	assert_int_equal(madt.cpu_count, 1);
	assert_int_equal(madt.warnings, ACPI_WARN_ENTRY_LENGTH);
	assert_int_equal(parse(3, short_entry, sizeof(short_entry)), OK);
	assert_int_equal(madt.cpu_count, 1);
	assert_int_equal(madt.warnings, ACPI_WARN_ENTRY_LENGTH);
	assert_int_equal(parse(3, past_end, sizeof(past_end)), OK);
	assert_int_equal(madt.cpu_count, 1);
	assert_int_equal(parse(3, one_byte, sizeof(one_byte)), OK);
	assert_int_equal(madt.warnings, ACPI_WARN_ENTRY_LENGTH);
	assert_int_equal(parse(3, unknown, sizeof(unknown)), OK);
	assert_int_equal(madt.cpu_count, 1);
	assert_int_equal(madt.warnings, 0);
}

static void test_acpi_madt_refuses_what_is_none(void **state)
{
	static const uint8_t no_entries[1];
	const void *copy;

	(void)state;
	assert_int_equal(parse(3, no_entries, 0), OK);
	assert_int_equal(madt.cpu_count, 0);
	copy = acpi_test_map(&memory, ACPI_TEST_PHYSICAL, 43);
	assert_int_equal(acpi_madt_parse(copy, 43, cpus, 4, &madt), ERR_TRUNCATED);
	memory.bytes[0] = 'B';
	copy = acpi_test_map(&memory, ACPI_TEST_PHYSICAL, 44);
	assert_int_equal(acpi_madt_parse(copy, 44, cpus, 4, &madt), ERR_BAD_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acpi_madt_reads_a_plain_pc),
		cmocka_unit_test(test_acpi_madt_sci_is_level_low_unless_stated),
		cmocka_unit_test(test_acpi_madt_takes_x2apic_ids_and_the_local_apic_override),
		cmocka_unit_test(test_acpi_madt_tells_disabled_from_online_capable_by_revision),
		cmocka_unit_test(test_acpi_madt_drops_duplicates_and_overflow),
		cmocka_unit_test(test_acpi_madt_survives_broken_entries),
		cmocka_unit_test(test_acpi_madt_refuses_what_is_none),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	acpi_test_memory_free(&memory);
	return failed;
}
