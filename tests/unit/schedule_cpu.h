/* The simulated CPU of the tests of kernel/schedule/: its TSC counts microseconds, in steps of 10 us. */
#pragma once
#include "tests/unit/unit.h"

#include "kernel/schedule/schedule.h"

#define STEP_US   10U
#define SECOND_US 1000000U
#define SLICE_US  1000U
#define ENDLESS   UINT64_MAX
#define AWAKE     UINT64_MAX
#define JOBS_MAX  20U

/* A thread that runs for burst_us, then waits for wait_us. */
struct job {
	struct schedule_entity entity; /* first: the policy's answer is the job */
	struct schedule_group own, *group;
	uint64_t burst_us, wait_us;
	uint64_t left_us;     /* of this burst */
	uint64_t woke_at_us;
	uint64_t wakes_at_us; /* AWAKE: it does not wait */
	uint64_t had_us, worst_delay_us, late_count;
	uint64_t due_us; /* for one with a period: when its burst must be done */
};

static struct {
	struct schedule schedule;
	struct schedule_queue queues[SCHEDULE_QUEUES_MAX];
	struct job jobs[JOBS_MAX];
	unsigned count;
	struct job *running; /* NULL: idle */
	uint64_t now_us;
} cpu;

static inline void start(void)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.now_us = 12345;
	schedule_init(&cpu.schedule, cpu.queues, 1, cpu.now_us);
}

static inline void choose(enum schedule_leaves leaves)
{
	cpu.running = (struct job *)schedule_next(&cpu.schedule, leaves, cpu.now_us);
	if (cpu.running == NULL || cpu.running->left_us != cpu.running->burst_us)
		return;
	if (cpu.now_us - cpu.running->woke_at_us > cpu.running->worst_delay_us)
		cpu.running->worst_delay_us = cpu.now_us - cpu.running->woke_at_us;
}

static inline void wake(struct job *job)
{
	job->left_us = job->burst_us;
	job->woke_at_us = cpu.now_us;
	job->wakes_at_us = AWAKE;
	schedule_wake(&cpu.schedule, &job->entity, cpu.now_us);
}

static inline struct job *add_to(struct schedule_group *group, uint64_t burst_us, uint64_t wait_us)
{
	struct job *job = &cpu.jobs[cpu.count++];

	*job = (struct job){.burst_us = burst_us, .wait_us = wait_us, .group = group};
	schedule_entity_init(&job->entity, group, cpu.now_us);
	wake(job);
	return job;
}

static inline struct job *add(uint32_t weight, uint64_t burst_us, uint64_t wait_us)
{
	struct job *job = &cpu.jobs[cpu.count++];

	*job = (struct job){.burst_us = burst_us, .wait_us = wait_us, .group = &job->own};
	schedule_group_init(&job->own, false);
	job->own.weight = weight;
	schedule_entity_init(&job->entity, &job->own, cpu.now_us);
	wake(job);
	return job;
}

static inline struct job *add_reserved(uint32_t weight, uint64_t burst_us, uint64_t wait_us, uint64_t budget_us, uint64_t period_us)
{
	struct job *job = &cpu.jobs[cpu.count++];

	*job = (struct job){.burst_us = burst_us, .wait_us = wait_us, .group = &job->own};
	schedule_group_init(&job->own, false);
	job->own.weight = weight;
	schedule_entity_init(&job->entity, &job->own, cpu.now_us);
	schedule_entity_reserve(&job->entity, budget_us, period_us, cpu.now_us);
	wake(job);
	return job;
}

static inline void run_for_a_step(void)
{
	struct job *job = cpu.running;

	cpu.now_us += STEP_US;
	if (job == NULL)
		return;
	job->had_us += STEP_US;
	if (job->burst_us == ENDLESS)
		return;
	job->left_us -= STEP_US;
	if (job->left_us == 0) {
		job->late_count += job->due_us != 0 && cpu.now_us > job->due_us;
		job->wakes_at_us = cpu.now_us + job->wait_us;
		choose(SCHEDULE_BLOCKS);
	}
}

static inline void simulate(uint64_t us)
{
	uint64_t end_us = cpu.now_us + us;

	while (cpu.now_us < end_us) {
		if (schedule_is_due(&cpu.schedule, cpu.now_us))
			choose(SCHEDULE_STAYS_READY);
		assert_true(schedule_deadline(&cpu.schedule) > cpu.now_us);
		run_for_a_step();
		for (unsigned i = 0; i < cpu.count; i++) {
			if (cpu.jobs[i].wakes_at_us <= cpu.now_us)
				wake(&cpu.jobs[i]);
		}
	}
}
