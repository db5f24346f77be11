/* A vCPU's VMX half, and the functions of hv_ops that act on it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "virt/hv.h"
#include "vmx/ept.h"

struct percpu;
struct vcpu;
struct vm;

struct vmx_vm {
	struct ept ept;
	uint64_t ept_pointer;
	void *apic_access_page; /* its own, or NULL */
};

/* The control words of a VM's vCPUs, as vmx_controls_choose() made them. */
struct vmx_controls {
	uint32_t pin, primary, secondary, exit, entry;
};

struct vmx_vcpu {
	/* constant after vcpu_create */
	void *vmcs_page;
	uint16_t vpid; /* 0: none */
	struct vmx_controls controls;
	/* own thread */
	struct percpu *on_cpu;   /* where the VMCS is active */
	struct percpu *last_cpu; /* whose registers the host-state area holds */
	bool is_set_up;
	uint64_t host_cr3;
	uint32_t primary_base, primary_now; /* without windows; with them */
	bool has_apicv, apicv_on; /* the VM may have it; this vCPU has, in its present mode */
	uint64_t eoi_exits[4];
};


MUST_CHECK enum status vmx_vm_create(struct vm *vm);
bool vmx_vm_destroy(struct vm *vm);
void vmx_flush(const struct vm *vm);
void vmx_flush_linear(const struct vcpu *vcpu);
MUST_CHECK enum status vmx_map(struct vm *vm, uint64_t gpa, uint64_t hpa, uint64_t len_bytes, unsigned rights,
			       uint64_t *done_bytes);
void vmx_unmap(struct vm *vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes);

MUST_CHECK enum status vmx_vcpu_create(struct vcpu *vcpu);
void vmx_vcpu_destroy(struct vcpu *vcpu);
void vmx_take_cpu(struct vcpu *vcpu);
void vmx_leave_cpu(struct vcpu *vcpu);
/* This CPU forgets the vCPU's linear and combined mappings. SDM Vol. 3C, "Guidelines for Use of the INVVPID Instruction". */
void vmx_forget_linear(const struct vmx_vcpu *vmx);

/* exit.c: enters the guest until something needs more than the dispatcher. */
enum hv_leave vmx_run(struct vcpu *vcpu);

/* vmcs_setup.c: all fields of a fresh VMCS, which is current; then those that depend on the CPU and on the program. */
void vmcs_setup(struct vcpu *vcpu);
void vmcs_write_host_cpu(void);
/* The pages of MSR bitmaps that all vCPUs share, one for those whose local APIC the CPU has; made once. */
MUST_CHECK enum status vmx_msr_bitmap_create(void);
uint64_t vmx_msr_bitmap_physical(bool with_apicv);

/* registers.c */
void vmx_get_registers(struct vcpu *vcpu, struct vcpu_registers *out);
void vmx_set_registers(struct vcpu *vcpu, const struct vcpu_registers *registers);
void vmx_set_dr7(struct vcpu *vcpu, uint64_t value);
void vmx_set_flags(struct vcpu *vcpu, uint64_t flags, uint64_t mask);
uint64_t vmx_get_efer(const struct vcpu *vcpu);
void vmx_set_efer(struct vcpu *vcpu, uint64_t efer);
bool vmx_paging_enabled(const struct vcpu *vcpu);
void vmx_set_tsc_offset(struct vcpu *vcpu, uint64_t offset);
uint64_t vmx_get_switched_msr(const struct vcpu *vcpu, uint32_t msr);
void vmx_set_switched_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);
void vmx_reset_switched_msrs(struct vcpu *vcpu);
/* What the two guest/host masks hold: CR0 bits that are the host's or need a look, the guest changes the rest without an exit.
 * MCE stays on under the guest: a machine check while it is off would stop the CPU. */
#define VMX_CR0_MASK (CR0_NE | CR0_CD | CR0_NW)
uint64_t vmx_cr4_mask(const struct vcpu *vcpu);
/* CR4 as the guest reads it. */
uint64_t vmx_guest_cr4(const struct vcpu *vcpu);
/* The decode group of state->exit. */
void vmx_fill_decode_group(struct vcpu *vcpu);
