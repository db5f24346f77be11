/* Stolen time: a guest names 64 bytes of its memory for each vCPU, in which ring 0 says how long others had the CPU while that
 * vCPU wanted to run, and whether it waits for one now. Layout and MSR are KVM's, which stock kernels know; docs/paravirtual.md.
 * The one exception to "ring 0 touches no guest memory": it writes the record, and of it reads but `preempted`, by the exchange
 * that clears it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/paravirtual.h"
#include "abi/status.h"

struct memory;
struct vcpu;

/* Own thread only; but for the CPU that runs another thread after it. */
struct steal_time {
	uint64_t msr;
	struct memory *memory; /* a reference; NULL: no record */
	uint64_t physical;     /* of the record */
	uint64_t offset_bytes; /* in memory */
	uint32_t version;
	bool is_asked_for;     /* the VMM has not heard of the MSR's value */
};

/* WRMSR. False: #GP. The old record is left alone from here on; the VMM hears where the new one shall be. */
MUST_CHECK bool steal_time_write_msr(struct vcpu *vcpu, uint64_t value);
/* The record lies at offset_bytes of memory; NULL: nowhere. Errors: ERR_MISALIGNED (not a multiple of 64), ERR_UNSUPPORTED (not
 * RAM), ERR_OUT_OF_RANGE. Context: the vCPU's own thread, or while it has none. */
MUST_CHECK enum status steal_time_place(struct vcpu *vcpu, struct memory *memory, uint64_t offset_bytes);
/* INIT, or the vCPU is freed: no record. */
void steal_time_reset(struct vcpu *vcpu);

/* The vCPU goes on after others had its CPU; and another one gets it. Context: its own thread; its CPU, in the switch. */
void steal_time_arrive(struct vcpu *vcpu);
void steal_time_depart(struct vcpu *vcpu);
