/* vCPUs without a backend. */
#include "tests/fake/vcpus.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "virt/interrupts.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

void fake_vcpus_make(struct vm *vm, struct vcpu **vcpus, uint32_t count)
{
	vm->vcpu_limit = count;
	for (uint32_t i = 0; i < count; i++) {
		struct apic_effects effects = {.flags = 0};
		struct vcpu *vcpu = aligned_alloc(64, (sizeof(struct vcpu) + 63) / 64 * 64);

		memset(vcpu, 0, sizeof(*vcpu));
		vcpu->vm = vm;
		vcpu->index = i;
		vcpu->timer_deadline_tsc = UINT64_MAX;
		vcpu->eoi_vector = NO_EOI;
		vcpu->sipi_vector = NO_SIPI;
		local_apic_create(&vcpu->apic, i, i == 0, true, 39, apic_clock_make(1000000000));
		local_apic_write(&vcpu->apic, APIC_SVR, 0x1ff, 0, &effects);
		interrupts_publish_route(vcpu);
		atomic_store(&vm->vcpus[i], vcpu);
		vcpus[i] = vcpu;
	}
}

void fake_vcpus_free(struct vcpu **vcpus, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(vcpus[i]);
}
