/* vmm/machine, vmm/pci: a machine of the real models with a PCI function in it, seen as a guest sees it, by ports and addresses. */
#include "tests/unit/unit.h"

#include "tests/fake/program.h"
#include "user/calls.h"
#include "vmm/acpi/tables.h"
#include "vmm/firmware.h"
#include "vmm/machine.h"

#define BAR_IO   0U
#define BAR_MSIX 1U
#define BAR_64   4U
#define CONFIG(device, reg) (0x80000000U | (device) << 11 | (reg))

static struct machine machine;
static struct vmm_spec spec = {.name = "test", .vcpu_count = 1};
static struct pci_function function;
static struct pci_slot_entry *slot;
static struct lock lock;
static bool has_firmware;
static uint64_t message_address, moved_to;
static uint32_t message_data;
static unsigned messages, moves;
/* The device's registers: the last access. */
static struct { uint64_t offset, value; unsigned width, reads, writes; } last;

const struct vmm_file *firmware_of(const struct vmm_spec *unused)
{
	static const struct vmm_file file = {.size_bytes = 1};

	(void)unused;
	return has_firmware ? &file : NULL;
}

enum status sys_vm_msi(handle_t vm, uint64_t address, uint32_t data)
{
	(void)vm;
	messages++;
	message_address = address;
	message_data = data;
	return OK;
}

enum status sys_vm_eoi_exits(handle_t vm, const uint64_t vectors[4])
{
	(void)vm;
	(void)vectors;
	return OK;
}

enum status sys_vcpu_extint(handle_t vcpu, bool level)
{
	(void)vcpu;
	(void)level;
	return OK;
}

void sys_event_signal(handle_t event, uint64_t bits)
{
	(void)event;
	(void)bits;
}

void sys_thread_yield(void)
{
	fail_msg("a lock is held that nobody will release");
}

static uint64_t device_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	(void)now_ns;
	assert_ptr_equal(dev, &function);
	assert_true(atomic_load(&lock.held));
	last.offset = offset;
	last.width = width;
	last.reads++;
	return 0x1122334455667788ULL;
}

static void device_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	(void)now_ns;
	assert_ptr_equal(dev, &function);
	assert_true(atomic_load(&lock.held));
	last.offset = offset;
	last.width = width;
	last.value = value;
	last.writes++;
}

static const struct device_ops device_ops = {.name = "test", .width_max = 8, .read = device_read, .write = device_write};

static void bar_moved(void *ctx, unsigned bar, uint64_t base)
{
	assert_ptr_equal(ctx, &function);
	if (bar == BAR_64)
		moved_to = base;
	moves++;
}

static enum status attach(uint64_t bar_bytes)
{
	const struct pci_identity identity = {
		.vendor = 0x1af4, .device = 0x1044, .class_code = 0xff0000, .has_pin = true,
		.vector_count = 2, .msix_bar = BAR_MSIX,
		.bars = {
			[BAR_IO] = {.size_bytes = 0x80, .is_io = true},
			[BAR_MSIX] = {.size_bytes = PCI_MSIX_REGION_SIZE},
			[BAR_64] = {.size_bytes = bar_bytes, .is_64bit = true},
		},
	};
	const struct pci_bar_registers registers[PCI_BARS_MAX] = {
		[BAR_IO] = {.ops = &device_ops, .dev = &function, .first_offset = 0x1000},
		[BAR_MSIX] = {.ops = &pci_msix_ops, .dev = &function},
		[BAR_64] = {.ops = &device_ops, .dev = &function},
	};
	struct pci_function_wires wires;
	enum status status = pci_claim_slot(&machine, &lock, &slot, &wires);

	if (status != OK)
		return status;
	pci_function_init(&function, &identity, &wires);
	slot->bar_moved = bar_moved;
	slot->ctx = &function;
	return pci_attach(slot, &function, registers);
}

static void build(bool with_firmware)
{
	fake_program_start();
	memset(&machine, 0, sizeof(machine));
	memset(&last, 0, sizeof(last));
	messages = moves = 0;
	moved_to = PCI_DECODE_OFF;
	has_firmware = with_firmware;
	machine.spec = &spec;
	machine.vcpu_count = 1;
	machine.tsc_hz = 1000000000;
	assert_int_equal(machine_build(&machine, 0), OK);
}

static int setup(void **state)
{
	(void)state;
	build(false);
	assert_int_equal(attach(0x4000), OK);
	return 0;
}

