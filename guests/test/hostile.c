/* A guest that does without end what may take time from others. A word of the command line says what: see `ways`. */
#include <stddef.h>

#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define MSR_APIC_BASE     0x1bU
#define MSR_TSC_DEADLINE  0x6e0U
#define MSR_TPR           0x808U
#define MSR_ICR           0x830U
#define MSR_LVT_TIMER     0x832U
#define MSR_INITIAL_COUNT 0x838U
#define MSR_SELF_IPI      0x83fU
#define APIC_BASE_ENABLED 0x800U
#define APIC_BASE_X2APIC  0x400U
#define LVT_PERIODIC      0x20000U
#define ICR_INIT          0x4500U
#define ICR_STARTUP       0x4601U
#define ICR_LOGICAL       0x800U
#define ICR_ALL           0x80000U
#define ICR_OTHERS        0xc0000U
#define ICR_BROADCAST     (0xffffffffULL << 32)
#define DESTINATIONS      300U /* beyond what an xAPIC can name */

static void interrupt_itself(void)
{
	for (;;)
		write_msr(MSR_SELF_IPI, FLAT_TIMER_VECTOR);
}

static void interrupt_all(void)
{
	for (;;) {
		write_msr(MSR_ICR, ICR_ALL | FLAT_TIMER_VECTOR);
		write_msr(MSR_ICR, ICR_BROADCAST | FLAT_TIMER_VECTOR);
		write_msr(MSR_ICR, ICR_BROADCAST | ICR_LOGICAL | FLAT_TIMER_VECTOR);
		write_msr(MSR_ICR, ICR_OTHERS | FLAT_TIMER_VECTOR);
	}
}

/* No vCPU but 0 is there. */
static void interrupt_nobody(void)
{
	for (;;) {
		for (uint64_t id = 1; id < DESTINATIONS; id++) {
			write_msr(MSR_ICR, id << 32 | FLAT_TIMER_VECTOR);
			write_msr(MSR_ICR, id << 48 | ICR_LOGICAL | FLAT_TIMER_VECTOR);
		}
	}
}

static void start_nobody(void)
{
	for (;;) {
		for (uint64_t id = 1; id < DESTINATIONS; id++) {
			write_msr(MSR_ICR, id << 32 | ICR_INIT);
			write_msr(MSR_ICR, id << 32 | ICR_STARTUP);
		}
		write_msr(MSR_ICR, ICR_OTHERS | ICR_INIT);
		write_msr(MSR_ICR, ICR_STARTUP); /* itself, which does not wait for it */
	}
}

/* The NMI is caught and goes on at 2, with interrupts off. */
static void send_itself_nmis(void)
{
	__asm__ volatile("1:\tsti\n\tleaq 2f(%%rip), %%rax\n\tmovq %%rax, flat_catch(%%rip)\n\t"
			 "movl $0x4400, %%eax\n\txorl %%edx, %%edx\n\tmovl %0, %%ecx\n\twrmsr\n\tnop\n2:\tjmp 1b"
			 : : "i"(MSR_ICR) : "rax", "rcx", "rdx", "memory");
}

static void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

static void pause_always(void)
{
	for (;;)
		__builtin_ia32_pause();
}

static void arm_timer_in_the_past(void)
{
	for (;;) {
		write_msr(MSR_TSC_DEADLINE, 1);
		write_msr(MSR_TSC_DEADLINE, read_tsc());
	}
}

static void wake_by_timer_always(void)
{
	for (;;) {
		interrupts_off();
		write_msr(MSR_TSC_DEADLINE, read_tsc() + 1);
		interrupts_on_and_halt();
	}
}

/* A period of 2 ns. */
static void run_short_periods(void)
{
	write_msr(MSR_LVT_TIMER, LVT_PERIODIC | FLAT_TIMER_VECTOR);
	write_msr(MSR_INITIAL_COUNT, 1);
	for (;;)
		halt();
}

static void toggle_priority(void)
{
	for (uint64_t value = 0;; value ^= 0xf) {
		__asm__ volatile("movq %0, %%cr8" : : "r"(value) : "memory");
		write_msr(MSR_SELF_IPI, FLAT_TIMER_VECTOR);
		write_msr(MSR_TPR, (value ^ 0xf) << 4);
	}
}

static void toggle_local_apic(void)
{
	uint64_t off = read_msr(MSR_APIC_BASE) & ~(uint64_t)(APIC_BASE_ENABLED | APIC_BASE_X2APIC);

	for (uint64_t page = 0;; page ^= 0x1000) {
		write_msr(MSR_APIC_BASE, off);
		write_msr(MSR_APIC_BASE, (off ^ page) | APIC_BASE_ENABLED);
		write_msr(MSR_APIC_BASE, (off ^ page) | APIC_BASE_ENABLED | APIC_BASE_X2APIC);
	}
}

static const struct {
	const char *word;
	void (*run)(void);
} ways[] = {
	{"interrupt-itself", interrupt_itself},
	{"interrupt-all", interrupt_all},
	{"interrupt-nobody", interrupt_nobody},
	{"start-nobody", start_nobody},
	{"nmi", send_itself_nmis},
	{"spin", spin},
	{"pause", pause_always},
	{"timer-past", arm_timer_in_the_past},
	{"timer-next", wake_by_timer_always},
	{"timer-periodic", run_short_periods},
	{"priority", toggle_priority},
	{"local-apic", toggle_local_apic},
};

void guest_main(const struct guest_flat_info *info)
{
	const char *words = (const char *)info->command_line_address;

	exceptions_install();
	timer_init(false);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (flat_find(words, ways[i].word) == NULL)
			continue;
		print("hostile: ");
		print(ways[i].word);
		print("\n");
		interrupts_on();
		ways[i].run();
	}
	print("hostile: what?\n");
}
