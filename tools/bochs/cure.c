/* Loaded into Bochs before it starts (--preload), with poison.c and serial_write.c. Owns six things:
 *
 * - A cure: some builds of Bochs 3.1 have a miscompiled IDIV r64 whose quotient is always 0, and Linux dies of it. The
 *   emulator's own function is asked for a quotient first, and only where the answer is wrong its entry is overwritten with
 *   a jump to a correct one. A fixed Bochs is left alone. (Intel SDM Vol. 2A, "IDIV - Signed Divide".)
 * - A second cure: with several CPUs, Bochs 3.1 does not note that RIP has moved after it delivered an exception. A VM exit
 *   at that boundary (for an external interrupt, or an EPT violation at the handler's first instruction) then saves the RIP
 *   of the instruction that faulted with the RSP of the handler, and the guest is lost. The loop for one CPU makes that note;
 *   the cure makes it at the start of every turn of a CPU. Where it lies is read from that loop's code, and nothing is
 *   changed where the code looks different.
 * - A third cure: a VM entry of Bochs 3.1 decides which events wait while RFLAGS.IF is 0 before it notes that a guest runs.
 *   A guest entered with IF = 0 then gets no VM exit for external interrupts until it changes IF: one that spins keeps the CPU
 *   for ever. The cure makes Bochs decide once more where it injects events, which is behind that note. (Intel SDM Vol. 3C,
 *   "Other Causes of VM Exits": the control "external-interrupt exiting" does not look at IF.)
 * - A fourth cure: where a notification finds no posted interrupt, since software took them before, Bochs 3.1 asks for the
 *   highest vector of none and puts the answer, -1, into RVI: a vector 255 that nobody sent. RVI must stay as it is. (Intel SDM
 *   Vol. 3C, "Posted-Interrupt Processing".)
 * - A fifth cure: when an external interrupt has come, Bochs 3.1 first delivers a virtual interrupt that is pending, also to a
 *   guest with RFLAGS.IF = 0, which is then interrupted where it must not be. With the cure one that is masked is put aside, and
 *   the VM exit takes place; the next VM entry looks for it again. (Intel SDM Vol. 3C, "Virtual-Interrupt Delivery".)
 * - A clock: the emulated time in microseconds, written every millisecond to the file that BULKHEAD_CLOCK names, so
 *   that waiting can be bounded in emulated time, which no busy PC stretches. The file's second word is 1 where the
 *   instruction length is poisoned.
 *
 * It does not change anything else of the emulator and does nothing in a process that is not Bochs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/bochs/poison.h"
#include "tools/bochs/redirect.h"

/* Bochs's 128-bit integer, as its exported function takes it. */
struct wide {
	uint64_t low;
	int64_t high;
};

typedef void long_idiv_function(struct wide *quotient, int64_t *remainder, const struct wide *dividend, int64_t divisor);
typedef uint64_t time_usec_function(void *system);

/* The caller checks for division by zero before and for a quotient over 64 bits after. */
static void correct_long_idiv(struct wide *quotient, int64_t *remainder, const struct wide *dividend, int64_t divisor)
{
	unsigned __int128 bits = (unsigned __int128)(uint64_t)dividend->high << 64 | dividend->low;
	bool dividend_is_negative = dividend->high < 0;
	uint64_t divisor_size = divisor < 0 ? 0 - (uint64_t)divisor : (uint64_t)divisor;
	unsigned __int128 dividend_size = dividend_is_negative ? 0 - bits : bits;
	unsigned __int128 result = dividend_size / divisor_size;
	uint64_t rest = (uint64_t)(dividend_size % divisor_size);

	if (dividend_is_negative != (divisor < 0))
		result = 0 - result;
	quotient->low = (uint64_t)result;
	quotient->high = (int64_t)(uint64_t)(result >> 64);
	*remainder = (int64_t)(dividend_is_negative ? 0 - rest : rest);
}

static bool divides_well(long_idiv_function *divide)
{
	struct wide dividend = { .low = 1000000000, .high = 0 };
	struct wide quotient = { .low = 0, .high = 0 };
	int64_t remainder = -1;

	divide(&quotient, &remainder, &dividend, 1000);
	return quotient.low == 1000000 && quotient.high == 0 && remainder == 0;
}

