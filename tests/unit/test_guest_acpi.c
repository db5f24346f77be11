/* The guest's ACPI tables, read back by the host's own parsers. iasl judges them in tests/acpi. */
#include "vmm/acpi/tables.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "lib/acpi/fadt.h"
#include "lib/acpi/madt.h"
#include "lib/acpi/mcfg.h"
#include "lib/acpi/root.h"
#include "lib/acpi/s5.h"
#include "drivers/virt/hpet.h"
#include "vmm/acpi/builder.h"

static uint8_t image[GUEST_ACPI_MAX_BYTES];
static struct acpi_cpu cpus[1024];
static struct acpi_madt madt;

static const void *map_image(void *ctx, uint64_t physical, size_t length_bytes)
{
	uint64_t offset = physical - GUEST_ACPI_PHYSICAL;

	(void)ctx;
	if (physical < GUEST_ACPI_PHYSICAL || offset > sizeof(image) || length_bytes > sizeof(image) - offset)
		return NULL;
	return image + offset;
}

static const struct acpi_memory memory = {.map = map_image};

static struct acpi_root build(const struct guest_acpi_config *config)
{
	struct guest_acpi_layout layout;
	struct acpi_root root;
	size_t offset = 1;

	memset(image, 0xa5, sizeof(image));
	assert_int_equal(guest_acpi_build(config, image, sizeof(image), &layout), OK);
	assert_int_equal(acpi_rsdp_search(image, sizeof(image), &offset), OK);
	assert_int_equal(offset + GUEST_ACPI_PHYSICAL, layout.rsdp_physical);
	assert_int_equal(image[layout.used_bytes], 0xa5);
	assert_memory_equal(image + layout.facs_physical - GUEST_ACPI_PHYSICAL, "FACS", 4);
	assert_int_equal(acpi_root_open(&memory, layout.rsdp_physical, &root), OK);
	assert_int_equal(root.entry_bytes, 8);
	assert_int_equal(root.warnings, 0);
	return root;
}

static struct acpi_table find(const struct acpi_root *root, const char *signature)
{
	struct acpi_table table;

	assert_int_equal(acpi_root_find(&memory, root, signature, 0, &table), OK);
	assert_int_equal(table.warnings, 0);
	return table;
}

static void test_guest_acpi_fadt_names_the_agreed_registers(void **state)
{
	struct guest_acpi_config config = {
		.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 1, .features = GUEST_ACPI_I8042};
	struct acpi_root root = build(&config);
	struct acpi_table table = find(&root, "FACP");
	struct acpi_fadt fadt;
	struct acpi_s5 s5;

	(void)state;
	assert_int_equal(acpi_fadt_parse(table.bytes, table.length_bytes, &fadt), OK);
	assert_int_equal(fadt.warnings, 0);
	assert_int_equal(fadt.pm1a_event.at.address, 0x600);
	assert_int_equal(fadt.pm1a_control.at.address, 0x604);
	assert_int_equal(fadt.pm_timer.at.address, 0x608);
	assert_int_equal(fadt.reset_register.address, 0xcf9);
	assert_int_equal(fadt.reset_value, 6);
	assert_int_equal(fadt.sci_irq, 9);
	assert_int_equal(fadt.smi_command_port, 0);
	assert_int_equal(fadt.flags & (FADT_FLAG_PWR_BUTTON | FADT_FLAG_HW_REDUCED | FADT_FLAG_TMR_VAL_EXT), 0);
	assert_int_equal(fadt.boot_arch & FADT_BOOT_8042, FADT_BOOT_8042);
	assert_int_equal(fadt.boot_arch & FADT_BOOT_NO_CMOS_RTC, FADT_BOOT_NO_CMOS_RTC);
	assert_int_equal(acpi_s5_find(&memory, &root, fadt.dsdt_physical, &s5), OK);
	assert_int_equal(s5.sleep_type_a, GUEST_S5_SLEEP_TYPE);
	assert_int_equal(s5.warnings, 0);
}

static void test_guest_acpi_madt_lists_every_vcpu(void **state)
{
	static const uint32_t ids[] = {0, 2, 254, 255, 70000};
	struct guest_acpi_config config = {
		.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 5, .apic_ids = ids, .ioapic_id = 9};
	struct acpi_root root = build(&config);
	struct acpi_table table = find(&root, "APIC");
	struct acpi_irq_route sci;

	(void)state;
	assert_int_equal(acpi_madt_parse(table.bytes, table.length_bytes, cpus, 1024, &madt), OK);
	assert_int_equal(madt.warnings, 0);
	assert_int_equal(madt.cpu_count, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(cpus[i].apic_id, ids[i]);
		assert_int_equal(cpus[i].uid, i);
		assert_int_equal(cpus[i].state, ACPI_CPU_ENABLED);
		assert_int_equal(cpus[i].nmi_lint_mask, 2);
	}
	assert_int_equal(table.bytes[44 + 2 * 8], 0); /* 254 fits a local APIC entry, 255 does not */
	assert_int_equal(table.bytes[44 + 3 * 8], 9);
	assert_int_equal(madt.ioapic_count, 1);
	assert_int_equal(madt.ioapics[0].id, 9);
	assert_int_equal(madt.ioapics[0].physical, 0xfec00000);
	assert_int_equal(madt.isa[0].gsi, 2);
	sci = acpi_madt_sci(&madt, 9);
	assert_true(sci.gsi == 9 && sci.level_triggered && !sci.active_low);
}

