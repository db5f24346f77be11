/* Life of a thread: creation, waiting, death. A dead thread's stack is freed by the thread that runs next on its CPU. */
#include "kernel/thread.h"

#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/interrupt.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/reaper.h"
#include "kernel/scheduler.h"
#include "kernel/shootdown.h"
#include "kernel/space_internal.h"
#include "kernel/thread_internal.h"
#include "lib/base/string.h"

extern const uint8_t thread_trampoline[];
extern _Noreturn void user_enter(uint64_t rip, uint64_t rsp, uint64_t rdi);
_Noreturn void thread_first_run(void);

struct thread *thread_current(void)
{
	return stack_head()->thread;
}

unsigned threads_free(struct object **dead)
{
	struct object *rest = *dead;
	unsigned count = 0;

	for (; rest != NULL && count < THREADS_FREED_AT_ONCE; rest = rest->next_dead, count++) {
		const struct thread *thread = (const struct thread *)rest;

		if (thread->stack_top != 0)
			kernel_stack_unmap(thread->stack_top);
	}
	shootdown_all();
	for (unsigned i = 0; i < count; i++) {
		struct thread *thread = (struct thread *)*dead;
		struct space *space = thread->space;
		struct pool *pool = thread->pool;

		*dead = thread->object.next_dead;
		if (thread->stack_top != 0)
			kernel_stack_free(pool, thread->stack_top);
		pool_free(pool, thread, sizeof(*thread));
		if (space != NULL)
			object_put(space_object(space));
		object_put(pool_object(pool));
	}
	return count;
}

/* For a reaper that does not collect threads (host tests). */
static bool thread_release(struct object *object)
{
	object->next_dead = NULL;
	(void)threads_free(&object);
	return true;
}

static void wait_expired(struct timer *timer)
{
	struct thread *thread = (struct thread *)((char *)timer - offsetof(struct thread, wait_timer));

	scheduler_make_runnable(thread);
}

/* The stack as switch_stacks expects it: six saved registers, then the return address. */
static void prepare_stack(struct thread *thread)
{
	uint64_t *top = (uint64_t *)(uintptr_t)thread->stack_top;

	*(struct stack_head *)(uintptr_t)thread->stack_top = (struct stack_head){.cpu = thread->home, .thread = thread};
	/* A return address slot above, so that RSP has the alignment a CALL would leave. */
	top[-2] = (uintptr_t)thread_trampoline;
	thread->saved_rsp = thread->stack_top - 8 * sizeof(uint64_t);
}

static void choose_one_cpu(struct thread *thread, uint32_t cpu)
{
	thread->cpu_mask[cpu / 64] = 1ULL << (cpu % 64);
}

/* The CPUs asked for, as far as the program may use them; false: none. */
static bool choose_cpus(struct thread *thread, const struct thread_config *config)
{
	bool any = false, one = false;

	for (uint32_t i = 0; i < PROGRAM_CPUS_MAX / 64; i++)
		any = any || config->cpu_mask[i] != 0;
	for (uint32_t i = 0; i < CPUS_MAX / 64; i++) {
		thread->cpu_mask[i] = any ? config->cpu_mask[i] : UINT64_MAX;
		if (thread->space != NULL)
			thread->cpu_mask[i] &= space_cpus(thread->space)[i];
		one = one || thread->cpu_mask[i] != 0;
	}
	return one;
}

