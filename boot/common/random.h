/* Random numbers for placement and for the kernel's seed. Not for keys. */
#pragma once
#include <stdint.h>

/* 64 well-mixed bits from RDSEED, RDRAND (where the CPU has them) and the jitter of the TSC, all mixed together.
 * Context: loader, one CPU. Source: SDM Vol. 1, "Random Number Generator Instructions". */
uint64_t random64(void);
