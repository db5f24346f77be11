/* Emulates one decoded instruction with one aligned operand of up to 8 bytes in device memory, in two pure steps around the device
 * access:
 *
 *   emulation_prepare()  which access does it make?          -> struct device_access
 *   (the caller reads the device, if .reads)
 *   emulation_finish()   what does it do with what was read? -> struct emulation_result
 *   (the caller writes the device, if .writes, and hands the result to the kernel)
 *
 * so a read that only the kernel can do (local APIC) fits between as well as a device model in this program.
 * The CPU has checked segments, paging and rights before it exited; only the place of the operand is computed again.
 * Not here: decoding, devices, whatever needs more than this (vmm/decode/execute.h), a fetch that faults (vmm/decode/fetch.h).
 * Source: SDM Vol. 2, each instruction's "Operation"; Vol. 1, "Operand Addressing". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "vmm/decode/instruction.h"
#include "vmm/gmem.h"

#define EMULATION_REGISTERS 2U

/* count accesses of width_bytes each, the first at start, each next one step_bytes further (negative: lower). All lie in
 * the page of start. count is 1 but for a repeated string store, which writes the same value count times; 0: its counter
 * was 0, nothing is accessed. */
struct device_access {
	gpa_t start;
	uint8_t width_bytes; /* 1, 2, 4, 8 */
	bool reads;
	bool writes;
	uint16_t count;
	int8_t step_bytes;
};

struct emulation {
	const struct instruction *instruction; /* the caller's */
	struct device_access access;
	uint64_t bit_number; /* BT and its kin */
};

struct emulation_result {
	uint64_t write_value;   /* for the device where access.writes; cut to the width */
	uint8_t register_count;
	struct {
		uint64_t value; /* the whole register */
		uint8_t number; /* enum gpr, never GPR_RSP */
	} registers[EMULATION_REGISTERS];
	bool has_divide_error;  /* #DE instead of all this */
	bool changes_flags;
	uint64_t flags;         /* all of RFLAGS */
	uint8_t advance_bytes; /* 0: a repeated string store that goes on with the next exit */
};

/* Checks that the instruction can be emulated and that its operand is what faulted: state->exit.gpa and, where valid, gla.
 * Errors: ERR_INVALID (the operand lies elsewhere: another vCPU changed the code or a page table since, or the access was
 * not to this operand; worth one more try by running the guest again), ERR_UNSUPPORTED (vmm/decode/execute.h may: an
 * operand that is not aligned, destination RSP, operations from OP_FIRST_GENERAL on). Context: state belongs to a vCPU that does
 * not run. */
MUST_CHECK enum status emulation_prepare(const struct instruction *instruction, const struct vcpu_state *state,
					 struct emulation *out);

/* Parts of it, for vmm/decode/execute.h: the offset in the segment, cut to the address size, with *out's instruction and
 * bit_number; the base that a segment has; a register after its low width_bytes, or bits 15:8, were written. */
uint64_t emulation_effective_address(const struct instruction *instruction, const struct vcpu_state *state, struct emulation *out);
uint64_t emulation_segment_base(const struct vcpu_exit *exit, enum segment segment, enum code_size code_size);
uint64_t emulation_merged(uint64_t old, uint64_t value, unsigned width_bytes, bool is_high);

/* Computes the effects. read_value: what the device answered (bits above the width are ignored); any if !access.reads.
 * Cannot fail. */
void emulation_finish(const struct emulation *emulation, const struct vcpu_state *state, uint64_t read_value,
		      struct emulation_result *out);

/* Writes result as registers, flags and advance into a reply and sets its action to VCPU_REPLY_COMPLETE. */
void emulation_to_reply(const struct emulation_result *result, struct vcpu_reply *reply);
