/* What the local APIC costs: first as the xAPIC's page, then as x2APIC's MSRs. Interrupts come to entries.asm. SDM Vol. 3A,
 * "Advanced Programmable Interrupt Controller (APIC)". */
#include "guests/bench/bench.h"
#include "guests/bench/interrupts.h"
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define MSR_APIC_BASE    0x1bU
#define APIC_BASE_X2APIC 0x400U
#define MSR_LVT_TIMER    0x832U
#define MSR_SELF_IPI     0x83fU
#define XAPIC(offset)    (*(volatile uint32_t *)(0xfee00000UL + (offset)))
#define XAPIC_TPR        0x080U
#define XAPIC_SVR        0x0f0U
#define XAPIC_ICR_LOW    0x300U
#define SVR_ENABLE       0x1ffU
#define LONG_AWAY        "$0x40000000" /* ticks: nothing is due while this program runs */
#define SLEEP_TICKS      20000U

/* From WRMSR's operand, whose loads belong to the loop, to the handler: the message comes back as an interrupt at once. */
#define SELF_IPI "movl %[operand], %%eax\n\txorl %%edx, %%edx\n\tmovl $0x83f, %%ecx"
#define DEADLINE "rdtsc\n\taddl " LONG_AWAY ", %%eax\n\tadcl $0, %%edx\n\tmovl $0x6e0, %%ecx"

static void measure_xapic(void)
{
	uint32_t empty;

	XAPIC(XAPIC_SVR) = SVR_ENABLE;
	MEASURE("", [operand] "i"(0));
	empty = empty_ticks("empty_5");
	MEASURE("movl %[operand], %%eax", [operand] "m"(XAPIC(XAPIC_TPR)));
	show("xapic_read_ticks", median() - empty);
	for (unsigned round = 0; round < ROUNDS + MARKED_ROUNDS; round++) {
		uint32_t vector = round < ROUNDS ? BENCH_EOI : BENCH_EOI_MARKED;

		__asm__ volatile("sti\n\tmovl %1, %0\n\tnop\n\tcli"
				 : "=m"(XAPIC(XAPIC_ICR_LOW)) : "r"(ICR_SELF | vector) : "rax", "rcx", "rdx", "memory");
		if (round < ROUNDS)
			ticks[round] = (uint32_t)bench_stamp;
	}
	show("xapic_eoi_ticks", median() - empty);
}

static void measure_self_ipi(void)
{
	uint32_t empty;

	MEASURE(SELF_IPI, [operand] "i"(BENCH_STAMP));
	empty = empty_ticks("empty_6");
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t before;

		__asm__ volatile("sti\n\trdtsc\n\tmovl %%eax, %0\n\t" SELF_IPI "\n\twrmsr\n\tnop\n\tcli"
				 : "=&r"(before) : [operand] "i"(BENCH_STAMP) : "rax", "rcx", "rdx", "memory");
		ticks[round] = (uint32_t)bench_stamp - before;
	}
	for (unsigned round = 0; round < MARKED_ROUNDS; round++)
		__asm__ volatile("sti\n\t" MARK SELF_IPI "\n\twrmsr\n\tnop\n\tcli"
				 : : [operand] "i"(BENCH_STAMP_MARKED) : "rax", "rcx", "rdx", "memory");
	show("ipi_self_x2apic_ticks", median() - empty);
}

static void measure_deadline(void)
{
	uint32_t empty;

	write_msr(MSR_LVT_TIMER, LVT_TSC_DEADLINE | BENCH_STAMP);
	MEASURE(DEADLINE, [operand] "i"(0));
	empty = empty_ticks("empty_7");
	MEASURE(DEADLINE "\n\twrmsr", [operand] "i"(0));
	show("tsc_deadline_write_ticks", median() - empty);
}

/* The deadline is the clock itself: there is no loop to take off. */
static void measure_timer(void)
{
	for (unsigned round = 0; round < ROUNDS + MARKED_ROUNDS; round++) {
		uint64_t deadline = read_tsc() + SLEEP_TICKS;

		write_msr(MSR_TSC_DEADLINE, deadline);
		if (round < ROUNDS) {
			__asm__ volatile("sti\n\thlt\n\tcli" : : : "rax", "rcx", "rdx", "memory");
			ticks[round] = (uint32_t)(bench_stamp - deadline);
			continue;
		}
		write_msr(MSR_LVT_TIMER, LVT_TSC_DEADLINE | BENCH_STAMP_MARKED);
		__asm__ volatile("sti\n\t" MARK "hlt\n\tcli" : : : "rax", "rcx", "rdx", "memory");
	}
	show("timer_hlt_late_ticks", median());
}

void measure_local_apic(void)
{
	bench_interrupts_install();
	measure_xapic();
	write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	measure_self_ipi();
	measure_deadline();
	measure_timer();
}
