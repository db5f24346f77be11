/* All processors count, meet, pass a token in order of the TSC, and get interrupts in every destination mode. The bootstrap
 * processor prints a verdict for each. Words of its command line: xapic makes all drive their local APICs by memory; with dead all
 * start and halt with interrupts off. */
#include <stdatomic.h>
#include <stddef.h>

#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/smp.h"

#define MSR_TSC        0x10U
#define MSR_TSC_ADJUST 0x3bU
#define TSC_JUMP       (1ULL << 40)
#define VECTOR_NMI     2U
#define VECTOR_COUNT   0x41U /* counts where it arrives */
#define VECTOR_WAKE    0x42U /* look at `task` */
#define COUNT_TO       100000U
#define TOKEN_ROUNDS   3U
#define CLUSTERS_XAPIC 15U
#define ALL_ONES       UINT64_MAX
#define BIT(number)    (1ULL << (number))

enum task { TASK_NONE, TASK_COUNT, TASK_TOKEN, TASK_FLAT, TASK_CLUSTER };

static unsigned processors;
static _Atomic unsigned task, done, met, token;
static _Atomic uint64_t counter[SMP_PROCESSORS_MAX];
static _Atomic unsigned received[SMP_PROCESSORS_MAX], nmis[SMP_PROCESSORS_MAX], seen_task[SMP_PROCESSORS_MAX];
static unsigned task_serial;
static _Atomic uint64_t last_tsc;
static _Atomic unsigned tsc_went_back;

INTERRUPT_HANDLER static void on_count(struct interrupt_frame *frame)
{
	(void)frame;
	atomic_fetch_add(&received[apic_number()], 1);
	apic_write(APIC_EOI, 0);
}

INTERRUPT_HANDLER static void on_wake(struct interrupt_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
}

INTERRUPT_HANDLER static void on_nmi(struct interrupt_frame *frame)
{
	(void)frame;
	atomic_fetch_add(&nmis[apic_number()], 1);
}

