/* kernel/scheduler.c, kernel/inbox.c and kernel/balance.c with the real policy, on simulated CPUs: switching a stack is only
 * to note who is on it, and an interrupt comes when the test lets it. One file because every test needs the same simulated PC. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "kernel/balance.h"
#include "kernel/cpu.h"
#include "kernel/hypervisor.h"
#include "kernel/interrupt.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/pool.h"
#include "kernel/scheduler.h"
#include "kernel/shootdown.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "kernel/thread_internal.h"
#include "kernel/timer_internal.h"
#include "tests/fake/kernel_cpu_stack.h"

#define CPUS    3U
#define THREADS 12U
#define STEPS   60000U
#define US      1000U

uint64_t fake_tsc, fake_cr3, tsc_hz;
struct percpu *percpus[CPUS_MAX];
uint32_t percpu_count;
struct pool *const root_pool;
void switch_stacks(uint64_t *save_rsp, uint64_t load_rsp);

static struct percpu cpus[CPUS];
static struct thread idles[CPUS], threads[THREADS];
static struct stack_head heads[THREADS];
static struct schedule_group groups[THREADS];
static bool interrupted[CPUS];
static unsigned left_cpu[THREADS];
static uint64_t seed;

static uint64_t random_number(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed >> 33;
}

static struct percpu *self(void)
{
	return fake_stack_head->cpu;
}

static void be_cpu(struct percpu *cpu)
{
	fake_stack_head->cpu = cpu;
	fake_stack_head->thread = cpu->current;
}

struct thread *thread_current(void)
{
	return self()->current;
}
void switch_stacks(uint64_t *save_rsp, uint64_t load_rsp)
{
	(void)save_rsp, (void)load_rsp;
	fake_stack_head->thread = self()->current;
	if (self()->current != self()->idle)
		assert_ptr_equal(heads[self()->current - threads].cpu, self());
}
void thread_after_switch(void)
{
	scheduler_after_switch(self());
	atomic_store(&self()->current->wake_pending, false);
}
void thread_exit_current(void)
{
	abort();
}
void hypervisor_switch_out(struct thread *previous, struct thread *next)
{
	assert_ptr_equal(self()->current, previous);
	assert_ptr_not_equal(previous, next);
}
void hypervisor_leave_cpu(struct thread *thread)
{
	/* Its VMCS is here, and it is on no stack. */
	assert_ptr_equal(atomic_load(&thread->home), self());
	for (unsigned i = 0; i < CPUS; i++)
		assert_ptr_not_equal(cpus[i].current, thread);
	left_cpu[thread - threads]++;
}
void interrupt_send(uint32_t apic_id, uint32_t vector)
{
	assert_int_equal(vector, VECTOR_RESCHEDULE);
	assert_int_equal(self()->lock_ranks, 0);
	interrupted[apic_id] = true;
}
uint64_t kernel_map_cr3(void)
{
	return 0;
}
uint64_t log_echo_step(void)
{
	return LOG_ALL_SHOWN;
}
void *pool_alloc(struct pool *pool, size_t size_bytes)
{
	(void)pool;
	return calloc(1, size_bytes);
}
void pool_free(struct pool *pool, void *object, size_t size_bytes)
{
	(void)pool, (void)size_bytes;
	free(object);
}
void shootdown_load_cr3(struct percpu *cpu, uint64_t cr3)
{
	(void)cpu, (void)cr3;
	abort();
}
uint64_t space_cr3(const struct space *space)
{
	(void)space;
	abort();
}
void timer_set_slice(struct percpu *cpu, uint64_t deadline_tsc)
{
	cpu->slice_deadline_tsc = deadline_tsc;
}
void timer_disarm(struct timer *timer)
{
	timer->armed = false;
}
uint64_t tsc_from_us(uint64_t us)
{
	return us * US;
}
void cpu_set_entry_stack(struct percpu *cpu, uint64_t stack_top)
{
	(void)cpu, (void)stack_top;
}

