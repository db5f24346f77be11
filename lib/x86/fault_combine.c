/* The double-fault rules. SDM Vol. 3A, "Interrupt 8--Double Fault Exception (#DF)". Pure. */
#include "lib/x86/fault_combine.h"

#include <stdbool.h>

#define VECTOR_DF 8U
#define VECTOR_PF 14U

/* #DE, #TS, #NP, #SS, #GP, #CP. */
static bool is_contributory(uint8_t vector)
{
	return vector == 0 || (vector >= 10 && vector <= 13) || vector == 21;
}

enum fault_outcome fault_combine(uint8_t first, uint8_t second)
{
	if (first == VECTOR_DF)
		return is_contributory(second) || second == VECTOR_PF ? FAULT_TRIPLE : FAULT_SERIAL;
	if (is_contributory(first) && is_contributory(second))
		return FAULT_DOUBLE;
	if (first == VECTOR_PF && (is_contributory(second) || second == VECTOR_PF))
		return FAULT_DOUBLE;
	return FAULT_SERIAL;
}
