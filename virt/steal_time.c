/* The record of stolen time. It is seen through the CPU's window while it is written, and never mapped for longer: nothing has to
 * be shot down when a guest moves it, which it may do as often as it likes. */
#include "virt/steal_time.h"

#include <stddef.h>

#include "abi/layout.h"
#include "kernel/memory.h"
#include "kernel/pool.h"
#include "kernel/thread.h"
#include "lib/base/time.h"
#include "virt/hv.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define MSR_ENABLED      0x1ULL
#define MSR_RESERVED     0x3eULL

static void let_go(struct steal_time *steal)
{
	if (steal->memory != NULL)
		object_put(memory_object(steal->memory));
	steal->memory = NULL;
}

static struct steal_record *open_record(const struct steal_time *steal)
{
	return (struct steal_record *)(void *)((uint8_t *)frame_open(steal->physical) + steal->physical % PAGE_SIZE_BYTES);
}

bool steal_time_write_msr(struct vcpu *vcpu, uint64_t value)
{
	struct steal_time *steal = &vcpu->steal;

	if ((value & MSR_RESERVED) != 0)
		return false;
	let_go(steal);
	steal->msr = value;
	steal->is_asked_for = (value & MSR_ENABLED) != 0;
	if (steal->is_asked_for)
		atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
	return true;
}

/* Its thread may not have begun: then nothing was stolen. */
static uint64_t stolen_ns(const struct vcpu *vcpu)
{
	const struct thread *thread = atomic_load(&vcpu->thread);

	return thread != NULL ? time_ns(thread_steal_ticks(thread), tsc_hz) : 0;
}

/* A memory object keeps its frames until it is released as a whole, but for pieces that leave by MEMORY_DISCARD; that looks for
 * records under the lock of the guest map (virt/discard.c). So the frame stays this object's. */
static enum status let_write_to(struct vcpu *vcpu, struct memory *memory, uint64_t offset_bytes)
{
	struct memory_run run = {.physical = 0};
	enum status status = OK;

	spinlock_acquire(&vcpu->vm->map.lock);
	if (memory != NULL)
		status = memory_run_at(memory, offset_bytes & ~(PAGE_SIZE_BYTES - 1), &run);
	if (status == OK)
		let_go(&vcpu->steal);
	if (status == OK && memory != NULL) {
		object_get(memory_object(memory));
		vcpu->steal.offset_bytes = offset_bytes;
		vcpu->steal.physical = run.physical + offset_bytes % PAGE_SIZE_BYTES;
		vcpu->steal.memory = memory;
	}
	spinlock_release(&vcpu->vm->map.lock);
	return status;
}

enum status steal_time_place(struct vcpu *vcpu, struct memory *memory, uint64_t offset_bytes)
{
	enum status status = OK;

	if (memory != NULL && offset_bytes % STEAL_RECORD_BYTES != 0)
		return ERR_MISALIGNED;
	if (memory != NULL && memory_kind(memory) != MEMORY_KIND_RAM)
		return ERR_UNSUPPORTED;
	if (status == OK)
		status = let_write_to(vcpu, memory, offset_bytes);
	if (status == OK && memory != NULL)
		steal_time_arrive(vcpu);
	return status;
}

void steal_time_reset(struct vcpu *vcpu)
{
	let_go(&vcpu->steal);
	vcpu->steal.msr = 0;
	vcpu->steal.is_asked_for = false;
}

/* Each store is ordered after those before it, so that a reader who finds the same even version twice has read one state. The
 * version is counted here: what the guest puts there decides nothing. */
void steal_time_arrive(struct vcpu *vcpu)
{
	struct steal_time *steal = &vcpu->steal;
	struct steal_record *record;
	uint8_t wishes;

	if (steal->memory == NULL)
		return;
	record = open_record(steal);
	wishes = atomic_exchange(&record->preempted, 0);
	atomic_store_explicit(&record->version, ++steal->version, memory_order_release);
	atomic_store_explicit(&record->flags, 0, memory_order_release);
	atomic_store_explicit(&record->steal_ns, stolen_ns(vcpu), memory_order_release);
	atomic_store_explicit(&record->version, ++steal->version, memory_order_release);
	frame_close();
	if ((wishes & STEAL_FLUSH) != 0)
		hv->flush_linear(vcpu);
}

/* Not while it waits in HLT, where it wants no CPU; nor while its VMM works for it: what the VMM knows of the guest's page tables
 * must not outlive a flush that the guest believes done. In the loop, all that the vCPU still does begins with an entry. */
void steal_time_depart(struct vcpu *vcpu)
{
	if (vcpu->steal.memory == NULL || atomic_load(&vcpu->place) != VCPU_IN_LOOP)
		return;
	atomic_store_explicit(&open_record(&vcpu->steal)->preempted, STEAL_PREEMPTED, memory_order_release);
	frame_close();
}