static void cure_idiv(void)
{
	void *symbol = dlsym(RTLD_DEFAULT, "_Z9long_idivP7Bit128sPlPKS_l");
	long_idiv_function *divide;

	if (symbol == NULL)
		return;
	memcpy(&divide, &symbol, sizeof(divide));
	if (divides_well(divide))
		return;
	long_idiv_function *correct = correct_long_idiv;
	void *target;
	memcpy(&target, &correct, sizeof(target));
	if (!redirect(symbol, target) || !divides_well(divide)) {
		fprintf(stderr, "bochs: IDIV r64 is miscompiled in this Bochs and could not be repaired\n");
		_exit(70);
	}
}

/* Offsets in Bochs's CPU object, as its own code names them. */
struct cpu_offsets {
	uint32_t rip, committed_rip, speculative_rsp;
};

#define SEARCHED_BYTES 256
#define ENTRY_BYTES    14 /* endbr64; sub rsp, imm8; mov eax, [rdi + imm32] */

static uint32_t load32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* In cpu_loop: mov rax, [rdx + rip]; mov byte [rdx + speculative_rsp], 0; mov [rdx + committed_rip], rax. */
static bool find_offsets(const uint8_t *cpu_loop, struct cpu_offsets *offsets)
{
	for (size_t i = 0; i < SEARCHED_BYTES; i++) {
		const uint8_t *at = cpu_loop + i;

		if (memcmp(at, "\x48\x8b\x82", 3) != 0 || memcmp(at + 7, "\xc6\x82", 2) != 0 || at[13] != 0 ||
		    memcmp(at + 14, "\x48\x89\x82", 3) != 0)
			continue;
		*offsets = (struct cpu_offsets){ load32(at + 3), load32(at + 17), load32(at + 9) };
		return true;
	}
	return false;
}

static bool commits_already(const uint8_t *cpu_run_trace, const struct cpu_offsets *offsets)
{
	for (size_t i = 0; i + 4 <= SEARCHED_BYTES && cpu_run_trace[i] != 0xc3; i++)
		if (load32(cpu_run_trace + i) == offsets->committed_rip)
			return true;
	return false;
}

#define STEPS_MOST 32 /* bytes */

/* A new start for a function: the steps, then the old start, then on behind that (mov r11, rest; jmp r11). NULL: no memory. */
static uint8_t *new_start(const uint8_t *steps, size_t steps_bytes, const uint8_t *old_start, size_t old_bytes)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at = page;
	const uint8_t *rest = old_start + old_bytes;

	if (page == MAP_FAILED)
		return NULL;
	memcpy(at, steps, steps_bytes);
	at += steps_bytes;
	memcpy(at, old_start, old_bytes);
	at += old_bytes;
	memcpy(at, "\x49\xbb", 2);
	memcpy(at + 2, &rest, 8);
	memcpy(at + 10, "\x41\xff\xe3", 3);
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? page : NULL;
}

/* Of cpu_run_trace (RDI = CPU): mov rax, [rdi + rip]; mov [rdi + committed_rip], rax; mov byte [rdi + speculative_rsp], 0. */
static uint8_t *build_start(const uint8_t *old_start, const struct cpu_offsets *offsets)
{
	uint8_t steps[STEPS_MOST] = "\x48\x8b\x87____\x48\x89\x87____\xc6\x87____";

	memcpy(steps + 3, &offsets->rip, 4);
	memcpy(steps + 10, &offsets->committed_rip, 4);
	memcpy(steps + 16, &offsets->speculative_rsp, 4);
	return new_start(steps, 21, old_start, ENTRY_BYTES);
}

static void cure_commit(void)
{
	uint8_t *cpu_run_trace = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C13cpu_run_traceEv");
	const uint8_t *cpu_loop = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C8cpu_loopEv");
	struct cpu_offsets offsets;

	if (cpu_run_trace == NULL || cpu_loop == NULL || !find_offsets(cpu_loop, &offsets) ||
	    commits_already(cpu_run_trace, &offsets))
		return;
	if (memcmp(cpu_run_trace, "\xf3\x0f\x1e\xfa\x48\x83\xec", 7) != 0 || memcmp(cpu_run_trace + 8, "\x8b\x87", 2) != 0)
		return;
	uint8_t *start = build_start(cpu_run_trace, &offsets);
	if (start == NULL || !redirect(cpu_run_trace, start)) {
		fprintf(stderr, "bochs: this Bochs loses RIP with several CPUs and could not be repaired\n");
		_exit(70);
	}
}

