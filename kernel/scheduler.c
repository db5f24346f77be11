/* Carries out what the policy decides. All queues are private to their CPU; other CPUs only add to its inbox (kernel/inbox.c). */
#include "kernel/scheduler.h"

#include <stddef.h>

#include "kernel/balance.h"
#include "kernel/cpu.h"
#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/inbox.h"
#include "kernel/interrupt.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/shootdown.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "kernel/thread_internal.h"
#include "kernel/timer_internal.h"

extern void switch_stacks(uint64_t *save_rsp, uint64_t load_rsp);

struct schedule_group scheduler_ring0_group = {.weight = SCHEDULE_WEIGHT_USUAL, .is_host = true};

_Static_assert(SCHEDULE_QUEUES_MAX * sizeof(struct schedule_queue) <= 4096, "one pool object");
_Static_assert(sizeof(struct schedule) <= 4096, "one pool object");

static struct thread *thread_of(struct schedule_entity *entity)
{
	return (struct thread *)((char *)entity - offsetof(struct thread, schedule));
}

/* Asks for the next time at which the policy wants to look. */
static void set_deadline(struct percpu *cpu)
{
	timer_set_slice(cpu, schedule_deadline(cpu->schedule));
}

/* For other CPUs' balance: a lone thread may run on for long without a switch. */
static void publish_load(struct percpu *cpu)
{
	atomic_store_explicit(&cpu->load, schedule_load(cpu->schedule), memory_order_relaxed);
}

static void give_away(struct percpu *cpu, struct thread *thread, struct percpu *target)
{
	schedule_leave(cpu->schedule, &thread->schedule, rdtsc());
	publish_load(cpu);
	inbox_send(cpu, thread, target);
}

/* Those with a reservation or windows stay where they were placed. */
static bool may_move(const struct thread *thread)
{
	return thread->schedule.server.budget_ticks == 0 && thread->schedule.queue <= SCHEDULE_QUEUE_COMMON;
}

/* Somebody more wants to run. The policy is asked once the interrupt that woke him is dealt with; else in a moment: whoever wakes
 * another one mostly waits himself soon. */
static void look_after_wake(struct percpu *cpu, uint64_t now)
{
	cpu->somebody_woke = cpu->in_interrupt;
	if (!cpu->in_interrupt && now + cpu->schedule->grace_ticks < cpu->slice_deadline_tsc)
		timer_set_slice(cpu, now + cpu->schedule->grace_ticks);
}

void scheduler_wake_here(struct percpu *cpu, struct thread *thread)
{
	uint64_t now = rdtsc();
	struct percpu *idle_cpu;

	thread->state = THREAD_RUNNABLE;
	schedule_wake(cpu->schedule, &thread->schedule, now);
	if (cpu->current == cpu->idle) {
		cpu->reschedule = true;
		return;
	}
	idle_cpu = may_move(thread) ? balance_take_idle_cpu(thread) : NULL;
	if (idle_cpu != NULL) {
		give_away(cpu, thread, idle_cpu);
		return;
	}
	look_after_wake(cpu, now);
}

/* From another CPU: it goes on here. */
void scheduler_welcome(struct percpu *cpu, struct thread *thread)
{
	uint64_t now = rdtsc();

	thread->arrives = false;
	((struct stack_head *)(uintptr_t)thread->stack_top)->cpu = cpu;
	schedule_arrive(cpu->schedule, &thread->schedule, now);
	balance_arrived(cpu, now);
	publish_load(cpu);
	if (cpu->current == cpu->idle)
		cpu->reschedule = true;
	else
		look_after_wake(cpu, now);
}

void scheduler_take_rules(struct percpu *cpu)
{
	struct schedule_cpu *rules;

	if (atomic_load_explicit(&cpu->new_rules, memory_order_relaxed) == NULL)
		return;
	rules = atomic_exchange(&cpu->new_rules, NULL);
	schedule_set_rules(cpu->schedule, rules, rdtsc());
	atomic_store(&cpu->mode, rules->mode);
	pool_free(root_pool, rules, sizeof(*rules));
	cpu->reschedule = true;
}

