/* Starting the manager: the one program that ring 0 loads itself. */
#pragma once
#include "abi/status.h"

struct boot_info;

/* Loads boot file system/manager, gives it its handles and pages, and starts it. Says in words what is wrong otherwise. */
MUST_CHECK enum status first_program_start(const struct boot_info *boot);
