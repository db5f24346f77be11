/* Executes one decoded instruction, of those of vmm/decode/emulate.h and all others that the decoder knows, with any operands: not
 * aligned, across page borders, several of them, in memory and at devices, with the faults that a CPU raises. All operands are
 * found, and their rights checked, before anything is read from a device or written.
 *
 * Nothing is kept between calls: an instruction that was not done can be executed again from its beginning. Bounded: a repeated
 * string instruction ends after EXECUTE_ELEMENTS and goes on when it is executed again.
 *
 * Not done as a CPU does it: a locked access to device memory, or to both memory and a device, is not one access; data breakpoints
 * (DR0 to DR3) do not see operands; MOV and LSS to SS do not hold off interrupts for one instruction.
 * Source: SDM Vol. 2, each instruction's "Operation" and exceptions; Vol. 3A, "Paging", "Protection". */
#pragma once
#include "vmm/decode/execution.h"

#define EXECUTE_ELEMENTS 256U /* of a repeated string instruction at a time */

/* x: its input is set, the rest is filled. Errors: ERR_FAULT (x->fault, to be injected); ERR_INVALID (no operand is at a device,
 * or one is a register: the code or a page table was changed since the exit; worth one more try by running the guest again);
 * ERR_UNSUPPORTED; ERR_BUSY (a device was); what environment's
 * calls return. After an error nothing was written, unless ERR_BUSY came from a device. Context: the vCPU does not run. */
MUST_CHECK enum status execute_instruction(struct execution *x);