static void test_guest_acpi_fits_1024_vcpus(void **state)
{
	struct guest_acpi_config config = {.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 1024, .features = 0x3f};
	struct acpi_root root = build(&config);
	struct acpi_table table = find(&root, "APIC");
	struct acpi_mcfg_segment segment;
	uint32_t warnings = 0;

	(void)state;
	assert_int_equal(acpi_madt_parse(table.bytes, table.length_bytes, cpus, 1024, &madt), OK);
	assert_int_equal(madt.cpu_count, 1024);
	assert_int_equal(cpus[1023].apic_id, 1023);
	table = find(&root, "MCFG");
	assert_int_equal(acpi_mcfg_segment(table.bytes, table.length_bytes, 0, &segment, &warnings), OK);
	assert_int_equal(segment.base_physical, GUEST_ECAM_BASE);
	assert_int_equal(segment.last_bus, 0);
	assert_int_equal(warnings, 0);
}

/* IA-PC HPET specification, "The ACPI 2.0 HPET Description Table". */
static void test_guest_acpi_describes_the_hpet_where_there_is_one(void **state)
{
	struct guest_acpi_config config = {.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 1, .features = GUEST_ACPI_HPET};
	struct acpi_root root = build(&config);
	struct acpi_table table = find(&root, "HPET");

	(void)state;
	assert_int_equal(table.length_bytes, 56);
	assert_int_equal(acpi_load32(table.bytes + 36), HPET_CAPABILITIES);
	assert_int_equal(table.bytes[40], 0); /* in memory */
	assert_true(acpi_load64(table.bytes + 44) == 0xfed00000);
	assert_int_equal(table.bytes[52], 0); /* its number */
	assert_true(acpi_load16(table.bytes + 53) * HPET_TICK_NS >= HPET_LEAST_WAIT_NS);
	config.features = 0x1f;
	root = build(&config);
	assert_int_equal(acpi_root_find(&memory, &root, "HPET", 0, &table), ERR_NOT_FOUND);
}

/* The value of a name in the SSDT: NameOp, the name, DWordPrefix, the value. */
static uint32_t word_named(const struct acpi_table *ssdt, const char *name)
{
	for (uint32_t at = 36; at + 10 <= ssdt->length_bytes; at += 10) {
		assert_int_equal(ssdt->bytes[at], 0x08);
		assert_int_equal(ssdt->bytes[at + 5], 0x0c);
		if (memcmp(ssdt->bytes + at + 1, name, 4) == 0)
			return acpi_load32(ssdt->bytes + at + 6);
	}
	fail_msg("no %s", name);
	return 0;
}

static void test_guest_acpi_ssdt_tells_the_dsdt_what_differs(void **state)
{
	struct guest_acpi_config config = {.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 1, .features = 0x1f,
					   .high_window_first_gib = 5, .high_window_end_gib = 1024};
	struct acpi_root root = build(&config);
	struct acpi_table ssdt = find(&root, "SSDT");

	(void)state;
	assert_int_equal(word_named(&ssdt, "BHFT"), 0x1f);
	assert_int_equal(word_named(&ssdt, "BHWN"), 0x80000000);
	assert_int_equal(word_named(&ssdt, "BHEC"), 0xe0000000);
	assert_int_equal(word_named(&ssdt, "BHEL"), 0x10000000);
	assert_int_equal(word_named(&ssdt, "BHHF"), 5);
	assert_int_equal(word_named(&ssdt, "BHHE"), 1024);
	config.low_memory_end = 0xa0000000; /* 2.5 GiB: devices begin above */
	root = build(&config);
	ssdt = find(&root, "SSDT");
	assert_int_equal(word_named(&ssdt, "BHWN"), 0xa0000000);
	config.high_window_first_gib = 64; /* RAM up to the last address */
	config.high_window_end_gib = 64;
	root = build(&config);
	ssdt = find(&root, "SSDT");
	assert_int_equal(word_named(&ssdt, "BHHE"), 64);
	config.high_window_end_gib = 32;
	root = build(&config);
	ssdt = find(&root, "SSDT");
	assert_int_equal(word_named(&ssdt, "BHHE"), 64);
}

