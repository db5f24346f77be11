/* Every field of a fresh VMCS, once each, by the manual's groups. Guest registers come from registers.c before the first entry.
 * SDM Vol. 3C, "Virtual Machine Control Structures". */
#include <stddef.h>

#include "kernel/msr.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "virt/control_registers.h"
#include "virt/msr_policy.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "lib/base/string.h"
#include "vmx/apic_access.h"
#include "vmx/apicv.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_vcpu.h"

#define EXCEPTION_DB (1U << 1)
#define EXCEPTION_AC (1U << 17)
#define EXCEPTION_MC (1U << 18)
#define NO_VMCS         UINT64_MAX
/* "PAUSE-Loop Exiting": two PAUSEs so close belong to one loop, which exits when it has gone on for so long. */
#define PLE_GAP_TICKS    128U
#define PLE_WINDOW_TICKS 4096U

/* vmx_entry.asm: where VM exits arrive. */
extern void vmx_exit(void);

/* Constant after vmx_msr_bitmap_create(); the second: with APIC virtualization. */
static uint8_t *msr_bitmap, *msr_bitmap_apicv;

uint64_t vmx_msr_bitmap_physical(bool with_apicv)
{
	return direct_physical(with_apicv ? msr_bitmap_apicv : msr_bitmap);
}

/* What the CPU does with the virtual-APIC page instead of an exit. SDM Vol. 3C, "Virtualizing MSR-Based APIC Accesses". */
static void let_apicv_through(uint8_t *bitmap)
{
	static const uint32_t written[] = {MSR_X2APIC_TPR, MSR_X2APIC_EOI, MSR_X2APIC_SELF_IPI};

	bitmap[MSR_X2APIC_TPR / 8] &= (uint8_t)~(1U << MSR_X2APIC_TPR % 8);
	for (unsigned i = 0; i < sizeof(written) / sizeof(written[0]); i++)
		bitmap[2048 + written[i] / 8] &= (uint8_t)~(1U << written[i] % 8);
}

/* "MSR-Bitmap Address": reads of low and of high MSRs, then writes of low and of high ones, 1 KiB each. */
static void let_through(uint32_t msr, bool writes)
{
	uint32_t bit = msr & 0x1fff, byte = (msr >= 0xc0000000U ? 1024 : 0) + bit / 8;
	uint8_t mask = (uint8_t)~(1U << bit % 8);

	msr_bitmap[byte] &= mask;
	if (writes)
		msr_bitmap[2048 + byte] &= mask;
}

enum status vmx_msr_bitmap_create(void)
{
	msr_bitmap = pool_page_alloc(root_pool);
	msr_bitmap_apicv = pool_page_alloc(root_pool);
	if (msr_bitmap == NULL || msr_bitmap_apicv == NULL)
		return ERR_NO_MEMORY;
	memset(msr_bitmap, 0xff, 4096);
	for (uint32_t i = 0; i < msr_passthrough_count; i++)
		let_through(msr_passthrough[i], true);
	for (uint32_t i = 0; i < msr_readable_count; i++)
		let_through(msr_readable[i], false);
	memcpy(msr_bitmap_apicv, msr_bitmap, 4096);
	let_apicv_through(msr_bitmap_apicv);
	return OK;
}

static void write_host_state(const struct vcpu *vcpu)
{
	vmcs_write_natural(VMCS_HOST_CR0, read_cr0() | CR0_TS);
	vmcs_write_natural(VMCS_HOST_CR4, read_cr4());
	vmcs_write64(VMCS_HOST_IA32_EFER, rdmsr(MSR_IA32_EFER));
	vmcs_write16(VMCS_HOST_CS_SELECTOR, SELECTOR_KERNEL_CODE);
	vmcs_write16(VMCS_HOST_SS_SELECTOR, SELECTOR_KERNEL_DATA);
	vmcs_write16(VMCS_HOST_DS_SELECTOR, 0);
	vmcs_write16(VMCS_HOST_ES_SELECTOR, 0);
	vmcs_write16(VMCS_HOST_FS_SELECTOR, 0);
	vmcs_write16(VMCS_HOST_GS_SELECTOR, 0);
	vmcs_write16(VMCS_HOST_TR_SELECTOR, SELECTOR_TSS);
	vmcs_write_natural(VMCS_HOST_FS_BASE, 0);
	vmcs_write_natural(VMCS_HOST_GS_BASE, 0);
	vmcs_write32(VMCS_HOST_SYSENTER_CS, (uint32_t)rdmsr(MSR_IA32_SYSENTER_CS));
	vmcs_write_natural(VMCS_HOST_SYSENTER_EIP, rdmsr(MSR_IA32_SYSENTER_EIP));
	vmcs_write_natural(VMCS_HOST_RIP, (uintptr_t)vmx_exit);
	/* The exit stub's pushes are the save: they fill gpr[] from its end. */
	vmcs_write_natural(VMCS_HOST_RSP, (uintptr_t)&vcpu->state->gpr[GPR_COUNT]);
}

