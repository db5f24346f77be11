/* Fetches and decodes the instruction that a vCPU stands at: CS:RIP through the guest's page tables, across a page border
 * only where the instruction crosses it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "vmm/decode/instruction.h"
#include "vmm/gmem.h"

/* What was fetched, for reports, and the page fault where there was one. */
struct fetched_code {
	uint8_t bytes[INSTRUCTION_BYTES_MAX];
	size_t count;
	uint64_t fault_address;
	uint32_t fault_error_code;
	struct gmem_watch watch; /* all that was read of guest memory: page-table entries and code */
};

/* The kind of code that runs, from CR0.PE, RFLAGS.VM, EFER.LMA and CS.
 * Source: SDM Vol. 3A, "Code-Segment Descriptor in 64-Bit Mode"; VMCS access-rights bits 13 (L) and 14 (D). */
enum code_size fetch_code_size(const struct vcpu_exit *exit);

/* Errors: ERR_FAULT (inject #PF: code->fault_address, code->fault_error_code); ERR_OUT_OF_RANGE (code or a page table
 * outside the guest's memory); ERR_UNSUPPORTED, ERR_INVALID (as decode_instruction() and walk_translate()).
 * *code is always written, *out only on OK. Context: exit belongs to a vCPU that does not run. */
MUST_CHECK enum status fetch_instruction(const struct gmem *gm, const struct vcpu_exit *exit, struct fetched_code *code,
					 struct instruction *out);
