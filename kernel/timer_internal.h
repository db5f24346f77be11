/* Between the timers, the scheduler and the interrupt dispatcher. */
#pragma once
#include <stdint.h>

struct percpu;

void timer_interrupt(void);                                    /* VECTOR_TIMER */
void timer_set_slice(struct percpu *cpu, uint64_t deadline_tsc); /* when the scheduler must look; UINT64_MAX: never */
void timer_program(struct percpu *cpu);                        /* gives the least deadline to the hardware */
