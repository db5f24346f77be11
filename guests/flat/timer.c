/* The local APIC's timer, TSC and power. SDM Vol. 3A, "APIC Timer", "TSC-Deadline Mode", "x2APIC Register Address Space". */
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define MSR_TSC_DEADLINE 0x6e0U
#define LVT_TSC_DEADLINE 0x40000U
#define PM1_CONTROL      0x604U
#define S5_SLP_TYP_EN    0x3c00U /* SLP_TYP 7, SLP_EN */

void flat_timer_interrupt(void);

void flat_timer_interrupt(void)
{
	apic_write(APIC_EOI, 0);
}

void timer_init(bool as_xapic)
{
	apic_enable(as_xapic);
	apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | FLAT_TIMER_VECTOR);
	__asm__ volatile("mfence" : : : "memory"); /* SDM: between the LVT write in xAPIC mode and the deadline's MSR */
}

void timer_sleep_until(uint64_t deadline_tsc)
{
	write_msr(MSR_TSC_DEADLINE, deadline_tsc);
	while (read_tsc() < deadline_tsc) {
		interrupts_on_and_halt();
		interrupts_off();
	}
}

uint64_t flat_tsc_hz(void)
{
	struct cpuid_answer leaf = cpuid(0x15, 0);

	return leaf.eax == 0 ? 0 : (uint64_t)leaf.ecx * leaf.ebx / leaf.eax;
}

_Noreturn void flat_power_off(void)
{
	for (;;) {
		out16(PM1_CONTROL, S5_SLP_TYP_EN);
		interrupts_off();
		halt();
	}
}
