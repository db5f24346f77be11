/* What simulated threads do with their time. */
#include "tests/simulator/simulator.h"

static void finish_job(struct sim *sim, struct sim_thread *thread)
{
	uint64_t deadline = thread->release + thread->period;
	int64_t margin = (int64_t)(deadline - sim->now);

	thread->jobs++;
	if (margin < thread->worst_margin)
		thread->worst_margin = margin;
	if (margin < 0)
		thread->misses++;
	if (sim->now - thread->release > thread->worst_lateness)
		thread->worst_lateness = sim->now - thread->release;
	thread->release = deadline;
}

enum sim_action behave_periodic(struct sim *sim, struct sim_thread *thread)
{
	if (thread->release == 0)
		thread->release = thread->phase;
	else
		finish_job(sim, thread);
	thread->left = thread->burst;
	thread->wake_at = thread->release;
	return sim->now >= thread->release ? SIM_GO_ON : SIM_SLEEP;
}

enum sim_action behave_waker(struct sim *sim, struct sim_thread *thread)
{
	thread->left = thread->burst;
	for (thread->wake_at = thread->release + thread->period; thread->wake_at <= sim->now;)
		thread->wake_at += thread->period;
	thread->release = thread->wake_at;
	return SIM_SLEEP;
}

enum sim_action behave_sleeper(struct sim *sim, struct sim_thread *thread)
{
	thread->left = thread->burst;
	thread->wake_at = sim->now + thread->period;
	return SIM_SLEEP;
}

enum sim_action behave_dodger(struct sim *sim, struct sim_thread *thread)
{
	uint64_t end = thread->cpu->schedule.end_tsc;

	if (end != SIM_NEVER && end > sim->now + thread->burst) {
		thread->left = end - sim->now - thread->burst;
		return SIM_GO_ON;
	}
	thread->left = 1;
	thread->wake_at = sim->now + thread->period;
	return SIM_SLEEP;
}

enum sim_action behave_yielder(struct sim *sim, struct sim_thread *thread)
{
	(void)sim;
	thread->left = thread->burst;
	return SIM_YIELD;
}

enum sim_action behave_ring(struct sim *sim, struct sim_thread *thread)
{
	thread->left = thread->burst;
	thread->wake_at = SIM_NEVER;
	sim_wake(sim, thread->friend);
	return SIM_SLEEP;
}

enum sim_action behave_random(struct sim *sim, struct sim_thread *thread)
{
	thread->left = 1 + sim_random(2 * thread->burst);
	thread->wake_at = sim->now + sim_random(2 * thread->period);
	return sim_random(8) == 0 ? SIM_YIELD : SIM_SLEEP;
}
