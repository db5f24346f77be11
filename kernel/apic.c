/* Register access in both modes, the timer and inter-processor interrupts. */
#include "kernel/apic.h"

#include <stddef.h>

#include "kernel/config.h"
#include "kernel/cpu.h"
#include "kernel/cpu_insn.h"
#include "kernel/interrupt.h"
#include "kernel/kernel_map.h"
#include "kernel/msr.h"
#include "kernel/panic.h"
#include "kernel/timer.h"

enum apic_register {
	APIC_ID = 0x020,
	APIC_TPR = 0x080,
	APIC_EOI = 0x0b0,
	APIC_SVR = 0x0f0,
	APIC_ISR = 0x100,
	APIC_ESR = 0x280,
	APIC_ICR_LOW = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

#define APIC_BASE_ENABLE   (1ULL << 11)
#define APIC_BASE_X2APIC   (1ULL << 10)
#define SVR_ENABLE         0x100U
#define LVT_MASKED         0x10000U
#define LVT_TSC_DEADLINE   0x40000U
#define ICR_PENDING        0x1000U
#define ICR_ASSERT         0x4000U
#define ICR_INIT           0x500U
#define ICR_STARTUP        0x600U
#define ICR_NMI            0x400U
#define ICR_ALL_BUT_SELF   0xc0000U
#define TIMER_DIVIDE_BY_1  0xbU
#define SEND_WAIT_SPINS    1000000U
#define PIC_PRIMARY_MASK   0x21U
#define PIC_SECONDARY_MASK 0xa1U
#define ALL_MASKED         0xffU

static struct {
	bool x2apic;                  /* constant after apic_init() */
	volatile uint32_t *registers; /* xAPIC mode */
	uint64_t timer_ticks_per_2_20_tsc;
} apic;

static uint32_t apic_read(enum apic_register offset)
{
	if (apic.x2apic)
		return (uint32_t)rdmsr(MSR_X2APIC_FIRST + offset / 16);
	return apic.registers[offset / 4];
}

static void apic_write(enum apic_register offset, uint32_t value)
{
	if (apic.x2apic)
		wrmsr(MSR_X2APIC_FIRST + offset / 16, value);
	else
		apic.registers[offset / 4] = value;
}

void apic_init(bool allow_x2apic)
{
	uint64_t base = rdmsr(MSR_IA32_APIC_BASE);

	/* Legacy BIOS leaves the 8259s unmasked. First of all, so that no interrupt of theirs waits at LINT0.
	 * ACPI, "Multiple APIC Flags", PCAT_COMPAT. */
	out8(PIC_PRIMARY_MASK, ALL_MASKED);
	out8(PIC_SECONDARY_MASK, ALL_MASKED);
	apic.x2apic = (base & APIC_BASE_X2APIC) || (cpu_features.x2apic && allow_x2apic);
	if (!apic.x2apic) {
		apic.registers = kernel_map_device(base & ~(PAGE_SIZE_BYTES - 1), PAGE_SIZE_BYTES, DEVICE_UNCACHED, true);
		ASSERT(apic.registers != NULL);
	}
}

void apic_cpu_start(void)
{
	uint64_t base = rdmsr(MSR_IA32_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_IA32_APIC_BASE, base);
	if (apic.x2apic)
		wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_X2APIC);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SVR, SVR_ENABLE | VECTOR_APIC_SPURIOUS);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, ICR_NMI);
	apic_write(APIC_LVT_ERROR, VECTOR_APIC_ERROR);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (cpu_features.tsc_deadline ? LVT_TSC_DEADLINE : 0));
	if (cpu_features.tsc_deadline) {
		/* In xAPIC mode the LVT write and a WRMSR to the deadline are not ordered otherwise.
		 * SDM Vol. 3A, "TSC-Deadline Mode". */
		memory_fence();
	} else {
		apic_write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	}
}

bool apic_is_x2apic(void)
{
	return apic.x2apic;
}

uint32_t apic_id(void)
{
	return apic.x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_eoi_if_in_service(uint32_t vector)
{
	if ((apic_read((enum apic_register)(APIC_ISR + vector / 32 * 16)) >> (vector % 32) & 1) != 0)
		apic_eoi();
}

void apic_timer_calibrate(void)
{
	uint64_t start = rdtsc();
	uint64_t ticks, elapsed;

	if (cpu_features.tsc_deadline)
		return;
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | LVT_MASKED);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
	while (rdtsc() - start < tsc_hz / 100)
		pause();
	ticks = UINT32_MAX - apic_read(APIC_TIMER_CURRENT);
	elapsed = rdtsc() - start;
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic.timer_ticks_per_2_20_tsc = ticks * (1U << 20) / elapsed;
}

static void set_one_shot(uint64_t deadline_tsc)
{
	uint64_t now = rdtsc();
	uint64_t tsc_left = deadline_tsc > now ? deadline_tsc - now : 0;
	uint64_t ticks;

	if (deadline_tsc == UINT64_MAX) {
		apic_write(APIC_TIMER_INITIAL, 0);
		return;
	}
	/* At most a second ahead: an early interrupt finds nothing due and arms again. */
	tsc_left = tsc_left < tsc_hz ? tsc_left : tsc_hz;
	ticks = (tsc_left * apic.timer_ticks_per_2_20_tsc >> 20) + 1;
	apic_write(APIC_TIMER_INITIAL, ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX);
}

void apic_set_deadline(uint64_t deadline_tsc)
{
	if (!cpu_features.tsc_deadline)
		set_one_shot(deadline_tsc);
	else
		wrmsr(MSR_IA32_TSC_DEADLINE, deadline_tsc != UINT64_MAX ? (deadline_tsc != 0 ? deadline_tsc : 1) : 0);
}

/* In xAPIC mode a command is lost when the previous one is still pending. */
static void wait_until_sent(void)
{
	for (unsigned i = 0; i < SEND_WAIT_SPINS && (apic_read(APIC_ICR_LOW) & ICR_PENDING); i++)
		pause();
}

static void send(uint32_t destination, uint32_t command)
{
	if (apic.x2apic) {
		/* WRMSR to x2APIC registers is not serializing: stores before it must be seen first.
		 * SDM Vol. 3A, "MSR Access in x2APIC Mode". */
		memory_fence();
		load_fence();
		wrmsr(MSR_X2APIC_FIRST + APIC_ICR_LOW / 16, (uint64_t)destination << 32 | command);
		return;
	}
	wait_until_sent();
	apic_write(APIC_ICR_HIGH, destination << 24);
	apic_write(APIC_ICR_LOW, command);
	wait_until_sent();
}

void interrupt_send(uint32_t destination, uint32_t vector)
{
	send(destination, ICR_ASSERT | vector);
}

void apic_send_init(uint32_t destination)
{
	send(destination, ICR_ASSERT | ICR_INIT);
}

void apic_send_startup(uint32_t destination, uint8_t page)
{
	send(destination, ICR_ASSERT | ICR_STARTUP | page);
}

void apic_send_nmi_to_others(void)
{
	send(0, ICR_ASSERT | ICR_ALL_BUT_SELF | ICR_NMI);
}
