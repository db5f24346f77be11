/* A vCPU on whose behalf the VMM delivers an event or switches tasks: its registers, its memory, and how such work ends. Pure:
 * the same code runs in host tests.
 *
 * Functions that take a struct event_cpu return OK; ERR_FAULT: an exception, in cpu->fault; ERR_UNSUPPORTED: this cannot be done
 * here, cpu->refusal says why in words, and the VM must stop. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "vmm/gmem.h"

#define VECTOR_DB 1U
#define VECTOR_DF 8U
#define VECTOR_TS 10U
#define VECTOR_NP 11U
#define VECTOR_SS 12U
#define VECTOR_GP 13U
#define VECTOR_PF 14U

#define CR0_PE        (1ULL << 0)
#define CR0_TS        (1ULL << 3)
#define CR0_PG        (1ULL << 31)
#define CR4_VME       (1ULL << 0)
#define CR4_PAE       (1ULL << 5)
#define CR4_CET       (1ULL << 23)
#define EFER_LMA      (1ULL << 10)
#define RFLAGS_ONE    (1ULL << 1) /* always set */
#define RFLAGS_TF     (1ULL << 8)
#define RFLAGS_IF     (1ULL << 9)
#define RFLAGS_NT     (1ULL << 14)
#define RFLAGS_RF     (1ULL << 16)
#define RFLAGS_VM     (1ULL << 17)
#define RFLAGS_AC     (1ULL << 18)
#define DR6_BS        (1ULL << 14)
#define DR6_BT        (1ULL << 15)

/* Accesses to physical addresses without memory: devices, or nobody. */
struct event_devices {
	uint64_t (*read)(void *ctx, uint64_t gpa, unsigned width);
	void (*write)(void *ctx, uint64_t gpa, unsigned width, uint64_t value);
	void *ctx;
};

/* An exception, as VCPU_REPLY_INJECT takes it. */
struct event_fault {
	uint8_t vector;
	uint32_t error_code;
	uint64_t value; /* CR2 of #PF, bits for DR6 of #DB */
};

/* That is being delivered: fields event, event_error_code, instruction_bytes of struct vcpu_exit. */
struct event {
	uint32_t info; /* VCPU_EVENT_*; 0: none */
	uint32_t error_code;
	uint8_t instruction_bytes;
};

struct event_cpu {
	const struct gmem *gmem;
	struct event_devices devices;
	struct vcpu_registers registers; /* changed only where is_committed */
	bool is_committed;               /* registers are what follows; a fault then happens with them */
	uint32_t external;               /* EXT of error codes: 0 or 1 */
	struct event_fault fault;
	const char *refusal;
};

/* Notes an exception: always ERR_FAULT. error_code: as it is, without EXT. */
MUST_CHECK enum status event_raise(struct event_cpu *cpu, uint8_t vector, uint32_t error_code);
/* ... about a selector: index and TI, and EXT. */
MUST_CHECK enum status event_raise_selector(struct event_cpu *cpu, uint8_t vector, uint32_t selector);
/* Always ERR_UNSUPPORTED. */
MUST_CHECK enum status event_refuse(struct event_cpu *cpu, const char *why);

/* INT n, INT3, INTO and INT1: the instruction is over when its event is delivered. */
bool event_is_of_instruction(const struct event *event);
/* Whether its exceptions' error codes have EXT. SDM Vol. 3A, "Error Code". */
bool event_is_external(const struct event *event);
/* RIP and RFLAGS as they are to be saved: behind the instruction where it is over, with RF where the event is a fault.
 * SDM Vol. 3B, "Instruction-Breakpoint Exception Condition". */
uint64_t event_saved_rip(const struct event_cpu *cpu, const struct event *event);
uint64_t event_saved_flags(const struct event_cpu *cpu, const struct event *event);

/* In IA-32e mode: whether it is an address of a code or stack byte at all. */
bool event_is_canonical(const struct event_cpu *cpu, uint64_t address);
