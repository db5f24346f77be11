/* FADT, MCFG, HPET, DMAR, SPCR, DBG2. The real tables are compared with iasl in tests/acpi; here: rules and broken
 * ones. */
#include "lib/acpi/dmar.h"
#include "lib/acpi/fadt.h"
#include "lib/acpi/hpet.h"
#include "lib/acpi/mcfg.h"
#include "lib/acpi/serial.h"
#include "tests/unit/unit.h"

#include "tests/unit/acpi_memory.h"

static struct acpi_test_memory memory;

/* A heap copy of a table of length_bytes with a right checksum, whose bytes the caller wrote at their offsets in
 * `raw`. */
static const void *finish(const char *signature, uint8_t revision, const uint8_t *raw, size_t length_bytes)
{
	const uint8_t *table;

	acpi_test_memory_free(&memory);
	acpi_test_memory_init(&memory);
	table = acpi_test_table(&memory, signature, revision, raw + ACPI_HEADER_BYTES,
				length_bytes - ACPI_HEADER_BYTES);
	return acpi_test_map(&memory, acpi_test_physical(&memory, table), length_bytes);
}

static void put_gas(uint8_t *at, uint8_t space, uint8_t bit_width, uint64_t address)
{
	at[0] = space;
	at[1] = bit_width;
	acpi_store64(at + 4, address);
}

/* A FADT with legacy PM1a event 600h, control 604h, timer 608h, DSDT 1000h. */
static void legacy_fadt(uint8_t *raw)
{
	memset(raw, 0, FADT_REV6_BYTES);
	acpi_store32(raw + FADT_PM1A_EVT_BLK, 0x600);
	acpi_store32(raw + FADT_PM1A_CNT_BLK, 0x604);
	acpi_store32(raw + FADT_PM_TMR_BLK, 0x608);
	acpi_store32(raw + FADT_DSDT, 0x1000);
	acpi_store16(raw + FADT_SCI_INT, 9);
	raw[FADT_PM1_EVT_LEN] = 4;
	raw[FADT_PM1_CNT_LEN] = 2;
	raw[FADT_PM_TMR_LEN] = 4;
}

static void test_acpi_fadt_reads_revision_1(void **state)
{
	uint8_t raw[FADT_REV6_BYTES];
	struct acpi_fadt fadt;

	(void)state;
	legacy_fadt(raw);
	acpi_store32(raw + FADT_FLAGS, FADT_FLAG_RESET_REG_SUP);
	assert_int_equal(acpi_fadt_parse(finish("FACP", 1, raw, 116), 116, &fadt), OK);
	assert_int_equal(fadt.pm1a_control.at.address, 0x604);
	assert_int_equal(fadt.pm1a_control.at.space, ACPI_GAS_PORT);
	assert_int_equal(fadt.pm1a_control.at.bit_width, 16);
	assert_int_equal(fadt.pm1b_control.length_bytes, 0);
	assert_int_equal(fadt.dsdt_physical, 0x1000);
	assert_int_equal(fadt.reset_register.address, 0);
	assert_int_equal(fadt.warnings, 0);
	assert_int_equal(acpi_fadt_parse(finish("FACP", 1, raw, 115), 115, &fadt), ERR_TRUNCATED);
}

static void test_acpi_fadt_prefers_64_bit_fields(void **state)
{
	uint8_t raw[FADT_REV6_BYTES];
	struct acpi_fadt fadt;

	(void)state;
	legacy_fadt(raw);
	put_gas(raw + FADT_X_PM1A_EVT_BLK, ACPI_GAS_PORT, 32, 0x1800);
	put_gas(raw + FADT_X_PM1A_CNT_BLK, ACPI_GAS_PORT, 16, 0x604);
	put_gas(raw + FADT_X_PM_TMR_BLK, 0x7f, 32, 0x1808);
	acpi_store64(raw + FADT_X_DSDT, 0x123400001000);
	assert_int_equal(acpi_fadt_parse(finish("FACP", 6, raw, 276), 276, &fadt), OK);
	assert_int_equal(fadt.pm1a_event.at.address, 0x1800);
	assert_int_equal(fadt.pm1a_control.at.address, 0x604);
	assert_int_equal(fadt.pm_timer.at.address, 0x608);
	assert_int_equal(fadt.dsdt_physical, 0x123400001000);
	assert_int_equal(fadt.warnings, ACPI_WARN_ADDRESS_MISMATCH | ACPI_WARN_ADDRESS_SPACE);
	/* A table that ends inside a field does not have it. */
	assert_int_equal(acpi_fadt_parse(finish("FACP", 6, raw, 159), 159, &fadt), OK);
	assert_int_equal(fadt.pm1a_event.at.address, 0x600);
}

