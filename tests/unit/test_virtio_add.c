/* vmm/virtio_devices.c: a device in its slot, its event, and the doorbell that follows its ports. */
#include "tests/unit/unit.h"

#include "user/calls.h"
#include "vmm/machine.h"
#include "vmm/small_devices.h"
#include "vmm/virtio_makers.h"
#include "vmm/virtio_memory.h"

#define VM     5U
#define POOL   6U
#define EVENT  20U
#define PORTS  0xc000U
#define QUEUES 3U

static struct vmm_spec spec = {.handles = {.vm = VM, .pool = POOL}};
static struct machine machine;
static struct virtio_slot *slot;
static struct pci_slot_entry pci;
static struct pci_bar_registers attached[PCI_BARS_MAX];
static enum status event_status, claim_status, attach_status, make_status;
static unsigned made, refused_row;
static uint64_t signalled;
/* The doorbells of the VM: one place in this test. */
static struct { handle_t event; uint32_t first, count; unsigned calls, refuses; } doorbell;

enum status sys_event_create(handle_t pool, handle_t *event)
{
	assert_int_equal(pool, POOL);
	*event = EVENT;
	return event_status;
}

void sys_event_signal(handle_t event, uint64_t bits)
{
	assert_int_equal(event, slot->event);
	signalled |= bits;
}

enum status sys_vm_doorbell(handle_t vm, handle_t event, uint16_t first_port, unsigned port_count, unsigned first_bit)
{
	assert_true(vm == VM && first_bit == 0);
	doorbell.calls++;
	if (doorbell.refuses > 0) {
		doorbell.refuses--;
		return ERR_NO_SPACE;
	}
	if (event == HANDLE_NONE)
		assert_int_equal(first_port, doorbell.first);
	else
		assert_int_equal(doorbell.event, HANDLE_NONE); /* the old one is gone before there is a new one */
	doorbell.event = event;
	doorbell.first = first_port;
	doorbell.count = port_count;
	return OK;
}

enum status pci_claim_slot(struct machine *of, void *lock, struct pci_slot_entry **entry, struct pci_function_wires *wires)
{
	assert_ptr_equal(of, &machine);
	assert_ptr_equal(lock, &machine.virtio.slots[machine.virtio.count].lock);
	*entry = &pci;
	*wires = (struct pci_function_wires){.ctx = &pci};
	return claim_status;
}

enum status pci_attach(struct pci_slot_entry *entry, struct pci_function *function,
		       const struct pci_bar_registers registers[PCI_BARS_MAX])
{
	assert_true(entry == &pci && function == &machine.virtio.slots[machine.virtio.count].device.function);
	memcpy(attached, registers, sizeof(attached));
	return attach_status;
}

enum status virtio_init(struct virtio *device, const struct virtio_config *config, const struct virtio_wires *wires)
{
	device->config = *config;
	device->wires = *wires;
	return OK;
}

struct guest_memory virtio_memory(struct gmem *gm)
{
	assert_ptr_equal(gm, &machine.gmem);
	return (struct guest_memory){.ctx = gm};
}

void virtio_thread(void *argument)
{
	(void)argument;
}

enum status thread_create(struct thread_maker *maker, const char *name, thread_function *function, void *argument,
			  const uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64])
{
	assert_true(maker == &machine.threads && cpu_mask == spec.cpu_mask && function == virtio_thread);
	assert_string_equal(name, "test");
	assert_ptr_equal(argument, &machine.virtio.slots[made++]);
	return OK;
}

const struct device_ops virtio_notify_ops, virtio_register_ops, pci_msix_ops;

/* Rows of the table: each type has two, which fail where the test wants. */
static enum status make_one(unsigned row, unsigned index)
{
	assert_int_equal(made, 2 * row + index);
	if (make_status != OK && row == refused_row && index == 1)
		return make_status;
	made++;
	return OK;
}

