/* Making VMs and vCPUs on VMX, and moving a VMCS between CPUs. SDM Vol. 3C, "Virtual Machine Control Structures". */
#include "vmx/vmx_vcpu.h"

#include <stdatomic.h>
#include <stddef.h>

#include "abi/features.h"
#include "abi/syscall.h"
#include "kernel/config.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "lib/base/format.h"
#include "virt/control_registers.h"
#include "virt/cpuid_policy.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/apic_access.h"
#include "vmx/apicv.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_cpu.h"

/* SDM Vol. 2A, "CPUID--CPU Identification". */
#define CPUID_1_ECX_X2APIC            (1U << 21)
#define CPUID_1_ECX_TSC_DEADLINE      (1U << 24)
#define CPUID_1_ECX_XSAVE             (1U << 26)
#define CPUID_POWER_EDX_INVARIANT_TSC (1U << 8)

#define INVVPID_SINGLE 1U
#define INVEPT_SINGLE  1U
#define INVEPT_ALL     2U

static void *page_alloc(void *context)
{
	return pool_page_alloc(context);
}

static void page_free(void *context, void *page)
{
	pool_page_free(context, page);
}

static const struct ept_provider ept_pages = {
	.page_alloc = page_alloc, .page_free = page_free, .physical = direct_physical, .pointer = direct_pointer,
};

enum status vmx_vm_create(struct vm *vm)
{
	struct vmx_vm *vmx;
	enum status status;

	if ((vm->disabled_features & FEATURES_NEEDED) != 0)
		return ERR_UNSUPPORTED;
	vmx = pool_alloc(vm->pool, sizeof(*vmx));
	if (vmx == NULL)
		return ERR_NO_MEMORY;
	status = ept_create(&vmx->ept, &ept_pages, vm->pool);
	if (status != OK) {
		pool_free(vm->pool, vmx, sizeof(*vmx));
		return status;
	}
	vmx->ept.use_2m = (vmx_capabilities.ept_vpid & EPT_CAP_2M) != 0 && !vm_feature_disabled(vm, FEATURE_EPT_2M);
	/* A page of 1 GiB is split into pages of 2 MiB. */
	vmx->ept.use_1g = vmx->ept.use_2m && (vmx_capabilities.ept_vpid & EPT_CAP_1G) != 0 &&
			  !vm_feature_disabled(vm, FEATURE_EPT_1G);
	vmx->ept_pointer = direct_physical(vmx->ept.root) | EPT_POINTER_WRITE_BACK | EPT_POINTER_WALK_LENGTH_4;
	if ((vmx_capabilities.ept_vpid & EPT_CAP_ACCESSED_DIRTY) != 0 && !vm_feature_disabled(vm, FEATURE_EPT_AD))
		vmx->ept_pointer |= EPT_POINTER_ACCESSED_DIRTY;
	vm->backend = vmx; /* from here on vmx_vm_destroy() cleans up */
	return apic_access_in_use(vm) ? apic_access_map(vm) : OK;
}

bool vmx_vm_destroy(struct vm *vm)
{
	struct vmx_vm *vmx = vm->backend;

	if (!ept_destroy(&vmx->ept, SYSCALL_PAGES_MAX))
		return false;
	apic_access_free(vm);
	pool_free(vm->pool, vmx, sizeof(*vmx));
	vm->backend = NULL;
	return true;
}

enum status vmx_map(struct vm *vm, uint64_t gpa, uint64_t hpa, uint64_t len_bytes, unsigned rights, uint64_t *done_bytes)
{
	struct vmx_vm *vmx = vm->backend;
	unsigned ept_rights = EPT_READ;

	ept_rights |= (rights & RIGHT_WRITE) != 0 ? EPT_WRITE : 0;
	ept_rights |= (rights & RIGHT_EXECUTE) != 0 ? EPT_EXECUTE : 0;
	return ept_map(&vmx->ept, gpa, hpa, len_bytes, ept_rights, SYSCALL_PAGES_MAX, done_bytes);
}

void vmx_unmap(struct vm *vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes)
{
	struct vmx_vm *vmx = vm->backend;

	/* Out of memory for a split: what was done until then counts, the caller comes again. */
	if (ept_unmap(&vmx->ept, gpa, len_bytes, SYSCALL_PAGES_MAX, done_bytes) != OK)
		return;
}

static enum status choose_controls(const struct vm *vm, struct vmx_controls *out)
{
	const struct vmx_allowed *allowed = vmx_capabilities.controls;
	uint32_t wanted = SECONDARY_PROC_INVPCID | SECONDARY_PROC_ENCLS | SECONDARY_PROC_ENCLV;
	uint32_t entry = VM_ENTRY_CTL_LOAD_DEBUG;
	uint32_t primary = 0;
	enum status status;

