/* kernel/thread.c: making threads, and that failing leaves nothing behind. Switching and waiting need a real CPU. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "kernel/chunks.h"
#include "kernel/hypervisor.h"
#include "kernel/interrupt.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/scheduler.h"
#include "kernel/space_internal.h"
#include "kernel/thread_internal.h"
#include "tests/fake/kernel_pc.h"

extern const uint8_t thread_trampoline[];
_Noreturn void user_enter(uint64_t rip, uint64_t rsp, uint64_t rdi);

const uint8_t thread_trampoline[1];
static uint8_t stack[KERNEL_STACK_BYTES] __attribute__((aligned(KERNEL_STACK_BYTES)));
static bool stack_taken, no_stack, no_home;
static unsigned unmapped_before_shootdown;
static struct percpu cpu;
static struct object space_of_test;
static uint64_t cpus_of_space[CPUS_MAX / 64] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
static struct pool *pool;

uint64_t kernel_stack_alloc(struct pool *payer)
{
	assert_ptr_equal(payer, pool);
	if (no_stack)
		return 0;
	assert_false(stack_taken);
	stack_taken = true;
	return (uintptr_t)stack + KERNEL_STACK_BYTES - sizeof(struct stack_head);
}

void kernel_stack_unmap(uint64_t top)
{
	assert_int_equal(top, (uintptr_t)stack + KERNEL_STACK_BYTES - sizeof(struct stack_head));
	assert_true(stack_taken);
	unmapped_before_shootdown = fake_pc_shootdowns() + 1;
}

void kernel_stack_free(struct pool *payer, uint64_t top)
{
	assert_true(fake_pc_shootdowns() >= unmapped_before_shootdown);
	assert_ptr_equal(payer, pool);
	assert_int_equal(top, (uintptr_t)stack + KERNEL_STACK_BYTES - sizeof(struct stack_head));
	assert_true(stack_taken);
	stack_taken = false;
}

struct percpu *scheduler_choose_home(const struct thread *thread)
{
	return no_home || thread == NULL ? NULL : &cpu;
}

struct object *space_object(struct space *space)
{
	assert_ptr_equal(space, &space_of_test);
	return &space_of_test;
}

const uint64_t *space_cpus(const struct space *space)
{
	assert_ptr_equal(space, &space_of_test);
	return cpus_of_space;
}

/* Never reached by what is tested here. */
void user_enter(uint64_t rip, uint64_t rsp, uint64_t rdi)
{
	(void)rip, (void)rsp, (void)rdi;
	abort();
}
struct schedule_group scheduler_ring0_group;
struct schedule_group *space_group(struct space *space)
{
	(void)space;
	return &scheduler_ring0_group;
}
void scheduler_after_switch(struct percpu *leaving)
{
	(void)leaving;
	abort();
}
void scheduler_idle(void)
{
	abort();
}
void scheduler_before_user(void)
{
	abort();
}
void scheduler_switch(void)
{
	abort();
}
static unsigned made_runnable;
void scheduler_make_runnable(struct thread *thread)
{
	assert_true(thread->wake_pending);
	made_runnable++;
}
void hypervisor_thread_gone(struct thread *thread)
{
	(void)thread;
	abort();
}
void space_thread_gone(struct space *space, struct thread *thread)
{
	(void)space, (void)thread;
	abort();
}
uint64_t log_echo_step(void)
{
	abort();
}
uint64_t log_end(void)
{
	abort();
}
void timer_arm(struct timer *timer, uint64_t deadline_tsc)
{
	(void)timer, (void)deadline_tsc;
	abort();
}
void timer_disarm(struct timer *timer)
{
	(void)timer;
	abort();
}
void interrupt_send(uint32_t apic_id, uint32_t vector)
{
	(void)apic_id, (void)vector;
	abort();
}

static enum status create(const struct thread_config *config, struct thread **out)
{
	return thread_create(pool, (struct space *)&space_of_test, config, NULL, out);
}

static void boot(void)
{
	fake_pc_boot_simple(64 * FAKE_MIB);
	assert_int_equal(pool_create(root_pool, 0, 2 * PAGE_2M_BYTES, &pool), OK);
	object_init(&space_of_test, OBJECT_SPACE, NULL);
}

static void assert_nothing_left(void)
{
	assert_false(stack_taken);
	assert_int_equal(atomic_load(&space_of_test.references), 1);
	assert_int_equal(atomic_load(&pool_object(pool)->references), 1);
}

