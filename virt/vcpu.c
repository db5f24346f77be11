/* Creating and freeing vCPUs, and calls for them. Running one is in vcpu_run.c, its registers are in vcpu_registers.c. */
#include "virt/vcpu.h"

#include <stddef.h>

#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/memory.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/scheduler.h"
#include "kernel/space_internal.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/user_copy.h"
#include "lib/base/string.h"
#include "virt/control_registers.h"
#include "virt/cpuid_policy.h"
#include "virt/fpu.h"
#include "virt/hv.h"
#include "virt/interrupts.h"
#include "virt/msr_policy.h"
#include "virt/vm.h"

_Static_assert(sizeof(struct vcpu) <= 4096, "one pool object");

/* The vCPU itself stays until its VM goes: others may be sending to it. */
static bool vcpu_release(struct object *object)
{
	struct vcpu *vcpu = (struct vcpu *)((uint8_t *)object - offsetof(struct vcpu, object));

	object_put(&vcpu->vm->object);
	return true;
}

void vcpu_free(struct vcpu *vcpu)
{
	struct pool *pool = vcpu->vm->pool;

	steal_time_reset(vcpu);
	if (vcpu->backend != NULL)
		hv->vcpu_destroy(vcpu);
	pool_free(pool, vcpu, sizeof(*vcpu));
}

void vcpu_reset(struct vcpu *vcpu, uint64_t cr0)
{
	vcpu->registers = registers_after_init;
	vcpu->registers.cr0 = CR0_ET | (cr0 & (CR0_CD | CR0_NW));
	vcpu->registers.gpr[GPR_RDX] = cpuid_policy_static(vcpu->vm->cpuid, 1, 0)->eax;
	vcpu->registers_waiting = true;
}

static enum status add_pages(struct vm *vm, struct vcpu *vcpu)
{
	static const unsigned pages[] = {VCPU_PAGE_STATE, VCPU_PAGE_REPLY, VCPU_PAGE_PRIVATE, VCPU_PAGE_XSAVE, VCPU_PAGE_APIC};
	uint64_t physical[5];

	for (unsigned i = 0; i < 5; i++) {
		enum status status = vm_slot_add(&vm->slot, vm->pool, vcpu->index, pages[i], &physical[i]);

		if (status != OK)
			return status;
	}
	vcpu->state = (struct vcpu_state *)(uintptr_t)vm_slot_address(vcpu->index, VCPU_PAGE_STATE);
	vcpu->reply = (struct vcpu_reply *)(uintptr_t)vm_slot_address(vcpu->index, VCPU_PAGE_REPLY);
	vcpu->private = (struct vcpu_private *)(uintptr_t)vm_slot_address(vcpu->index, VCPU_PAGE_PRIVATE);
	vcpu->xsave_area = (void *)(uintptr_t)vm_slot_address(vcpu->index, VCPU_PAGE_XSAVE);
	vcpu->state_physical = physical[0];
	vcpu->reply_physical = physical[1];
	vcpu->virtual_apic = (void *)(uintptr_t)vm_slot_address(vcpu->index, VCPU_PAGE_APIC);
	vcpu->virtual_apic_physical = physical[4];
	vcpu->private->vcpu = vcpu;
	fpu_area_init(vcpu->xsave_area);
	return OK;
}

static void vcpu_init(struct vcpu *vcpu, struct vm *vm, const struct vcpu_config *config)
{
	uint8_t physical_bits = (uint8_t)cpuid_policy_static(vm->cpuid, 0x80000008U, 0)->eax;

	object_init(&vcpu->object, OBJECT_VCPU, vcpu_release);
	vcpu->vm = vm;
	vcpu->index = config->index;
	vcpu->is_bootstrap = config->is_bootstrap != 0;
	vcpu->activity = vcpu->is_bootstrap ? VCPU_ACTIVE : VCPU_WAIT_FOR_SIPI;
	vcpu->thread_lock = SPINLOCK(RANK_EVENT);
	vcpu->timer_deadline_tsc = UINT64_MAX;
	vcpu->sipi_vector = NO_SIPI;
	vcpu->tsc_offset = vm->tsc_offset;
	vcpu->eoi_vector = NO_EOI;
	vcpu->xcr0 = 1;
	vcpu->dr6 = DR6_AFTER_INIT;
	local_apic_create(&vcpu->apic, config->index, vcpu->is_bootstrap, !vm_feature_disabled(vm, FEATURE_X2APIC), physical_bits,
			  apic_clock_make(tsc_hz));
	if (vcpu->is_bootstrap)
		local_apic_set_virtual_wire(&vcpu->apic);
	vcpu->apic.deadline_offered = !vm_feature_disabled(vm, FEATURE_TSC_DEADLINE);
	interrupts_publish_route(vcpu);
	msr_policy_reset(vcpu);
	vcpu_reset(vcpu, CR0_CD | CR0_NW);
}

