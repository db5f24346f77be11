/* A vCPU as its VMM sees it. Two pages: vcpu_state, which only the kernel writes, and vcpu_reply, which the VMM writes and the
 * kernel copies once and then checks.
 *
 * VCPU_RUN carries out the reply, runs the guest until something needs the VMM, fills state->exit and returns its kind. */
#pragma once
#include <stdint.h>

/* General registers in the SDM's number order: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 - R15. */
enum gpr { GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI, GPR_R8, GPR_R15 = 15, GPR_COUNT = 16 };

enum vcpu_exit_kind {
	VCPU_EXIT_NONE,          /* nothing to do: call again (a bound was reached, or the thread was kicked) */
	VCPU_EXIT_PORT,          /* IN or OUT, register form: fields port_* */
	VCPU_EXIT_PORT_STRING,   /* INS or OUTS: the VMM decodes; fields port_* and the decode group */
	VCPU_EXIT_MEMORY,        /* access to an address that is not mapped: gpa, access, decode group */
	VCPU_EXIT_LOCAL_APIC,    /* the same, in the local APIC's page; answered with a VCPU_REPLY_APIC_* action */
	VCPU_EXIT_APIC_VALUE,    /* after VCPU_REPLY_APIC_READ: value */
	VCPU_EXIT_EOI,           /* EOI of a vector of VM_EOI_EXITS: value = vector; the guest has moved on */
	VCPU_EXIT_EXTINT,        /* the guest can take the external interrupt asked for: reply with VCPU_REPLY_EXTINT */
	VCPU_EXIT_STOPPED,       /* this VM cannot go on: stop_reason; value = the vCPU whose doing that is, or above all indices */
	VCPU_EXIT_TASK_SWITCH,   /* task switch: value = VCPU_TASK_*, fields event*, decode group */
	VCPU_EXIT_POOL_EMPTY,    /* the pool that pays has no memory: try again later */
	VCPU_EXIT_STEAL_TIME,    /* the guest asked for a record of stolen time: value = its MSR; the guest has moved on */
	VCPU_EXIT_KIND_COUNT
};

/* Why a VM cannot go on. Words for each are in docs/errors.md. */
#define VCPU_STOP_REASONS(X)                                                        \
	X(NONE, "not stopped")                                                      \
	X(TRIPLE_FAULT, "triple fault: the guest could not deliver a double fault") \
	X(ENTRY_FAILED, "VM entry failed: guest state is not allowed by the CPU")   \
	X(UNEXPECTED_EXIT, "VM exit that this version does not expect")             \
	X(BAD_REPLY, "the VMM answered an exit wrongly")                            \
	X(VMM_FAULT, "the VMM itself failed")                                       \
	X(UNKNOWN_INSTRUCTION, "instruction on device memory that this version does not emulate") \
	X(FETCH_OUTSIDE_MEMORY, "the guest jumped to an address without memory")    \
	X(HALTED_FOREVER, "the guest halted with interrupts off")                   \
	X(RESET, "the guest asked for a reset")                                     \
	X(POWER_OFF, "the guest powered off")                                       \
	X(STOPPED, "stopped by the user")                                           \
	X(OUT_OF_MEMORY, "no memory left for the VM's own page tables")             \
	X(TABLE_OUTSIDE_MEMORY, "the guest's stack, descriptor table or page table is not in memory") \
	X(EXIT_CODE, "the guest ended with exit code")                              \
	X(EVENT_NOT_EMULATED, "delivery of an event, or task switch, that this version does not emulate")

enum vcpu_stop_reason {
#define VCPU_STOP_ENUM(name, words) VCPU_STOP_##name,
	VCPU_STOP_REASONS(VCPU_STOP_ENUM)
#undef VCPU_STOP_ENUM
	VCPU_STOP_REASON_COUNT
};

#define VCPU_ACCESS_READ    0x1U
#define VCPU_ACCESS_WRITE   0x2U
#define VCPU_ACCESS_EXECUTE 0x4U
#define VCPU_ACCESS_TABLE   0x8U /* by no instruction's operand: delivery of an event, or a walk of the guest's page tables */
#define VCPU_ACCESS_EVENT   0x10U /* while an event was being delivered: fields event*; it waits to be delivered anew */

