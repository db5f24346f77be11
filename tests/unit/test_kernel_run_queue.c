/* kernel/run_queue.c: who runs next, on a simulated CPU with the slice and the margin of config.h, in steps of 10 us. */
#include "tests/unit/unit.h"

#include "kernel/config.h"
#include "kernel/run_queue.h"

#define STEP_US   10U
#define SECOND_US 1000000U
#define ENDLESS   UINT64_MAX
#define AWAKE     UINT64_MAX

/* A thread that runs for burst_us, then waits for wait_us. */
struct job {
	struct thread thread; /* first: the queue's answer is the job */
	uint64_t burst_us, wait_us;
	uint64_t left_us;     /* of this burst */
	uint64_t woke_at_us;
	uint64_t wakes_at_us; /* AWAKE: it does not wait */
	uint64_t had_us, worst_delay_us;
};

static struct {
	struct run_queue queue;
	struct job *running; /* NULL: idle */
	uint64_t now_us, slice_end_us;
} cpu;

static void start(void)
{
	run_queue_init(&cpu.queue, SLICE_US, WAKE_MARGIN_US);
	cpu.running = NULL;
	cpu.now_us = 0;
}

static void wake(struct job *job)
{
	job->left_us = job->burst_us;
	job->woke_at_us = cpu.now_us;
	job->wakes_at_us = AWAKE;
	run_queue_advance(&cpu.queue, cpu.running != NULL ? &cpu.running->thread : NULL);
	run_queue_wake(&cpu.queue, &job->thread);
}

static void add(struct job *job, uint64_t burst_us, uint64_t wait_us)
{
	*job = (struct job){.burst_us = burst_us, .wait_us = wait_us};
	wake(job);
}

static void choose(void)
{
	struct job *previous = cpu.running;

	run_queue_advance(&cpu.queue, previous != NULL ? &previous->thread : NULL);
	if (previous != NULL && previous->wakes_at_us == AWAKE)
		run_queue_put(&cpu.queue, &previous->thread);
	cpu.running = (struct job *)run_queue_take(&cpu.queue);
	cpu.slice_end_us = cpu.now_us + SLICE_US;
	if (cpu.running == NULL || cpu.running->left_us != cpu.running->burst_us)
		return;
	if (cpu.now_us - cpu.running->woke_at_us > cpu.running->worst_delay_us)
		cpu.running->worst_delay_us = cpu.now_us - cpu.running->woke_at_us;
}

static void run_for_a_step(void)
{
	struct job *job = cpu.running;

	cpu.now_us += STEP_US;
	if (job == NULL)
		return;
	run_queue_charge(&job->thread, STEP_US);
	job->had_us += STEP_US;
	if (job->burst_us == ENDLESS)
		return;
	job->left_us -= STEP_US;
	if (job->left_us == 0)
		job->wakes_at_us = cpu.now_us + job->wait_us;
}

static bool is_time_to_choose(void)
{
	return cpu.running == NULL || cpu.running->wakes_at_us != AWAKE || cpu.now_us >= cpu.slice_end_us ||
	       run_queue_preempts(&cpu.queue, &cpu.running->thread);
}

static void simulate(struct job *jobs, unsigned count, uint64_t us)
{
	uint64_t end_us = cpu.now_us + us;

	while (cpu.now_us < end_us) {
		if (is_time_to_choose())
			choose();
		run_for_a_step();
		for (unsigned i = 0; i < count; i++) {
			if (&jobs[i] != cpu.running && jobs[i].wakes_at_us <= cpu.now_us)
				wake(&jobs[i]);
		}
	}
}

static void test_run_queue_hogs_alternate(void **state)
{
	struct job hogs[2];

	(void)state;
	start();
	add(&hogs[0], ENDLESS, 0);
	simulate(hogs, 1, SECOND_US); /* what one has had alone is not held against it */
	add(&hogs[1], ENDLESS, 0);
	hogs[0].had_us = 0;
	for (unsigned turn = 0; turn < 100; turn++) {
		simulate(hogs, 2, SLICE_US);
		assert_true(hogs[0].had_us <= hogs[1].had_us + SLICE_US);
		assert_true(hogs[1].had_us <= hogs[0].had_us + SLICE_US);
	}
	assert_in_range(hogs[0].had_us, 49 * SLICE_US, 51 * SLICE_US);
}