static void start(void)
{
	memset(cpus, 0, sizeof(cpus));
	memset(threads, 0, sizeof(threads));
	memset(left_cpu, 0, sizeof(left_cpu));
	memset(interrupted, 0, sizeof(interrupted));
	fake_tsc = 1000000;
	percpu_count = CPUS;
	for (uint32_t i = 0; i < CPUS; i++) {
		struct percpu *cpu = &cpus[i];

		percpus[i] = cpu;
		cpu->index = cpu->apic_id = i;
		cpu->online = true;
		cpu->inbox_lock = SPINLOCK(RANK_INBOX);
		idles[i] = (struct thread){.home = cpu, .state = THREAD_RUNNING, .object = {.references = 1}};
		assert_int_equal(scheduler_cpu_start(cpu, &idles[i]), OK);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		struct thread *thread = &threads[i];

		schedule_group_init(&groups[i], i == THREADS - 1);
		schedule_entity_init(&thread->schedule, &groups[i], fake_tsc);
		thread->object.references = 1;
		thread->stack_top = (uintptr_t)&heads[i];
		thread->state = THREAD_BLOCKED;
		thread->home = &cpus[i % CPUS];
		heads[i] = (struct stack_head){.cpu = thread->home, .thread = thread};
		memset(thread->cpu_mask, 0xff, sizeof(thread->cpu_mask));
	}
}

static void stop(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		free(cpus[i].schedule->queues);
		free(cpus[i].schedule);
		free(atomic_load(&cpus[i].new_rules));
	}
}

static void take_interrupt(struct percpu *cpu)
{
	be_cpu(cpu);
	interrupted[cpu->index] = false;
	balance_set_idle(cpu, false);
	scheduler_before_interrupt();
	scheduler_take_inbox();
	scheduler_after_interrupt();
}

/* What a CPU does on its way out of ring 0. */
static void leave_ring_0(struct percpu *cpu)
{
	be_cpu(cpu);
	if (cpu->slice_deadline_tsc <= fake_tsc)
		scheduler_deadline_reached(fake_tsc);
	if (cpu->reschedule)
		scheduler_switch();
	balance_set_idle(cpu, cpu->current == cpu->idle && !cpu->reschedule);
}

/* As thread_wake(). */
static void wake(struct percpu *from, struct thread *thread)
{
	be_cpu(from);
	atomic_store(&thread->wake_pending, true);
	scheduler_make_runnable(thread);
}

/* As thread_block(), up to the switch. */
static void block(struct percpu *cpu)
{
	struct thread *thread = cpu->current;

	be_cpu(cpu);
	thread->state = THREAD_BLOCKED;
	if (atomic_exchange(&thread->wake_pending, false))
		thread->state = THREAD_RUNNING;
	else
		scheduler_switch();
}

static void settle(void)
{
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < CPUS; i++) {
			if (interrupted[i])
				take_interrupt(&cpus[i]);
			leave_ring_0(&cpus[i]);
		}
	}
}

static void run_for_us(uint64_t us)
{
	for (uint64_t end = fake_tsc + us * US; fake_tsc < end; fake_tsc += 10 * US)
		settle();
}

static void check(void)
{
	unsigned ready = 0, queued = 0, moving = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		struct thread *current = cpus[i].current;

		queued += cpus[i].schedule->ready_count;
		assert_int_equal(cpus[i].lock_ranks, 0);
		if (current == cpus[i].idle) {
			assert_null(cpus[i].schedule->running);
			continue;
		}
		assert_ptr_equal(cpus[i].schedule->running, &current->schedule);
		assert_ptr_equal(atomic_load(&current->home), &cpus[i]);
		assert_int_equal(current->state, THREAD_RUNNING);
		for (unsigned other = 0; other < i; other++)
			assert_ptr_not_equal(cpus[other].current, current);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		ready += threads[i].state == THREAD_RUNNABLE;
		moving += threads[i].arrives;
	}
	assert_int_equal(ready, queued + moving);
}

