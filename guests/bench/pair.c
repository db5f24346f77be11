/* The round trip of an interprocessor interrupt between two processors of a VM: from the WRMSR of processor 0 to the handler that
 * the answer of processor 1 reaches. "spin": both compute meanwhile; else both are in HLT. */
#include "guests/bench/bench.h"
#include "guests/bench/interrupts.h"
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/smp.h"

#define MSR_ICR      0x830U
#define SETTLE_TICKS 30000U /* the other one is in HLT again by then */

static bool spins;

static void wait_settled(void)
{
	for (uint64_t end = read_tsc() + SETTLE_TICKS; read_tsc() < end;)
		;
}

static void answer(unsigned number)
{
	(void)number;
	for (;;) {
		if (spins)
			__asm__ volatile("sti\n\tnop" : : : "rax", "rcx", "rdx", "memory");
		else
			__asm__ volatile("sti\n\thlt" : : : "rax", "rcx", "rdx", "memory");
	}
}

/* To processor 1, which answers; where both are on one CPU, it runs once this one halts. */
static uint32_t ask_halting(void)
{
	uint32_t before;

	__asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\tmovl %1, %%eax\n\tmovl $1, %%edx\n\tmovl %2, %%ecx\n\t"
			 "wrmsr\n\tsti\n\thlt\n\tcli"
			 : "=&r"(before) : "i"(BENCH_ECHO), "i"(MSR_ICR) : "rax", "rcx", "rdx", "memory");
	return (uint32_t)bench_stamp - before;
}

static uint32_t ask_spinning(void)
{
	uint32_t before;

	bench_stamp = 0;
	__asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\tmovl %1, %%eax\n\tmovl $1, %%edx\n\tmovl %2, %%ecx\n\tsti\n\twrmsr"
			 : "=&r"(before) : "i"(BENCH_ECHO), "i"(MSR_ICR) : "rax", "rcx", "rdx", "memory");
	while (bench_stamp == 0)
		__asm__ volatile("nop" : : : "rax", "rcx", "rdx", "memory");
	interrupts_off();
	return (uint32_t)bench_stamp - before;
}

/* For the trace; both in HLT. */
static void ask_marked(void)
{
	__asm__ volatile(MARK "movl %0, %%eax\n\tmovl $1, %%edx\n\tmovl %1, %%ecx\n\twrmsr\n\tsti\n\thlt\n\tcli"
			 : : "i"(BENCH_ECHO_MARKED), "i"(MSR_ICR) : "rax", "rbx", "rcx", "rdx", "memory");
}

static void measure(void)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		wait_settled();
		ticks[round] = spins ? ask_spinning() : ask_halting();
	}
	for (unsigned round = 0; round < MARKED_ROUNDS && !spins; round++) {
		wait_settled();
		ask_marked();
	}
	show(spins ? "ipi_pair_spin" : "ipi_pair_halt", median());
}

void guest_main(const struct guest_flat_info *info)
{
	spins = flat_find((const char *)info->command_line_address, "spin") != 0;
	exceptions_install();
	bench_interrupts_install();
	apic_enable(false);
	if (smp_start(answer) == 1)
		measure();
	else
		print("pair: needs two processors\n");
	print("bench end\n");
}
