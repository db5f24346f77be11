/* A VMM's answer to an exit: copied once, checked here as a whole, then carried out by vcpu_run.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"

/* ERR_INVALID when any field that this action uses has a value without meaning; fields it does not use are not looked at. Pure. */
MUST_CHECK enum status reply_check(const struct vcpu_reply *reply);

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC. Pure. SDM Vol. 3A, "Exceptions and Interrupts". */
bool exception_has_error_code(uint8_t vector);