static void body_random_operations(void)
{
	for (unsigned round = 0; round < 4; round++) {
		start();
		seed = round;
		for (unsigned step = 0; step < STEPS; step++) {
			struct percpu *cpu = &cpus[random_number() % CPUS];

			switch (random_number() % 8) {
			case 0:
			case 1:
				if (interrupted[cpu->index])
					take_interrupt(cpu);
				break;
			case 2:
				if (cpu->current != cpu->idle)
					block(cpu);
				break;
			case 3: fake_tsc += random_number() % (300 * US); break;
			case 4:
			case 5: wake(cpu, &threads[random_number() % THREADS]); break;
			default: leave_ring_0(cpu);
			}
			check();
		}
		settle();
		check();
		for (unsigned i = 0; i < THREADS; i++) {
			assert_false(threads[i].state == THREAD_BLOCKED && atomic_load(&threads[i].wake_pending)); /* lost */
			assert_false(atomic_load(&threads[i].in_inbox) || threads[i].arrives);
			assert_int_equal(atomic_load(&threads[i].object.references), 1);
		}
		stop();
	}
}

static void body_a_woken_thread_goes_to_an_idle_cpu(void)
{
	start();
	wake(&cpus[0], &threads[0]); /* of CPU 0, which then computes */
	settle();
	assert_ptr_equal(cpus[0].current, &threads[0]);
	wake(&cpus[0], &threads[3]); /* of CPU 0, too */
	settle();
	assert_ptr_not_equal(atomic_load(&threads[3].home), &cpus[0]);
	assert_int_equal(threads[3].state, THREAD_RUNNING);
	assert_int_equal(threads[3].schedule.migrations, 1);
	assert_int_equal(left_cpu[3], 1);
	stop();
}

static void body_affinity_is_kept(void)
{
	start();
	for (unsigned i = 0; i < 6; i++) {
		memset(threads[i].cpu_mask, 0, sizeof(threads[i].cpu_mask));
		threads[i].cpu_mask[0] = 1;
		threads[i].home = heads[i].cpu = &cpus[0];
		wake(&cpus[1], &threads[i]);
	}
	run_for_us(100000);
	for (unsigned i = 0; i < 6; i++) {
		assert_ptr_equal(atomic_load(&threads[i].home), &cpus[0]);
		assert_in_range(threads[i].schedule.run_ticks, 14000 * US, 20000 * US);
	}
	assert_ptr_equal(cpus[1].current, cpus[1].idle);
	stop();
}

/* All of them always compute; nobody gets more than another, though the CPUs cannot have equally many. */
static void spread(unsigned count, unsigned cpu_count)
{
	uint64_t fair = 2000000 * US / count * cpu_count;

	start();
	percpu_count = cpu_count;
	for (unsigned i = 0; i < count; i++) {
		threads[i].home = heads[i].cpu = &cpus[0];
		threads[i].cpu_mask[0] = (1U << cpu_count) - 1;
		wake(&cpus[0], &threads[i]);
	}
	run_for_us(2000000);
	for (unsigned i = 0; i < count; i++)
		assert_in_range(threads[i].schedule.run_ticks, fair * 98 / 100, fair * 102 / 100);
	stop();
}

static void body_load_is_shared(void)
{
	spread(3, 2);
	spread(4, 2);
	spread(5, 3);
}