static void test_acpi_fadt_gives_reset_only_if_supported(void **state)
{
	uint8_t raw[FADT_REV6_BYTES];
	struct acpi_fadt fadt;

	(void)state;
	legacy_fadt(raw);
	put_gas(raw + FADT_RESET_REG, ACPI_GAS_PORT, 8, 0xcf9);
	raw[FADT_RESET_VALUE] = 6;
	assert_int_equal(acpi_fadt_parse(finish("FACP", 3, raw, 244), 244, &fadt), OK);
	assert_int_equal(fadt.reset_register.address, 0);
	acpi_store32(raw + FADT_FLAGS, FADT_FLAG_RESET_REG_SUP);
	assert_int_equal(acpi_fadt_parse(finish("FACP", 3, raw, 244), 244, &fadt), OK);
	assert_int_equal(fadt.reset_register.address, 0xcf9);
	assert_int_equal(fadt.reset_value, 6);
	assert_int_equal(acpi_fadt_parse(finish("FACP", 3, raw, 128), 128, &fadt), OK);
	assert_int_equal(fadt.reset_register.address, 0);
	raw[FADT_RESET_REG + 1] = 32;
	assert_int_equal(acpi_fadt_parse(finish("FACP", 3, raw, 244), 244, &fadt), OK);
	assert_int_equal(fadt.reset_register.address, 0);
}

static void test_acpi_fadt_ignores_blocks_when_hardware_reduced(void **state)
{
	uint8_t raw[FADT_REV6_BYTES];
	struct acpi_fadt fadt;

	(void)state;
	legacy_fadt(raw);
	acpi_store32(raw + FADT_FLAGS, FADT_FLAG_HW_REDUCED);
	put_gas(raw + FADT_SLEEP_CONTROL_REG, ACPI_GAS_PORT, 8, 0x604);
	assert_int_equal(acpi_fadt_parse(finish("FACP", 5, raw, 268), 268, &fadt), OK);
	assert_int_equal(fadt.pm1a_control.length_bytes, 0);
	assert_int_equal(fadt.pm_timer.at.address, 0);
	assert_int_equal(fadt.sleep_control.address, 0x604);
}

static void test_acpi_mcfg_lists_segments(void **state)
{
	uint8_t raw[44 + 33] = {0};
	struct acpi_mcfg_segment segment;
	uint32_t warnings = 0;
	const void *table;

	(void)state;
	acpi_store64(raw + 44, 0xe0000000);
	raw[55] = 0xff;
	acpi_store64(raw + 60, 0xd0000000);
	acpi_store16(raw + 68, 1);
	raw[70] = 0x80;
	table = finish("MCFG", 1, raw, sizeof(raw));
	assert_int_equal(acpi_mcfg_segment(table, sizeof(raw), 0, &segment, &warnings), OK);
	assert_int_equal(segment.base_physical, 0xe0000000);
	assert_int_equal(segment.last_bus, 255);
	assert_int_equal(warnings, 0);
	assert_int_equal(acpi_mcfg_segment(table, sizeof(raw), 1, &segment, &warnings), OK);
	assert_int_equal(segment.segment, 1);
	assert_int_equal(warnings, ACPI_WARN_RANGE_ODD);
	assert_int_equal(acpi_mcfg_segment(table, sizeof(raw), 2, &segment, &warnings), ERR_NOT_FOUND);
	assert_int_equal(acpi_mcfg_segment(table, 43, 0, &segment, &warnings), ERR_TRUNCATED);
	assert_int_equal(acpi_mcfg_segment(table, sizeof(raw), UINT32_MAX, &segment, &warnings), ERR_NOT_FOUND);
}