struct percpu *scheduler_choose_home(const struct thread *thread)
{
	struct percpu *best = NULL;

	for (uint32_t i = 0; i < percpu_count; i++) {
		bool allowed = thread->cpu_mask[i / 64] >> (i % 64) & 1;

		if (allowed && percpus[i]->online && (best == NULL || percpus[i]->thread_count < best->thread_count))
			best = percpus[i];
	}
	return best;
}

static void load_space(struct percpu *cpu, const struct thread *next)
{
	uint64_t cr3 = next->space != NULL ? space_cr3(next->space) : kernel_map_cr3();

	if (cr3 != read_cr3())
		shootdown_load_cr3(cpu, cr3);
}

/* Gives one thread that waits here to a CPU that has more time for it. No thread but the current one is on its stack now. */
static void balance(struct percpu *cpu, uint64_t now)
{
	struct percpu *target;
	struct thread *thread;

	if (percpu_count == 1)
		return;
	publish_load(cpu);
	if (cpu->schedule->ready_count == 0)
		return;
	thread = balance_choose(cpu, now, &target);
	if (thread != NULL)
		give_away(cpu, thread, target);
}

static enum schedule_leaves leaves_how(struct percpu *cpu, struct thread *thread)
{
	if (cpu->departing == thread)
		return SCHEDULE_MOVES;
	return thread->state == THREAD_RUNNING ? SCHEDULE_STAYS_READY : SCHEDULE_BLOCKS;
}

void scheduler_switch(void)
{
	struct percpu *cpu = percpu_self();
	struct thread *previous = cpu->current, *next;
	struct schedule_entity *chosen;
	uint64_t now = rdtsc();

	ASSERT(cpu->lock_ranks == 0);
	cpu->reschedule = false;
	chosen = schedule_next(cpu->schedule, leaves_how(cpu, previous), now);
	if (previous->state == THREAD_RUNNING)
		previous->state = THREAD_RUNNABLE;
	next = chosen != NULL ? thread_of(chosen) : cpu->idle;
	next->state = THREAD_RUNNING;
	if (next == previous) {
		set_deadline(cpu);
		balance(cpu, now);
		return;
	}
	cpu->guest_deadline_tsc = UINT64_MAX; /* a vCPU gives its own where it goes on */
	set_deadline(cpu);
	hypervisor_switch_out(previous, next);
	load_space(cpu, next);
	cpu_set_entry_stack(cpu, next->stack_top);
	cpu->current = next;
	switch_stacks(&previous->saved_rsp, next->saved_rsp);
	thread_after_switch();
}

void scheduler_after_switch(struct percpu *cpu)
{
	struct thread *thread = cpu->departing;

	cpu->departing = NULL;
	if (thread != NULL)
		inbox_send(cpu, thread, cpu->departs_to);
	balance(cpu, cpu->schedule->charged_tsc);
}

void scheduler_yield(void)
{
	struct percpu *cpu = percpu_self();

	schedule_yield(cpu->schedule, NULL);
	cpu->reschedule = true;
}

static bool is_of_group(const struct schedule_entity *entity, void *group)
{
	return entity->group == group && entity->is_eligible;
}

void scheduler_yield_to_sibling(void)
{
	struct percpu *cpu = percpu_self();
	const struct schedule_entity *self = &cpu->current->schedule;

	if (cpu->schedule->ready_count == 0)
		return;
	schedule_yield(cpu->schedule, schedule_find(cpu->schedule, self->queue, is_of_group, self->group));
	cpu->reschedule = true;
}

void scheduler_before_interrupt(void)
{
	percpu_self()->in_interrupt = true;
}

void scheduler_after_interrupt(void)
{
	struct percpu *cpu = percpu_self();

	cpu->in_interrupt = false;
	if (!cpu->somebody_woke)
		return;
	cpu->somebody_woke = false;
	if (cpu->reschedule || schedule_is_due(cpu->schedule, rdtsc()))
		cpu->reschedule = true;
	else
		set_deadline(cpu);
}

