/* The local APIC by its rules: the states of IA32_APIC_BASE with their faults, its page when it is off or elsewhere, IDs,
 * self-IPIs, NMIs that come while one is handled, modes of the timer; before that, the 8254's interrupts through the 8259 in the
 * state that firmware leaves. Ends with exit code 1 when all is well, else with 1 + 2 * the number of lines that are not.
 * SDM Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)"; MultiProcessor Specification 1.4, "Virtual Wire Mode". */
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define DEBUG_EXIT_PORT 0xf4U
#define GP              13U
#define NMI             2U
#define MSR_APIC_BASE   0x1bU
#define MSR_X2APIC(offset) (0x800U + (offset) / 16)
#define BASE_DEFAULT    0xfee00000ULL
#define BASE_ELSEWHERE  0xfed40000ULL
#define BASE_BSP        0x100ULL
#define BASE_X2APIC     0x400ULL
#define BASE_ENABLED    0x800ULL
#define APIC_VERSION    0x030U
#define APIC_LINT0      0x350U
#define APIC_INITIAL    0x380U
#define APIC_CURRENT    0x390U
#define APIC_DIVIDE     0x3e0U
#define LVT_MASKED      0x10000U
#define LVT_PERIODIC    0x20000U
#define TIMER_COUNT     4000000U
#define SELF_VECTOR     0x51U
#define TIMER_VECTOR    0x52U
#define PIC_VECTOR      0x28U
#define WAIT_TICKS      200000000ULL

static unsigned failures;
static volatile unsigned self_count, nmi_count, timer_count, pic_count;

static void expect(const char *name, uint64_t value, uint64_t wanted)
{
	failures += value == wanted ? 0U : 1U;
	print(value == wanted ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	if (value != wanted) {
		print(": ");
		print_hex(value);
		print(", not ");
		print_hex(wanted);
	}
	print("\n");
}

static volatile uint32_t *page_register(uint64_t base, uint32_t offset)
{
	return (volatile uint32_t *)(uintptr_t)(base + offset);
}

static uint32_t page_read(uint32_t offset)
{
	return *page_register(BASE_DEFAULT, offset);
}

static void page_write(uint32_t offset, uint32_t value)
{
	*page_register(BASE_DEFAULT, offset) = value;
}

/* The exception that a WRMSR raises, or NO_EXCEPTION. */
static uint64_t try_write(uint32_t msr, uint64_t value)
{
	flat_catch.vector = NO_EXCEPTION;
	__asm__ volatile("leaq 1f(%%rip), %%rbx\n\tmovq %%rbx, flat_catch(%%rip)\n\twrmsr\n1:\tmovq $0, flat_catch(%%rip)"
			 : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "rbx", "memory", "cc");
	return flat_catch.vector;
}

static uint64_t read_cr8(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr8, %0" : "=r"(value));
	return value;
}

static void write_cr8(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr8" : : "r"(value));
}

static void end_of_interrupt(void)
{
	if ((read_msr(MSR_APIC_BASE) & BASE_X2APIC) != 0)
		write_msr(MSR_X2APIC(APIC_EOI), 0);
	else
		page_write(APIC_EOI, 0);
}

static INTERRUPT_HANDLER void take_self(struct interrupt_frame *frame)
{
	(void)frame;
	self_count++;
	end_of_interrupt();
}

static INTERRUPT_HANDLER void take_timer(struct interrupt_frame *frame)
{
	(void)frame;
	timer_count++;
	end_of_interrupt();
}

/* The 8259's end of interrupt. */
static INTERRUPT_HANDLER void take_pic(struct interrupt_frame *frame)
{
	(void)frame;
	pic_count++;
	out8(0x20, 0x20);
}

/* More of them while it runs: one waits, the others are lost. */
static INTERRUPT_HANDLER void take_nmi(struct interrupt_frame *frame)
{
	(void)frame;
	if (nmi_count++ != 0)
		return;
	for (unsigned i = 0; i < 5; i++)
		page_write(APIC_ICR_LOW, ICR_NMI);
}

/* 1,000 a second, by the 8259's line 0; nothing of the local APIC was touched. */
static void virtual_wire(void)
{
	static const uint8_t writes[][2] = {{0x20, 0x11}, {0x21, PIC_VECTOR}, {0x21, 0x04}, {0x21, 0x01}, {0x21, 0xfe},
					    {0x43, 0x34}, {0x40, 0xa9},       {0x40, 0x04}};

	interrupt_handle(PIC_VECTOR, take_pic);
	for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		out8(writes[i][0], writes[i][1]);
	for (uint64_t end = read_tsc() + WAIT_TICKS; pic_count < 5 && read_tsc() < end;)
		interrupts_on_and_halt();
	interrupts_off();
	expect("the 8254 interrupts by way of the 8259", pic_count >= 5, 1);
	out8(0x21, 0xff);
	out8(0x43, 0x30); /* counts no more */
}

static void base_states(void)
{
	expect("xAPIC without the enable bit", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP | BASE_X2APIC), GP);
	expect("reserved bit 0", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP | BASE_ENABLED | 1), GP);
	expect("an address beyond the width", try_write(MSR_APIC_BASE, 1ULL << 51 | BASE_DEFAULT | BASE_ENABLED), GP);
	expect("off", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP), NO_EXCEPTION);
	expect("off: CPUID shows none", cpuid(1, 0).edx >> 9 & 1, 0);
	page_write(APIC_TPR, 0xff);
	expect("off: its page is not there", page_read(APIC_VERSION), 0xffffffff);
	write_cr8(5);
	expect("off: CR8 reads back", read_cr8(), 5);
	write_cr8(0);
	expect("off to x2APIC", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP | BASE_ENABLED | BASE_X2APIC), GP);
	expect("elsewhere", try_write(MSR_APIC_BASE, BASE_ELSEWHERE | BASE_BSP | BASE_ENABLED), NO_EXCEPTION);
	expect("elsewhere: its version", *page_register(BASE_ELSEWHERE, APIC_VERSION) & 0xff, 0x14);
	expect("elsewhere: not where it was", page_read(APIC_VERSION), 0xffffffff);
	expect("back", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP | BASE_ENABLED), NO_EXCEPTION);
	expect("back: CPUID shows it", cpuid(1, 0).edx >> 9 & 1, 1);
	expect("back: LINT0 as after reset", page_read(APIC_LINT0), LVT_MASKED);
	write_cr8(3);
	expect("CR8 is the TPR", page_read(APIC_TPR), 0x30);
	write_cr8(0);
	page_write(APIC_ID, 7U << 24);
	expect("the xAPIC's ID can be written", page_read(APIC_ID), 7U << 24);
}

