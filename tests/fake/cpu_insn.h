/* Control registers and the per-CPU pointer in memory, for host tests of virt/: put before a source file by -include. */
#pragma once
#include "kernel/cpu_insn.h"
#include "kernel/percpu.h"

extern uint64_t fake_cr2, fake_dr6;
extern struct percpu fake_percpu;

#define read_cr2()      fake_cr2
#define write_cr2(value) ((void)(fake_cr2 = (value)))
#define read_dr6()      fake_dr6
#define write_dr6(value) ((void)(fake_dr6 = (value)))
#define percpu_self()   (&fake_percpu)