#define ROW(name, row)                                                            \
	unsigned name##_count(const struct vmm_spec *of)                          \
	{                                                                         \
		assert_ptr_equal(of, &spec);                                      \
		return 2;                                                         \
	}                                                                         \
                                                                                  \
	enum status name##_make(struct machine *of, unsigned index)               \
	{                                                                         \
		assert_ptr_equal(of, &machine);                                   \
		return make_one(row, index);                                      \
	}

ROW(virtio_disk, 0)
ROW(virtio_net, 1)
ROW(entropy_device, 2)
ROW(console_device, 3)
ROW(balloon_device, 4)
ROW(vsock_device, 5)

static const struct virtio_ops ops = {.name = "test"};
static const struct virtio_config config = {.ops = &ops, .queue_count = QUEUES};

static int setup(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	memset(&doorbell, 0, sizeof(doorbell));
	machine.spec = &spec;
	bus_init(&machine.ports, UINT16_MAX);
	event_status = claim_status = attach_status = make_status = OK;
	made = 0;
	signalled = 0;
	assert_int_equal(virtio_add(&machine, &config, HANDLE_NONE, &slot), OK);
	return 0;
}

static void test_virtio_add_connects_a_device(void **state)
{
	(void)state;
	assert_ptr_equal(slot, &machine.virtio.slots[0]);
	assert_int_equal(machine.virtio.count, 1);
	assert_int_equal(slot->event, EVENT);
	assert_true(slot->due_ns == NO_EVENT_NS && slot->doorbell_port == PCI_DECODE_OFF && slot->machine == &machine);
	assert_ptr_equal(slot->device.wires.memory.ctx, &machine.gmem);
	assert_ptr_equal(slot->device.wires.pci.ctx, &pci);
	assert_ptr_equal(pci.ctx, slot);
	assert_true(attached[0].ops == &virtio_notify_ops && attached[0].dev == &slot->device);
	assert_true(attached[1].ops == &pci_msix_ops && attached[1].dev == &slot->device.function);
	assert_true(attached[4].ops == &virtio_register_ops && attached[4].dev == &slot->device);
	slot->device.wires.notify(slot->device.wires.ctx, 2);
	assert_int_equal(signalled, 4);
	virtio_wake(slot);
	assert_true(signalled == (4 | 1ULL << VIRTIO_EVENT_BACKEND));
}

static void test_virtio_add_takes_the_event_that_there_is(void **state)
{
	struct virtio_slot *second;

	(void)state;
	event_status = ERR_NO_MEMORY;
	assert_int_equal(virtio_add(&machine, &config, 33, &second), OK);
	assert_ptr_equal(second, &machine.virtio.slots[1]);
	assert_int_equal(second->event, 33);
	assert_int_equal(virtio_devices_start(&machine), OK);
	assert_int_equal(made, 2);
}

static void test_virtio_add_says_what_is_missing(void **state)
{
	struct virtio_slot *none = NULL;

	(void)state;
	event_status = ERR_NO_MEMORY;
	assert_int_equal(virtio_add(&machine, &config, HANDLE_NONE, &none), ERR_NO_MEMORY);
	event_status = OK;
	claim_status = ERR_NO_SPACE;
	assert_int_equal(virtio_add(&machine, &config, HANDLE_NONE, &none), ERR_NO_SPACE);
	claim_status = OK;
	attach_status = ERR_EXISTS;
	assert_int_equal(virtio_add(&machine, &config, HANDLE_NONE, &none), ERR_EXISTS);
	attach_status = OK;
	assert_null(none);
	assert_int_equal(machine.virtio.count, 1);
	while (machine.virtio.count < VIRTIO_DEVICES_MAX)
		assert_int_equal(virtio_add(&machine, &config, HANDLE_NONE, &none), OK);
	assert_int_equal(virtio_add(&machine, &config, HANDLE_NONE, &none), ERR_NO_SPACE);
	assert_int_equal(machine.virtio.count, VIRTIO_DEVICES_MAX);
}

static void move(unsigned bar, uint64_t base)
{
	pci.bar_moved(pci.ctx, bar, base);
}

