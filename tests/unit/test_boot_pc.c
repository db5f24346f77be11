/* boot/common/pc.c: from ACPI tables to the arrays that the kernel gets, and what it gets where tables are missing or odd. */
#include "tests/unit/unit.h"

#include "boot/common/pc.h"
#include "lib/acpi/fadt_layout.h"
#include "tests/unit/acpi_memory.h"

#define MADT_HEADER_BYTES 8U /* local APIC address, flags */

static struct acpi_test_memory memory;
static struct pc pc;
static uint8_t *rsdp;

static void start(void)
{
	acpi_test_memory_free(&memory);
	acpi_test_memory_init(&memory);
	rsdp = acpi_builder_reserve(&memory.builder, 20, 16);
}

/* Lists the tables in an RSDT, makes the RSDP point to it and reads all. NULL: no such table. */
static enum status read(const uint8_t *first, const uint8_t *second)
{
	uint8_t body[8] = {0};
	size_t used = 0;

	if (first != NULL)
		acpi_store32(body + 4 * used++, (uint32_t)acpi_test_physical(&memory, first));
	if (second != NULL)
		acpi_store32(body + 4 * used++, (uint32_t)acpi_test_physical(&memory, second));
	memcpy(rsdp, "RSD PTR ", 8);
	acpi_store32(rsdp + 16, (uint32_t)acpi_test_physical(&memory, acpi_test_table(&memory, "RSDT", 1, body, 4 * used)));
	rsdp[8] = (uint8_t)(0U - acpi_sum(rsdp, 20));
	memset(&pc, 0xa5, sizeof(pc));
	return pc_read(&memory.access, acpi_test_physical(&memory, rsdp), &pc);
}

static uint8_t *madt(const uint8_t *entries, size_t entries_bytes, uint32_t flags)
{
	static uint8_t body[0x8000];

	memset(body, 0, sizeof(body));
	acpi_store32(body, 0xfee00000);
	acpi_store32(body + 4, flags);
	memcpy(body + MADT_HEADER_BYTES, entries, entries_bytes);
	return acpi_test_table(&memory, "APIC", 3, body, MADT_HEADER_BYTES + entries_bytes);
}

static uint8_t *fadt(uint32_t pm_timer_port)
{
	uint8_t body[FADT_REV1_BYTES - ACPI_HEADER_BYTES] = {0};

	acpi_store32(body + FADT_PM_TMR_BLK - ACPI_HEADER_BYTES, pm_timer_port);
	body[FADT_PM_TMR_LEN - ACPI_HEADER_BYTES] = 4;
	return acpi_test_table(&memory, "FACP", 1, body, sizeof(body));
}

static void assert_default_interrupts(void)
{
	assert_int_equal(pc.pc.ioapic_count, 0);
	assert_true(pc.pc.has_8259);
	for (unsigned i = 0; i < BOOT_ISA_IRQS; i++) {
		assert_int_equal(pc.pc.isa_irqs[i].gsi, i);
		assert_false(pc.pc.isa_irqs[i].active_low);
		assert_false(pc.pc.isa_irqs[i].level_triggered);
	}
}

static void test_boot_pc_reads_a_plain_pc(void **state)
{
	static const uint8_t entries[] = {
		0, 8,  1, 4, 1, 0, 0, 0,                          /* CPU, APIC id 4 */
		0, 8,  2, 2, 1, 0, 0, 0,                          /* CPU, APIC id 2 */
		0, 8,  3, 6, 2, 0, 0, 0,                          /* not there, could be plugged in */
		0, 8,  4, 8, 0, 0, 0, 0,                          /* disabled */
		1, 12, 2, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0,       /* IOAPIC from GSI 24 on */
		2, 10, 0, 0, 2, 0, 0, 0, 0, 0,                    /* timer: GSI 2, as the bus */
		2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0,                 /* SCI: level, low */
	};

	(void)state;
	start();
	assert_int_equal(read(madt(entries, sizeof(entries), 0), fadt(0x608)), OK);
	assert_int_equal(pc.pc.cpu_count, 2);
	assert_int_equal(pc.apic_ids[0], 4);
	assert_int_equal(pc.apic_ids[1], 2);
	assert_int_equal(pc.pc.ioapic_count, 1);
	assert_int_equal(pc.pc.ioapics[0].physical, 0xfec00000);
	assert_int_equal(pc.pc.ioapics[0].gsi_base, 24);
	assert_int_equal(pc.pc.isa_irqs[0].gsi, 2);
	assert_int_equal(pc.pc.isa_irqs[1].gsi, 1);
	assert_true(pc.pc.isa_irqs[9].active_low);
	assert_true(pc.pc.isa_irqs[9].level_triggered);
	assert_false(pc.pc.has_8259);
	assert_int_equal(pc.pm_timer_port, 0x608);
	assert_false(pc.left_out);
}