/* Under the VM's create_lock. */
static enum status vcpu_add(struct vm *vm, const struct vcpu_config *config, struct vcpu **out)
{
	struct vcpu *vcpu;
	enum status status;

	if (vm_vcpu(vm, config->index) != NULL)
		return ERR_EXISTS;
	vcpu = pool_alloc(vm->pool, sizeof(*vcpu));
	if (vcpu == NULL)
		return ERR_NO_MEMORY;
	vcpu_init(vcpu, vm, config);
	status = add_pages(vm, vcpu);
	if (status == OK)
		status = hv->vcpu_create(vcpu);
	if (status != OK) {
		vcpu_free(vcpu);
		return status;
	}
	object_get(&vm->object);
	atomic_store_explicit(&vm->vcpus[config->index], vcpu, memory_order_release);
	*out = vcpu;
	return OK;
}

static enum status vcpu_create(struct vm *vm, struct space *space, const struct vcpu_config *config, struct vcpu **out)
{
	struct vcpu *vcpu;
	enum status status;

	if (space_vm(space) != vm)
		return ERR_DENIED; /* the slot is not there */
	if (config->index >= vm->vcpu_limit)
		return ERR_OUT_OF_RANGE;
	spinlock_acquire(&vm->create_lock);
	status = vcpu_add(vm, config, &vcpu);
	spinlock_release(&vm->create_lock);
	if (status != OK)
		return status;
	status = space_map_frame(space, config->state_address, vcpu->state_physical, RIGHT_READ, true);
	if (status == OK)
		status = space_map_frame(space, config->reply_address, vcpu->reply_physical, RIGHT_READ | RIGHT_WRITE, true);
	if (status != OK) {
		object_put(&vcpu->object); /* the index is spent, the VM frees the rest */
		return status;
	}
	*out = vcpu;
	return OK;
}

int64_t sys_vcpu_create(const struct syscall_arguments *a)
{
	struct vcpu_config config;
	struct vcpu *vcpu;
	enum status status = copy_from_user(&config, a->value[1], sizeof(config));

	if (status == OK)
		status = vcpu_create((struct vm *)a->object[0], thread_current()->space, &config, &vcpu);
	return status == OK ? syscall_new_handle(&vcpu->object, RIGHT_ALL) : syscall_error(status);
}

static struct vcpu *vcpu_of(const struct syscall_arguments *a)
{
	return (struct vcpu *)((uint8_t *)a->object[0] - offsetof(struct vcpu, object));
}

static bool may_enter(const struct vcpu *vcpu, const struct thread *thread)
{
	const struct thread *bound = atomic_load(&vcpu->thread);

	return bound == NULL || bound == thread;
}

void vcpu_leave(struct vcpu *vcpu)
{
	atomic_store(&vcpu->running, false);
}

enum status vcpu_enter(const struct syscall_arguments *a, struct vcpu **out)
{
	struct thread *thread = thread_current();
	struct vcpu *vcpu = vcpu_of(a);

	if (space_vm(thread->space) != vcpu->vm)
		return ERR_DENIED;
	if (!may_enter(vcpu, thread) || atomic_exchange(&vcpu->running, true))
		return ERR_BUSY;
	/* Its own thread needs no `running`: whoever came before that thread was bound, and got here after, must go. */
	if (!may_enter(vcpu, thread)) {
		vcpu_leave(vcpu);
		return ERR_BUSY;
	}
	*out = vcpu;
	return OK;
}

/* The thread takes up the place that the manager chose for it. Another thread of the VMM that comes here at the same time is
 * kept out by `running`. */
