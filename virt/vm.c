/* Creating, stopping, destroying VMs, and the calls that name one. */
#include "virt/vm.h"

#include <stddef.h>

#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/memory.h"
#include "kernel/pool.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/user_copy.h"
#include "lib/base/string.h"
#include "virt/control_registers.h"
#include "virt/cpuid_policy.h"
#include "virt/fpu.h"
#include "virt/hv.h"
#include "virt/interrupts.h"
#include "virt/vcpu.h"

_Static_assert(sizeof(struct vm) <= 4096, "one pool object");
_Static_assert(sizeof(struct cpuid_table) <= 4096, "one pool object");

static _Atomic uint32_t last_vm_id;

void vm_stop(struct vm *vm, enum vcpu_stop_reason reason)
{
	const struct vcpu *own = thread_current()->vcpu;
	uint32_t nobody = 0;

	if (!atomic_compare_exchange_strong(&vm->stopper, &nobody,
					    own != NULL && own->vm == vm ? own->index + 1 : STOPPED_BY_OTHERS))
		return;
	atomic_store(&vm->stop_reason, (uint32_t)reason);
	for (uint32_t i = 0; i < vm->vcpu_limit; i++) {
		struct vcpu *vcpu = vm_vcpu(vm, i);

		if (vcpu != NULL)
			vcpu_notify(vcpu, PENDING_STOP);
	}
}

static bool vm_release(struct object *object)
{
	struct vm *vm = (struct vm *)object;
	struct pool *pool = vm->pool;

	for (uint32_t i = 0; i < VCPUS_PER_VM_MAX; i++) {
		struct vcpu *vcpu = atomic_exchange(&vm->vcpus[i], NULL);

		if (vcpu != NULL)
			vcpu_free(vcpu);
	}
	guest_map_destroy(&vm->map);
	doorbells_destroy(&vm->doorbells);
	if (vm->backend != NULL && !hv->vm_destroy(vm))
		return false;
	vm_slot_destroy(&vm->slot, pool);
	if (vm->cpuid != NULL)
		pool_free(pool, vm->cpuid, sizeof(*vm->cpuid));
	pool_free(pool, vm, sizeof(*vm));
	object_put(pool_object(pool));
	return true;
}

static struct cpuid_answer host_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid host = cpuid(leaf, subleaf);

	return (struct cpuid_answer){.eax = host.eax, .ebx = host.ebx, .ecx = host.ecx, .edx = host.edx};
}

static uint64_t guest_cr4_allowed(const struct cpuid_table *table)
{
	const struct cpuid_answer *leaf1 = cpuid_policy_static(table, 1, 0), *leaf7 = cpuid_policy_static(table, 7, 0);

	return cr4_allowed(leaf1->ecx, leaf7->ebx, leaf7->ecx, leaf7->edx);
}

static enum status vm_fill(struct vm *vm)
{
	struct cpuid_inputs inputs = {.host = host_cpuid, .tsc_hz = tsc_hz, .disabled_features = vm->disabled_features,
				      .xcr0_mask = vm->xcr0_mask, .backend_offers = hv->offers(), .vcpu_count = vm->vcpu_limit};
	enum status status;

	vm->cpuid = pool_alloc(vm->pool, sizeof(*vm->cpuid));
	if (vm->cpuid == NULL)
		return ERR_NO_MEMORY;
	cpuid_policy_make(vm->cpuid, &inputs);
	vm->cr4_allowed = guest_cr4_allowed(vm->cpuid);
	vm->xss_mask = cpuid_policy_xss_mask(vm->cpuid);
	vm->xsaves_shown = (cpuid_policy_static(vm->cpuid, 0x0d, 1)->eax & 0x8) != 0;
	vm->paravirtual = paravirtual_offered(vm->disabled_features, vm->vcpu_limit);
	status = vm_slot_create(&vm->slot, vm->pool);
	return status == OK ? hv->vm_create(vm) : status;
}

static enum status vm_create(struct pool *pool, const struct vm_config *config, struct vm **out)
{
	struct vm *vm;
	enum status status;