static void body_create(void)
{
	struct thread_config config = {.entry = 1, .stack_top = 2, .argument = 3, .name = "sixteen letters!"};
	const struct stack_head *head = (struct stack_head *)(stack + KERNEL_STACK_BYTES) - 1;
	struct thread *thread = NULL;

	boot();
	assert_int_equal(create(&config, &thread), OK);
	assert_string_equal(thread->name, "sixteen letters");
	assert_ptr_equal(head->thread, thread);
	assert_ptr_equal(head->cpu, &cpu);
	assert_int_equal(thread->cpu_mask[0], UINT64_MAX);
	assert_int_equal(thread->state, THREAD_BLOCKED);
	/* switch_stacks() pops six registers and returns to the trampoline. */
	assert_ptr_equal(((void **)(uintptr_t)thread->saved_rsp)[6], thread_trampoline);
	object_put(&thread->object);
	assert_nothing_left();
}

static void body_stays_on_its_programs_cpus(void)
{
	struct thread_config config = {.entry = 1};
	struct thread *thread = NULL;

	boot();
	memset(cpus_of_space, 0, sizeof(cpus_of_space));
	cpus_of_space[0] = 6;
	assert_int_equal(create(&config, &thread), OK);
	assert_int_equal(thread->cpu_mask[0], 6);
	object_put(&thread->object);
	config.cpu_mask[0] = 3;
	assert_int_equal(create(&config, &thread), OK);
	assert_int_equal(thread->cpu_mask[0], 2);
	object_put(&thread->object);
	config.cpu_mask[0] = 8;
	assert_int_equal(create(&config, &thread), ERR_OUT_OF_RANGE);
	assert_nothing_left();
}

/* A thread of ring 0 works for its CPU: no balance may take it away. */
static void body_of_a_cpu_stays_there(void)
{
	struct thread *thread = NULL;

	boot();
	cpu.index = 65;
	assert_int_equal(thread_create(pool, NULL, NULL, &cpu, &thread), OK);
	assert_int_equal(thread->cpu_mask[0], 0);
	assert_int_equal(thread->cpu_mask[1], 2);
	assert_ptr_equal(atomic_load(&thread->home), &cpu);
	object_put(&thread->object);
	assert_nothing_left();
}

/* Messages show the name: a VMM must not be able to write lines of its own with it. */
static void body_name_is_printable(void)
{
	struct thread_config config = {.entry = 1, .name = "a\nE602 \x1b[2J\xff"};
	struct thread *thread = NULL;

	boot();
	assert_int_equal(create(&config, &thread), OK);
	assert_string_equal(thread->name, "a?E602 ?[2J?");
	object_put(&thread->object);
	assert_nothing_left();
}

static void body_failing_leaves_nothing(void)
{
	struct thread_config config = {.entry = 1};
	struct thread *thread = NULL;

	boot();
	no_stack = true;
	assert_int_equal(create(&config, &thread), ERR_NO_MEMORY);
	assert_nothing_left();
	no_home = true;
	assert_int_equal(create(&config, &thread), ERR_OUT_OF_RANGE);
	assert_nothing_left();
	no_stack = false;
	assert_int_equal(create(&config, &thread), ERR_OUT_OF_RANGE);
	assert_nothing_left();
	no_home = false;
	config.cpu_mask[PROGRAM_CPUS_MAX / 64 - 1] = 1; /* a CPU that there cannot be */
	assert_int_equal(create(&config, &thread), ERR_OUT_OF_RANGE);
	assert_nothing_left();
	while (pool_alloc(pool, sizeof(struct thread)) != NULL)
		continue;
	assert_int_equal(create(&config, &thread), ERR_NO_MEMORY);
	assert_nothing_left();
	assert_null(thread);
}

/* Whoever signals it again and again disturbs its CPU once. */
static void test_kernel_thread_wakes_add_up_to_one(void **state)
{
	struct thread thread = {.home = &cpu};

	(void)state;
	made_runnable = 0;
	thread_wake(&thread);
	thread_wake(&thread);
	assert_int_equal(made_runnable, 1);
	atomic_store(&thread.wake_pending, false); /* it ran, and looked at its condition after this */
	thread_wake(&thread);
	assert_int_equal(made_runnable, 2);
}

