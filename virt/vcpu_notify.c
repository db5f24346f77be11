/* What others tell a vCPU: bits of `pending`, and that its thread comes to look at them. */
#include <stdatomic.h>
#include <stddef.h>

#include "kernel/interrupt.h"
#include "kernel/percpu.h"
#include "kernel/shootdown.h"
#include "kernel/spinlock.h"
#include "kernel/thread.h"
#include "kernel/thread_internal.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

void vcpu_notify(struct vcpu *vcpu, uint32_t pending_bits)
{
	struct thread *thread;

	/* Ordered against the vCPU's own "say where I am, then look at pending": one of the two sees the other. A bit that was
	 * set already is one that it has yet to look at: who set it told it so, and nobody else's CPU is disturbed again.
	 * (What it must forget is not told: below.) */
	if ((atomic_fetch_or(&vcpu->pending, pending_bits) & ~PENDING_FLUSH) != 0)
		return;
	if (atomic_load(&vcpu->place) == VCPU_OUTSIDE || atomic_load(&vcpu->thread) == thread_current())
		return;
	spinlock_acquire(&vcpu->thread_lock);
	thread = atomic_load(&vcpu->thread);
	if (thread != NULL && atomic_load(&vcpu->place) == VCPU_BLOCKED)
		thread_wake(thread);
	else if (thread != NULL)
		thread_kick(thread);
	spinlock_release(&vcpu->thread_lock);
}

bool vcpu_notify_posted(struct vcpu *vcpu)
{
	struct thread *thread;

	/* Ordered as above: what was posted is seen by one that is about to block or to enter the guest. */
	if (!atomic_load(&vcpu->takes_posted) || atomic_load(&vcpu->place) != VCPU_IN_LOOP ||
	    atomic_load(&vcpu->thread) == thread_current())
		return false;
	spinlock_acquire(&vcpu->thread_lock);
	thread = atomic_load(&vcpu->thread);
	if (thread != NULL) {
		const struct percpu *home = atomic_load(&thread->home);

		if (home != percpu_self())
			interrupt_send(home->apic_id, VECTOR_POSTED);
	}
	spinlock_release(&vcpu->thread_lock);
	return true;
}

void vcpu_must_forget(struct vcpu *vcpu, uint64_t cpu_mask[CPUS_MAX / 64])
{
	const struct percpu *cpu = NULL;
	const struct thread *thread;

	/* Outside the loop or blocked, it will look at pending before it enters the guest; ordered as in vcpu_notify(). */
	atomic_fetch_or(&vcpu->pending, PENDING_FLUSH);
	spinlock_acquire(&vcpu->thread_lock);
	thread = atomic_load(&vcpu->thread);
	/* So will one that waits for its CPU, or is on its way to another: nobody's guest there is disturbed for it. */
	if (thread != NULL && atomic_load(&vcpu->place) == VCPU_IN_LOOP)
		cpu = thread_runs_on(thread);
	if (cpu != NULL)
		cpu_mask[cpu->index / 64] |= 1ULL << (cpu->index % 64);
	spinlock_release(&vcpu->thread_lock);
}

void vcpus_must_forget(struct vm *vm)
{
	uint64_t cpu_mask[CPUS_MAX / 64] = {0};

	for (uint32_t i = 0; i < vm->vcpu_limit; i++) {
		struct vcpu *vcpu = vm_vcpu(vm, i);

		if (vcpu != NULL)
			vcpu_must_forget(vcpu, cpu_mask);
	}
	shootdown_guests(cpu_mask);
}
