/* A stress of what processors need one another for: TLB shootdowns, futexes, signals. Prints "smp_stress: ok" or what went wrong.
 *
 * No libc, so that it stays small in the initramfs. Linux system calls: syscalls(2), clone(2), futex(2), sigaction(2), and the
 * kernel's uapi headers for the numbers; the start as in the System V ABI, AMD64 supplement, "Process Initialization". */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SYS_WRITE = 1, SYS_MMAP = 9, SYS_RT_SIGACTION = 13, SYS_RT_SIGRETURN = 15, SYS_SCHED_YIELD = 24, SYS_CLONE = 56,
	SYS_GETPID = 39, SYS_EXIT = 60, SYS_GETTID = 186, SYS_FUTEX = 202, SYS_SCHED_SETAFFINITY = 203, SYS_EXIT_GROUP = 231,
	SYS_TGKILL = 234
};
enum { PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22, MAP_FIXED = 0x10, MAP_POPULATE = 0x8000 };
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };
enum { CLONE_THREAD_FLAGS = 0x50f00 /* VM, FS, FILES, SIGHAND, THREAD, SYSVSEM */ };
enum { SIGNAL_USER_1 = 10, SA_RESTORER = 0x04000000 };

#define THREADS       4U
#define STACK_BYTES   16384U
#define PAGE_BYTES    4096U
#define REMAPS        2000U
#define LOCK_ROUNDS   5000U
#define SIGNAL_ROUNDS 1000U

struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

static _Alignas(16) uint8_t stacks[THREADS][STACK_BYTES];
static _Atomic unsigned ended, tids[THREADS], handled[THREADS];
static _Atomic uint32_t generation, stale_reads, lock_word, counted_by_atomic;
static uint32_t counted_under_lock;
static volatile uint32_t *page;

static long system_call(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static void say(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	(void)system_call(SYS_WRITE, 1, (long)text, (long)length, 0, 0, 0);
}

__attribute__((noreturn)) static void end(const char *text, int status)
{
	say(text);
	for (;;)
		(void)system_call(SYS_EXIT_GROUP, status, 0, 0, 0, 0, 0);
}

/* The new thread finds its function and argument on its stack. */
static void start_thread(unsigned index, void (*function)(unsigned))
{
	uint64_t *stack = (uint64_t *)(void *)(stacks[index] + STACK_BYTES) - 2;
	long result;

	stack[0] = (uint64_t)(uintptr_t)function;
	stack[1] = index;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "pop %%rax\n\t"
			 "pop %%rdi\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%%rax\n\t"
			 "mov %[exit], %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(result)
			 : "a"((long)SYS_CLONE), "D"((long)CLONE_THREAD_FLAGS), "S"(stack), "d"(0L), [exit] "i"(SYS_EXIT)
			 : "rcx", "r11", "memory");
	if (result < 0)
		end("smp_stress: FAILED: no thread\n", 1);
}

static void yield(void)
{
	(void)system_call(SYS_SCHED_YIELD, 0, 0, 0, 0, 0, 0);
}

/* Each thread on a processor of its own, as far as there are so many. */
static void begin(unsigned index)
{
	uint64_t mask = 1ULL << index;

	(void)system_call(SYS_SCHED_SETAFFINITY, 0, sizeof(mask), (long)&mask, 0, 0, 0);
	atomic_store(&tids[index], (unsigned)system_call(SYS_GETTID, 0, 0, 0, 0, 0, 0));
}

static void run(void (*function)(unsigned))
{
	long pid = system_call(SYS_GETPID, 0, 0, 0, 0, 0, 0);

	atomic_store(&ended, 0);
	for (unsigned i = 0; i < THREADS; i++)
		start_thread(i, function);
	while (atomic_load(&ended) != THREADS)
		yield();
	/* Until the kernel is through with their stacks, which a later thread gets. */
	for (unsigned i = 0; i < THREADS; i++) {
		while (system_call(SYS_TGKILL, pid, (long)atomic_load(&tids[i]), 0, 0, 0, 0) == 0)
			yield();
	}
}

/* The page is replaced again and again, each time by one with the next number. Whoever has read that number elsewhere must not
 * find an older one in the page. */
static void remap(void)
{
	long address = system_call(SYS_MMAP, (long)page, PAGE_BYTES, PROT_READ_WRITE,
				   MAP_PRIVATE_ANONYMOUS | MAP_POPULATE | (page != NULL ? MAP_FIXED : 0), -1, 0);

	if (address < 0 && address > -4096)
		end("smp_stress: FAILED: mmap\n", 1);
	page = (volatile uint32_t *)address;
}