static void test_acpi_hpet_must_be_in_memory(void **state)
{
	uint8_t raw[56] = {0};
	struct acpi_hpet hpet;

	(void)state;
	put_gas(raw + 40, ACPI_GAS_MEMORY, 64, 0xfed00000);
	acpi_store16(raw + 53, 0x80);
	assert_int_equal(acpi_hpet_parse(finish("HPET", 1, raw, 56), 56, &hpet), OK);
	assert_int_equal(hpet.physical, 0xfed00000);
	assert_int_equal(hpet.min_ticks, 0x80);
	assert_int_equal(acpi_hpet_parse(finish("HPET", 1, raw, 55), 55, &hpet), ERR_TRUNCATED);
	raw[40] = ACPI_GAS_PORT;
	assert_int_equal(acpi_hpet_parse(finish("HPET", 1, raw, 56), 56, &hpet), ERR_UNSUPPORTED);
}

static void test_acpi_dmar_walks_units_and_scopes(void **state)
{
	static const uint8_t entries[] = {
		0, 0, 24, 0, 1, 0, 0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, 3, 8, 0, 0, 2, 0xf0, 0x1f, 0,
		4, 0, 6, 0, 0, 0,
		0, 0, 8, 0, 0, 0, 0, 0,
		1, 0, 24, 0, 0, 0, 1, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0,
		2, 0, 11, 0, 1, 0, 0, 0, 1, 9, 0,
	};
	uint8_t raw[48 + sizeof(entries)] = {[36] = 38, [37] = 1};
	struct acpi_dmar dmar;
	struct acpi_dmar_unit unit;
	struct acpi_dmar_scope scope;
	struct acpi_cursor cursor;
	size_t offset = 0;

	(void)state;
	memcpy(raw + 48, entries, sizeof(entries));
	assert_int_equal(acpi_dmar_open(finish("DMAR", 1, raw, sizeof(raw)), sizeof(raw), &dmar), OK);
	assert_int_equal(dmar.address_width_bits, 39);
	assert_true(dmar.interrupt_remapping);
	cursor = acpi_dmar_begin(&dmar);
	assert_true(acpi_dmar_next(&cursor, &unit));
	assert_int_equal(unit.kind, ACPI_DMAR_DRHD);
	assert_int_equal(unit.base_physical, 0xfed90000);
	assert_true(unit.everything);
	assert_true(acpi_dmar_next_scope(&unit, &offset, &scope));
	assert_int_equal(scope.type, 3);
	assert_int_equal(scope.bus, 0xf0);
	assert_int_equal(scope.path_count, 1);
	assert_int_equal(scope.path[0].device, 0x1f);
	assert_false(acpi_dmar_next_scope(&unit, &offset, &scope));
	assert_true(acpi_dmar_next(&cursor, &unit)); /* the short DRHD is skipped */
	assert_int_equal(unit.kind, ACPI_DMAR_RMRR);
	assert_int_equal(unit.segment, 1);
	assert_int_equal(cursor.warnings, ACPI_WARN_ENTRY_LENGTH | ACPI_WARN_RANGE_ODD);
	offset = 0;
	assert_false(acpi_dmar_next_scope(&unit, &offset, &scope));
	assert_true(acpi_dmar_next(&cursor, &unit));
	assert_int_equal(unit.kind, ACPI_DMAR_ATSR);
	assert_false(acpi_dmar_next_scope(&unit, &offset, &scope)); /* its length is beyond the unit */
	assert_false(acpi_dmar_next(&cursor, &unit));
}

