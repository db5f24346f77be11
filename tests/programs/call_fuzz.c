/* Every system call with nonsense. The same program is the first one of a boot, in the manager's place, and each of the programs
 * that it starts, in a VMM's place: those have a pool, their own space and, where VMs can run, a VM, as a VMM has, and call ring 0
 * from several threads until they are killed. After each round all memory must have come back. Ends with a line CALL-FUZZ. */
#include "lib/base/string.h"
#include "manager/host.h"
#include "manager/layout.h"
#include "manager/program.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"
#include "user/program.h"
#include "user/system_call.h"
#include "user/thread.h"

#define SHARED_MINE    MANAGER_WINDOW_VMS
#define SHARED_THEIRS  VMM_WINDOW_SPEC
#define SCRATCH        (PROGRAM_WINDOWS_BASE + 0x040000000000ULL)
#define SCRATCH_BYTES  0x400000ULL
#define POOL_BYTES     0x2000000ULL
#define THREADS        4U
#define HANDLES_KEPT   32U
#define ROUND_MS       150U
#define WAIT_MS        20000U
#define SLACK_BYTES    0x400000ULL /* page tables of kernel stacks, and such, stay */

/* A page that both see. */
struct shared {
	handle_t space, pool, event, memory, vm;
	uint64_t seed;
	_Atomic uint64_t calls, successes;
};

/* --- In the VMM's place */

static struct shared *const mine = (struct shared *)SHARED_THEIRS;
static _Atomic handle_t kept[HANDLES_KEPT]; /* what calls returned; all threads try all */

static uint64_t next_random(uint64_t *state)
{
	/* xorshift64*, Vigna 2016 */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ULL;
}

static uint64_t an_edge(uint64_t random)
{
	static const uint64_t edges[] = {
		0, 1, 63, 64, 255, 1023, 1024, 4095, 4096, 4097, 0x1fffff, 0x200000, 0x40000000, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, STUB_PAGE, PROGRAM_INFO, HOST_INFO_FIXED, 0x7fffffffffff, 0x800000000000,
		0xffff800000000000, 0xffffc00000000000, 0xffffc10000000000, 0xffffffff80000000, 0x7fffffffffffffff,
		0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
	};

	return edges[random % (sizeof(edges) / sizeof(edges[0]))];
}

static uint64_t an_argument(uint64_t *state)
{
	uint64_t random = next_random(state), kind = random >> 56;

	if (kind < 110)
		return kept[random % HANDLES_KEPT];
	if (kind < 130)
		return random % 1100; /* handles, small numbers, rights */
	if (kind < 180)
		return SCRATCH + random % SCRATCH_BYTES / 4096 * 4096;
	if (kind < 200)
		return SCRATCH + random % SCRATCH_BYTES;
	if (kind < 225)
		return (random & 0xff) * 4096;
	return kind < 250 ? an_edge(random) : random;
}

/* So that programs live long enough to do harm: what would end or delay them, or drown the log, is rare. */
static bool is_too_much(uint64_t number, uint64_t *a, uint64_t random)
{
	switch (number) {
	case SYS_EVENT_WAIT:
		a[1] = clock_now_ticks() + random % 200000;
		return false;
	case SYS_VM_DOORBELL: /* a few ports, so that they meet */
		a[2] = random % 256;
		a[3] = random >> 8 & 0x1c;
		a[4] = random >> 16 & 0x3f;
		return false;
	case SYS_THREAD_EXIT:
	case SYS_SPACE_KILL:
		return random % 4096 != 0;
	case SYS_LOG_WRITE:
		return random % 1024 != 0;
	case SYS_HANDLE_CLOSE:
		return a[0] < 72 && random % 64 != 0;
	case SYS_SPACE_UNMAP:
		return a[1] == SCRATCH && random % 1024 != 0;
	default:
		return false;
	}
}

static void keep(uint64_t number, int64_t answer, uint64_t random)
{
	switch (number) {
	case SYS_HANDLE_GRANT:
	case SYS_POOL_CREATE:
	case SYS_MEMORY_CREATE:
	case SYS_SPACE_CREATE:
	case SYS_EVENT_CREATE:
	case SYS_VCPU_CREATE:
		kept[8 + random % (HANDLES_KEPT - 8)] = (handle_t)answer;
		break;
	default:
		break;
	}
}

static void hammer(void *argument)
{
	uint64_t state = mine->seed * 64 + (uint64_t)(uintptr_t)argument + 1;

	for (;;) {
		uint64_t number = next_random(&state) % (SYSTEM_CALL_COUNT + 2U), a[6];
		int64_t answer;

		for (unsigned i = 0; i < 6; i++)
			a[i] = an_argument(&state);
		if (is_too_much(number, a, next_random(&state) >> 20))
			continue;
		answer = system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
		mine->calls++;
		if (answer < 0)
			continue;
		mine->successes++;
		keep(number, answer, next_random(&state) >> 20);
	}
}

