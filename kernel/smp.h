/* Starting the other CPUs. SDM Vol. 3A, "Multiple-Processor (MP) Initialization". */
#pragma once
#include <stdint.h>

struct boot_info;

/* Starts every enabled CPU the firmware lists, one after the other; one that does not answer is reported and left out. */
void smp_start(const struct boot_info *boot);
extern uint32_t smp_failed_count; /* of those listed; constant after smp_start() */
