/* A virtual machine in ring 0: its guest map, its slot, its vCPUs, and why it stopped. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/features.h"
#include "abi/vcpu.h"
#include "kernel/config.h"
#include "kernel/object.h"
#include "virt/doorbell.h"
#include "virt/guest_map.h"
#include "virt/paravirtual.h"
#include "virt/vm_slot.h"

struct cpuid_table;
struct pool;
struct vcpu;

struct vm {
	struct object object;
	/* constant after vm_create() */
	uint32_t id;
	uint32_t vcpu_limit;
	char name[32];
	uint64_t disabled_features;
	struct pool *pool;
	struct cpuid_table *cpuid;
	uint64_t tsc_offset; /* guest TSC = host TSC + this, until the guest writes its TSC */
	uint64_t xcr0_mask;  /* what the guest may set in XCR0; 0: no XSAVE */
	uint64_t xss_mask;   /* ... and in IA32_XSS, which is there with XSAVES */
	bool xsaves_shown;
	uint64_t cr4_allowed; /* CR4 bits that the guest may set */
	uint32_t paravirtual; /* PARAVIRTUAL_ bits: what CPUID says is offered */
	void *backend;
	/* own locks */
	struct guest_map map;
	struct doorbells doorbells;
	struct vm_slot slot; /* changed under create_lock */
	struct spinlock create_lock;
	/* atomic */
	_Atomic uint32_t stop_reason;
	_Atomic uint32_t stopper;     /* 1 + index of the vCPU whose doing that was, STOPPED_BY_OTHERS, or 0: not stopped */
	_Atomic uint32_t lowest_start; /* where the search for the lowest priority begins */
	_Atomic uint32_t sleep_changes; /* see vcpu_sleep.c */
	_Atomic(struct vcpu *) vcpus[VCPUS_PER_VM_MAX]; /* freed with the VM only */
	_Atomic uint64_t eoi_exits[4];                  /* vectors whose EOI the VMM wants */
};

static inline bool vm_feature_disabled(const struct vm *vm, enum feature feature)
{
	return (vm->disabled_features & FEATURE_BIT(feature)) != 0;
}

#define STOPPED_BY_OTHERS UINT32_MAX

/* Ends this VM's run: the first reason counts. All its vCPUs leave the guest and return VCPU_EXIT_STOPPED. Context: any. */
void vm_stop(struct vm *vm, enum vcpu_stop_reason reason);

/* NULL when there is no such vCPU. */
static inline struct vcpu *vm_vcpu(struct vm *vm, uint32_t index)
{
	return index < VCPUS_PER_VM_MAX ? atomic_load_explicit(&vm->vcpus[index], memory_order_acquire) : NULL;
}
