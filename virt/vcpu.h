/* A virtual CPU in ring 0. It runs on the thread that first called VCPU_RUN for it; others reach it by `posted`, `pending` and
 * vcpu_notify() only. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "kernel/config.h"
#include "kernel/object.h"
#include "kernel/spinlock.h"
#include "virt/local_apic.h"
#include "virt/posted.h"
#include "virt/steal_time.h"

struct msr_row;
struct space;
struct thread;
struct vm;

/* What a vCPU must look at before it enters the guest; any CPU sets bits. */
#define PENDING_INTERRUPT 0x01U /* something was posted, or what can be delivered may have changed */
#define PENDING_NMI       0x02U
#define PENDING_INIT      0x04U
#define PENDING_SIPI      0x08U
#define PENDING_STOP      0x10U /* vm->stop_reason is set */
#define PENDING_TIMER     0x20U /* its virtual timer may have expired */
#define PENDING_FLUSH     0x80U /* what this CPU remembers of the VM may be old: vcpu_must_forget() */
#define PENDING_YIELD     0x40U /* the scheduler wants the CPU */
#define PENDING_KICK      0x100U /* another vCPU ends its HLT, even one with interrupts off, or its next one */

enum vcpu_activity { VCPU_ACTIVE, VCPU_HALTED, VCPU_WAIT_FOR_SIPI };
enum vcpu_place { VCPU_OUTSIDE, VCPU_IN_LOOP, VCPU_BLOCKED };

/* Page 2 of the vCPU's slot: found by the exit stub relative to RSP. Offsets go to assembly. */
struct vcpu_private {
	uint64_t kernel_rsp;
	struct vcpu *vcpu;
	uint64_t launched; /* VMRESUME instead of VMLAUNCH */
};

/* Registers that the hardware does not switch and that stay loaded until another vCPU takes the CPU. */
enum live_msr {
	LIVE_STAR, LIVE_LSTAR, LIVE_CSTAR, LIVE_FMASK, LIVE_KERNEL_GS_BASE, LIVE_TSC_AUX,
	/* Zero in the CPU but where the vCPU uses_cet: guests change them by XRSTORS and by changes of privilege level too. */
	LIVE_CET, LIVE_U_CET = LIVE_CET, LIVE_PL0_SSP, LIVE_PL1_SSP, LIVE_PL2_SSP, LIVE_PL3_SSP, LIVE_XSS,
	LIVE_MSR_COUNT
};

struct vcpu_mtrr {
	uint64_t default_type;
	uint64_t fixed[11];
	uint64_t variable[16];
};

struct vcpu {
	struct posted_interrupts posted; /* any CPU */
	struct object object;
	/* constant after vcpu_create() */
	struct vm *vm;
	uint32_t index;
	bool is_bootstrap;
	struct vcpu_state *state;         /* in the slot */
	struct vcpu_reply *reply;         /* in the slot; the VMM writes it */
	struct vcpu_private *private;     /* in the slot */
	void *xsave_area;                 /* in the slot */
	void *virtual_apic;               /* in the slot: what the hardware has of the local APIC */
	uint64_t state_physical, reply_physical, virtual_apic_physical;
	void *backend;
	/* any CPU */
	_Atomic uint32_t pending;
	_Atomic uint32_t place;           /* enum vcpu_place */
	_Atomic uint32_t sipi_vector;     /* of the first SIPI since the last INIT, or NO_SIPI */
	_Atomic bool sleeps_for_good;     /* only another vCPU of the VM can wake it: vcpu_sleep.c */
	_Atomic uint32_t extint_level;
	_Atomic uint32_t nmis_sent;       /* since it last looked */
	_Atomic uint64_t route;           /* what senders match against: see interrupts.c */
	_Atomic bool running;             /* a call for this vCPU is under way */
	_Atomic bool takes_posted;        /* in the guest, it takes what was posted when VECTOR_POSTED comes */
	/* thread_lock */
	struct spinlock thread_lock;
	_Atomic(struct thread *) thread;  /* the one it is bound to */
	uint64_t past_run_ticks;          /* of the thread that it was bound to */
	/* own thread only */
	enum vcpu_activity activity;
	struct local_apic apic;
	bool apic_is_lent;                /* its IRR, ISR and TPR are the hardware's: see hv_ops.lend_apic */
	uint64_t timer_deadline_tsc;      /* of the virtual local APIC's timer, on the host's TSC */
	uint64_t tsc_offset, tsc_adjust;
	uint64_t cr2;                     /* while not in the loop */
	uint64_t xcr0;
	uint64_t dr[4], dr6;              /* while not loaded */
	uint64_t msrs[LIVE_MSR_COUNT];    /* KERNEL_GS_BASE, and from LIVE_CET on: while not loaded */
	bool uses_cet;                    /* it has written one of those from LIVE_CET on */
	const struct msr_row *msr_row;    /* the last one asked for: a guest asks for the same one again and again */
	uint64_t pat, misc_enable;
	struct vcpu_mtrr mtrr;
	bool registers_waiting;           /* `registers` go to the hardware before the next entry */
	uint8_t nmis_waiting;             /* 0 .. 2 */
	bool is_kicked;                   /* until the end of a HLT */
	bool extint_taken;                /* the VMM's 8259 gave extint_vector, which must still be delivered */
	uint8_t extint_vector;
	uint64_t eoi_vector;              /* an EOI that the VMM wants to know, or NO_EOI */
	struct steal_time steal;
	struct vcpu_registers registers;  /* until the first run */
	/* own thread writes, others read for reports */
	uint64_t exits[VM_LEDGER_REASONS];
	uint64_t exits_to_vmm;
};

