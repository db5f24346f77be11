/* From one VM to another on one CPU. Of two VMs that run this program one computes; the other, whose command line has the word
 * "halts", wakes now and then, and executes HLT at a time that is a whole number of PERIOD_TICKS after its first: there the CPU
 * leaves it. The one that computes sees its TSC jump and notes where it goes on. Each TSC is the host's plus a constant, which the
 * host logs, so what lies between is the difference. tools/bench_schedule.py does the sum. */
#include "guests/bench/bench.h"
#include "guests/bench/interrupts.h"
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define PERIOD_TICKS     200000U
#define AWAKE_TICKS      20000U  /* before the HLT: time enough to be woken */
#define LATE_TICKS       1000U
#define SETTLED_TSC      200000000U
#define JUMP_TICKS       10000U  /* it was away, not only out for an interrupt */

static void show_wide(const char *name, uint64_t value)
{
	print("bench ");
	print(name);
	print(" ");
	print_number(value);
	print("\n");
}

static void halt_in_time(void)
{
	uint64_t first = SETTLED_TSC, at = first;

	apic_enable(false);
	apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | BENCH_STAMP);
	write_msr(MSR_TSC_DEADLINE, at - AWAKE_TICKS);
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "rax", "rcx", "rdx", "memory");
	for (unsigned round = 0; round < ROUNDS + MARKED_ROUNDS;) {
		uint64_t now = read_tsc();

		while (now + AWAKE_TICKS / 2 > at) /* woken too late for this one */
			at += PERIOD_TICKS;
		write_msr(MSR_TSC_DEADLINE, at + PERIOD_TICKS - AWAKE_TICKS);
		do {
			/* The timer's interrupt is taken here, not in the HLT below. */
			__asm__ volatile("sti\n\tnop\n\tcli" : : : "rax", "rcx", "rdx", "memory");
			now = read_tsc();
		} while (now < at);
		if (now > at + LATE_TICKS) /* another one ran: the timer may be over, too */
			continue;
		if (round < ROUNDS) {
			ticks[round] = (uint32_t)(now - at);
			__asm__ volatile("sti\n\thlt\n\tcli" : : : "rax", "rcx", "rdx", "memory");
		} else {
			__asm__ volatile("sti\n\t" MARK "hlt\n\tcli\n\t" MARK : : : "rax", "rbx", "rcx", "rdx", "memory");
		}
		at += PERIOD_TICKS;
		round++;
	}
	show_wide("halts_from", first + median());
	show_wide("halts_every", PERIOD_TICKS);
}

static void note_jumps(void)
{
	uint64_t first = 0, last;

	interrupts_on();
	while (read_tsc() < SETTLED_TSC)
		;
	last = read_tsc();
	for (unsigned jumps = 0; jumps < ROUNDS;) {
		uint64_t now = read_tsc();

		if (now - last > JUMP_TICKS) {
			first = jumps == 0 ? now : first;
			ticks[jumps++] = (uint32_t)((now - first + PERIOD_TICKS / 2) % PERIOD_TICKS);
		}
		last = now;
	}
	show_wide("goes_on_from", first + median() - PERIOD_TICKS / 2);
}

void guest_main(const struct guest_flat_info *info)
{
	exceptions_install();
	bench_interrupts_install();
	print("switch: runs\n");
	if (flat_find((const char *)info->command_line_address, "halts") != 0)
		halt_in_time();
	else
		note_jumps();
	print("bench end\n");
	interrupts_on();
	for (;;)
		__asm__ volatile("");
}
