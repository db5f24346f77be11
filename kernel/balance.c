/* The balance between CPUs. An idle CPU is given what waits elsewhere at once; for the rest, the CPU with more weight gives a
 * thread to the one with least where that brings them nearer, or changes nothing but whose turn it is to have more company: so
 * three VMs that always compute share two CPUs evenly in the long run. */
#include "kernel/balance.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernel/config.h"
#include "kernel/percpu.h"
#include "kernel/thread.h"
#include "kernel/timer.h"

#define BALANCE_US 20000U

static _Atomic uint64_t idle_cpus[CPUS_MAX / 64];

void balance_set_idle(struct percpu *cpu, bool is_idle)
{
	uint64_t bit = 1ULL << (cpu->index % 64);

	if (is_idle)
		atomic_fetch_or(&idle_cpus[cpu->index / 64], bit);
	else
		atomic_fetch_and(&idle_cpus[cpu->index / 64], ~bit);
}

struct percpu *balance_take_idle_cpu(const struct thread *thread)
{
	for (uint32_t i = 0; i * 64 < percpu_count; i++) {
		uint64_t idle = atomic_load_explicit(&idle_cpus[i], memory_order_relaxed) & thread->cpu_mask[i];

		for (; idle != 0; idle &= idle - 1) {
			uint64_t lowest = idle & -idle;

			if ((atomic_fetch_and(&idle_cpus[i], ~lowest) & lowest) != 0)
				return percpus[i * 64 + (uint32_t)__builtin_ctzll(lowest)];
		}
	}
	return NULL;
}

/* mask NULL: any. */
static bool is_one_idle(const uint64_t *mask)
{
	uint64_t idle = 0;

	for (uint32_t i = 0; i * 64 < percpu_count; i++)
		idle |= atomic_load_explicit(&idle_cpus[i], memory_order_relaxed) & (mask != NULL ? mask[i] : UINT64_MAX);
	return idle != 0;
}

void balance_arrived(struct percpu *cpu, uint64_t now_tsc)
{
	cpu->balance_due_tsc = now_tsc + tsc_from_us(BALANCE_US);
}

static struct thread *thread_of(const struct schedule_entity *entity)
{
	return (struct thread *)((char *)(uintptr_t)entity - offsetof(struct thread, schedule));
}

static bool has_idle_cpu(const struct schedule_entity *entity, void *context)
{
	(void)context;
	return entity->server.budget_ticks == 0 && is_one_idle(thread_of(entity)->cpu_mask);
}

struct better_place {
	const struct percpu *self;
	const struct schedule_entity *longest_here; /* of those that might go; NULL: none yet */
	struct percpu *target;                      /* ... where to */
	uint64_t now_tsc;
};

/* The least loaded CPU of those that share by weight and that the thread may use; of equals the next one, so that all have a turn
 * at having more company. NULL: none. */
static struct percpu *least_loaded(const struct percpu *self, const struct thread *thread)
{
	struct percpu *best = NULL;

	for (uint32_t i = 1; i < percpu_count; i++) {
		struct percpu *cpu = percpus[(self->index + i) % percpu_count];

		if ((thread->cpu_mask[cpu->index / 64] >> (cpu->index % 64) & 1) != 0 &&
		    atomic_load_explicit(&cpu->online, memory_order_relaxed) && cpu->mode == SCHEDULE_FAIR &&
		    (best == NULL || atomic_load_explicit(&cpu->load, memory_order_relaxed) <
					 atomic_load_explicit(&best->load, memory_order_relaxed)))
			best = cpu;
	}
	return best;
}

/* VMs of windows leave it nothing here: where it shares by weight, it gets a part however many there are. */
static bool is_left_out(const struct better_place *place, const struct schedule_entity *entity)
{
	return place->self->mode == SCHEDULE_WINDOWS && entity->state == SCHEDULE_READY &&
	       place->now_tsc - entity->since_tsc >= tsc_from_us(BALANCE_US);
}

/* Looks at all, so that all have a turn at moving. */
static bool note_candidate(const struct schedule_entity *entity, void *context)
{
	struct better_place *place = context;
	struct percpu *target;

	if (entity->server.budget_ticks != 0 ||
	    (place->longest_here != NULL && (int64_t)(entity->arrived_tsc - place->longest_here->arrived_tsc) >= 0))
		return false;
	target = least_loaded(place->self, thread_of(entity));
	if (target == NULL || (target->load + entity->weight > place->self->load && !is_left_out(place, entity)))
		return false;
	place->longest_here = entity;
	place->target = target;
	return false;
}

struct thread *balance_choose(struct percpu *cpu, uint64_t now_tsc, struct percpu **target)
{
	struct schedule_entity *entity =
	    is_one_idle(NULL) ? schedule_find(cpu->schedule, SCHEDULE_QUEUE_COMMON, has_idle_cpu, NULL) : NULL;
	const struct schedule_entity *running = cpu->schedule->running;
	struct better_place place = {.self = cpu, .now_tsc = now_tsc};

	if (entity != NULL) {
		*target = balance_take_idle_cpu(thread_of(entity));
		return *target != NULL ? thread_of(entity) : NULL;
	}
	if ((int64_t)(now_tsc - cpu->balance_due_tsc) < 0)
		return NULL;
	balance_arrived(cpu, now_tsc);
	(void)schedule_find(cpu->schedule, SCHEDULE_QUEUE_COMMON, note_candidate, &place);
	if (place.longest_here == NULL)
		return NULL;
	if (running != NULL && running->queue == SCHEDULE_QUEUE_COMMON) {
		(void)note_candidate(running, &place);
		if (place.longest_here == running) {
			cpu->balance_due_tsc = now_tsc; /* it goes once it waits */
			return NULL;
		}
	}
	*target = place.target;
	return thread_of(place.longest_here);
}