/* Both tables stay whole: find() looks at their checksums. */
static void expect_ecam(uint64_t base, uint64_t size_bytes, uint64_t in_mcfg, uint32_t in_ssdt)
{
	const struct guest_acpi_config config = {.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 1, .features = 0x1f};
	struct acpi_root root = build(&config);
	struct guest_acpi_layout layout;
	struct acpi_table ssdt;

	assert_int_equal(guest_acpi_build(&config, image, sizeof(image), &layout), OK);
	guest_acpi_move_ecam(image, &layout, base, size_bytes);
	ssdt = find(&root, "SSDT");
	assert_true(acpi_load64(find(&root, "MCFG").bytes + 44) == in_mcfg);
	assert_int_equal(find(&root, "MCFG").bytes[55], 0); /* the last bus */
	assert_int_equal(word_named(&ssdt, "BHEC"), in_ssdt);
	assert_int_equal(word_named(&ssdt, "BHEL"), size_bytes);
}

static void test_guest_acpi_follows_ecam(void **state)
{
	const struct guest_acpi_config config = {.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 1};
	struct guest_acpi_layout layout;

	(void)state;
	expect_ecam(0xb0000000, 0x10000000, 0xb0000000, 0xb0000000);
	expect_ecam(0xb8000000, 0x8000000, 0xb8000000, 0xb8000000);
	expect_ecam(0x804000000, 0x4000000, 0x804000000, 0);
	expect_ecam(UINT64_MAX, 0, 0, 0);
	assert_int_equal(guest_acpi_build(&config, image, sizeof(image), &layout), OK);
	guest_acpi_move_ecam(image, &layout, 0xb0000000, 0x10000000); /* tables without MCFG */
	assert_memory_equal(image, "RSD PTR ", 8);
}

static void test_guest_acpi_rsdt_and_xsdt_agree(void **state)
{
	struct guest_acpi_config config = {.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 2};
	struct acpi_root xsdt = build(&config);
	struct acpi_root rsdt;
	uint64_t from_xsdt, from_rsdt;

	(void)state;
	acpi_store64(image + 24, 0);
	assert_int_equal(acpi_root_open(&memory, GUEST_ACPI_PHYSICAL, &rsdt), OK);
	assert_int_equal(rsdt.entry_bytes, 4);
	assert_int_equal(rsdt.entry_count, xsdt.entry_count);
	for (uint32_t i = 0; i < xsdt.entry_count; i++) {
		assert_int_equal(acpi_root_entry(&memory, &xsdt, i, &from_xsdt), OK);
		assert_int_equal(acpi_root_entry(&memory, &rsdt, i, &from_rsdt), OK);
		assert_int_equal(from_xsdt, from_rsdt);
	}
	assert_int_equal(acpi_root_find(&memory, &xsdt, "MCFG", 0, &(struct acpi_table){0}), ERR_NOT_FOUND);
}

static void test_guest_acpi_refuses_what_cannot_be(void **state)
{
	struct guest_acpi_config config = {.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 0};
	struct guest_acpi_layout layout;

	(void)state;
	assert_int_equal(guest_acpi_build(&config, image, sizeof(image), &layout), ERR_INVALID);
	config.vcpu_count = 1025;
	assert_int_equal(guest_acpi_build(&config, image, sizeof(image), &layout), ERR_INVALID);
	config.vcpu_count = 1;
	config.physical = 0xe0010;
	assert_int_equal(guest_acpi_build(&config, image, sizeof(image), &layout), ERR_MISALIGNED);
	config.physical = 0x100000000;
	assert_int_equal(guest_acpi_build(&config, image, sizeof(image), &layout), ERR_OUT_OF_RANGE);
}

static void test_guest_acpi_never_writes_past_a_small_buffer(void **state)
{
	struct guest_acpi_config config = {.physical = GUEST_ACPI_PHYSICAL, .vcpu_count = 2, .features = 0x3f};
	struct guest_acpi_layout layout;

	(void)state;
	assert_int_equal(guest_acpi_build(&config, image, sizeof(image), &layout), OK);
	for (size_t size = 0; size < layout.used_bytes; size++) {
		struct guest_acpi_layout unused;
		uint8_t *small = malloc(size + (size == 0));

		assert_int_equal(guest_acpi_build(&config, small, size, &unused), ERR_NO_SPACE);
		free(small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guest_acpi_fadt_names_the_agreed_registers),
		cmocka_unit_test(test_guest_acpi_madt_lists_every_vcpu),
		cmocka_unit_test(test_guest_acpi_fits_1024_vcpus),
		cmocka_unit_test(test_guest_acpi_describes_the_hpet_where_there_is_one),
		cmocka_unit_test(test_guest_acpi_ssdt_tells_the_dsdt_what_differs),
		cmocka_unit_test(test_guest_acpi_follows_ecam),
		cmocka_unit_test(test_guest_acpi_rsdt_and_xsdt_agree),
		cmocka_unit_test(test_guest_acpi_refuses_what_cannot_be),
		cmocka_unit_test(test_guest_acpi_never_writes_past_a_small_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