static void test_acpi_spcr_tells_port_and_baud(void **state)
{
	uint8_t raw[80] = {0};
	struct acpi_serial serial;

	(void)state;
	assert_int_equal(acpi_spcr_parse(finish("SPCR", 2, raw, 80), 80, &serial), ERR_NOT_FOUND);
	put_gas(raw + 40, ACPI_GAS_PORT, 8, 0x3f8);
	raw[52] = 3;
	raw[53] = 4;
	acpi_store32(raw + 54, 36);
	raw[58] = 7;
	acpi_store32(raw + 76, 1500000);
	assert_int_equal(acpi_spcr_parse(finish("SPCR", 2, raw, 80), 80, &serial), OK);
	assert_int_equal(serial.kind, ACPI_SERIAL_16550);
	assert_int_equal(serial.at.address, 0x3f8);
	assert_int_equal(serial.baud, 115200);
	assert_int_equal(serial.gsi, 36);
	assert_int_equal(acpi_spcr_parse(finish("SPCR", 4, raw, 80), 80, &serial), OK);
	assert_int_equal(serial.baud, 1500000);
	raw[36] = 3; /* ARM PL011 */
	raw[52] = 1;
	raw[58] = 99;
	assert_int_equal(acpi_spcr_parse(finish("SPCR", 2, raw, 80), 80, &serial), OK);
	assert_int_equal(serial.kind, ACPI_SERIAL_OTHER);
	assert_int_equal(serial.gsi, 4);
	assert_int_equal(serial.baud, 0);
}

static void test_acpi_dbg2_walks_devices(void **state)
{
	uint8_t raw[44 + 34 + 34] = {[36] = 44, [40] = 3};
	struct acpi_serial serial;
	const void *table;

	(void)state;
	raw[44 + 1] = 34;
	raw[44 + 3] = 1;
	raw[44 + 12] = 3; /* 8003h: USB */
	raw[44 + 13] = 0x80;
	raw[44 + 18] = 22;
	put_gas(raw + 44 + 22, ACPI_GAS_MEMORY, 0, 0xfe000000);
	memcpy(raw + 78, raw + 44, 34);
	raw[78 + 12] = 0;
	put_gas(raw + 78 + 22, ACPI_GAS_PORT, 8, 0x3f8);
	table = finish("DBG2", 0, raw, sizeof(raw));
	assert_int_equal(acpi_dbg2_device(table, sizeof(raw), 0, &serial), OK);
	assert_int_equal(serial.kind, ACPI_SERIAL_OTHER);
	assert_int_equal(acpi_dbg2_device(table, sizeof(raw), 1, &serial), OK);
	assert_int_equal(serial.kind, ACPI_SERIAL_16550);
	assert_int_equal(serial.at.address, 0x3f8);
	assert_int_equal(acpi_dbg2_device(table, sizeof(raw), 2, &serial), ERR_NOT_FOUND);
	raw[78 + 18] = 23;
	table = finish("DBG2", 0, raw, sizeof(raw));
	assert_int_equal(acpi_dbg2_device(table, sizeof(raw), 1, &serial), OK);
	assert_int_equal(serial.at.address, 0);
	assert_int_equal(serial.warnings, ACPI_WARN_ENTRY_LENGTH);
	acpi_store32(raw + 36, UINT32_MAX);
	table = finish("DBG2", 0, raw, sizeof(raw));
	assert_int_equal(acpi_dbg2_device(table, sizeof(raw), 0, &serial), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acpi_fadt_reads_revision_1),
		cmocka_unit_test(test_acpi_fadt_prefers_64_bit_fields),
		cmocka_unit_test(test_acpi_fadt_gives_reset_only_if_supported),
		cmocka_unit_test(test_acpi_fadt_ignores_blocks_when_hardware_reduced),
		cmocka_unit_test(test_acpi_mcfg_lists_segments),
		cmocka_unit_test(test_acpi_hpet_must_be_in_memory),
		cmocka_unit_test(test_acpi_dmar_walks_units_and_scopes),
		cmocka_unit_test(test_acpi_spcr_tells_port_and_baud),
		cmocka_unit_test(test_acpi_dbg2_walks_devices),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	acpi_test_memory_free(&memory);
	return failed;
}
