/* The handlers behind execute_instruction(), by kind of instruction. Each changes *x as a whole or returns an error. x->rip
 * already is the next instruction's. */
#pragma once
#include "vmm/decode/execution.h"

MUST_CHECK enum status execute_string(struct execution *x);
MUST_CHECK enum status execute_stack(struct execution *x);
MUST_CHECK enum status execute_vector(struct execution *x);
MUST_CHECK enum status execute_segment(struct execution *x);
MUST_CHECK enum status execute_system(struct execution *x);

/* Goes to target, cut to bytes. Errors: ERR_FAULT (#GP(0): not canonical, beyond CS's limit). */
MUST_CHECK enum status execute_jump(struct execution *x, uint64_t target, unsigned bytes);
