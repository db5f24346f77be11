/* What fuzz targets check with: what does not hold ends the program, and the input is kept. */
#pragma once
#include <stdbool.h>
#include <stdlib.h>

static inline void demand(bool holds)
{
	if (!holds)
		abort();
}
