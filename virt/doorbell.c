/* The doorbells of a VM. A vCPU's own thread rings; programs with the VM's handle add and remove. */
#include "virt/doorbell.h"

#include <stddef.h>

#include "kernel/event.h"
#include "kernel/hypervisor.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define PORT_COUNT 0x10000U
#define EVENT_BITS 63U /* bit 63 is never signalled */

void doorbells_init(struct doorbells *doorbells)
{
	doorbells->lock = SPINLOCK(RANK_GUEST_MAP);
}

void doorbells_destroy(struct doorbells *doorbells)
{
	for (unsigned i = 0; i < VM_DOORBELLS_MAX; i++) {
		struct event *event = atomic_exchange(&doorbells->entries[i].event, NULL);

		if (event != NULL)
			object_put(event_object(event));
	}
}

bool doorbells_ring(struct doorbells *doorbells, uint16_t port)
{
	for (unsigned i = 0; i < VM_DOORBELLS_MAX; i++) {
		const struct doorbell *bell = &doorbells->entries[i];
		struct event *event = atomic_load_explicit(&bell->event, memory_order_acquire);
		uint64_t bit;

		if (event == NULL || (uint16_t)(port - bell->first) >= bell->count)
			continue;
		if ((port - bell->first) % VM_DOORBELL_STEP != 0)
			return false;
		bit = 1ULL << (bell->first_bit + (port - bell->first) / VM_DOORBELL_STEP);
		/* The last that is read of the place, and before a lock is waited for. */
		object_get(event_object(event));
		event_signal(event, bit);
		object_put(event_object(event));
		return true;
	}
	return false;
}

/* Lock held. */
static void find_span(struct doorbells *doorbells)
{
	uint32_t low = PORT_COUNT, end = 0;

	for (unsigned i = 0; i < VM_DOORBELLS_MAX; i++) {
		const struct doorbell *bell = &doorbells->entries[i];

		if (atomic_load(&bell->event) == NULL)
			continue;
		low = bell->first < low ? bell->first : low;
		end = bell->first + (uint32_t)bell->count > end ? bell->first + (uint32_t)bell->count : end;
	}
	if (end - low == PORT_COUNT)
		end--; /* the last port is none that rings: it is no doorbell's first */
	atomic_store(&doorbells->span, end == 0 ? 0 : low | (end - low) << 16);
}

static enum status add(struct doorbells *doorbells, const struct doorbell *wanted, struct event *event)
{
	struct doorbell *place = NULL;

	for (unsigned i = 0; i < VM_DOORBELLS_MAX; i++) {
		struct doorbell *bell = &doorbells->entries[i];

		if (atomic_load(&bell->event) == NULL)
			place = place == NULL ? bell : place;
		else if (wanted->first < bell->first + bell->count && bell->first < wanted->first + wanted->count)
			return ERR_EXISTS;
	}
	if (place == NULL)
		return ERR_NO_SPACE;
	place->first = wanted->first;
	place->count = wanted->count;
	place->first_bit = wanted->first_bit;
	object_get(event_object(event));
	atomic_store_explicit(&place->event, event, memory_order_release);
	find_span(doorbells);
	return OK;
}

/* *removed: its reference is the caller's. */
static enum status remove(struct vm *vm, uint16_t first, struct event **removed)
{
	struct doorbells *doorbells = &vm->doorbells;

	for (unsigned i = 0; i < VM_DOORBELLS_MAX; i++) {
		struct doorbell *bell = &doorbells->entries[i];

		if (atomic_load(&bell->event) == NULL || bell->first != first)
			continue;
		*removed = atomic_exchange(&bell->event, NULL);
		find_span(doorbells);
		vcpus_must_forget(vm); /* nobody is in doorbells_ring() with what was there any more */
		return OK;
	}
	return ERR_NOT_FOUND;
}

static enum status check(uint64_t first, uint64_t count, uint64_t first_bit, uint64_t badge)
{
	uint64_t bits, bit_count = count / VM_DOORBELL_STEP;

	if (count == 0 || count % VM_DOORBELL_STEP != 0)
		return ERR_MISALIGNED;
	if (first >= PORT_COUNT || count > PORT_COUNT - first || first_bit >= EVENT_BITS ||
	    bit_count > EVENT_BITS - first_bit)
		return ERR_OUT_OF_RANGE;
	bits = ((1ULL << bit_count) - 1) << first_bit;
	return event_bits(bits, badge) == bits ? OK : ERR_DENIED;
}

int64_t sys_vm_doorbell(const struct syscall_arguments *a)
{
	struct vm *vm = (struct vm *)a->object[0];
	const struct doorbell wanted = {
		.first = (uint16_t)a->value[2], .count = (uint16_t)a->value[3], .first_bit = (uint8_t)a->value[4]};
	struct event *removed = NULL;
	enum status status = a->value[2] < PORT_COUNT ? OK : ERR_OUT_OF_RANGE;

	if (a->object[1] != NULL)
		status = check(a->value[2], a->value[3], a->value[4], a->badge);
	if (status != OK)
		return syscall_error(status);
	spinlock_acquire(&vm->doorbells.lock);
	if (a->object[1] != NULL)
		status = add(&vm->doorbells, &wanted, event_from_object(a->object[1]));
	else
		status = remove(vm, wanted.first, &removed);
	spinlock_release(&vm->doorbells.lock);
	if (removed != NULL)
		object_put(event_object(removed));
	return syscall_error(status);
}