	if (config->vcpu_limit == 0 || config->vcpu_limit > VCPUS_PER_VM_MAX || config->flags != 0)
		return ERR_INVALID;
	if (hv == NULL || hypervisor_usable() == 0)
		return ERR_UNSUPPORTED;
	vm = pool_alloc(pool, sizeof(*vm));
	if (vm == NULL)
		return ERR_NO_MEMORY;
	object_init(&vm->object, OBJECT_VM, vm_release);
	object_get(pool_object(pool));
	vm->pool = pool;
	vm->id = atomic_fetch_add(&last_vm_id, 1) + 1;
	vm->vcpu_limit = config->vcpu_limit;
	memcpy(vm->name, config->name, sizeof(vm->name) - 1);
	vm->disabled_features = config->disabled_features;
	vm->xcr0_mask = vm_feature_disabled(vm, FEATURE_XSAVE) ? 0 : fpu_xcr0_supported();
	vm->tsc_offset = -rdtsc();
	vm->create_lock = SPINLOCK(RANK_GUEST_MAP);
	guest_map_init(&vm->map);
	doorbells_init(&vm->doorbells);
	status = vm_fill(vm);
	if (status != OK) {
		object_put(&vm->object);
		return status;
	}
	*out = vm;
	return OK;
}

int64_t sys_vm_create(const struct syscall_arguments *a)
{
	struct vm_config config;
	struct vm *vm;
	enum status status = copy_from_user(&config, a->value[2], sizeof(config));

	if (status == OK)
		status = vm_create(pool_from_object(a->object[1]), &config, &vm);
	return status == OK ? syscall_new_handle(&vm->object, RIGHT_ALL) : syscall_error(status);
}

static struct vm *vm_of(const struct syscall_arguments *a)
{
	return (struct vm *)a->object[0];
}

int64_t sys_vm_map(const struct syscall_arguments *a)
{
	uint64_t done = 0;
	enum status status = ERR_INVALID;

	if (a->value[5] <= RIGHT_ALL)
		status = guest_map_add(vm_of(a), a->value[1], memory_from_object(a->object[1]), a->value[3], a->value[4],
				       (unsigned)a->value[5], &done);
	return status == OK ? (int64_t)done : syscall_error(status);
}

int64_t sys_vm_unmap(const struct syscall_arguments *a)
{
	uint64_t done = 0;
	enum status status = guest_map_remove(vm_of(a), a->value[1], a->value[2], &done);

	return status == OK ? (int64_t)done : syscall_error(status);
}

int64_t sys_vm_stop(const struct syscall_arguments *a)
{
	if (a->value[1] == VCPU_STOP_NONE || a->value[1] >= VCPU_STOP_REASON_COUNT)
		return syscall_error(ERR_INVALID);
	vm_stop(vm_of(a), (enum vcpu_stop_reason)a->value[1]);
	return 0;
}

int64_t sys_vm_msi(const struct syscall_arguments *a)
{
	return interrupts_send_msi(vm_of(a), a->value[1], (uint32_t)a->value[2]);
}

int64_t sys_vm_eoi_exits(const struct syscall_arguments *a)
{
	uint64_t vectors[4];
	enum status status = copy_from_user(vectors, a->value[1], sizeof(vectors));

	for (unsigned i = 0; i < 4 && status == OK; i++)
		atomic_store(&vm_of(a)->eoi_exits[i], vectors[i]);
	if (status == OK)
		vcpus_must_forget(vm_of(a)); /* where the hardware ends interrupts, it knows before one is sent */
	return syscall_error(status);
}

static void add_ledger(struct vm_status *sum, struct vcpu *vcpu)
{
	for (unsigned i = 0; i < VM_LEDGER_REASONS; i++)
		sum->exits[i] += vcpu->exits[i];
	sum->exits_to_vmm += vcpu->exits_to_vmm;
	sum->run_ticks += vcpu_run_ticks(vcpu);
}

int64_t sys_vm_status(const struct syscall_arguments *a)
{
	struct vm *vm = vm_of(a);
	struct vm_status sum = {.stop_reason = atomic_load(&vm->stop_reason), .tsc_offset = vm->tsc_offset};

	for (uint32_t i = 0; i < vm->vcpu_limit; i++) {
		struct vcpu *vcpu = vm_vcpu(vm, i);

		if (vcpu == NULL)
			continue;
		sum.vcpu_count++;
		add_ledger(&sum, vcpu);
	}
	return syscall_error(copy_to_user(a->value[1], &sum, sizeof(sum)));
}
