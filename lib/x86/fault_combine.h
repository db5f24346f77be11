/* What follows when exception `second` is raised while `first` is being delivered. Pure.
 * SDM Vol. 3A, "Interrupt 8--Double Fault Exception (#DF)". */
#pragma once
#include <stdint.h>

enum fault_outcome {
	FAULT_SERIAL, /* the second is delivered; the first comes again or is over */
	FAULT_DOUBLE,
	FAULT_TRIPLE
};
enum fault_outcome fault_combine(uint8_t first, uint8_t second);