static void say(const char *name, bool good)
{
	print(good ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	print("\n");
}

/* No PAUSE: only the end of its time lets the others go on. */
static void count_and_meet(unsigned number)
{
	for (unsigned i = 0; i < COUNT_TO; i++)
		atomic_store_explicit(&counter[number], i + 1, memory_order_relaxed);
	atomic_fetch_add(&met, 1);
	while (atomic_load_explicit(&met, memory_order_relaxed) < processors)
		;
}

/* Each waits for its turn; the TSC of the turn before lies in the past. */
static void pass_token(unsigned number)
{
	for (unsigned round = 0; round < TOKEN_ROUNDS; round++) {
		while (atomic_load(&token) != round * processors + number)
			__builtin_ia32_pause();
		if (read_tsc() < atomic_load(&last_tsc))
			atomic_fetch_add(&tsc_went_back, 1);
		atomic_store(&last_tsc, read_tsc());
		atomic_fetch_add(&token, 1);
	}
}

/* SDM Vol. 3A, "Logical Destination Mode": a bit each, or four bits in one of fifteen clusters. Those without a place have none. */
static void set_logical(unsigned number, bool clusters)
{
	apic_write(APIC_DFR, clusters ? 0x0fffffffU : UINT32_MAX);
	if (clusters)
		apic_write(APIC_LDR, number / 4 < CLUSTERS_XAPIC ? (number / 4) << 28 | 1U << (24 + number % 4) : 0);
	else
		apic_write(APIC_LDR, number < 8 ? 1U << (24 + number) : 0);
}

static void carry_out(unsigned number)
{
	switch ((enum task)(atomic_load(&task) & 0xff)) {
	case TASK_NONE: return;
	case TASK_COUNT: count_and_meet(number); break;
	case TASK_TOKEN: pass_token(number); break;
	case TASK_FLAT: set_logical(number, false); break;
	case TASK_CLUSTER: set_logical(number, true); break;
	}
	atomic_fetch_add(&done, 1);
}

static void work(unsigned number)
{
	for (;;) {
		interrupts_on_and_halt();
		interrupts_off();
		if (atomic_load(&seen_task[number]) != atomic_load(&task)) {
			atomic_store(&seen_task[number], atomic_load(&task));
			carry_out(number);
		}
	}
}

/* Until the condition holds, two seconds at most. */
#define WAIT_FOR(condition)                                                     \
	do {                                                                    \
		uint64_t until_tsc = read_tsc() + 2 * flat_tsc_hz();            \
		while (!(condition) && read_tsc() < until_tsc)                  \
			__builtin_ia32_pause();                                 \
	} while (0)

/* All processors do it; false: not all have finished in time. */
static bool all_do(enum task what)
{
	task_serial++;
	atomic_store(&done, 0);
	atomic_store(&task, task_serial << 8 | what);
	apic_send(0, ICR_OTHERS | ICR_ASSERT | VECTOR_WAKE);
	carry_out(0);
	WAIT_FOR(atomic_load(&done) == processors);
	return atomic_load(&done) == processors;
}

static uint64_t everyone(void)
{
	return processors == 64 ? ALL_ONES : BIT(processors) - 1;
}

static bool got_one_more(const _Atomic unsigned *counts, const unsigned *before, uint64_t targets)
{
	for (unsigned i = 0; i < processors; i++) {
		if (atomic_load(&counts[i]) != before[i] + (unsigned)(targets >> i & 1))
			return false;
	}
	return true;
}

/* Sends and looks who got it: all of targets once, nobody else, also not a little later. */
static void send_and_look(const char *name, _Atomic unsigned *counts, uint32_t destination, uint32_t command, uint64_t targets)
{
	unsigned before[SMP_PROCESSORS_MAX];
	uint64_t later;

	for (unsigned i = 0; i < processors; i++)
		before[i] = atomic_load(&counts[i]);
	__asm__ volatile("sti");
	apic_send(destination, command);
	WAIT_FOR(got_one_more(counts, before, targets));
	later = read_tsc() + flat_tsc_hz() / 500;
	while (read_tsc() < later)
		__builtin_ia32_pause();
	interrupts_off();
	say(name, got_one_more(counts, before, targets));
}

static uint64_t members(unsigned first, uint32_t mask)
{
	return ((uint64_t)mask << first) & everyone();
}

static void physical(void)
{
	const uint32_t broadcast = apic_in_x2apic() ? UINT32_MAX : 0xff, fixed = ICR_ASSERT | VECTOR_COUNT;

	for (unsigned i = 0; i < processors; i += processors > 8 ? 21 : 1)
		send_and_look("physical", received, i, fixed, BIT(i));
	send_and_look("physical, nobody", received, 200, fixed, 0);
	send_and_look("physical, last", received, processors - 1, fixed, BIT(processors - 1));
	send_and_look("physical broadcast", received, broadcast, fixed, everyone());
	send_and_look("shorthand self", received, 0, fixed | ICR_SELF, 1);
	send_and_look("shorthand all", received, 0, fixed | ICR_ALL, everyone());
	send_and_look("shorthand others", received, 0, fixed | ICR_OTHERS, everyone() & ~1ULL);
	send_and_look("nmi", nmis, processors - 1, ICR_NMI | ICR_ASSERT, BIT(processors - 1));
	send_and_look("nmi to others", nmis, 0, ICR_NMI | ICR_ASSERT | ICR_OTHERS, everyone() & ~1ULL);
}

static void logical(void)
{
	const uint32_t command = ICR_ASSERT | ICR_LOGICAL | VECTOR_COUNT;
	unsigned last = processors - 1;

	if (apic_in_x2apic()) {
		send_and_look("logical x2apic", received, 0x5, command, members(0, 0x5));
		send_and_look("logical x2apic, a whole cluster", received, 0xffff, command, members(0, 0xffff));
		send_and_look("logical x2apic, last", received, (last / 16) << 16 | 1U << last % 16, command, BIT(last));
		send_and_look("logical x2apic broadcast", received, UINT32_MAX, command, everyone());
		apic_write(APIC_SELF_IPI, VECTOR_COUNT);
		send_and_look("self-ipi register", received, 0, ICR_ASSERT | VECTOR_COUNT | ICR_OTHERS, everyone());
		return;
	}
	say("all go to the flat model", all_do(TASK_FLAT));
	send_and_look("logical flat", received, 0x81, command, members(0, 0x81));
	send_and_look("logical flat broadcast", received, 0xff, command, everyone());
	say("all go to the cluster model", all_do(TASK_CLUSTER));
	send_and_look("logical cluster", received, 0x05, command, members(0, 0x5));
	send_and_look("logical cluster, second", received, 0x1f, command, members(4, 0xf));
	send_and_look("logical cluster, last", received, (last / 4 % CLUSTERS_XAPIC) << 4 | 1U << last % 4, command,
		      last / 4 < CLUSTERS_XAPIC ? BIT(last) : BIT(last % 4));
}

/* Sixteen to two: one of them takes each, and both take some. */
static void lowest_priority(void)
{
	unsigned before = 0, after = 0, takers = 0;
	unsigned was[SMP_PROCESSORS_MAX];

	for (unsigned i = 0; i < processors; i++)
		before += was[i] = atomic_load(&received[i]);
	for (unsigned sent = 0; sent < 16; sent++) {
		__asm__ volatile("sti");
		apic_send(apic_in_x2apic() ? 0x3 : 0x03, ICR_ASSERT | ICR_LOGICAL | ICR_LOWEST | VECTOR_COUNT);
		WAIT_FOR((after = atomic_load(&received[0]) + atomic_load(&received[1]) - was[0] - was[1]) == sent + 1);
		interrupts_off();
	}
	after = 0;
	for (unsigned i = 0; i < processors; i++) {
		after += atomic_load(&received[i]);
		takers += atomic_load(&received[i]) != was[i] ? 1 : 0;
	}
	say("lowest priority reaches one", after - before == 16);
	say("lowest priority goes round", takers == 2);
}

/* SDM Vol. 3B, "Time-Stamp Counter Adjustment": both MSRs are the processor's own, and each moves the other. */
static void tsc_writes(void)
{
	uint64_t before = read_tsc(), moved;

	write_msr(MSR_TSC_ADJUST, TSC_JUMP);
	moved = read_tsc() - before;
	say("IA32_TSC_ADJUST moves the TSC", moved >= TSC_JUMP && moved < TSC_JUMP + flat_tsc_hz());
	write_msr(MSR_TSC, before);
	moved = 0 - read_msr(MSR_TSC_ADJUST);
	say("a write of the TSC moves IA32_TSC_ADJUST", moved > 0 && moved < flat_tsc_hz());
	write_msr(MSR_TSC_ADJUST, 0);
	atomic_store(&token, 0);
	say("the token goes round again", all_do(TASK_TOKEN));
	say("the TSCs are equal again", atomic_load(&tsc_went_back) == 0);
}

static void halt_for_good(unsigned number)
{
	(void)number;
}

static void starts(void)
{
	unsigned last = processors - 1;

	apic_send(last, ICR_STARTUP | ICR_ASSERT | smp_sipi_vector());
	send_and_look("SIPI to a running processor does nothing", received, last, ICR_ASSERT | VECTOR_COUNT, BIT(last));
	say("it did not start again", smp_starts(last) == 1);
	smp_restart(last);
	WAIT_FOR(smp_starts(last) == 2);
	say("INIT and SIPI start it again", smp_starts(last) == 2);
	apic_send(last, ICR_INIT | ICR_ASSERT);
	send_and_look("INIT leaves it waiting, NMIs in vain", nmis, last, ICR_NMI | ICR_ASSERT, 0);
	apic_send(last, ICR_STARTUP | ICR_ASSERT | smp_sipi_vector());
	WAIT_FOR(smp_starts(last) == 3);
	say("its SIPI starts it", smp_starts(last) == 3);
}

void guest_main(const struct guest_flat_info *info)
{
	bool all_counted = true;

	exceptions_install();
	interrupt_handle(VECTOR_COUNT, on_count);
	interrupt_handle(VECTOR_WAKE, on_wake);
	interrupt_handle(VECTOR_NMI, on_nmi);
	apic_enable(flat_find((const char *)info->command_line_address, "xapic") != NULL);
	processors = smp_count();
	if (flat_find((const char *)info->command_line_address, "dead") != NULL) {
		say("all processors start", smp_start(halt_for_good) == processors - 1);
		for (;;)
			halt();
	}
	say("all processors start", smp_start(work) == processors - 1);
	say("all processors meet", all_do(TASK_COUNT));
	for (unsigned i = 0; i < processors; i++)
		all_counted = all_counted && atomic_load(&counter[i]) == COUNT_TO;
	say("each has counted", all_counted);
	say("the token goes round", all_do(TASK_TOKEN));
	say("the TSC never goes back", atomic_load(&tsc_went_back) == 0);
	tsc_writes();
	physical();
	logical();
	lowest_priority();
	starts();
	print("many_vcpus: ");
	print_number(processors);
	print(" processors\n");
}