void vmcs_write_host_cpu(void)
{
	const struct vmx_cpu *cpu = vmx_cpu_self();

	vmcs_write_natural(VMCS_HOST_TR_BASE, cpu->tr_base);
	vmcs_write_natural(VMCS_HOST_GDTR_BASE, cpu->gdtr_base);
	vmcs_write_natural(VMCS_HOST_IDTR_BASE, cpu->idtr_base);
	vmcs_write_natural(VMCS_HOST_SYSENTER_ESP, cpu->sysenter_esp);
}

static void write_execution_controls(const struct vcpu *vcpu, struct vmx_vcpu *vmx)
{
	const struct vmx_vm *vm = vcpu->vm->backend;

	vmx->primary_base = vmx->primary_now = vmx->controls.primary;
	vmcs_write32(VMCS_PIN_CONTROLS, vmx->controls.pin);
	vmcs_write32(VMCS_PRIMARY_PROC_CONTROLS, vmx->primary_now);
	vmcs_write32(VMCS_SECONDARY_PROC_CONTROLS, vmx->controls.secondary);
	vmcs_write32(VMCS_EXCEPTION_BITMAP, EXCEPTION_DB | EXCEPTION_AC | EXCEPTION_MC);
	vmcs_write32(VMCS_PAGE_FAULT_ERROR_MASK, 0);
	vmcs_write32(VMCS_PAGE_FAULT_ERROR_MATCH, 0);
	vmcs_write32(VMCS_CR3_TARGET_COUNT, 0);
	vmcs_write64(VMCS_MSR_BITMAP, vmx_msr_bitmap_physical(false));
	vmcs_write64(VMCS_TSC_OFFSET, vcpu->tsc_offset);
	vmcs_write64(VMCS_EPT_POINTER, vm->ept_pointer);
	if ((vmx->controls.secondary & SECONDARY_PROC_APIC_ACCESSES) != 0)
		vmcs_write64(VMCS_APIC_ACCESS_ADDRESS, apic_access_page_physical(vcpu->vm));
	if (vmx->vpid != 0)
		vmcs_write16(VMCS_VPID, vmx->vpid);
	if ((vmx->controls.secondary & SECONDARY_PROC_PAUSE_LOOP) != 0) {
		vmcs_write32(VMCS_PLE_GAP, PLE_GAP_TICKS);
		vmcs_write32(VMCS_PLE_WINDOW, PLE_WINDOW_TICKS);
	}
	if ((vmx->controls.secondary & SECONDARY_PROC_ENCLS) != 0)
		vmcs_write64(VMCS_ENCLS_EXITING_BITMAP, UINT64_MAX);
	if ((vmx->controls.secondary & SECONDARY_PROC_ENCLV) != 0)
		vmcs_write64(VMCS_ENCLV_EXITING_BITMAP, UINT64_MAX);
	if ((vmx->controls.secondary & SECONDARY_PROC_XSAVES) != 0)
		vmcs_write64(VMCS_XSS_EXITING_BITMAP, 0);
	vmcs_write_natural(VMCS_CR0_MASK, VMX_CR0_MASK);
	vmcs_write_natural(VMCS_CR4_MASK, vmx_cr4_mask(vcpu));
}

static void write_exit_controls(const struct vmx_vcpu *vmx)
{
	vmcs_write32(VMCS_EXIT_CONTROLS, vmx->controls.exit);
	vmcs_write32(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write32(VMCS_EXIT_MSR_LOAD_COUNT, 0);
}

static void write_entry_controls(const struct vmx_vcpu *vmx)
{
	vmcs_write32(VMCS_ENTRY_CONTROLS, vmx->controls.entry);
	vmcs_write32(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write32(VMCS_ENTRY_INTERRUPTION_INFO, 0);
	vmcs_write32(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0);
	vmcs_write32(VMCS_ENTRY_INSTRUCTION_LEN, 0);
}

/* What set_registers() does not write. */
static void write_guest_state(void)
{
	vmcs_write64(VMCS_GUEST_VMCS_LINK_POINTER, NO_VMCS);
	vmcs_write64(VMCS_GUEST_IA32_DEBUGCTL, 0);
	vmcs_write_natural(VMCS_GUEST_DR7, DR7_AFTER_INIT);
	vmcs_write32(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_write_natural(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_write_natural(VMCS_GUEST_SYSENTER_EIP, 0);
}

void vmcs_setup(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->backend;

	write_host_state(vcpu);
	write_execution_controls(vcpu, vmx);
	write_exit_controls(vmx);
	write_entry_controls(vmx);
	write_guest_state();
	vmx_reset_switched_msrs(vcpu);
	apicv_setup(vcpu);
}
