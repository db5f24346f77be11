/* What a vendor's virtualization hardware does for virt/: one table of functions. vmx/ is the one for Intel; nothing here
 * names a field of its control structures. A vCPU's functions run on its own thread, after take_cpu(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"

struct percpu;
struct vcpu;
struct vm;

/* Per CPU: percpu->hypervisor. */
struct hv_cpu {
	struct vcpu *fpu_owner; /* whose FPU state and debug registers are loaded */
	struct vcpu *msr_owner; /* whose SYSCALL registers are loaded */
	struct vcpu *settled;   /* all its state is here: the thread that runs has not changed since */
	void *backend;
};

/* Why run() came back. */
enum hv_leave {
	HV_LEAVE_ATTENTION, /* vcpu->pending, a virtual timer or the scheduler wants something */
	HV_LEAVE_BLOCK,     /* HLT */
	HV_LEAVE_TO_VMM,    /* state->exit is filled */
	HV_LEAVE_STOP,      /* vm_stop() was called with the reason */
};

/* What a guest gets only where the hardware has a control for it, or passes it. */
#define HV_OFFERS_INVPCID 0x1U
#define HV_OFFERS_XSAVES  0x2U
#define HV_OFFERS_CET     0x4U
#define HV_OFFERS_LA57    0x8U

struct hv_ops {
	const char *name;
	/* Host side. detect: this CPU's vendor has it. cpu_start: on each CPU; remembers what is missing. ready: on the boot CPU,
	 * all CPUs having started; true when VMs can run. report: text with one reason a line, or what there is. */
	bool (*detect)(void);
	void (*cpu_start)(struct percpu *cpu);
	bool (*ready)(void);
	void (*cpu_stop)(void);
	size_t (*report)(char *out, size_t size_bytes);
	uint32_t (*offers)(void); /* HV_OFFERS_*; constant once ready */

	/* Guest memory. gpa, hpa, len_bytes: multiples of 4096. Bounded: done_bytes says how far it came, also on errors. */
	MUST_CHECK enum status (*vm_create)(struct vm *vm);
	bool (*vm_destroy)(struct vm *vm); /* false: a bounded portion of it, to be called again */
	MUST_CHECK enum status (*map)(struct vm *vm, uint64_t gpa, uint64_t hpa, uint64_t len_bytes, unsigned rights,
				      uint64_t *done_bytes);
	void (*unmap)(struct vm *vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes);
	void (*flush)(const struct vm *vm); /* this CPU forgets the VM's guest-physical translations */
	void (*flush_linear)(const struct vcpu *vcpu); /* ... the vCPU's linear ones */

	/* vCPUs. leave_cpu: nothing of the vCPU stays in this CPU. */
	MUST_CHECK enum status (*vcpu_create)(struct vcpu *vcpu);
	void (*vcpu_destroy)(struct vcpu *vcpu);
	void (*take_cpu)(struct vcpu *vcpu);
	void (*leave_cpu)(struct vcpu *vcpu);
	enum hv_leave (*run)(struct vcpu *vcpu);

	/* Events. One at a time: event_pending says that one waits for the next entry. */
	bool (*event_pending)(const struct vcpu *vcpu);
	bool (*interrupt_open)(const struct vcpu *vcpu);
	bool (*nmi_open)(const struct vcpu *vcpu);
	void (*inject_interrupt)(struct vcpu *vcpu, uint8_t vector);
	void (*inject_nmi)(struct vcpu *vcpu);
	void (*inject_exception)(struct vcpu *vcpu, uint8_t vector, bool has_error_code, uint32_t error_code);
	/* The hardware takes over IRR, ISR and TPR of vcpu->apic and delivers its interrupts; false: it cannot, or not in this
	 * mode. What comes into vcpu->apic.irr after that is handed over by the next call. lent_apic_pending: one of both can be
	 * delivered now. take_apic: all of it is in vcpu->apic again. */
	bool (*lend_apic)(struct vcpu *vcpu);
	bool (*lent_apic_pending)(const struct vcpu *vcpu);
	void (*take_apic)(struct vcpu *vcpu);
	void (*set_windows)(struct vcpu *vcpu, bool interrupt, bool nmi);

	/* Registers. Values handed to set_registers were checked by registers_check(). */
	void (*advance)(struct vcpu *vcpu, unsigned bytes);
	void (*jump)(struct vcpu *vcpu, uint64_t rip); /* as after an instruction that went there; RSP: as in state->gpr */
	void (*get_registers)(struct vcpu *vcpu, struct vcpu_registers *out);
	void (*set_registers)(struct vcpu *vcpu, const struct vcpu_registers *registers);
	void (*fill_decode_group)(struct vcpu *vcpu); /* of state->exit */
	void (*set_dr7)(struct vcpu *vcpu, uint64_t value);
	void (*set_flags)(struct vcpu *vcpu, uint64_t flags, uint64_t mask);
	uint64_t (*get_efer)(const struct vcpu *vcpu);
	void (*set_efer)(struct vcpu *vcpu, uint64_t efer);
	bool (*paging_enabled)(const struct vcpu *vcpu);
	void (*set_tsc_offset)(struct vcpu *vcpu, uint64_t offset);
	/* MSRs that the hardware switches with the guest, where it offers them: IA32_S_CET, IA32_INTERRUPT_SSP_TABLE_ADDR.
	 * reset_switched_msrs: as INIT leaves them. */
	uint64_t (*get_switched_msr)(const struct vcpu *vcpu, uint32_t msr);
	void (*set_switched_msr)(struct vcpu *vcpu, uint32_t msr, uint64_t value);
	void (*reset_switched_msrs)(struct vcpu *vcpu);
};

extern const struct hv_ops vmx_ops;
/* The table in use; NULL where there is no such hardware. Constant after the boot CPU started. */
extern const struct hv_ops *hv;
