/* A VM is dead when all its vCPUs sleep and none would wake by itself: only they could wake one another.
 *
 * Whoever goes to sleep last finds that out. A vCPU that is sent something has a bit of `pending` set, and says that it is awake
 * before it takes the bits; so it is read in the other order. Others go to sleep meanwhile, having sent something to one that was
 * looked at before: then the count of changes is another one, and whoever changed it last looks for himself. */
#include <stdatomic.h>

#include "virt/vcpu.h"
#include "virt/vm.h"

static bool all_sleep(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_limit; i++) {
		struct vcpu *vcpu = vm_vcpu(vm, i);

		if (vcpu != NULL && (atomic_load(&vcpu->pending) != 0 || !atomic_load(&vcpu->sleeps_for_good)))
			return false;
	}
	return true;
}

bool vcpu_sleeps_for_good(struct vcpu *vcpu)
{
	uint32_t changes;

	atomic_store(&vcpu->sleeps_for_good, true);
	changes = atomic_fetch_add(&vcpu->vm->sleep_changes, 1) + 1;
	return all_sleep(vcpu->vm) && atomic_load(&vcpu->vm->sleep_changes) == changes;
}

void vcpu_awakes(struct vcpu *vcpu)
{
	if (!atomic_load_explicit(&vcpu->sleeps_for_good, memory_order_relaxed))
		return;
	atomic_store(&vcpu->sleeps_for_good, false);
	atomic_fetch_add(&vcpu->vm->sleep_changes, 1);
}
