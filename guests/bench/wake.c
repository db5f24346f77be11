/* How late a guest that sleeps is woken, and whether it gets its work done in time: at the end of each period its timer wakes it
 * from HLT, then it computes for a while. Words of the command line, in microseconds: period=, work=; start=MS by this VM's TSC. */
#include "guests/bench/bench.h"
#include "guests/bench/interrupts.h"
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define US_PER_SECOND    1000000U
#define US_PER_MS        1000U
#define GAP_TICKS        60U /* as in share.c */

static uint64_t ticks_per_us;

static void sleep_until(uint64_t deadline_tsc)
{
	write_msr(MSR_TSC_DEADLINE, deadline_tsc);
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "rax", "rcx", "rdx", "memory");
}

/* Until it has had a CPU for so long. */
static void compute(uint64_t work_ticks)
{
	uint64_t last = read_tsc(), done = 0;

	interrupts_on();
	while (done < work_ticks) {
		uint64_t now = read_tsc();

		done += now - last < GAP_TICKS ? now - last : 0;
		last = now;
	}
	interrupts_off();
}

static void show_results(uint32_t missed, uint32_t slowest)
{
	show("wake_p50", median());
	show("wake_p99", ticks[ROUNDS / 100 * 99]);
	show("wake_max", ticks[ROUNDS - 1]);
	show("missed", missed);
	show("slowest", slowest);
	print("bench end\n");
}

void guest_main(const struct guest_flat_info *info)
{
	const char *words = (const char *)info->command_line_address;
	uint64_t period, work, deadline;
	uint32_t missed = 0, slowest = 0;

	exceptions_install();
	bench_interrupts_install();
	apic_enable(false);
	apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | BENCH_STAMP);
	ticks_per_us = flat_tsc_hz() / US_PER_SECOND;
	period = flat_number(words, "period=", 2000) * ticks_per_us;
	work = flat_number(words, "work=", 0) * ticks_per_us;
	deadline = flat_number(words, "start=", 1000) * US_PER_MS * ticks_per_us;
	print("wake: runs\n");
	for (unsigned round = 0; round < ROUNDS; round++, deadline += period) {
		uint32_t took;

		sleep_until(deadline);
		ticks[round] = (uint32_t)(bench_stamp - deadline);
		compute(work);
		took = (uint32_t)(read_tsc() - deadline);
		missed += took > period ? 1 : 0;
		slowest = took > slowest ? took : slowest;
	}
	show_results(missed, slowest);
	for (;;)
		sleep_until(read_tsc() + US_PER_SECOND * ticks_per_us);
}