static void body_a_place_is_taken_up(void)
{
	const struct schedule_place place = {.cpu = 2, .budget_ticks = 2000 * US, .period_ticks = 10000 * US};
	struct schedule_place nowhere = {.cpu = CPUS};

	start();
	for (unsigned i = 0; i < 8; i++)
		wake(&cpus[0], &threads[i]);
	settle();
	be_cpu(&cpus[0]);
	assert_int_equal(scheduler_place_current(&nowhere), ERR_OUT_OF_RANGE);
	nowhere.cpu = SCHEDULE_CPU_ANY;
	assert_int_equal(scheduler_place_current(&nowhere), OK);
	{
		struct thread *placed = cpus[0].current;

		assert_int_equal(scheduler_place_current(&place), OK); /* comes back as the next thread of CPU 0 */
		assert_ptr_equal(atomic_load(&placed->home), &cpus[2]);
		settle();
		assert_ptr_equal(cpus[2].current, placed); /* its budget goes before shares */
		run_for_us(100000);
		assert_ptr_equal(atomic_load(&placed->home), &cpus[2]);
		assert_true(placed->schedule.run_ticks >= 20000 * US);
	}
	stop();
}

/* 0 and 1 are of one program, and each counts half of what 2 to 5 do: left to the policy, it would not be 1's turn each time. */
static void body_one_that_spins_gives_way_to_its_sibling(void)
{
	start();
	schedule_entity_init(&threads[1].schedule, &groups[0], fake_tsc);
	for (unsigned i = 0; i < 6; i++) {
		threads[i].cpu_mask[0] = 1;
		threads[i].home = heads[i].cpu = &cpus[0];
	}
	wake(&cpus[0], &threads[0]);
	settle();
	be_cpu(&cpus[0]);
	scheduler_yield_to_sibling();
	assert_false(cpus[0].reschedule); /* nobody waits: it goes on without a switch */
	for (unsigned i = 1; i < 6; i++)
		wake(&cpus[0], &threads[i]);
	for (unsigned round = 0; round < 20; round++) {
		do {
			run_for_us(10);
		} while (cpus[0].current != &threads[0] || !threads[1].schedule.is_eligible);
		be_cpu(&cpus[0]);
		scheduler_yield_to_sibling();
		leave_ring_0(&cpus[0]);
		assert_ptr_equal(cpus[0].current, &threads[1]);
	}
	stop();
}

static void body_rules_reach_their_cpu(void)
{
	const struct schedule_cpu rules = {.mode = SCHEDULE_DEDICATED};

	start();
	be_cpu(&cpus[0]);
	assert_int_equal(scheduler_set_rules(&cpus[1], &rules), OK);
	assert_int_equal(scheduler_set_rules(&cpus[1], &rules), ERR_BUSY);
	settle();
	assert_int_equal(cpus[1].schedule->rules.mode, SCHEDULE_DEDICATED);
	assert_int_equal(cpus[1].mode, SCHEDULE_DEDICATED);
	be_cpu(&cpus[0]);
	assert_int_equal(scheduler_set_rules(&cpus[0], &rules), OK);
	assert_int_equal(cpus[0].schedule->rules.mode, SCHEDULE_DEDICATED);
	stop();
}

#define STACK_TEST(name)                                       \
	static void test_kernel_scheduler_##name(void **state) \
	{                                                      \
		(void)state;                                   \
		fake_cpu_stack_run(&cpus[0], body_##name);     \
	}
STACK_TEST(random_operations)
STACK_TEST(a_woken_thread_goes_to_an_idle_cpu)
STACK_TEST(affinity_is_kept)
STACK_TEST(load_is_shared)
STACK_TEST(a_place_is_taken_up)
STACK_TEST(one_that_spins_gives_way_to_its_sibling)
STACK_TEST(rules_reach_their_cpu)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_scheduler_random_operations),
		cmocka_unit_test(test_kernel_scheduler_a_woken_thread_goes_to_an_idle_cpu),
		cmocka_unit_test(test_kernel_scheduler_affinity_is_kept),
		cmocka_unit_test(test_kernel_scheduler_load_is_shared),
		cmocka_unit_test(test_kernel_scheduler_a_place_is_taken_up),
		cmocka_unit_test(test_kernel_scheduler_one_that_spins_gives_way_to_its_sibling),
		cmocka_unit_test(test_kernel_scheduler_rules_reach_their_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