enum status vcpu_bind_thread(struct vcpu *vcpu)
{
	struct thread *thread = thread_current();
	const struct schedule_place *place;
	enum status status;

	if (thread->vcpu == vcpu)
		return OK;
	if (thread->vcpu != NULL || atomic_load(&vcpu->thread) != NULL)
		return ERR_BUSY;
	place = space_place(thread->space, vcpu->index);
	status = place != NULL ? scheduler_place_current(place) : OK; /* perhaps on another CPU from here on */
	if (status != OK)
		return status;
	object_get(&vcpu->object);
	thread->vcpu = vcpu;
	atomic_store(&vcpu->thread, thread);
	return OK;
}

uint64_t vcpu_run_ticks(struct vcpu *vcpu)
{
	struct thread *thread;
	uint64_t ticks;

	spinlock_acquire(&vcpu->thread_lock);
	thread = atomic_load(&vcpu->thread);
	ticks = vcpu->past_run_ticks + (thread != NULL ? thread_run_ticks(thread) : 0);
	spinlock_release(&vcpu->thread_lock);
	return ticks;
}

void vcpu_unbind(struct vcpu *vcpu)
{
	spinlock_acquire(&vcpu->thread_lock);
	vcpu->past_run_ticks += thread_run_ticks(atomic_load(&vcpu->thread));
	atomic_store(&vcpu->thread, NULL);
	spinlock_release(&vcpu->thread_lock);
	object_put(&vcpu->object);
}

int64_t hypervisor_run(void)
{
	struct vcpu *vcpu = stack_head()->thread->vcpu;

	return vcpu != NULL ? vcpu_run(vcpu) : syscall_error(ERR_BAD_HANDLE);
}

int64_t sys_vcpu_run(const struct syscall_arguments *a)
{
	struct vcpu *vcpu;
	enum status status = vcpu_enter(a, &vcpu);
	int64_t result;

	if (status != OK)
		return syscall_error(status);
	status = vcpu_bind_thread(vcpu);
	result = status == OK ? vcpu_run(vcpu) : syscall_error(status);
	vcpu_leave(vcpu);
	return result;
}

int64_t sys_vcpu_extint(const struct syscall_arguments *a)
{
	uint64_t level = a->value[1];

	if (level > 1)
		return syscall_error(ERR_INVALID);
	if (atomic_exchange(&vcpu_of(a)->extint_level, (uint32_t)level) != level && level == 1)
		vcpu_notify(vcpu_of(a), PENDING_INTERRUPT);
	return 0;
}

int64_t sys_vcpu_steal_record(const struct syscall_arguments *a)
{
	struct vcpu *vcpu;
	enum status status = vcpu_enter(a, &vcpu);

	if (status != OK)
		return syscall_error(status);
	status = steal_time_place(vcpu, a->object[1] != NULL ? memory_from_object(a->object[1]) : NULL, a->value[2]);
	vcpu_leave(vcpu);
	return syscall_error(status);
}

/* Under thread_lock the thread lives. */
static void describe(struct vcpu *vcpu, struct vcpu_status *out)
{
	const struct thread *thread;

	*out = (struct vcpu_status){.run_ticks = vcpu->past_run_ticks, .state = VCPU_STATE_OFF};
	spinlock_acquire(&vcpu->thread_lock);
	thread = atomic_load(&vcpu->thread);
	if (thread != NULL)
		thread_times(thread, out);
	spinlock_release(&vcpu->thread_lock);
	if (out->state == VCPU_STATE_HALTED && *(volatile enum vcpu_activity *)&vcpu->activity == VCPU_WAIT_FOR_SIPI)
		out->state = VCPU_STATE_WAITS_FOR_SIPI;
}

int64_t sys_vcpu_status(const struct syscall_arguments *a)
{
	struct vcpu *vcpu = a->value[1] < VCPUS_PER_VM_MAX ? vm_vcpu((struct vm *)a->object[0], (uint32_t)a->value[1]) : NULL;
	struct vcpu_status described;

	if (vcpu == NULL)
		return syscall_error(ERR_NOT_FOUND);
	describe(vcpu, &described);
	return syscall_error(copy_to_user(a->value[2], &described, sizeof(described)));
}