static uint64_t in(uint64_t port, unsigned width)
{
	return machine_read(&machine, &machine.ports, port, width);
}

static void out(uint64_t port, unsigned width, uint64_t value)
{
	machine_write(&machine, &machine.ports, port, width, value);
}

static uint64_t load(uint64_t address, unsigned width)
{
	return machine_read(&machine, &machine.memory, address, width);
}

static void store(uint64_t address, unsigned width, uint64_t value)
{
	machine_write(&machine, &machine.memory, address, width, value);
}

static uint64_t config(unsigned device, unsigned reg)
{
	out(0xcf8, 4, CONFIG(device, reg));
	return in(0xcfc, 4);
}

static void set_config(unsigned device, unsigned reg, uint32_t value)
{
	out(0xcf8, 4, CONFIG(device, reg));
	out(0xcfc, 4, value);
}

static void test_machine_pci_has_bridges_and_functions(void **state)
{
	(void)state;
	assert_int_equal(config(0, 0), 0x29c08086);
	assert_int_equal(config(1, 0), 0xffffffff);
	assert_int_equal(config(2, 0), 0x10441af4);
	assert_int_equal(config(3, 0), 0xffffffff);
	assert_int_equal(config(31, 0), 0x29188086);
	assert_int_equal(load(0xe0000000 + (2 << 15), 4), 0x10441af4);
	assert_int_equal(load(0xe0000000 + (31 << 15), 4), 0x29188086);
	assert_int_equal(load(0xe0100000, 4), 0xffffffff); /* bus 1 */
	assert_int_equal(config(2, 4) & 3, 3);
	assert_int_equal(config(2, 0x10), 0xc001);
	assert_int_equal(config(2, 0x14), 0xc0000000);
	assert_int_equal(config(2, 0x20), 0xc0004004);
	assert_int_equal(moved_to, 0xc0004000);
}

static void test_machine_pci_bars_are_entered_under_the_lock(void **state)
{
	(void)state;
	assert_true(load(0xc0004ff8, 8) == 0x1122334455667788ULL);
	assert_int_equal(last.offset, 0xff8);
	assert_int_equal(load(0xc0004001, 2), 0x7788);
	store(0xc0007ffc, 4, 0xdeadbeef);
	assert_int_equal(last.offset, 0x3ffc);
	assert_int_equal(last.value, 0xdeadbeef);
	assert_int_equal(in(0xc004, 4), 0x55667788);
	assert_int_equal(last.offset, 0x1004);
	out(0xc07f, 1, 0x5a);
	assert_int_equal(last.offset, 0x107f);
	assert_false(atomic_load(&lock.held));
	last.reads = last.writes = 0;
	assert_int_equal(load(0xc0008000, 4), 0xffffffff);
	assert_int_equal(load(0xc0007ffe, 4), 0xffffffff); /* straddles the end */
	store(0xc0003ffe, 4, 0);
	assert_int_equal(in(0xc080, 4), 0xffffffff);
	assert_int_equal(last.reads + last.writes, 0);
}

/* An access to ports that no one device has whole goes to each byte's own. */
static void test_machine_pci_ports_are_split_by_bytes(void **state)
{
	(void)state;
	assert_int_equal(in(0xc07e, 4), 0xffff8888);
	assert_int_equal(last.reads, 2);
	out(0xbffe, 4, 0x44332211);
	assert_int_equal(last.writes, 2);
	assert_int_equal(last.offset, 0x1001);
	assert_int_equal(last.value, 0x44);
}

static void test_machine_pci_bars_move_and_go(void **state)
{
	(void)state;
	set_config(2, 0x24, 0x80); /* 512 GiB */
	assert_true(moved_to == 0x80c0004000ULL);
	assert_int_equal(load(0xc0004000, 4), 0xffffffff);
	assert_int_equal(load(0x80c0004000ULL, 4), 0x55667788);
	set_config(2, 0x10, 0x3f1); /* COM1's own ports stay COM1's, the rest is the function's */
	assert_int_equal(config(2, 0x10), 0x381);
	last.reads = 0;
	assert_int_equal(in(0x3fa, 1), 1); /* no interrupt is pending */
	assert_int_equal(last.reads, 0);
	assert_int_equal(in(0x3f0, 1), 0x88);
	set_config(2, 4, 2);
	assert_int_equal(in(0x3f0, 1), 0xff);
	set_config(2, 4, 0);
	assert_true(moved_to == PCI_DECODE_OFF);
	assert_int_equal(load(0x80c0004000ULL, 4), 0xffffffff);
}