#define INJECT_BYTES 14 /* endbr64; mov r8d, [rdi + imm32]; test r8d, r8d */

/* Of VMenterInjectEvents (RDI = CPU): push rdi; mov rax, decide; call rax; pop rdi. What follows wants the old start's flags. */
static uint8_t *build_inject_start(const uint8_t *old_start, const void *decide)
{
	uint8_t steps[STEPS_MOST] = "\x57\x48\xb8________\xff\xd0\x5f";

	memcpy(steps + 3, &decide, 8);
	return new_start(steps, 14, old_start, INJECT_BYTES);
}

static void cure_interrupts(void)
{
	uint8_t *inject = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C19VMenterInjectEventsEv");
	const void *decide = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C25handleInterruptMaskChangeEv");

	if (inject == NULL || decide == NULL)
		return;
	if (memcmp(inject, "\xf3\x0f\x1e\xfa\x44\x8b\x87", 7) != 0 || memcmp(inject + 11, "\x45\x85\xc0", 3) != 0)
		return;
	uint8_t *start = build_inject_start(inject, decide);
	if (start == NULL || !redirect(inject, start)) {
		fprintf(stderr, "bochs: this Bochs keeps interrupts from guests with IF = 0 and could not be repaired\n");
		_exit(70);
	}
}

typedef int highest_vector_function(const void *local_apic, const uint32_t *requests);
static highest_vector_function *highest_vector;
static uint32_t rvi_offset;

static void raise_rvi(const void *local_apic, const uint32_t *requests, uint8_t *cpu)
{
	int vector = highest_vector(local_apic, requests);

	if (vector > cpu[rvi_offset])
		cpu[rvi_offset] = (uint8_t)vector;
}

#define RAISE_BYTES 19 /* call highest_vector; cmp al, [rbx + rvi]; jb over; mov [rbx + rvi], al */

static uint8_t *find_raise(uint8_t *function)
{
	for (size_t i = 0; i < 4 * SEARCHED_BYTES; i++) {
		uint8_t *at = function + i;

		if (at[0] == 0xe8 && (uintptr_t)at + 5 + (uintptr_t)(int32_t)load32(at + 1) == (uintptr_t)highest_vector &&
		    memcmp(at + 5, "\x3a\x83", 2) == 0 && memcmp(at + 11, "\x72\x06\x88\x83", 4) == 0 &&
		    load32(at + 7) == load32(at + 15))
			return at;
	}
	return NULL;
}

static void cure_posted(void)
{
	uint8_t *posted = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C31VMX_Posted_Interrupt_ProcessingEh"), *at;
	void *symbol = dlsym(RTLD_DEFAULT, "_ZNK15bx_local_apic_c20highest_priority_intEPKj");
	uint8_t code[RAISE_BYTES] = "\x48\x89\xda\x48\xb8________\xff\xd0\x0f\x1f\x40"; /* mov rdx, rbx; mov rax, to; call rax */
	void (*to)(const void *, const uint32_t *, uint8_t *) = raise_rvi;

	if (posted == NULL || symbol == NULL)
		return;
	memcpy(&highest_vector, &symbol, sizeof(symbol));
	at = find_raise(posted);
	if (at == NULL)
		return;
	rvi_offset = load32(at + 7);
	memcpy(code + 5, &to, sizeof(to));
	if (!overwrite(at, code, sizeof(code))) {
		fprintf(stderr, "bochs: this Bochs makes up vector 255 of posted interrupts and could not be repaired\n");
		_exit(70);
	}
}

/* Where the bit of a pending virtual interrupt lies, and the one that masks it: byte offsets in Bochs's CPU object. */
struct virtual_interrupt_offsets {
	uint32_t pending, mask;
};