	if (!vm_feature_disabled(vm, FEATURE_VPID) && (vmx_capabilities.ept_vpid & VPID_CAP_INVVPID) != 0 &&
	    (vmx_capabilities.ept_vpid & VPID_CAP_SINGLE) != 0)
		wanted |= SECONDARY_PROC_VPID;
	if (apic_access_in_use(vm))
		wanted |= SECONDARY_PROC_APIC_ACCESSES;
	wanted |= vm->xsaves_shown ? SECONDARY_PROC_XSAVES : 0;
	entry |= (vm->cr4_allowed & CR4_CET) != 0 ? VM_ENTRY_CTL_LOAD_CET : 0;
	if (vm->vcpu_limit > 1)
		vmx_want_pause_exits(&vmx_capabilities, !vm_feature_disabled(vm, FEATURE_PLE), &primary, &wanted);
	status = vmx_controls_choose(allowed[VMX_PIN], vmx_required_bits(VMX_PIN), 0, &out->pin);
	if (status == OK)
		status = vmx_controls_choose(allowed[VMX_PRIMARY], vmx_required_bits(VMX_PRIMARY), primary, &out->primary);
	if (status == OK)
		status = vmx_controls_choose(allowed[VMX_SECONDARY], vmx_required_bits(VMX_SECONDARY), wanted, &out->secondary);
	if (status == OK)
		status = vmx_controls_choose(allowed[VMX_EXIT], vmx_required_bits(VMX_EXIT), VM_EXIT_CTL_SAVE_DEBUG, &out->exit);
	if (status == OK)
		status = vmx_controls_choose(allowed[VMX_ENTRY], vmx_required_bits(VMX_ENTRY), entry, &out->entry);
	return status;
}

/* Numbers come round after 65535 vCPUs; translations are tagged with the EPT root too, so two VMs may share one. */
static uint16_t next_vpid(void)
{
	static _Atomic uint32_t last;

	return (uint16_t)(atomic_fetch_add(&last, 1) % 0xffffU + 1);
}

static uint64_t features_in_use(const struct vm *vm, const struct vmx_vcpu *vcpu)
{
	const struct vmx_vm *vmx = vm->backend;
	uint32_t basic = cpuid_policy_static(vm->cpuid, 1, 0)->ecx, power = cpuid_policy_static(vm->cpuid, 0x80000007U, 0)->edx;
	uint64_t set = FEATURES_NEEDED;

	set |= vmx->ept.use_1g ? FEATURE_BIT(FEATURE_EPT_1G) : 0;
	set |= vmx->ept.use_2m ? FEATURE_BIT(FEATURE_EPT_2M) : 0;
	set |= (vmx->ept_pointer & EPT_POINTER_ACCESSED_DIRTY) != 0 ? FEATURE_BIT(FEATURE_EPT_AD) : 0;
	set |= vcpu->vpid != 0 ? FEATURE_BIT(FEATURE_VPID) : 0;
	set |= apicv_in_use(vm) ? FEATURE_BIT(FEATURE_TPR_SHADOW) | FEATURE_BIT(FEATURE_APICV) : 0;
	set |= apicv_posts(vm) ? FEATURE_BIT(FEATURE_POSTED_INTERRUPTS) : 0;
	set |= apic_access_in_use(vm) ? FEATURE_BIT(FEATURE_APIC_ACCESS) : 0;
	set |= (basic & CPUID_1_ECX_X2APIC) != 0 ? FEATURE_BIT(FEATURE_X2APIC) : 0;
	set |= (basic & CPUID_1_ECX_XSAVE) != 0 ? FEATURE_BIT(FEATURE_XSAVE) : 0;
	set |= (basic & CPUID_1_ECX_TSC_DEADLINE) != 0 ? FEATURE_BIT(FEATURE_TSC_DEADLINE) : 0;
	set |= (power & CPUID_POWER_EDX_INVARIANT_TSC) != 0 ? FEATURE_BIT(FEATURE_INVARIANT_TSC) : 0;
	set |= (vcpu->controls.secondary & SECONDARY_PROC_PAUSE_LOOP) != 0 ? FEATURE_BIT(FEATURE_PLE) : 0;
	set |= (vm->paravirtual & PARAVIRTUAL_STEAL_TIME) != 0 ? FEATURE_BIT(FEATURE_STEAL_TIME) : 0;
	set |= (vm->paravirtual & PARAVIRTUAL_UNHALT) != 0 ? FEATURE_BIT(FEATURE_PV_UNHALT) : 0;
	set |= (vm->paravirtual & PARAVIRTUAL_IPI) != 0 ? FEATURE_BIT(FEATURE_PV_IPI) : 0;
	set |= (vm->paravirtual & PARAVIRTUAL_TLB_FLUSH) != 0 ? FEATURE_BIT(FEATURE_PV_TLB_FLUSH) : 0;
	return set;
}

