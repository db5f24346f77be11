/* The two pages that every program sees: the system call stub and struct program_info. */
#pragma once
#include <stdint.h>

#include "abi/status.h"

struct space;

/* Fills both pages; once, when clock and CPUs are known. */
MUST_CHECK enum status program_pages_init(int64_t wall_clock_seconds, uint64_t wall_clock_tsc);
MUST_CHECK enum status program_pages_map(struct space *space);