/* In Evaluate_Pending: or dword [rbx + pending], 200h; test byte [rbx + mask + 1], 2. */
static bool find_virtual_interrupt(const uint8_t *evaluate, struct virtual_interrupt_offsets *offsets)
{
	for (size_t i = 0; i < SEARCHED_BYTES; i++) {
		const uint8_t *at = evaluate + i;

		if (memcmp(at, "\x81\x8b", 2) != 0 || load32(at + 6) != 0x200 || memcmp(at + 10, "\xf6\x83", 2) != 0 || at[16] != 2)
			continue;
		*offsets = (struct virtual_interrupt_offsets){ load32(at + 2) + 1, load32(at + 12) };
		return true;
	}
	return false;
}

/* test byte [rbx + pending], 2: the mask is not looked at. */
static bool delivers_masked(const uint8_t *handle, const struct virtual_interrupt_offsets *offsets)
{
	for (size_t i = 0; i < SEARCHED_BYTES; i++)
		if (memcmp(handle + i, "\xf6\x83", 2) == 0 && load32(handle + i + 2) == offsets->pending && handle[i + 6] == 2)
			return true;
	return false;
}

#define HANDLE_START "\xf3\x0f\x1e\xfa\x48\x83\xec\x18\x48\x89\x5c\x24\x08\x48\x89\xfb"
#define HANDLE_BYTES 16 /* endbr64; sub rsp, 18h; mov [rsp + 8], rbx; mov rbx, rdi */

/* Of HandleExtInterrupt (RDI = CPU): test byte [rdi + mask], 2; jz over; and byte [rdi + pending], ~2. */
static uint8_t *build_handle_start(const uint8_t *old_start, const struct virtual_interrupt_offsets *offsets)
{
	uint8_t steps[STEPS_MOST] = "\xf6\x87____\x02\x74\x07\x80\xa7____\xfd";

	memcpy(steps + 2, &offsets->mask, 4);
	memcpy(steps + 11, &offsets->pending, 4);
	return new_start(steps, 16, old_start, HANDLE_BYTES);
}

static void cure_masked(void)
{
	uint8_t *handle = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C18HandleExtInterruptEv"), *start;
	const uint8_t *evaluate = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C39VMX_Evaluate_Pending_Virtual_InterruptsEv");
	struct virtual_interrupt_offsets offsets;

	if (handle == NULL || evaluate == NULL || !find_virtual_interrupt(evaluate, &offsets) || !delivers_masked(handle, &offsets))
		return;
	if (memcmp(handle, HANDLE_START, HANDLE_BYTES) != 0)
		return;
	start = build_handle_start(handle, &offsets);
	if (start == NULL || !redirect(handle, start)) {
		fprintf(stderr, "bochs: this Bochs interrupts guests with IF = 0 and could not be repaired\n");
		_exit(70);
	}
}

static _Atomic uint64_t *clock_word;
static time_usec_function *emulated_usec;
static void *emulated_system;

/* Reads a clock that another thread advances: a value a few instructions old is as good. */
static void *clock_thread(void *unused)
{
	const struct timespec pause = { .tv_sec = 0, .tv_nsec = 1000000 };

	for (;;) {
		uint64_t now_usec = emulated_usec(emulated_system);
		/* Before the machine exists the quotient is not a number. */
		if (now_usec < UINT64_C(1) << 60)
			*clock_word = now_usec;
		nanosleep(&pause, NULL);
	}
	return unused;
}

static void start_clock(bool is_poisoned)
{
	const char *path = getenv("BULKHEAD_CLOCK");
	void *symbol = dlsym(RTLD_DEFAULT, "_ZN14bx_pc_system_c9time_usecEv");
	pthread_t thread;
	sigset_t all, before;

	emulated_system = dlsym(RTLD_DEFAULT, "bx_pc_system");
	if (path == NULL || symbol == NULL || emulated_system == NULL)
		return;
	int file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return;
	void *mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (mapping == MAP_FAILED)
		return;
	clock_word = mapping;
	clock_word[1] = is_poisoned ? 1 : 0;
	memcpy(&emulated_usec, &symbol, sizeof(emulated_usec));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, clock_thread, NULL) == 0)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

__attribute__((constructor)) static void start(void)
{
	cure_idiv();
	cure_commit();
	cure_interrupts();
	cure_posted();
	cure_masked();
	start_clock(poison_install());
}
