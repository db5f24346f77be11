/* A VMM's answer to an exit: copied once, checked here as a whole, then carried out by vcpu_run.c. */
#pragma once
#include "abi/status.h"
#include "abi/vcpu.h"

/* ERR_INVALID when any field that this action uses has a value without meaning; fields it does not use are not looked at. Pure. */
MUST_CHECK enum status reply_check(const struct vcpu_reply *reply);