/* Only the thread that has the CPU counts on. */
static void test_kernel_thread_times_go_on(void **state)
{
	static const enum schedule_state states[] = {SCHEDULE_BLOCKED, SCHEDULE_READY, SCHEDULE_URGENT, SCHEDULE_CAPPED,
						     SCHEDULE_RUNNING};
	static const enum vcpu_run_state expected[] = {VCPU_STATE_HALTED, VCPU_STATE_READY, VCPU_STATE_READY, VCPU_STATE_READY,
						       VCPU_STATE_RUNNING};
	struct thread thread = {.home = &cpu, .schedule = {.run_ticks = 1, .wait_ticks = 2, .steal_ticks = 3, .halted_ticks = 4,
							   .switches = 5, .migrations = 6, .since_tsc = 1}};
	struct schedule schedule = {.charged_tsc = 1};

	(void)state;
	cpu.schedule = &schedule;
	cpu.index = 7;
	for (unsigned i = 0; i < 5; i++) {
		struct vcpu_status out = {.run_ticks = 0};

		thread.schedule.state = states[i];
		cpu.current = states[i] == SCHEDULE_RUNNING ? &thread : NULL;
		thread_times(&thread, &out);
		assert_int_equal(out.state, expected[i]);
		assert_int_equal(out.cpu, 7);
		assert_int_equal(out.switches, 5);
		assert_int_equal(out.migrations, 6);
		assert_int_equal(out.run_ticks > 1, states[i] == SCHEDULE_RUNNING);
		assert_int_equal(out.wait_ticks > 2, states[i] == SCHEDULE_CAPPED);
		assert_int_equal(out.steal_ticks > 3, states[i] == SCHEDULE_READY || states[i] == SCHEDULE_URGENT);
		assert_int_equal(out.halted_ticks > 4, states[i] == SCHEDULE_BLOCKED);
	}
	cpu.current = NULL;
}

/* Three quarters of the time for which it has been ready were other VMs' windows: nobody stole them. */
static void test_kernel_thread_waits_for_its_window(void **state)
{
	static struct schedule schedule = {.rules = {.mode = SCHEDULE_WINDOWS, .frame_ticks = 100, .window_count = 1,
						     .windows = {{.end_ticks = 25}}}};
	struct schedule_group group = {.windows = 1};
	struct thread thread = {.home = &cpu, .schedule = {.group = &group, .state = SCHEDULE_READY, .since_tsc = 100}};
	struct vcpu_status out = {.run_ticks = 0};

	(void)state;
	cpu.schedule = &schedule;
	thread_times(&thread, &out);
	assert_true(out.steal_ticks > 1000000);
	assert_in_range(out.wait_ticks - 3 * out.steal_ticks + 100, 0, 200);
}

static void test_kernel_thread_run_ticks(void **state)
{
	struct thread thread = {.home = &cpu, .schedule = {.run_ticks = 1000}};
	struct schedule schedule = {.charged_tsc = 1};

	(void)state;
	cpu.schedule = &schedule;
	cpu.current = NULL;
	assert_int_equal(thread_run_ticks(&thread), 1000);
	assert_null(thread_runs_on(&thread));
	cpu.current = &thread;
	assert_ptr_equal(thread_runs_on(&thread), &cpu);
	assert_true(thread_run_ticks(&thread) > 1000);
	schedule.charged_tsc = UINT64_MAX; /* another CPU's TSC, a little ahead */
	assert_int_equal(thread_run_ticks(&thread), 1000);
	cpu.current = NULL;
}

#define PC_TEST(name)                                     \
	static void test_kernel_thread_##name(void **state) \
	{                                                 \
		(void)state;                              \
		fake_pc_run(body_##name);                 \
	}
PC_TEST(create)
PC_TEST(stays_on_its_programs_cpus)
PC_TEST(of_a_cpu_stays_there)
PC_TEST(name_is_printable)
PC_TEST(failing_leaves_nothing)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_thread_create),
		cmocka_unit_test(test_kernel_thread_stays_on_its_programs_cpus),
		cmocka_unit_test(test_kernel_thread_of_a_cpu_stays_there),
		cmocka_unit_test(test_kernel_thread_name_is_printable),
		cmocka_unit_test(test_kernel_thread_failing_leaves_nothing),
		cmocka_unit_test(test_kernel_thread_wakes_add_up_to_one),
		cmocka_unit_test(test_kernel_thread_run_ticks),
		cmocka_unit_test(test_kernel_thread_times_go_on),
		cmocka_unit_test(test_kernel_thread_waits_for_its_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