static void expect_doorbell(uint32_t port)
{
	assert_int_equal(doorbell.event, EVENT);
	assert_int_equal(doorbell.first, port);
	assert_int_equal(doorbell.count, QUEUES * VIRTIO_NOTIFY_STEP_BYTES);
	assert_int_equal(slot->doorbell_port, port);
}

static void expect_none(void)
{
	assert_int_equal(doorbell.event, HANDLE_NONE);
	assert_true(slot->doorbell_port == PCI_DECODE_OFF);
}

static void test_virtio_doorbell_follows_its_ports(void **state)
{
	(void)state;
	expect_none();
	move(VIRTIO_BAR_NOTIFY, PORTS);
	expect_doorbell(PORTS);
	move(VIRTIO_BAR_NOTIFY, PORTS + 0x80);
	expect_doorbell(PORTS + 0x80);
	move(VIRTIO_BAR_NOTIFY, 0); /* the first port is one, too */
	expect_doorbell(0);
	move(VIRTIO_BAR_NOTIFY, PCI_DECODE_OFF);
	expect_none();
	/* Beyond all ports there is none: an OUT cannot get there. */
	doorbell.calls = 0;
	move(VIRTIO_BAR_NOTIFY, 0x10000);
	move(VIRTIO_BAR_NOTIFY, PCI_DECODE_OFF);
	move(VIRTIO_BAR_MSIX, PORTS);
	move(VIRTIO_BAR_REGISTERS, PORTS);
	expect_none();
	assert_int_equal(doorbell.calls, 0);
}

/* A doorbell would take a port from the device that has it. */
static void test_virtio_doorbell_spares_fixed_devices(void **state)
{
	const struct io_region power = {.base = 0x604, .size = 2, .ops = &virtio_notify_ops, .dev = slot};

	(void)state;
	assert_int_equal(bus_attach(&machine.ports, &power), OK);
	move(VIRTIO_BAR_NOTIFY, 0x600);
	expect_none();
	move(VIRTIO_BAR_NOTIFY, 0x606);
	expect_doorbell(0x606);
}

/* Where another device's doorbell is, or all are in use, accesses come to the registers; later moves work again. */
static void test_virtio_doorbell_that_is_refused(void **state)
{
	(void)state;
	doorbell.refuses = 1;
	move(VIRTIO_BAR_NOTIFY, PORTS);
	expect_none();
	move(VIRTIO_BAR_NOTIFY, PORTS + 0x80);
	expect_doorbell(PORTS + 0x80);
	/* The old one cannot be taken away: no second one, and the next move tries again. */
	doorbell.refuses = 1;
	move(VIRTIO_BAR_NOTIFY, PORTS);
	expect_doorbell(PORTS + 0x80);
	move(VIRTIO_BAR_NOTIFY, PCI_DECODE_OFF);
	expect_none();
}

static void test_virtio_devices_are_made_in_their_order(void **state)
{
	const char *what;
	unsigned index;

	(void)state;
	assert_int_equal(virtio_devices_make(&machine, &what, &index), OK);
	assert_int_equal(made, 12);
	made = 0;
	make_status = ERR_INVALID;
	refused_row = 4;
	assert_int_equal(virtio_devices_make(&machine, &what, &index), ERR_INVALID);
	assert_string_equal(what, "balloon");
	assert_int_equal(index, 1);
	assert_int_equal(made, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_add_connects_a_device, setup),
		cmocka_unit_test_setup(test_virtio_add_takes_the_event_that_there_is, setup),
		cmocka_unit_test_setup(test_virtio_add_says_what_is_missing, setup),
		cmocka_unit_test_setup(test_virtio_doorbell_follows_its_ports, setup),
		cmocka_unit_test_setup(test_virtio_doorbell_spares_fixed_devices, setup),
		cmocka_unit_test_setup(test_virtio_doorbell_that_is_refused, setup),
		cmocka_unit_test_setup(test_virtio_devices_are_made_in_their_order, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
