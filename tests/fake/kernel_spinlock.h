/* The fake lock's view of what is held. */
#pragma once
#include <stdint.h>

extern uint32_t fake_lock_ranks; /* a bit for each rank held, as kernel/percpu.h has it */