static void test_machine_pci_ecam_moves_with_pciexbar(void **state)
{
	(void)state;
	set_config(0, 0x60, 0xb0000001);
	assert_int_equal(load(0xe0000000, 4), 0xffffffff);
	assert_int_equal(load(0xb0000000, 4), 0x29c08086);
	store(0xb0000060, 4, 0xd0000001); /* by itself */
	assert_int_equal(load(0xb0000000, 4), 0xffffffff);
	assert_int_equal(load(0xd0000060, 4), 0xd0000001);
	store(0xd0000060, 4, 0);
	assert_int_equal(load(0xd0000000, 4), 0xffffffff);
	assert_int_equal(config(0, 0x60), 0);
}

static void test_machine_pci_messages_are_sent(void **state)
{
	(void)state;
	set_config(2, 4, 7);
	set_config(2, 0x40, 0x80000000);
	store(0xc0000010, 4, 0xfee03000);
	store(0xc0000018, 4, 0x55);
	pci_function_send(&function, 1);
	assert_int_equal(messages, 0);
	store(0xc000001c, 4, 0);
	assert_int_equal(messages, 1);
	assert_int_equal(message_address, 0xfee03000);
	assert_int_equal(message_data, 0x55);
}

/* The pin of device 2 is input 18 of the I/O APIC; a change of the command register is carried there at once. */
static void test_machine_pci_pins_reach_the_ioapic(void **state)
{
	(void)state;
	store(GUEST_IOAPIC_BASE, 4, 0x10 + 2 * 18);
	store(GUEST_IOAPIC_BASE + 0x10, 4, 0x8042); /* level, vector 42h */
	lock_acquire(&lock);
	pci_function_set_pin(&function, true);
	lock_release(&lock);
	assert_int_equal(messages, 0);
	machine_drain_lines(&machine);
	assert_int_equal(messages, 1);
	assert_int_equal(message_data & 0xff, 0x42);
	set_config(2, 4, 0x0400);
	machine_end_of_interrupt(&machine, 0x42);
	assert_int_equal(messages, 1);
	set_config(2, 4, 0);
	assert_int_equal(messages, 2);
	machine_end_of_interrupt(&machine, 0x42);
	assert_int_equal(messages, 3);
}

static void test_machine_pci_firmware_finds_it_as_after_power_on(void **state)
{
	(void)state;
	build(true);
	assert_int_equal(attach(0x4000), OK);
	assert_int_equal(moves, 0);
	assert_int_equal(config(0, 0x60), 0);
	assert_int_equal(load(0xe0000000, 4), 0xffffffff);
	assert_int_equal(config(31, 0x40), 1);
	assert_int_equal(config(2, 4) & 7, 0);
	assert_int_equal(config(2, 0x20), 4);
}

static void test_machine_pci_is_full_at_some_point(void **state)
{
	(void)state;
	build(false);
	assert_int_equal(attach(0x20000000), ERR_NO_SPACE); /* the other BARs take some of the window */
	build(false);
	for (unsigned i = 0; i < PCI_SLOTS_MAX; i++) {
		assert_int_equal(attach(0x4000), OK);
		assert_int_equal(slot->device, i + 2);
	}
	assert_int_equal(config(29, 0), 0x10441af4);
	assert_int_equal(config(30, 0), 0xffffffff);
	assert_int_equal(attach(0x4000), ERR_NO_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_machine_pci_has_bridges_and_functions, setup),
		cmocka_unit_test_setup(test_machine_pci_bars_are_entered_under_the_lock, setup),
		cmocka_unit_test_setup(test_machine_pci_ports_are_split_by_bytes, setup),
		cmocka_unit_test_setup(test_machine_pci_bars_move_and_go, setup),
		cmocka_unit_test_setup(test_machine_pci_ecam_moves_with_pciexbar, setup),
		cmocka_unit_test_setup(test_machine_pci_messages_are_sent, setup),
		cmocka_unit_test_setup(test_machine_pci_pins_reach_the_ioapic, setup),
		cmocka_unit_test_setup(test_machine_pci_firmware_finds_it_as_after_power_on, setup),
		cmocka_unit_test_setup(test_machine_pci_is_full_at_some_point, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
