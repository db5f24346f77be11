/* The TSC and CR3 in memory: put before a source file of kernel/ by -include. */
#pragma once
#include "kernel/cpu_insn.h"

extern uint64_t fake_tsc, fake_cr3;

#define rdtsc()   fake_tsc
#define read_cr3() fake_cr3
