/* Giving the PC back: UEFI's ResetSystem and the plain reset methods. Switching off by ACPI is the manager's (ports). */
#pragma once
#include <stdint.h>

#include "abi/status.h"

struct boot_info;

/* enum host_power of abi/syscall.h. Returns only what went wrong: ERR_UNSUPPORTED (no UEFI), ERR_INVALID. */
MUST_CHECK enum status power_do(uint64_t what);
