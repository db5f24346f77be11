/* Starting the manager: the one program that ring 0 starts itself. */
#pragma once
#include "abi/status.h"

struct boot_info;

/* Maps the first program as boot->program says, gives it its handles and starts it. */
MUST_CHECK enum status first_program_start(const struct boot_info *boot);
