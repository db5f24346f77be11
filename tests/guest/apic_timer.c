/* Does the local APIC's timer keep its three modes, in x2APIC mode and as a page: once, again and again, at a TSC value; masked,
 * stopped, divided? SDM Vol. 3A, "APIC Timer". */
#include "guests/flat/apic.h"
#include "tests/guest/lib/question.h"

#define VECTOR        0x51U
#define APIC_INITIAL  0x380U
#define APIC_CURRENT  0x390U
#define APIC_DIVIDE   0x3e0U
#define DIVIDE_BY_1   0xbU
#define DIVIDE_BY_16  0x3U
#define LVT_MASKED    0x10000U
#define LVT_PERIODIC  0x20000U

struct interrupt_frame;

/* The timer counts the crystal of CPUID leaf 15H (docs/cpu.md). */
static uint32_t count_of_1_ms(void)
{
	return cpuid(0x15, 0).ecx / 1000;
}

static volatile uint64_t taken_count;

static INTERRUPT_HANDLER void take_interrupt(struct interrupt_frame *frame)
{
	(void)frame;
	taken_count++;
	apic_write(APIC_EOI, 0);
}

/* Interrupts taken in so many milliseconds. */
static uint64_t taken_in_ms(uint64_t ms)
{
	uint64_t end = read_tsc() + ms * flat_tsc_hz() / 1000;

	taken_count = 0;
	interrupts_on();
	while (read_tsc() < end)
		;
	interrupts_off();
	return taken_count;
}

static bool is_near(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most;
}

static void ask(void)
{
	uint64_t begin;

	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR);
	apic_write(APIC_INITIAL, count_of_1_ms());
	expect("one-shot", taken_in_ms(5), 1);
	expect("its count is 0", apic_read(APIC_CURRENT), 0);
	begin = read_tsc();
	apic_write(APIC_INITIAL, count_of_1_ms());
	taken_count = 0;
	while (taken_count == 0)
		interrupts_on_and_halt();
	interrupts_off();
	expect("HLT ends after a millisecond", is_near((read_tsc() - begin) * 10000 / flat_tsc_hz(), 10, 15), true);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
	apic_write(APIC_INITIAL, count_of_1_ms());
	expect("periodic", is_near(taken_in_ms(20), 18, 21), true);
	apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	expect("divided by 16", is_near(taken_in_ms(50), 2, 4), true);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | LVT_PERIODIC | VECTOR);
	expect("masked", taken_in_ms(40), 0);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
	apic_write(APIC_INITIAL, 0);
	expect("stopped", taken_in_ms(40), 0);
	apic_write(APIC_INITIAL, UINT32_MAX);
	expect("it counts down", apic_read(APIC_CURRENT) > UINT32_MAX / 2, true);
}

static void ask_of_deadline(void)
{
	apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR);
	__asm__ volatile("mfence" : : : "memory");
	expect("a change of mode stops the count", apic_read(APIC_CURRENT), 0);
	write_msr(MSR_TSC_DEADLINE, read_tsc() + flat_tsc_hz() / 1000);
	expect("a deadline", taken_in_ms(3), 1);
	expect("it is 0 then", read_msr(MSR_TSC_DEADLINE), 0);
	write_msr(MSR_TSC_DEADLINE, 1);
	expect("a deadline of long ago", taken_in_ms(1), 1);
	write_msr(MSR_TSC_DEADLINE, read_tsc() + flat_tsc_hz() / 1000);
	write_msr(MSR_TSC_DEADLINE, 0);
	expect("a deadline taken back", taken_in_ms(3), 0);
	apic_write(APIC_INITIAL, count_of_1_ms());
	expect("the count is ignored in this mode", taken_in_ms(3), 0);
	write_msr(MSR_TSC_DEADLINE, UINT64_MAX);
	expect("a deadline that never comes", taken_in_ms(3), 0);
	expect("it is kept", read_msr(MSR_TSC_DEADLINE), UINT64_MAX);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	expect("until the mode changes", read_msr(MSR_TSC_DEADLINE), 0);
}

void question(const struct guest_flat_info *info)
{
	(void)info;
	interrupt_handle(VECTOR, take_interrupt);
	apic_enable(true);
	ask();
	ask_of_deadline();
	apic_enable(false);
	print("the same as MSRs\n");
	ask();
	ask_of_deadline();
}