static void test_boot_pc_goes_on_without_tables(void **state)
{
	(void)state;
	start();
	memset(&pc, 0xa5, sizeof(pc));
	assert_int_equal(pc_read(&memory.access, 0, &pc), ERR_NOT_FOUND);
	assert_default_interrupts();
	assert_int_equal(pc.pc.cpu_count, 0);
	memset(&pc, 0xa5, sizeof(pc));
	assert_int_not_equal(pc_read(&memory.access, ACPI_TEST_PHYSICAL, &pc), OK); /* zeroes */
	assert_default_interrupts();
	memset(&pc, 0xa5, sizeof(pc));
	assert_int_not_equal(pc_read(&memory.access, 0x1000, &pc), OK); /* cannot be mapped */
	assert_default_interrupts();
}

static void test_boot_pc_takes_what_there_is(void **state)
{
	static const uint8_t cpu[] = {0, 8, 1, 4, 1, 0, 0, 0};

	(void)state;
	start();
	assert_int_equal(read(fadt(0xb008), NULL), ERR_NOT_FOUND);
	assert_int_equal(pc.pm_timer_port, 0xb008);
	assert_default_interrupts();
	start();
	assert_int_equal(read(madt(cpu, sizeof(cpu), 1), NULL), OK);
	assert_int_equal(pc.pc.cpu_count, 1);
	assert_int_equal(pc.pm_timer_port, 0);
	assert_default_interrupts();
}

static void test_boot_pc_reads_no_port_past_the_last(void **state)
{
	(void)state;
	start();
	assert_int_equal(read(fadt(0xfffc), NULL), ERR_NOT_FOUND);
	assert_int_equal(pc.pm_timer_port, 0xfffc);
	start();
	assert_int_equal(read(fadt(0xfffd), NULL), ERR_NOT_FOUND);
	assert_int_equal(pc.pm_timer_port, 0);
}

static void test_boot_pc_keeps_and_shows_a_wrong_checksum(void **state)
{
	static const uint8_t cpu[] = {0, 8, 1, 4, 1, 0, 0, 0};
	uint8_t *table;

	(void)state;
	start();
	table = madt(cpu, sizeof(cpu), 1);
	table[9]++;
	assert_int_equal(read(table, NULL), OK);
	assert_int_equal(pc.pc.cpu_count, 1);
	assert_true(pc.warnings & ACPI_WARN_CHECKSUM);
}

/* x2APIC entries (16 bytes) of BOOT_CPUS_MAX + 1 CPUs. */
static void test_boot_pc_says_when_cpus_do_not_fit(void **state)
{
	static uint8_t entries[16 * (BOOT_CPUS_MAX + 1)];

	(void)state;
	for (uint32_t i = 0; i <= BOOT_CPUS_MAX; i++) {
		entries[16 * i] = 9;
		entries[16 * i + 1] = 16;
		acpi_store32(entries + 16 * i + 4, 1000 + i);
		acpi_store32(entries + 16 * i + 8, 1);
	}
	start();
	assert_int_equal(read(madt(entries, sizeof(entries), 1), NULL), OK);
	assert_int_equal(pc.pc.cpu_count, BOOT_CPUS_MAX);
	assert_int_equal(pc.apic_ids[BOOT_CPUS_MAX - 1], 1000 + BOOT_CPUS_MAX - 1);
	assert_true(pc.left_out);
	start();
	assert_int_equal(read(madt(entries, sizeof(entries) - 16, 1), NULL), OK);
	assert_int_equal(pc.pc.cpu_count, BOOT_CPUS_MAX);
	assert_false(pc.left_out);
}

static void test_boot_pc_says_when_ioapics_do_not_fit(void **state)
{
	uint8_t entries[12 * (BOOT_IOAPICS_MAX + 1)];

	(void)state;
	memset(entries, 0, sizeof(entries));
	for (uint32_t i = 0; i <= BOOT_IOAPICS_MAX; i++) {
		entries[12 * i] = 1;
		entries[12 * i + 1] = 12;
		entries[12 * i + 2] = (uint8_t)i;
		acpi_store32(entries + 12 * i + 4, 0xfec00000 + i * 0x1000);
		acpi_store32(entries + 12 * i + 8, i * 24);
	}
	start();
	assert_int_equal(read(madt(entries, sizeof(entries), 1), NULL), OK);
	assert_int_equal(pc.pc.ioapic_count, BOOT_IOAPICS_MAX);
	assert_true(pc.left_out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_pc_reads_a_plain_pc),
		cmocka_unit_test(test_boot_pc_goes_on_without_tables),
		cmocka_unit_test(test_boot_pc_takes_what_there_is),
		cmocka_unit_test(test_boot_pc_reads_no_port_past_the_last),
		cmocka_unit_test(test_boot_pc_keeps_and_shows_a_wrong_checksum),
		cmocka_unit_test(test_boot_pc_says_when_cpus_do_not_fit),
		cmocka_unit_test(test_boot_pc_says_when_ioapics_do_not_fit),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	acpi_test_memory_free(&memory);
	return failed;
}