static void x2apic(void)
{
	expect("x2APIC", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP | BASE_ENABLED | BASE_X2APIC), NO_EXCEPTION);
	expect("x2APIC: the ID is CPUID's", read_msr(MSR_X2APIC(APIC_ID)), cpuid(0x0b, 0).edx);
	expect("x2APIC: it cannot be written", try_write(MSR_X2APIC(APIC_ID), 7), GP);
	expect("x2APIC: its page is not there", page_read(APIC_VERSION), 0xffffffff);
	expect("x2APIC to xAPIC", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP | BASE_ENABLED), GP);
	write_msr(MSR_X2APIC(APIC_SVR), 0x1ff);
	interrupts_on();
	write_msr(MSR_X2APIC(APIC_ICR_LOW), ICR_SELF | SELF_VECTOR);
	write_msr(MSR_X2APIC(APIC_SELF_IPI), SELF_VECTOR);
	interrupts_off();
	expect("x2APIC: two self-IPIs", self_count, 2);
	expect("x2APIC to off", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP), NO_EXCEPTION);
	expect("off to xAPIC", try_write(MSR_APIC_BASE, BASE_DEFAULT | BASE_BSP | BASE_ENABLED), NO_EXCEPTION);
	expect("the xAPIC's ID is as after reset", page_read(APIC_ID), 0);
}

static void messages(void)
{
	page_write(APIC_SVR, 0x1ff);
	self_count = 0;
	interrupts_on();
	page_write(APIC_ICR_LOW, ICR_SELF | SELF_VECTOR);
	page_write(APIC_ICR_HIGH, 0xffU << 24);
	page_write(APIC_ICR_LOW, SELF_VECTOR); /* physical broadcast */
	interrupts_off();
	expect("xAPIC: a self-IPI, a broadcast", self_count, 2);
	page_write(APIC_ICR_HIGH, 0);
	page_write(APIC_ICR_LOW, ICR_NMI);
	for (uint64_t end = read_tsc() + WAIT_TICKS / 100; read_tsc() < end;)
		;
	expect("NMIs during an NMI: one more", nmi_count, 2);
}

static void wait_for_half(void)
{
	while (page_read(APIC_CURRENT) > TIMER_COUNT / 2)
		;
}

static void timer_modes(void)
{
	interrupts_on();
	page_write(APIC_LVT_TIMER, TIMER_VECTOR);
	page_write(APIC_DIVIDE, 0xb);
	page_write(APIC_INITIAL, TIMER_COUNT);
	expect("one-shot: it counts", page_read(APIC_CURRENT) != 0, 1);
	wait_for_half();
	page_write(APIC_LVT_TIMER, LVT_PERIODIC | TIMER_VECTOR);
	expect("to periodic: the count goes on", page_read(APIC_CURRENT) <= TIMER_COUNT / 2, 1);
	for (uint64_t end = read_tsc() + WAIT_TICKS; timer_count < 2 && read_tsc() < end;)
		;
	expect("periodic: it comes again", timer_count, 2);
	expect("periodic: it began anew", page_read(APIC_CURRENT) > TIMER_COUNT / 2, 1);
	wait_for_half();
	page_write(APIC_LVT_TIMER, TIMER_VECTOR);
	expect("to one-shot: the count goes on", page_read(APIC_CURRENT) <= TIMER_COUNT / 2, 1);
	for (uint64_t end = read_tsc() + WAIT_TICKS; timer_count < 3 && read_tsc() < end;)
		;
	expect("one-shot: it comes", timer_count, 3);
	page_write(APIC_LVT_TIMER, LVT_PERIODIC | TIMER_VECTOR);
	expect("to periodic when it is over: it stays so", page_read(APIC_CURRENT), 0);
	expect("the initial count stays", page_read(APIC_INITIAL), TIMER_COUNT);
	page_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | TIMER_VECTOR);
	write_msr(MSR_TSC_DEADLINE, read_tsc());
	expect("TSC-deadline in the past: at once", timer_count, 4);
	expect("... and disarmed", read_msr(MSR_TSC_DEADLINE), 0);
	interrupts_off();
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	exceptions_install();
	virtual_wire();
	interrupt_handle(SELF_VECTOR, take_self);
	interrupt_handle(TIMER_VECTOR, take_timer);
	interrupt_handle(NMI, take_nmi);
	base_states();
	x2apic();
	messages();
	timer_modes();
	out8(DEBUG_EXIT_PORT, (uint8_t)failures);
}