/* A console that takes a paste at 115200 baud: 200 us of work for each 8 bytes; the FIFO holds 8 more, 690 us. */
static void test_run_queue_woken_runs_at_once(void **state)
{
	struct job jobs[3];

	(void)state;
	start();
	add(&jobs[0], ENDLESS, 0);
	add(&jobs[1], ENDLESS, 0);
	simulate(jobs, 2, SECOND_US);
	add(&jobs[2], 200, 490);
	simulate(jobs, 3, 50000); /* new threads have no bonus */
	jobs[2].worst_delay_us = 0;
	jobs[2].had_us = 0;
	simulate(jobs, 3, SECOND_US);
	assert_true(jobs[2].worst_delay_us <= STEP_US);
	assert_in_range(jobs[2].had_us, SECOND_US / 4, SECOND_US / 3);
}

static void test_run_queue_wakers_starve_nobody(void **state)
{
	struct job jobs[11];

	(void)state;
	start();
	add(&jobs[0], ENDLESS, 0);
	for (unsigned i = 1; i < 11; i++)
		add(&jobs[i], 100 * i, STEP_US);
	simulate(jobs, 11, SECOND_US);
	/* Its share, but for a bonus of each. */
	assert_in_range(jobs[0].had_us, (SECOND_US - 10 * SLICE_US) / 11, SECOND_US);
}

static void test_run_queue_long_wait_earns_a_slice_only(void **state)
{
	struct job jobs[2];
	uint64_t had_us;

	(void)state;
	start();
	add(&jobs[0], ENDLESS, 0);
	add(&jobs[1], STEP_US, 100 * SECOND_US);
	simulate(jobs, 2, 100 * SECOND_US);
	jobs[1].burst_us = ENDLESS;
	simulate(jobs, 2, SECOND_US); /* wakes somewhere in here, and computes from then on */
	had_us = jobs[0].had_us;
	simulate(jobs, 2, 4 * SLICE_US);
	assert_true(jobs[0].had_us - had_us >= SLICE_US);
}

/* One that makes the next and ends takes about half of the CPU, as if it were one thread. */
static void test_run_queue_chain_of_new_threads_gains_nothing(void **state)
{
	struct job jobs[2];

	(void)state;
	start();
	add(&jobs[0], ENDLESS, 0);
	for (unsigned i = 0; i < 200; i++) {
		add(&jobs[1], SLICE_US, ENDLESS / 2);
		while (jobs[1].left_us > 0)
			simulate(jobs, 2, STEP_US);
		choose();
	}
	assert_in_range(jobs[0].had_us, 180 * SLICE_US, 220 * SLICE_US);
}

static void test_run_queue_yielding_lets_the_next_run(void **state)
{
	struct job jobs[2];

	(void)state;
	start();
	add(&jobs[0], ENDLESS, 0);
	add(&jobs[1], STEP_US, SECOND_US);
	simulate(jobs, 2, 2 * SECOND_US - 10 * STEP_US);
	jobs[1].burst_us = ENDLESS;
	while (cpu.running != &jobs[1])
		simulate(jobs, 2, STEP_US);
	assert_false(run_queue_preempts(&cpu.queue, &jobs[1].thread));
	run_queue_give_way(&cpu.queue, &jobs[1].thread);
	choose();
	assert_ptr_equal(cpu.running, &jobs[0]);
}

static void test_run_queue_near_accounts_do_not_preempt(void **state)
{
	struct job jobs[2];

	(void)state;
	start();
	assert_null(run_queue_take(&cpu.queue));
	add(&jobs[0], ENDLESS, 0);
	add(&jobs[1], ENDLESS, 0);
	choose();
	assert_ptr_equal(cpu.running, &jobs[0]);
	run_queue_charge(&jobs[0].thread, WAKE_MARGIN_US);
	assert_false(run_queue_preempts(&cpu.queue, &jobs[0].thread)); /* the second's account began one tick later */
	run_queue_charge(&jobs[0].thread, 1);
	assert_true(run_queue_preempts(&cpu.queue, &jobs[0].thread));
	assert_int_equal(cpu.queue.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_queue_hogs_alternate),
		cmocka_unit_test(test_run_queue_woken_runs_at_once),
		cmocka_unit_test(test_run_queue_wakers_starve_nobody),
		cmocka_unit_test(test_run_queue_long_wait_earns_a_slice_only),
		cmocka_unit_test(test_run_queue_chain_of_new_threads_gains_nothing),
		cmocka_unit_test(test_run_queue_yielding_lets_the_next_run),
		cmocka_unit_test(test_run_queue_near_accounts_do_not_preempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