#define NO_EOI  UINT64_MAX
#define NO_SIPI UINT32_MAX

/* SDM Vol. 3A, "Processor State After Reset". */
#define DR6_AFTER_INIT 0xffff0ff0ULL
#define DR7_AFTER_INIT 0x400ULL

/* Makes the vCPU look at `pending` soon: wakes it from HLT, makes it leave the guest on another CPU. Context: any. */
void vcpu_notify(struct vcpu *vcpu, uint32_t pending_bits);

/* Something was posted to a vCPU that may be in the guest: it is taken there without an exit. False: vcpu_notify() must do. */
MUST_CHECK bool vcpu_notify_posted(struct vcpu *vcpu);

/* What the hardware remembers of the VM is old: translations of guest memory, and which interrupts' ends exit. The vCPU forgets it
 * before it enters the guest again. Adds the CPU on which it may be in the guest now to cpu_mask, for shootdown_guests(). All of a
 * VM's: no guest runs with what is old when this returns. Context: any. */
void vcpu_must_forget(struct vcpu *vcpu, uint64_t cpu_mask[CPUS_MAX / 64]);
void vcpus_must_forget(struct vm *vm);

/* The vCPU goes to sleep and will not wake by itself: HLT with interrupts off, or wait-for-SIPI. True: nobody is left who could
 * wake one of the VM. Awake: it looks at `pending` again. Context: the vCPU's own thread. */
MUST_CHECK bool vcpu_sleeps_for_good(struct vcpu *vcpu);
void vcpu_awakes(struct vcpu *vcpu);

/* EDX:EAX, as RDMSR, WRMSR and XSETBV use it. Writing a 32-bit register clears its upper half. */
static inline uint64_t vcpu_edx_eax(const struct vcpu *vcpu)
{
	return vcpu->state->gpr[GPR_RDX] << 32 | (uint32_t)vcpu->state->gpr[GPR_RAX];
}

static inline void vcpu_set_edx_eax(struct vcpu *vcpu, uint64_t value)
{
	vcpu->state->gpr[GPR_RAX] = (uint32_t)value;
	vcpu->state->gpr[GPR_RDX] = value >> 32;
}

struct syscall_arguments;
/* Takes the vCPU of a call's first argument for one call by its own thread or, while it has none, by any of its VMM; gives it back.
 * ERR_DENIED, ERR_BUSY. */
MUST_CHECK enum status vcpu_enter(const struct syscall_arguments *a, struct vcpu **out);
void vcpu_leave(struct vcpu *vcpu);
/* The calling thread is the vCPU's from here on. ERR_BUSY: either has another one. */
MUST_CHECK enum status vcpu_bind_thread(struct vcpu *vcpu);

/* Shared by vcpu.c and vcpu_run.c. cr0: as it was; INIT keeps CD and NW. SDM Vol. 3A, "Processor State After Reset". */
void vcpu_reset(struct vcpu *vcpu, uint64_t cr0);
/* Frees what a vCPU holds; its VM is going. */
void vcpu_free(struct vcpu *vcpu);
/* TSC ticks for which its thread had a CPU. Context: any thread. */
uint64_t vcpu_run_ticks(struct vcpu *vcpu);
/* The thread that a vCPU is bound to ends. */
void vcpu_unbind(struct vcpu *vcpu);
/* Carries out the reply, then runs the guest until the VMM is needed; state->exit is filled. Returns its kind, enum vcpu_exit_kind.
 * Context: the bound thread. */
int64_t vcpu_run(struct vcpu *vcpu);
