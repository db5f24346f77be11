/* What CPUs give each other: threads to wake and threads that move. Each takes its own (scheduler_take_inbox()). */
#pragma once

struct percpu;
struct thread;

/* Gives a ready thread that is in no queue and on no stack to another CPU. Context: cpu is its home, and the current CPU. */
void inbox_send(struct percpu *cpu, struct thread *thread, struct percpu *target);

/* For the threads in it, kernel/scheduler.c: a blocked one wants to run, one from another CPU goes on here, new rules are there. */
void scheduler_wake_here(struct percpu *cpu, struct thread *thread);
void scheduler_welcome(struct percpu *cpu, struct thread *thread);
void scheduler_take_rules(struct percpu *cpu);