/* It appears in messages: printable characters only. */
static void set_name(struct thread *thread, const char *name)
{
	for (unsigned i = 0; i < sizeof(thread->name) - 1 && name[i] != '\0'; i++)
		thread->name[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
}

enum status thread_create(struct pool *pool, struct space *space, const struct thread_config *config, struct percpu *home,
			  struct thread **out)
{
	struct thread *thread = pool_alloc(pool, sizeof(*thread));

	if (thread == NULL)
		return ERR_NO_MEMORY;
	object_init(&thread->object, OBJECT_THREAD, thread_release);
	object_get(pool_object(pool));
	thread->pool = pool;
	thread->state = THREAD_BLOCKED;
	thread->wait_timer.expired = wait_expired;
	schedule_entity_init(&thread->schedule, space != NULL ? space_group(space) : &scheduler_ring0_group, rdtsc());
	if (space != NULL) {
		object_get(space_object(space));
		thread->space = space;
		set_name(thread, config->name);
		thread->user_entry = config->entry;
		thread->user_stack = config->stack_top;
		thread->user_argument = config->argument;
	}
	thread->stack_top = kernel_stack_alloc(pool);
	if (home != NULL)
		choose_one_cpu(thread, home->index);
	else if (choose_cpus(thread, config))
		home = scheduler_choose_home(thread);
	thread->home = home;
	if (thread->stack_top == 0 || thread->home == NULL) {
		enum status status = thread->home == NULL ? ERR_OUT_OF_RANGE : ERR_NO_MEMORY;

		object_put(&thread->object);
		return status;
	}
	prepare_stack(thread);
	*out = thread;
	return OK;
}

void thread_after_switch(void)
{
	struct percpu *cpu = percpu_self();
	struct thread *dead = cpu->dead;

	scheduler_after_switch(cpu);
	if (dead != NULL) {
		cpu->dead = NULL;
		object_put(&dead->object);
		reaper_thread_ended();
	}
}

void thread_first_run(void)
{
	struct thread *thread = thread_current();

	thread_after_switch();
	if (thread->kernel_entry != NULL)
		thread->kernel_entry();
	if (thread->space == NULL)
		scheduler_idle();
	scheduler_before_user();
	user_enter(thread->user_entry, thread->user_stack, thread->user_argument);
}

void thread_exit_current(void)
{
	struct thread *thread = thread_current();
	struct percpu *cpu = percpu_self();

	reaper_thread_ends(); /* before others can see that the program has ended */
	timer_disarm(&thread->wait_timer);
	hypervisor_thread_gone(thread);
	space_thread_gone(thread->space, thread);
	cpu->thread_count--;
	thread->state = THREAD_DEAD;
	cpu->dead = thread; /* with the reference its space had */
	scheduler_switch();
	panic("a dead thread ran again");
}

void thread_kill(struct thread *thread)
{
	thread->kill_pending = true;
	thread_wake(thread);
	thread_kick(thread);
}

void thread_block(uint64_t deadline_tsc)
{
	struct thread *thread = thread_current();

	if (deadline_tsc <= rdtsc())
		return;
	if (deadline_tsc != UINT64_MAX)
		timer_arm(&thread->wait_timer, schedule_timer_start(percpu_self()->schedule, &thread->schedule, deadline_tsc));
	thread->state = THREAD_BLOCKED;
	if (atomic_exchange(&thread->wake_pending, false) || thread->kill_pending)
		thread->state = THREAD_RUNNING;
	else
		scheduler_switch();
	timer_disarm(&thread->wait_timer);
	/* The caller looks at its condition after this, so a wake-up that sets the flag from here on is not lost. */
	atomic_store(&thread->wake_pending, false);
}

void thread_wake(struct thread *thread)
{
	/* Full ordering against thread_block: it sets the state, then looks at the flag. A home CPU's own view of the state is
	 * always current; another CPU goes through the inbox, which the home CPU reads after it has blocked.
	 * Who finds the flag set has nothing to add: the thread consumes it before it sleeps, and looks at its condition after. */
	if (!atomic_exchange(&thread->wake_pending, true))
		scheduler_make_runnable(thread);
}

void thread_kick(struct thread *thread)
{
	const struct percpu *home = atomic_load(&thread->home);

	if (home != percpu_self())
		interrupt_send(home->apic_id, VECTOR_KICK);
}

const struct percpu *thread_runs_on(const struct thread *thread)
{
	const struct percpu *home = atomic_load(&thread->home);

	return atomic_load(&home->current) == thread ? home : NULL;
}

uint64_t thread_run_ticks(const struct thread *thread)
{
	const struct percpu *home = atomic_load(&thread->home);
	uint64_t ticks = *(const volatile uint64_t *)&thread->schedule.run_ticks;
	uint64_t since_tsc = *(const volatile uint64_t *)&home->schedule->charged_tsc;
	uint64_t now = rdtsc();

	if (home->current == thread && now > since_tsc)
		ticks += now - since_tsc;
	return ticks;
}

uint64_t thread_steal_ticks(const struct thread *thread)
{
	return thread->schedule.steal_ticks + thread->schedule.wait_ticks;
}

void thread_times(const struct thread *thread, struct vcpu_status *out)
{
	const volatile struct schedule_entity *entity = &thread->schedule;
	uint64_t now = rdtsc(), since_tsc = entity->since_tsc, lasts = now > since_tsc ? now - since_tsc : 0;
	enum schedule_state state = entity->state;
	bool is_ready = state == SCHEDULE_READY || state == SCHEDULE_URGENT;
	uint64_t outside = is_ready ? schedule_outside_ticks(atomic_load(&thread->home)->schedule, &thread->schedule, now - lasts,
							     now) : 0;

	out->run_ticks += thread_run_ticks(thread);
	out->wait_ticks = entity->wait_ticks + (state == SCHEDULE_CAPPED ? lasts : outside);
	out->steal_ticks = entity->steal_ticks + (is_ready ? lasts - outside : 0);
	out->halted_ticks = entity->halted_ticks + (state == SCHEDULE_BLOCKED ? lasts : 0);
	out->switches = entity->switches;
	out->migrations = entity->migrations;
	out->cpu = atomic_load(&thread->home)->index;
	if (state == SCHEDULE_BLOCKED)
		out->state = VCPU_STATE_HALTED;
	else
		out->state = state == SCHEDULE_RUNNING ? VCPU_STATE_RUNNING : VCPU_STATE_READY;
}

bool thread_should_yield(void)
{
	return percpu_self()->reschedule || thread_current()->kill_pending;
}

void thread_yield(void)
{
	scheduler_switch();
}

void thread_show_log(void)
{
	uint64_t end = log_end(); /* what others write behind it is theirs to wait for */

	while (!thread_current()->kill_pending && log_echo_step() < end) {
		take_waiting_interrupts();
		if (thread_should_yield())
			thread_yield();
	}
}
