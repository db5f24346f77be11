/* Uses what several processors are offered (docs/paravirtual.md): kicks, messages to a set, the flush wish. Prints a verdict each.
 * All run on one CPU of the PC, so that a processor that computes has none while another one runs. */
#include <stdatomic.h>

#include "abi/paravirtual.h"
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/smp.h"

#define KICK_CPU           5U
#define SEND_IPI           10U
#define EINVAL_ANSWER      (-22)
#define VECTOR_WHILE_OFF   0x41U
#define VECTOR_COUNT       0x42U
#define PREEMPTED_FLUSH    (STEAL_PREEMPTED | STEAL_FLUSH)
/* Pages of 2 MiB: docs/guest-flat.md. The one at 2 GiB shows the first frame, then the second one. */
#define WINDOW             0x80000000UL
#define WINDOW_ENTRY       0x5000UL
#define FRAME_FIRST        0x400000UL
#define FRAME_SECOND       0x600000UL
#define FRAME_MASK         0x000fffffffe00000UL
#define PROCESSORS         4U

enum phase { PHASE_HALT, PHASE_LISTEN, PHASE_READ };

static struct steal_record records[PROCESSORS] __attribute__((aligned(STEAL_RECORD_BYTES)));

static _Atomic unsigned phase, hold, woken[PROCESSORS], received[PROCESSORS], turns;
static _Atomic uint64_t seen;

INTERRUPT_HANDLER static void on_vector(struct interrupt_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
}

INTERRUPT_HANDLER static void on_count(struct interrupt_frame *frame)
{
	(void)frame;
	atomic_fetch_add(&received[apic_number()], 1);
	apic_write(APIC_EOI, 0);
}

static int64_t hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	int64_t answer;

	__asm__ volatile("vmcall" : "=a"(answer) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
	return answer;
}

static void say(const char *name, bool good)
{
	print(good ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	print("\n");
}

/* Until the condition holds, two seconds at most; then a little longer, so that what must not happen could. */
#define WAIT_FOR(condition)                                              \
	do {                                                             \
		uint64_t until_tsc = read_tsc() + 2 * flat_tsc_hz();     \
		while (!(condition) && read_tsc() < until_tsc)           \
			__builtin_ia32_pause();                          \
		until_tsc = read_tsc() + flat_tsc_hz() / 20;             \
		while (read_tsc() < until_tsc)                           \
			__builtin_ia32_pause();                          \
	} while (0)

static void work(unsigned number)
{
	write_msr(MSR_KVM_STEAL_TIME, (uint64_t)(uintptr_t)&records[number] | 1);
	while (atomic_load(&phase) == PHASE_HALT) {
		halt();
		atomic_fetch_add(&woken[number], 1);
		while (atomic_load(&hold) != 0)
			__builtin_ia32_pause();
	}
	while (atomic_load(&phase) == PHASE_LISTEN) {
		interrupts_on_and_halt();
		interrupts_off();
	}
	interrupts_on();
	for (;;) {
		atomic_store(&seen, *(const volatile uint64_t *)WINDOW);
		atomic_fetch_add(&turns, 1);
	}
}

static bool have_woken(unsigned one, unsigned two, unsigned three)
{
	return atomic_load(&woken[1]) == one && atomic_load(&woken[2]) == two && atomic_load(&woken[3]) == three;
}

/* All wait in HLT with interrupts off. */
static void kicks(void)
{
	WAIT_FOR(false);
	apic_send(1, ICR_ASSERT | VECTOR_WHILE_OFF);
	WAIT_FOR(!have_woken(0, 0, 0));
	say("an interrupt does not end a HLT with interrupts off", have_woken(0, 0, 0));
	say("a kick is answered", hypercall(KICK_CPU, 0, 1, 0, 0) == 0 && hypercall(KICK_CPU, 0, 77, 0, 0) == 0);
	WAIT_FOR(have_woken(1, 0, 0));
	say("it ends the HLT of the one kicked", have_woken(1, 0, 0));
	atomic_store(&hold, 1);
	(void)hypercall(KICK_CPU, 0, 2, 0, 0);
	WAIT_FOR(have_woken(1, 1, 0));
	(void)hypercall(KICK_CPU, 0, 2, 0, 0);
	(void)hypercall(KICK_CPU, 0, 2, 0, 0);
	atomic_store(&hold, 0);
	WAIT_FOR(have_woken(1, 2, 0));
	say("kicks before a HLT end it, together only one", have_woken(1, 2, 0));
}

static bool have_received(unsigned one, unsigned two, unsigned three)
{
	return atomic_load(&received[0]) == 0 && atomic_load(&received[1]) == one && atomic_load(&received[2]) == two &&
	       atomic_load(&received[3]) == three;
}

static void messages(void)
{
	int64_t count;

	atomic_store(&phase, PHASE_LISTEN);
	for (unsigned i = 1; i < PROCESSORS; i++)
		(void)hypercall(KICK_CPU, 0, i, 0, 0);
	count = hypercall(SEND_IPI, 0xe, 0, 0, VECTOR_COUNT);
	WAIT_FOR(have_received(1, 1, 1));
	say("a message to a set", count == 3 && have_received(1, 1, 1));
	count = hypercall(SEND_IPI, UINT64_MAX, UINT64_MAX, 2, VECTOR_COUNT);
	WAIT_FOR(have_received(1, 2, 2));
	say("a set that begins at 2 and has no end", count == 2 && have_received(1, 2, 2));
	say("INIT is no message for a set", hypercall(SEND_IPI, 0xe, 0, 0, ICR_INIT) == EINVAL_ANSWER);
}

static bool wish_flush(unsigned number)
{
	uint8_t expected = STEAL_PREEMPTED;

	return atomic_compare_exchange_strong(&records[number].preempted, &expected, PREEMPTED_FLUSH);
}

static void flush_wish(void)
{
	volatile uint64_t *entry = (volatile uint64_t *)WINDOW_ENTRY;
	bool is_wished = false;
	unsigned before;

	*(volatile uint64_t *)FRAME_FIRST = 1;
	*(volatile uint64_t *)FRAME_SECOND = 2;
	*entry = (*entry & ~FRAME_MASK) | FRAME_FIRST;
	atomic_store(&phase, PHASE_READ);
	(void)hypercall(SEND_IPI, 1U << 3, 0, 0, VECTOR_COUNT);
	WAIT_FOR(atomic_load(&seen) == 1);
	*entry = (*entry & ~FRAME_MASK) | FRAME_SECOND;
	WAIT_FOR((is_wished = is_wished || wish_flush(3)));
	before = atomic_load(&turns);
	WAIT_FOR(atomic_load(&turns) > before + 1);
	say("one that computes without a CPU is marked so", is_wished);
	say("its flush is done before it goes on",
	    atomic_load(&seen) == 2 && atomic_load(&records[3].preempted) != PREEMPTED_FLUSH);
	say("its time was stolen", atomic_load(&records[3].steal_ns) != 0 && atomic_load(&records[0].steal_ns) == 0);
	say("one in HLT is not marked", atomic_load(&records[1].preempted) == 0 && !wish_flush(2));
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	exceptions_install();
	interrupt_handle(VECTOR_WHILE_OFF, on_vector);
	interrupt_handle(VECTOR_COUNT, on_count);
	apic_enable(false);
	interrupts_on();
	say("all processors start", smp_count() == PROCESSORS && smp_start(work) == PROCESSORS - 1);
	kicks();
	messages();
	flush_wish();
	print("paravirtual: end\n");
}