/* An event: VMCS VM-entry interruption-information format. */
#define VCPU_EVENT_VECTOR(event)  ((uint8_t)(event))
#define VCPU_EVENT_TYPE(event)    ((event) >> 8 & 7U)
#define VCPU_EVENT_HAS_ERROR_CODE 0x800U
#define VCPU_EVENT_VALID          0x80000000U
enum vcpu_event_type {
	VCPU_EVENT_INTERRUPT = 0, VCPU_EVENT_NMI = 2, VCPU_EVENT_EXCEPTION, VCPU_EVENT_SOFTWARE_INTERRUPT, /* INT n */
	VCPU_EVENT_INT1, VCPU_EVENT_SOFTWARE_EXCEPTION /* INT3, INTO */
};

/* VCPU_EXIT_TASK_SWITCH, value: the exit qualification's layout. */
#define VCPU_TASK_SELECTOR(value) ((uint16_t)(value)) /* of the new task's TSS */
#define VCPU_TASK_SOURCE(value)   ((unsigned)((value) >> 30) & 3U)
enum vcpu_task_source { VCPU_TASK_CALL, VCPU_TASK_IRET, VCPU_TASK_JMP, VCPU_TASK_GATE /* in the IDT: fields event* */ };

struct vcpu_exit {
	uint32_t kind;               /* enum vcpu_exit_kind */
	uint32_t stop_reason;        /* enum vcpu_stop_reason */
	uint16_t port;
	uint8_t port_width;          /* 1, 2, 4 */
	uint8_t port_is_write;       /* OUT: the data are the low port_width bytes of gpr[GPR_RAX] */
	uint8_t port_has_rep;        /* PORT_STRING only */
	uint8_t access;              /* VCPU_ACCESS_* */
	uint8_t instruction_bytes;   /* of IN, OUT, and of what switched tasks or caused a software event; else decode */
	uint8_t reserved;
	uint64_t value;
	uint64_t gpa;
	uint64_t detail[4];          /* VCPU_EXIT_STOPPED: exit reason, qualification, instruction error, more */
	/* Decode group: valid for MEMORY, LOCAL_APIC, PORT_STRING, TASK_SWITCH, STOPPED. */
	uint64_t rip, rflags;        /* RSP is in gpr[GPR_RSP] */
	uint64_t cr0, cr3, cr4, efer;
	uint64_t cs_base, ss_base, ds_base, es_base; /* 0 in 64-bit mode, where they do not count */
	uint64_t fs_base, gs_base;
	uint32_t cs_attributes, ss_attributes; /* VMCS access-rights format */
	uint64_t gla;                /* guest-linear address where gla_valid; MEMORY and LOCAL_APIC only */
	uint32_t gla_valid;
	uint32_t cpl;
	uint32_t event;              /* that is being delivered: TASK_SWITCH (0: none), or with VCPU_ACCESS_EVENT; else undefined */
	uint32_t event_error_code;   /* where VCPU_EVENT_HAS_ERROR_CODE */
};

/* One page, written by the kernel only. gpr must come first: VM exits push into it. gpr[GPR_RSP] is valid with the decode group. */
struct vcpu_state {
	uint64_t gpr[GPR_COUNT];
	struct vcpu_exit exit;
};

enum vcpu_action {
	VCPU_REPLY_NONE,        /* just run */
	VCPU_REPLY_COMPLETE,    /* write registers[0 .. register_count), take flags where flags_valid, advance by advance_bytes */
	VCPU_REPLY_APIC_READ,   /* read local APIC register at apic_offset; comes back as VCPU_EXIT_APIC_VALUE */
	VCPU_REPLY_APIC_LOAD,   /* read local APIC register at apic_offset into registers[0].number, 32 bits, and advance */
	VCPU_REPLY_APIC_WRITE,  /* write value to the local APIC register at apic_offset and do what COMPLETE does */
	VCPU_REPLY_INJECT,      /* exception: vector, error_code with error_code_valid just where the vector has one; value = CR2
				 * for #PF, bits that DR6 gets for #DB; no advance; real mode drops the error code. After a
				 * VCPU_SET_STATE in the state that was set */
	VCPU_REPLY_EXTINT,      /* external interrupt: vector */
	VCPU_REPLY_STOP,        /* stop this VM: value = enum vcpu_stop_reason */
	VCPU_REPLY_JUMP,        /* what COMPLETE does, but registers may be GPR_RSP, and RIP becomes value, whatever that is */
	VCPU_ACTION_COUNT
};

