/* Expected values: 82093AA data sheet, "Register Description"; message format: SDM Vol. 3A, "Message Signalled
 * Interrupts". */
#include "drivers/virt/ioapic.h"
#include "tests/unit/unit.h"

#define MASKED 0x10000U
#define LEVEL  0x8000U
#define RIRR   0x4000U

static struct ioapic ioapic;
static struct sent {
	uint64_t address;
	uint32_t data;
	unsigned count;
	unsigned vector_changes;
} sent;

static void send(void *ctx, uint64_t address, uint32_t data)
{
	struct sent *s = ctx;

	s->address = address;
	s->data = data;
	s->count++;
}

static void vectors_changed(void *ctx)
{
	struct sent *s = ctx;

	s->vector_changes++;
}

static int setup(void **state)
{
	(void)state;
	ioapic_init(&ioapic, &(struct ioapic_wires){send, vectors_changed, &sent}, 2, IOAPIC_VERSION_20);
	memset(&sent, 0, sizeof(sent));
	return 0;
}

static uint32_t reg_read(uint8_t reg)
{
	ioapic_ops.write(&ioapic, 0, 4, reg, 0);
	return (uint32_t)ioapic_ops.read(&ioapic, 0x10, 4, 0);
}

static void reg_write(uint8_t reg, uint32_t value)
{
	ioapic_ops.write(&ioapic, 0, 4, reg, 0);
	ioapic_ops.write(&ioapic, 0x10, 4, value, 0);
}

static void program(unsigned pin, uint32_t low, uint32_t high)
{
	reg_write((uint8_t)(0x11 + pin * 2), high);
	reg_write((uint8_t)(0x10 + pin * 2), low);
}

static bool needs_eoi(unsigned vector)
{
	uint64_t vectors[IOAPIC_VECTOR_WORDS];

	ioapic_eoi_vectors(&ioapic, vectors);
	return vectors[vector / 64] >> vector % 64 & 1;
}

static void test_ioapic_registers(void **state)
{
	(void)state;
	assert_int_equal(reg_read(0), 0x02000000);
	assert_int_equal(reg_read(1), 0x00170020);
	assert_int_equal(reg_read(2), 0x02000000);
	assert_int_equal(reg_read(0x10), MASKED);
	assert_int_equal(reg_read(0x3e), MASKED);
	assert_int_equal(reg_read(0x40), 0);
	assert_int_equal(reg_read(0x0f), 0);
	reg_write(0, UINT32_MAX);
	assert_int_equal(reg_read(0), 0x0f000000);
	assert_int_equal(reg_read(2), 0x0f000000);
	reg_write(1, UINT32_MAX);
	assert_int_equal(reg_read(1), 0x00170020);
	reg_write(0x40, UINT32_MAX);
	program(23, UINT32_MAX, UINT32_MAX);
	assert_int_equal(reg_read(0x3e), 0x1afff);
	assert_int_equal(reg_read(0x3f), 0xfffe0000);
	assert_int_equal(ioapic_ops.read(&ioapic, 0x12, 2, 0), 0xfffe);
	ioapic_ops.write(&ioapic, 0x10, 2, 0, 0); /* not a whole register */
	assert_int_equal(reg_read(0x3f), 0xfffe0000);
	assert_int_equal(sent.count, 0);
}

static void test_ioapic_edge_sends_once_per_edge(void **state)
{
	(void)state;
	program(4, 0x34, 0x05000000);
	ioapic_set_line(&ioapic, 4, true);
	assert_int_equal(sent.count, 1);
	assert_int_equal(sent.address, 0xfee05000);
	assert_int_equal(sent.data, 0x34);
	ioapic_set_line(&ioapic, 4, true);
	assert_int_equal(sent.count, 1);
	ioapic_set_line(&ioapic, 4, false);
	ioapic_set_line(&ioapic, 4, true);
	assert_int_equal(sent.count, 2);
	assert_false(needs_eoi(0x34));
	program(4, 0x34 | MASKED, 0);
	ioapic_set_line(&ioapic, 4, false);
	ioapic_set_line(&ioapic, 4, true);
	program(4, 0x34, 0);
	assert_int_equal(sent.count, 2); /* an edge on a masked pin is ignored */
}

static void test_ioapic_level_sends_again_after_eoi(void **state)
{
	(void)state;
	program(10, 0x51 | LEVEL, 0);
	assert_true(needs_eoi(0x51));
	assert_int_equal(sent.vector_changes, 1);
	ioapic_set_line(&ioapic, 10, true);
	assert_int_equal(sent.count, 1);
	assert_int_equal(sent.data, 0xc051);
	assert_int_equal(reg_read(0x24), 0x51 | LEVEL | RIRR);
	ioapic_set_line(&ioapic, 10, false);
	ioapic_set_line(&ioapic, 10, true);
	assert_int_equal(sent.count, 1); /* still in service */
	ioapic_eoi(&ioapic, 0x50);
	assert_int_equal(sent.count, 1);
	ioapic_eoi(&ioapic, 0x51);
	assert_int_equal(sent.count, 2);
	ioapic_set_line(&ioapic, 10, false);
	ioapic_ops.write(&ioapic, 0x40, 4, 0x51, 0); /* the EOI register */
	assert_int_equal(reg_read(0x24), 0x51 | LEVEL);
	assert_int_equal(sent.count, 2);
}

