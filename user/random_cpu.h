/* The CPU's instructions for random numbers, as ring 3 programs reach them. */
#pragma once
#include "lib/random/random.h"

/* What this CPU has by CPUID, and the time that reading a little memory takes. Context: any. Source: SDM Vol. 2, "RDSEED",
 * "RDRAND", "CPUID". */
void random_cpu_find(struct random_cpu *cpu);
