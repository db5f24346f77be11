/* vmm/region.c: where the guest sees the memory that it shares as its BAR moves, with which rights, and whom it can ring. */
#include "tests/unit/unit.h"

#include "user/calls.h"
#include "vmm/machine.h"

#define VM     5U
#define MEMORY 6U
#define EVENT  7U
#define PEER   8U
#define BYTES  0x10000ULL
#define PLACE  0xc0000000ULL

static struct vmm_spec spec;
static struct machine machine;
static struct region *region;
static struct pci_slot_entry slot;
/* What the guest sees. */
static uint64_t seen_at, seen_bytes;
static uint32_t seen_rights;
static uint64_t pages_max; /* of one call */
static enum status map_status, unmap_status;
static handle_t rung;
static uint64_t rung_bits, arriving;
static unsigned rings, attached, messages;
static enum status claim_status;
static thread_function *thread;
static void *thread_argument;

enum status sys_vm_map(handle_t vm, uint64_t gpa, handle_t memory, uint64_t offset, uint64_t len_bytes, uint32_t rights,
		       uint64_t *done)
{
	assert_true(vm == VM && memory == MEMORY && offset + len_bytes == BYTES);
	if (map_status != OK && offset != 0)
		return map_status;
	if (offset == 0)
		seen_at = gpa;
	assert_true(gpa == seen_at + offset && seen_bytes == offset);
	*done = len_bytes < pages_max * 4096 ? len_bytes : pages_max * 4096;
	seen_bytes += *done;
	seen_rights = rights;
	return OK;
}

enum status vm_unmap_all(handle_t vm, uint64_t gpa, uint64_t len_bytes)
{
	assert_int_equal(vm, VM);
	if (unmap_status != OK)
		return unmap_status;
	assert_true(gpa == seen_at && len_bytes == seen_bytes);
	seen_bytes = 0;
	return OK;
}

void sys_event_signal(handle_t event, uint64_t bits)
{
	rings++;
	rung = event;
	rung_bits = bits;
}

enum status sys_event_wait(handle_t event, uint64_t deadline_tsc, uint64_t *bits)
{
	assert_int_equal(event, EVENT);
	assert_true(deadline_tsc == DEADLINE_NEVER);
	assert_false(atomic_load(&region->lock.held));
	*bits = arriving;
	arriving = 0;
	return *bits != 0 ? OK : ERR_DENIED;
}

void sys_thread_yield(void)
{
	fail_msg("a lock is held that nobody will release");
}

enum status thread_create(struct thread_maker *maker, const char *name, thread_function *function, void *argument,
			  const uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64])
{
	assert_true(maker == &machine.threads && cpu_mask == spec.cpu_mask);
	assert_true(strlen(name) < 16);
	thread = function;
	thread_argument = argument;
	return OK;
}

static void send(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)data;
	assert_int_equal(address, 0xfee00000);
	assert_true(atomic_load(&region->lock.held));
	messages++;
}

static void set_pin(void *ctx, bool level)
{
	(void)ctx;
	(void)level;
}

static void move_bar(void *ctx, unsigned bar, uint64_t base)
{
	assert_ptr_equal(ctx, &slot);
	slot.bar_moved(slot.ctx, bar, base);
}

enum status pci_claim_slot(struct machine *of, void *lock, struct pci_slot_entry **entry, struct pci_function_wires *wires)
{
	assert_ptr_equal(of, &machine);
	assert_ptr_equal(lock, &region->lock);
	*entry = &slot;
	*wires = (struct pci_function_wires){.bar_moved = move_bar, .send = send, .pin = {.set = set_pin}, .ctx = &slot};
	return claim_status;
}

enum status pci_attach(struct pci_slot_entry *entry, struct pci_function *function,
		       const struct pci_bar_registers registers[PCI_BARS_MAX])
{
	assert_true(entry == &slot && function == &region->device.function);
	assert_true(registers[IVSHMEM_BAR_REGISTERS].ops == &ivshmem_ops && registers[IVSHMEM_BAR_MSIX].ops == &pci_msix_ops);
	assert_null(registers[IVSHMEM_BAR_MEMORY].ops); /* memory, and no registers: no access to it comes here */
	attached++;
	return OK;
}

static int setup(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	spec = (struct vmm_spec){.region_count = 1, .handles = {.vm = VM}};
	spec.regions[0] = (struct vmm_region){.size_bytes = BYTES,
					      .memory = MEMORY,
					      .rights = RIGHT_READ,
					      .own_id = 1,
					      .vector_count = 2,
					      .event = EVENT,
					      .peer_count = 3,
					      .peers = {PEER, HANDLE_NONE, PEER + 2}};
	machine.spec = &spec;
	region = &machine.regions[0];
	seen_bytes = 0;
	pages_max = 512;
	map_status = unmap_status = claim_status = OK;
	rings = attached = messages = 0;
	assert_int_equal(regions_make(&machine), OK);
	assert_int_equal(attached, 1);
	return 0;
}

