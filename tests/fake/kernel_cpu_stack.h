/* A stack whose top is as percpu_self() wants it. Code under test must not go deeper than KERNEL_STACK_BYTES on it. */
#pragma once
#include "kernel/percpu.h"

/* Names the CPU that the code under test believes to run on; may be changed at any time. */
extern struct stack_head *fake_stack_head;
void fake_cpu_stack_run(struct percpu *cpu, void (*body)(void));