void scheduler_deadline_reached(uint64_t now_tsc)
{
	struct percpu *cpu = percpu_self();

	if (schedule_is_due(cpu->schedule, now_tsc))
		cpu->reschedule = true;
	cpu->slice_deadline_tsc = schedule_deadline(cpu->schedule);
	/* Until the switch, which is near. */
	if (cpu->slice_deadline_tsc <= now_tsc)
		cpu->slice_deadline_tsc = UINT64_MAX;
}

void scheduler_before_resume(void)
{
	struct percpu *cpu = percpu_self();

	if (cpu->reschedule && schedule_grace(cpu->schedule, rdtsc())) {
		cpu->reschedule = false;
		set_deadline(cpu);
	}
	scheduler_before_user();
}

void scheduler_before_user(void)
{
	struct percpu *cpu = percpu_self();

	if (cpu->reschedule)
		scheduler_switch();
	if (thread_current()->kill_pending)
		thread_exit_current();
}

enum status scheduler_place_current(const struct schedule_place *place)
{
	struct percpu *cpu = percpu_self();
	struct thread *thread = cpu->current;

	if (place->cpu == SCHEDULE_CPU_ANY)
		return OK;
	if (place->cpu >= percpu_count || !percpus[place->cpu]->online)
		return ERR_OUT_OF_RANGE;
	for (unsigned i = 0; i < CPUS_MAX / 64; i++)
		thread->cpu_mask[i] = i == place->cpu / 64 ? 1ULL << (place->cpu % 64) : 0;
	schedule_entity_reserve(&thread->schedule, place->budget_ticks, place->period_ticks, rdtsc());
	if (percpus[place->cpu] != cpu) {
		cpu->departing = thread;
		cpu->departs_to = percpus[place->cpu];
		scheduler_switch();
	}
	return OK;
}

enum status scheduler_set_rules(struct percpu *cpu, const struct schedule_cpu *rules)
{
	struct schedule_cpu *copy = pool_alloc(root_pool, sizeof(*copy)), *none = NULL;

	if (copy == NULL)
		return ERR_NO_MEMORY;
	*copy = *rules;
	if (!atomic_compare_exchange_strong(&cpu->new_rules, &none, copy)) {
		pool_free(root_pool, copy, sizeof(*copy));
		return ERR_BUSY;
	}
	if (cpu == percpu_self())
		scheduler_take_rules(cpu);
	else
		interrupt_send(cpu->apic_id, VECTOR_RESCHEDULE);
	return OK;
}

enum status scheduler_cpu_start(struct percpu *cpu, struct thread *idle)
{
	struct schedule_queue *queues = pool_alloc(root_pool, SCHEDULE_QUEUES_MAX * sizeof(*queues));

	cpu->schedule = pool_alloc(root_pool, sizeof(*cpu->schedule));
	if (queues == NULL || cpu->schedule == NULL)
		return ERR_NO_MEMORY;
	schedule_init(cpu->schedule, queues, tsc_from_us(1), rdtsc());
	cpu->idle = idle;
	cpu->current = idle;
	cpu->slice_deadline_tsc = UINT64_MAX;
	cpu->guest_deadline_tsc = UINT64_MAX;
	cpu->armed_deadline_tsc = UINT64_MAX;
	return OK;
}

void scheduler_idle(void)
{
	struct percpu *cpu = percpu_self();

	for (;;) {
		if (cpu->reschedule) {
			scheduler_switch();
			continue;
		}
		if (log_echo_step() != LOG_ALL_SHOWN) {
			take_waiting_interrupts();
			continue;
		}
		balance_set_idle(cpu, true); /* who waits here waits for a window or a cap */
		/* STI takes effect after HLT has begun: no wake-up is lost between. SDM Vol. 2B, "STI". */
		wait_for_interrupt();
		balance_set_idle(cpu, false);
		cpu->wake_count++;
	}
}
