/* What kernel/ calls in virt/: CPUs that start and stop, threads that come and go. */
#include "kernel/hypervisor.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "lib/base/format.h"
#include "virt/fpu.h"
#include "virt/hv.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

const struct hv_ops *hv;
static bool usable; /* constant after hypervisor_ready() */

static const struct hv_ops *const backends[] = {&vmx_ops};

void hypervisor_cpu_start(struct percpu *cpu)
{
	struct hv_cpu *state = pool_alloc(root_pool, sizeof(*state));

	if (state == NULL)
		panic("no memory for a CPU's virtualization state");
	cpu->hypervisor = state;
	fpu_cpu_start();
	for (size_t i = 0; hv == NULL && i < sizeof(backends) / sizeof(backends[0]); i++) {
		if (backends[i]->detect())
			hv = backends[i];
	}
	if (hv != NULL)
		hv->cpu_start(cpu);
}

void hypervisor_ready(void)
{
	usable = hv != NULL && hv->ready();
}

void hypervisor_cpu_stop(void)
{
	if (hv != NULL && percpu_self()->hypervisor != NULL)
		hv->cpu_stop();
}

uint32_t hypervisor_usable(void)
{
	return usable ? 1 : 0;
}

size_t hypervisor_report(char *out, size_t size_bytes)
{
	if (hv != NULL)
		return hv->report(out, size_bytes);
	return format_text(out, size_bytes, "E401 this PC's processor has no Intel VT-x; Bulkhead cannot run VMs on it\n");
}

void hypervisor_switch_out(struct thread *previous, struct thread *next)
{
	struct hv_cpu *cpu = percpu_self()->hypervisor;

	if (cpu == NULL)
		return;
	cpu->settled = NULL;
	if (previous->vcpu != NULL)
		steal_time_depart(previous->vcpu);
	if (cpu->fpu_owner == NULL)
		return;
	/* A vCPU that is in vcpu_run()'s loop goes on with arrive(). */
	if (next->space == NULL || space_vm(next->space) != cpu->fpu_owner->vm)
		fpu_release(cpu, next->vcpu != NULL && atomic_load(&next->vcpu->place) != VCPU_OUTSIDE);
}

void hypervisor_leave_cpu(struct thread *thread)
{
	struct hv_cpu *cpu = percpu_self()->hypervisor;
	struct vcpu *vcpu = thread->vcpu;

	if (vcpu == NULL)
		return;
	if (cpu->settled == vcpu)
		cpu->settled = NULL;
	if (cpu->fpu_owner == vcpu)
		fpu_release(cpu, false);
	if (cpu->msr_owner == vcpu)
		live_msrs_release(cpu);
	hv->leave_cpu(vcpu);
}

void hypervisor_thread_gone(struct thread *thread)
{
	struct vcpu *vcpu = thread->vcpu;

	if (vcpu == NULL)
		return;
	hypervisor_leave_cpu(thread);
	thread->vcpu = NULL;
	vcpu_unbind(vcpu);
}

struct vm *hypervisor_vm(struct object *object)
{
	return (struct vm *)object;
}

uint64_t hypervisor_vm_slot(struct vm *vm)
{
	return vm_slot_physical(&vm->slot);
}

struct object *hypervisor_vm_object(struct vm *vm)
{
	return &vm->object;
}