/* By the manifest's names, so that a user sees what `disable` did; who disables nothing reads nothing. */
static void log_features(const struct vm *vm, const struct vmx_vcpu *vcpu)
{
	static const char *const names[] = {
#define FEATURE_NAME(symbol, name) [FEATURE_##symbol] = (name),
		FEATURES(FEATURE_NAME)
#undef FEATURE_NAME
	};
	uint64_t set = features_in_use(vm, vcpu);
	char text[200] = "";
	size_t used = 0;

	if (vm->disabled_features == 0)
		return;
	for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
		if ((set >> i & 1) != 0)
			used += format_text(text + used, sizeof(text) - used, " %s", names[i]);
	}
	log_debug("vm %s uses:%s", vm->name, text);
}

enum status vmx_vcpu_create(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = pool_alloc(vcpu->vm->pool, sizeof(*vmx));
	enum status status;

	if (vmx == NULL)
		return ERR_NO_MEMORY;
	vcpu->backend = vmx; /* from here on vmx_vcpu_destroy() cleans up */
	status = choose_controls(vcpu->vm, &vmx->controls);
	if (status != OK)
		return status;
	vmx->vmcs_page = pool_page_alloc(vcpu->vm->pool);
	if (vmx->vmcs_page == NULL)
		return ERR_NO_MEMORY;
	*(uint32_t *)vmx->vmcs_page = vmx_capabilities.revision;
	vmx->vpid = (vmx->controls.secondary & SECONDARY_PROC_VPID) != 0 ? next_vpid() : 0;
	if (vcpu->is_bootstrap)
		log_features(vcpu->vm, vmx);
	return OK;
}

void vmx_vcpu_destroy(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->backend;

	ASSERT(vmx->on_cpu == NULL);
	if (vmx->vmcs_page != NULL)
		pool_page_free(vcpu->vm->pool, vmx->vmcs_page);
	pool_free(vcpu->vm->pool, vmx, sizeof(*vmx));
	vcpu->backend = NULL;
}

static void make_current(struct vcpu *vcpu, struct vmx_vcpu *vmx, struct percpu *cpu)
{
	uint64_t physical = direct_physical(vmx->vmcs_page);

	if (vmx->on_cpu == NULL) {
		/* "Use of the VMCLEAR": before the first use, and after it was active elsewhere. */
		if (!vmx_clear(physical))
			panic("VMCLEAR failed");
		vcpu->private->launched = 0;
		vmx->on_cpu = cpu;
	}
	ASSERT(vmx->on_cpu == cpu);
	if (!vmx_load(physical))
		panic("VMPTRLD failed");
}

/* SDM Vol. 3C, "Guidelines for Use of the INVEPT Instruction": an all-context INVEPT ignores the descriptor's EPT pointer. */
void vmx_flush(const struct vm *vm)
{
	const struct invalidation ept = {.first = ((struct vmx_vm *)vm->backend)->ept_pointer};

	if (!vmx_invept((vmx_capabilities.ept_vpid & EPT_CAP_INVEPT_SINGLE) != 0 ? INVEPT_SINGLE : INVEPT_ALL, &ept))
		panic("INVEPT failed");
}

void vmx_forget_linear(const struct vmx_vcpu *vmx)
{
	const struct invalidation by_vpid = {.first = vmx->vpid};

	if (vmx->vpid != 0 && !vmx_invvpid(INVVPID_SINGLE, &by_vpid))
		panic("INVVPID failed");
}

void vmx_flush_linear(const struct vcpu *vcpu)
{
	vmx_forget_linear(vcpu->backend);
}

/* What this CPU may remember of the vCPU is as old as its last stay here. SDM Vol. 3C, "Guidelines for Use of the INVVPID
 * Instruction" and "... INVEPT Instruction". */
static void forget_translations(const struct vcpu *vcpu, const struct vmx_vcpu *vmx)
{
	vmx_forget_linear(vmx);
	vmx_flush(vcpu->vm);
}

void vmx_take_cpu(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->backend;
	struct vmx_cpu *cpu = vmx_cpu_self();
	uint64_t cr3 = read_cr3();

	if (cpu->current != vcpu) {
		make_current(vcpu, vmx, percpu_self());
		cpu->current = vcpu;
	}
	if (!vmx->is_set_up) {
		vmcs_setup(vcpu);
		vmx->is_set_up = true;
	}
	if (vmx->last_cpu != percpu_self()) {
		vmcs_write_host_cpu();
		forget_translations(vcpu, vmx);
		vmx->last_cpu = percpu_self();
	}
	if (vmx->host_cr3 != cr3) {
		vmcs_write_natural(VMCS_HOST_CR3, cr3);
		vmx->host_cr3 = cr3;
	}
}

void vmx_leave_cpu(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->backend;
	struct vmx_cpu *cpu = vmx_cpu_self();

	if (vmx->on_cpu == NULL)
		return;
	ASSERT(vmx->on_cpu == percpu_self());
	if (!vmx_clear(direct_physical(vmx->vmcs_page)))
		panic("VMCLEAR failed");
	vmx->on_cpu = NULL;
	vmx->last_cpu = NULL;
	if (cpu->current == vcpu)
		cpu->current = NULL;
}