static void move(uint64_t base)
{
	slot.bar_moved(slot.ctx, IVSHMEM_BAR_MEMORY, base);
}

static void expect_seen(uint64_t base)
{
	assert_int_equal(seen_bytes, BYTES);
	assert_int_equal(seen_at, base);
	assert_int_equal(region->mapped_at, base);
}

static void expect_unseen(void)
{
	assert_int_equal(seen_bytes, 0);
	assert_true(region->mapped_at == PCI_DECODE_OFF);
}

static void test_region_is_seen_where_its_bar_is(void **state)
{
	(void)state;
	expect_unseen();
	move(PLACE);
	expect_seen(PLACE);
	assert_int_equal(seen_rights, RIGHT_READ);
	move(PLACE + BYTES);
	expect_seen(PLACE + BYTES);
	slot.bar_moved(slot.ctx, IVSHMEM_BAR_REGISTERS, 0x1000);
	slot.bar_moved(slot.ctx, IVSHMEM_BAR_MSIX, PCI_DECODE_OFF);
	expect_seen(PLACE + BYTES);
	move(PCI_DECODE_OFF);
	expect_unseen();
}

static void test_region_is_mapped_by_as_many_calls_as_it_takes(void **state)
{
	(void)state;
	pages_max = 3;
	move(PLACE);
	expect_seen(PLACE);
}

/* Something else is there: not even the part before it shows. */
static void test_region_that_finds_no_room_is_nowhere(void **state)
{
	(void)state;
	pages_max = 3;
	map_status = ERR_EXISTS;
	move(PLACE);
	expect_unseen();
	map_status = OK;
	move(PLACE + BYTES);
	expect_seen(PLACE + BYTES);
	/* Nor does a call that makes no progress hang the guest. */
	pages_max = 0;
	move(PLACE);
	expect_unseen();
}

/* What could not be taken away is not shown at a second place. */
static void test_region_stays_where_it_cannot_leave(void **state)
{
	(void)state;
	move(PLACE);
	unmap_status = ERR_DENIED;
	move(PLACE + BYTES);
	expect_seen(PLACE);
}

static void ring(uint32_t peer, uint32_t vector)
{
	ivshmem_ops.write(&region->device, IVSHMEM_DOORBELL, 4, peer << 16 | vector, 0);
}

static void test_region_rings_peers_that_there_are(void **state)
{
	(void)state;
	ring(2, 1);
	assert_int_equal(rings, 1);
	assert_int_equal(rung, PEER + 2);
	assert_int_equal(rung_bits, 2);
	ring(1, 0); /* nobody has this id */
	ring(3, 0);
	ring(0xffff, 0);
	ring(2, PCI_VECTORS_MAX - 1); /* no bit of an event */
	ring(2, 64);
	ring(2, 0xffff);
	assert_int_equal(rings, 1);
	ring(0, 40); /* a vector that this peer has not: ring 0 drops the bit */
	assert_int_equal(rung, PEER);
	assert_true(rung_bits == 1ULL << 40);
}

static void test_region_rings_become_messages_under_the_lock(void **state)
{
	struct pci_function *function = &region->device.function;

	(void)state;
	lock_acquire(&region->lock);
	pci_function_ops.write(function, 4, 2, 4);
	pci_function_ops.write(function, function->msix_capability + 2, 2, 0x8000);
	for (unsigned vector = 0; vector < 2; vector++) {
		pci_msix_ops.write(function, vector * 16, 4, 0xfee00000, 0);
		pci_msix_ops.write(function, vector * 16 + 12, 4, 0, 0);
	}
	lock_release(&region->lock);
	assert_int_equal(regions_start(&machine), OK);
	assert_ptr_equal(thread_argument, region);
	arriving = 3 | 1ULL << 2 | 1ULL << 63;
	thread(thread_argument);
	assert_int_equal(messages, 2);
	assert_false(atomic_load(&region->lock.held));
}

static void test_region_without_a_slot_is_told(void **state)
{
	(void)state;
	claim_status = ERR_NO_SPACE;
	assert_int_equal(regions_make(&machine), ERR_NO_SPACE);
	assert_int_equal(attached, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_region_is_seen_where_its_bar_is, setup),
		cmocka_unit_test_setup(test_region_is_mapped_by_as_many_calls_as_it_takes, setup),
		cmocka_unit_test_setup(test_region_that_finds_no_room_is_nowhere, setup),
		cmocka_unit_test_setup(test_region_stays_where_it_cannot_leave, setup),
		cmocka_unit_test_setup(test_region_rings_peers_that_there_are, setup),
		cmocka_unit_test_setup(test_region_rings_become_messages_under_the_lock, setup),
		cmocka_unit_test_setup(test_region_without_a_slot_is_told, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