static void shoot_down(unsigned index)
{
	begin(index);
	if (index == 0) {
		for (uint32_t i = 1; i <= REMAPS; i++) {
			remap();
			*page = i;
			atomic_store(&generation, i);
		}
	} else {
		uint32_t seen = 0;

		while (seen != REMAPS) {
			uint32_t value;

			seen = atomic_load(&generation);
			value = *page;
			/* Between its mapping and its number a page holds 0. */
			if (value != 0 && value < seen)
				atomic_fetch_add(&stale_reads, 1);
		}
	}
	atomic_fetch_add(&ended, 1);
}

/* 0: free, 1: taken, 2: taken, and somebody may wait. */
static void lock(void)
{
	uint32_t was = 0;

	if (atomic_compare_exchange_strong(&lock_word, &was, 1))
		return;
	while (atomic_exchange(&lock_word, 2) != 0)
		(void)system_call(SYS_FUTEX, (long)&lock_word, FUTEX_WAIT_PRIVATE, 2, 0, 0, 0);
}

static void unlock(void)
{
	if (atomic_exchange(&lock_word, 0) == 2)
		(void)system_call(SYS_FUTEX, (long)&lock_word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static void count_under_lock(unsigned index)
{
	begin(index);
	for (unsigned i = 0; i < LOCK_ROUNDS; i++) {
		lock();
		counted_under_lock++;
		unlock();
		atomic_fetch_add(&counted_by_atomic, 1);
	}
	atomic_fetch_add(&ended, 1);
}

static void on_signal(int number)
{
	unsigned tid = (unsigned)system_call(SYS_GETTID, 0, 0, 0, 0, 0, 0);

	(void)number;
	for (unsigned i = 0; i < THREADS; i++) {
		if (atomic_load(&tids[i]) == tid)
			atomic_fetch_add(&handled[i], 1);
	}
}

__asm__(".text\nrestore_signal:\n\tmov $15, %eax\n\tsyscall\n"); /* SYS_RT_SIGRETURN */
void restore_signal(void);

/* Each sends to the next one and waits until that has run its handler. */
static void signal_next(unsigned index)
{
	unsigned next = (index + 1) % THREADS;
	long pid = system_call(SYS_GETPID, 0, 0, 0, 0, 0, 0);

	begin(index);
	atomic_fetch_add(&generation, 1);
	while (atomic_load(&generation) < THREADS)
		yield();
	for (unsigned i = 0; i < SIGNAL_ROUNDS; i++) {
		(void)system_call(SYS_TGKILL, pid, (long)atomic_load(&tids[next]), SIGNAL_USER_1, 0, 0, 0);
		while (atomic_load(&handled[next]) <= i)
			yield();
	}
	/* The one before may still be sending. */
	while (atomic_load(&handled[index]) < SIGNAL_ROUNDS)
		yield();
	atomic_fetch_add(&ended, 1);
}

static void install_handler(void)
{
	const struct kernel_sigaction action = {.handler = on_signal, .flags = SA_RESTORER, .restorer = restore_signal};

	if (system_call(SYS_RT_SIGACTION, SIGNAL_USER_1, (long)&action, 0, sizeof(action.mask), 0, 0) != 0)
		end("smp_stress: FAILED: sigaction\n", 1);
}

/* The stack is aligned to 16 here, as at a jump, not as after a call. */
__attribute__((noreturn, used, force_align_arg_pointer)) void _start(void);

void _start(void)
{
	remap();
	run(shoot_down);
	if (atomic_load(&stale_reads) != 0)
		end("smp_stress: FAILED: a replaced page was read\n", 1);
	say("smp_stress: shootdowns done\n");
	run(count_under_lock);
	if (counted_under_lock != THREADS * LOCK_ROUNDS || atomic_load(&counted_by_atomic) != THREADS * LOCK_ROUNDS)
		end("smp_stress: FAILED: counted wrongly under a lock\n", 1);
	say("smp_stress: futexes done\n");
	atomic_store(&generation, 0);
	install_handler();
	run(signal_next);
	for (unsigned i = 0; i < THREADS; i++) {
		if (atomic_load(&handled[i]) != SIGNAL_ROUNDS)
			end("smp_stress: FAILED: a signal was lost\n", 1);
	}
	end("smp_stress: ok\n", 0);
}