#define VCPU_REPLY_REGISTERS 4U
#define VCPU_REPLY_FLAGS_MASK 0x8d5ULL /* OF, SF, ZF, AF, PF, CF */

/* The kernel copies the first four words, and of the registers those that count. */
struct vcpu_reply {
	uint32_t action;         /* enum vcpu_action; the kernel sets it to NONE once taken */
	uint16_t apic_offset;    /* 0 .. FF0h, multiple of 16 */
	uint8_t register_count;  /* 0 .. VCPU_REPLY_REGISTERS */
	uint8_t advance_bytes;   /* 0 (a REP string instruction that goes on) .. 15 */
	uint32_t error_code;
	uint16_t vector;
	uint8_t flags_valid;
	uint8_t error_code_valid;
	uint64_t flags;          /* VCPU_REPLY_FLAGS_MASK of RFLAGS */
	uint64_t value;
	struct {
		uint64_t value;  /* the whole 64-bit register: the VMM merges narrower writes */
		uint32_t number; /* enum gpr, not GPR_RSP */
		uint32_t reserved;
	} registers[VCPU_REPLY_REGISTERS];
};

/* VCPU_GET_STATE, VCPU_SET_STATE: registers by group. Setting them drops an event that waits for the next entry. */
#define VCPU_GROUP_GENERAL  0x1U
#define VCPU_GROUP_SYSTEM   0x2U
#define VCPU_GROUP_SEGMENTS 0x4U

struct vcpu_segment {
	uint64_t base;
	uint32_t limit;      /* highest offset, as the VMCS has it */
	uint32_t attributes; /* VMCS access-rights format, bit 16: unusable */
	uint32_t selector;
	uint32_t reserved;
};

struct vcpu_registers {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t dr7;
	uint64_t pdpte[4];    /* with PAE paging: what CR3 points to */
	uint64_t nmi_blocked; /* 0 or 1 */
	struct vcpu_segment cs, ss, ds, es, fs, gs, tr, ldtr, gdtr, idtr;
};

/* VCPU_GROUP_VECTORS, alone: another structure. Setting takes no MXCSR and no XSAVE header: what is set counts. Without XSAVE, or
 * without AVX, the upper halves are zeros. */
#define VCPU_GROUP_VECTORS 0x8U
#define VCPU_VECTORS_BYTES 832U
struct vcpu_vectors {
	uint64_t xcr0;                    /* the guest's; not set */
	uint8_t area[VCPU_VECTORS_BYTES]; /* XSAVE area, standard form: legacy region, header, upper halves of YMM0 to YMM15 */
};

/* VM_CREATE */
struct vm_config {
	uint64_t disabled_features; /* bits of enum feature in abi/features.h */
	uint32_t vcpu_limit;        /* 1 .. 64 */
	uint32_t flags;
	char name[32];
};

/* VCPU_CREATE */
struct vcpu_config {
	uint64_t state_address;  /* in the calling VMM: where vcpu_state is mapped, read-only; page aligned */
	uint64_t reply_address;  /* where vcpu_reply is mapped, writable; page aligned */
	uint32_t index;          /* 0 .. vcpu_limit - 1; also the initial APIC ID */
	uint32_t is_bootstrap;   /* 1: runs at once, from the state set; 0: waits for INIT-SIPI */
};

/* VM_DOORBELL: an OUT of any width to port first + VM_DOORBELL_STEP * n signals bit first_bit + n. */
#define VM_DOORBELLS_MAX 32U
#define VM_DOORBELL_STEP 4U

/* VM_STATUS: the exit ledger and more. */
#define VM_LEDGER_REASONS 86U
struct vm_status {
	uint32_t stop_reason;
	uint32_t vcpu_count;
	uint64_t exits[VM_LEDGER_REASONS]; /* by basic exit reason, all vCPUs */
	uint64_t exits_to_vmm;
	uint64_t run_ticks;                /* TSC ticks of CPUs for the vCPUs' threads, in the guest and outside */
	uint64_t tsc_offset;               /* guest TSC minus host TSC, modulo 2^64, as the VM was made */
};

_Static_assert(sizeof(struct vcpu_state) <= 4096, "vcpu_state is one page");
_Static_assert(sizeof(struct vcpu_reply) == 32 + 16 * VCPU_REPLY_REGISTERS, "vcpu_reply: four words, then registers");