static void test_ioapic_masked_level_waits(void **state)
{
	(void)state;
	program(10, 0x51 | LEVEL | MASKED, 0);
	assert_false(needs_eoi(0x51));
	ioapic_set_line(&ioapic, 10, true);
	assert_int_equal(sent.count, 0);
	program(10, 0x51 | LEVEL, 0);
	assert_int_equal(sent.count, 1);
	program(10, 0x51 | LEVEL | MASKED, 0);
	assert_true(needs_eoi(0x51)); /* in service */
	ioapic_eoi(&ioapic, 0x51);
	assert_false(needs_eoi(0x51));
	assert_int_equal(sent.count, 1);
}

static void test_ioapic_switch_to_edge_clears_remote_irr(void **state)
{
	(void)state;
	program(10, 0x51 | LEVEL, 0);
	ioapic_set_line(&ioapic, 10, true);
	program(10, 0x51 | MASKED, 0);
	assert_int_equal(reg_read(0x24), 0x51 | MASKED);
	program(10, 0x51 | LEVEL, 0);
	assert_int_equal(sent.count, 2);
}

static void test_ioapic_shared_vector_ends_on_all_pins(void **state)
{
	(void)state;
	program(10, 0x51 | LEVEL, 0);
	program(11, 0x51 | LEVEL, 0);
	ioapic_set_line(&ioapic, 10, true);
	ioapic_set_line(&ioapic, 11, true);
	ioapic_set_line(&ioapic, 11, false);
	ioapic_eoi(&ioapic, 0x51);
	assert_int_equal(sent.count, 3);
	assert_int_equal(reg_read(0x26), 0x51 | LEVEL);
}

static void test_ioapic_message_formats(void **state)
{
	(void)state;
	program(1, 0x0900 | 0x41, 0xff000000); /* lowest priority, logical */
	ioapic_set_line(&ioapic, 1, true);
	assert_int_equal(sent.address, 0xfeeff00c);
	assert_int_equal(sent.data, 0x141);
	program(2, 0x42, 0x34000000 | 0x12 << 17); /* APIC id 1234h */
	ioapic_set_line(&ioapic, 2, true);
	assert_int_equal(sent.address, 0xfee34000 | 0x12 << 5);
	program(3, 0x0400 | LEVEL, 0); /* NMI knows no level */
	ioapic_set_line(&ioapic, 3, true);
	assert_int_equal(sent.data, 0x400);
	assert_int_equal(reg_read(0x16), 0x0400 | LEVEL);
	sent.count = 0;
	program(5, 0x0344, 0);
	program(6, 0x0644, 0);
	ioapic_set_line(&ioapic, 5, true);
	ioapic_set_line(&ioapic, 6, true);
	assert_int_equal(sent.count, 0);
}

static void test_ioapic_ignores_pins_that_do_not_exist(void **state)
{
	(void)state;
	ioapic_set_line(&ioapic, 24, true);
	ioapic_set_line(&ioapic, UINT32_MAX, true);
	assert_int_equal(ioapic.state.lines, 0);
}

static void test_ioapic_version_11_has_no_eoi_register(void **state)
{
	(void)state;
	ioapic_init(&ioapic, &(struct ioapic_wires){send, NULL, &sent}, 0, IOAPIC_VERSION_11);
	program(10, 0x51 | LEVEL, 0);
	ioapic_set_line(&ioapic, 10, true);
	ioapic_ops.write(&ioapic, 0x40, 4, 0x51, 0);
	assert_int_equal(reg_read(0x24), 0x51 | LEVEL | RIRR);
	ioapic_ops.reset(&ioapic);
	assert_int_equal(reg_read(0x24), MASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ioapic_registers, setup),
		cmocka_unit_test_setup(test_ioapic_edge_sends_once_per_edge, setup),
		cmocka_unit_test_setup(test_ioapic_level_sends_again_after_eoi, setup),
		cmocka_unit_test_setup(test_ioapic_masked_level_waits, setup),
		cmocka_unit_test_setup(test_ioapic_switch_to_edge_clears_remote_irr, setup),
		cmocka_unit_test_setup(test_ioapic_shared_vector_ends_on_all_pins, setup),
		cmocka_unit_test_setup(test_ioapic_message_formats, setup),
		cmocka_unit_test_setup(test_ioapic_ignores_pins_that_do_not_exist, setup),
		cmocka_unit_test_setup(test_ioapic_version_11_has_no_eoi_register, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