static int be_a_vmm(void)
{
	const handle_t given[] = {mine->space, mine->pool, mine->event, mine->memory,
				  mine->vm,    mine->pool, mine->space, mine->memory};
	struct thread_maker maker = {.space = mine->space, .pool = mine->pool};
	struct thread_config *config = (struct thread_config *)SCRATCH;

	for (unsigned i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		kept[i] = given[i];
	/* Where THREAD_CREATE will look: a thread that dies at once, or one that ends its program. */
	config->entry = PROGRAM_BASE;
	for (unsigned i = 1; i < THREADS; i++) {
		if (thread_create(&maker, "hammer", hammer, (void *)(uintptr_t)i, NULL) != OK)
			return 1;
	}
	hammer(NULL);
	return 0;
}

/* --- In the manager's place */

static struct host host;
static struct shared *const theirs = (struct shared *)SHARED_MINE;
static handle_t shared, end;

static _Noreturn void fail(const char *what, uint64_t round)
{
	log_print("CALL-FUZZ failed in round %lu: %s", round, what);
	sys_thread_exit(1, true);
}

static void must(enum status status, const char *what, uint64_t round)
{
	if (status != OK)
		fail(what, round);
}

struct victim {
	handle_t pool, event, memory, vm;
	struct program program;
};

static void grant(const struct victim *victim, handle_t what, uint32_t rights, handle_t *there, uint64_t round)
{
	must(sys_handle_grant(victim->program.space, what, rights, UINT64_MAX, there), "HANDLE_GRANT", round);
}

static void make(struct victim *victim, uint64_t round)
{
	const struct vm_config config = {.vcpu_limit = 3, .name = "fuzz"};
	struct program_problem problem;

	*victim = (struct victim){.pool = HANDLE_NONE};
	must(sys_pool_create(MANAGER_HANDLE_POOL, POOL_BYTES / 2, POOL_BYTES, &victim->pool), "POOL_CREATE", round);
	must(sys_event_create(victim->pool, &victim->event), "EVENT_CREATE", round);
	must(memory_create_filled(victim->pool, SCRATCH_BYTES, &victim->memory), "MEMORY_GROW", round);
	if (sys_vm_create(MANAGER_HANDLE_HOST, victim->pool, &config, &victim->vm) != OK)
		victim->vm = HANDLE_NONE; /* no VT-x */
	must(program_create(&host,
			    &(struct program_request){
				    .path = "system/vmm", .pool = victim->pool, .vm = victim->vm, .end_event = end, .end_bits = 1},
			    &victim->program, &problem),
	     "the program", round);
	must(space_map_all(victim->program.space, victim->memory, SCRATCH, 0, SCRATCH_BYTES, RIGHT_READ | RIGHT_WRITE), "SPACE_MAP",
	     round);
	must(space_map_all(victim->program.space, shared, SHARED_THEIRS, 0, 0x1000, RIGHT_READ | RIGHT_WRITE), "SPACE_MAP", round);
	theirs->seed = round + 1;
	theirs->vm = HANDLE_NONE;
	grant(victim, victim->program.space, RIGHT_ALL, &theirs->space, round);
	grant(victim, victim->pool, RIGHT_ALL, &theirs->pool, round);
	grant(victim, victim->event, RIGHT_ALL, &theirs->event, round);
	grant(victim, victim->memory, RIGHT_ALL & ~RIGHT_MANAGE, &theirs->memory, round);
	if (victim->vm != HANDLE_NONE)
		grant(victim, victim->vm, RIGHT_READ | RIGHT_WRITE, &theirs->vm, round);
}

static void dismantle(const struct victim *victim)
{
	const handle_t handles[] = {victim->program.space, victim->memory, victim->event, victim->vm, victim->pool};

	for (unsigned i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
		sys_handle_close(handles[i]);
}

static uint64_t free_bytes(void)
{
	struct pool_info info = {.free_bytes = 0};

	(void)!sys_pool_info(MANAGER_HANDLE_POOL, &info);
	return info.free_bytes;
}

/* One program, from its making until all its memory is back. */
static void play(uint64_t round, uint64_t wanted_bytes)
{
	uint64_t deadline, bits;
	struct victim victim;

	make(&victim, round);
	must(program_run(&victim.program, "fuzz", 1), "THREAD_CREATE", round);
	if (sys_event_wait(end, clock_deadline_in_ms(ROUND_MS), &bits) != OK) {
		sys_space_kill(victim.program.space);
		must(sys_event_wait(end, clock_deadline_in_ms(WAIT_MS), &bits), "the killed program does not end", round);
	}
	dismantle(&victim);
	deadline = clock_deadline_in_ms(WAIT_MS);
	while (free_bytes() < wanted_bytes) {
		if (clock_now_ticks() > deadline)
			fail("its memory does not come back", round);
		sys_thread_yield();
	}
}

static int be_the_manager(uint64_t rounds)
{
	uint64_t before;

	must(host_open(&host), "host information", 0);
	must(sys_event_create(MANAGER_HANDLE_POOL, &end), "EVENT_CREATE", 0);
	must(memory_create_filled(MANAGER_HANDLE_POOL, 0x1000, &shared), "MEMORY_GROW", 0);
	must(space_map_all(MANAGER_HANDLE_SPACE, shared, SHARED_MINE, 0, 0x1000, RIGHT_READ | RIGHT_WRITE), "SPACE_MAP", 0);
	before = free_bytes();
	for (uint64_t round = 0; round < rounds; round++)
		play(round, before - SLACK_BYTES);
	log_print("CALL-FUZZ passed: %lu rounds, %lu calls, %lu of them successful", rounds, (uint64_t)theirs->calls,
		  (uint64_t)theirs->successes);
	return 0;
}

int program_main(uint64_t argument)
{
	return argument != 0 ? be_a_vmm() : be_the_manager(60);
}
