/* TSC frequency. SDM Vol. 3B, "Determining the Processor Base Frequency"; ACPI, "Power Management Timer"; 82C54 data sheet. */
#include "kernel/clock.h"

#include "kernel/cpu.h"
#include "kernel/cpu_insn.h"
#include "kernel/log.h"
#include "kernel/timer.h"

#define PM_TIMER_HZ      3579545ULL
#define PIT_HZ           1193182ULL
#define MEASURE_PM_TICKS 35795U /* 10 ms */
#define MEASURE_PIT_TICKS 11932U
#define SPIN_LIMIT       2000000000ULL /* TSC ticks after which a counter counts as dead */
#define PIT_CHANNEL_2    0x42
#define PIT_COMMAND      0x43
#define PORT_B           0x61

uint64_t tsc_hz = 1000000000;

uint64_t tsc_from_us(uint64_t us)
{
	return us / 1000000 * tsc_hz + us % 1000000 * tsc_hz / 1000000;
}

void clock_wait_us(uint64_t us)
{
	uint64_t start = rdtsc();
	uint64_t ticks = tsc_from_us(us);

	while (rdtsc() - start < ticks)
		pause();
}

/* Leaf 15H gives TSC / crystal; where it leaves the crystal out, leaf 16H's base frequency stands in. 0: neither. */
static uint64_t from_cpuid(void)
{
	struct cpuid ratio, base;

	if (cpuid(0, 0).eax < 0x15)
		return 0;
	ratio = cpuid(0x15, 0);
	if (ratio.eax == 0 || ratio.ebx == 0)
		return 0;
	if (ratio.ecx != 0)
		return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
	base = cpuid(0, 0).eax >= 0x16 ? cpuid(0x16, 0) : (struct cpuid){0};
	return (uint64_t)(base.eax & 0xffff) * 1000000;
}

static uint64_t from_pm_timer(uint16_t port)
{
	uint32_t start_pm, passed = 0;
	uint64_t start;

	if (port == 0)
		return 0;
	start_pm = in32(port);
	start = rdtsc();
	while (passed < MEASURE_PM_TICKS) {
		passed = (in32(port) - start_pm) & 0xffffff;
		if (rdtsc() - start > SPIN_LIMIT)
			return 0;
	}
	return (rdtsc() - start) * PM_TIMER_HZ / passed;
}

/* Channel 2 in mode 0 raises its output, bit 5 of port 61h, when it reaches zero. */
static uint64_t from_pit(void)
{
	uint64_t start;

	out8(PORT_B, (uint8_t)((in8(PORT_B) & ~0x3) | 0x1));
	out8(PIT_COMMAND, 0xb0);
	out8(PIT_CHANNEL_2, MEASURE_PIT_TICKS & 0xff);
	out8(PIT_CHANNEL_2, MEASURE_PIT_TICKS >> 8);
	start = rdtsc();
	while (!(in8(PORT_B) & 0x20)) {
		if (rdtsc() - start > SPIN_LIMIT)
			return 0;
	}
	return (rdtsc() - start) * PIT_HZ / MEASURE_PIT_TICKS;
}

static void compare(uint64_t chosen, uint64_t other, const char *chosen_name, const char *other_name)
{
	uint64_t difference = chosen > other ? chosen - other : other - chosen;

	if (other != 0 && difference > chosen / 50)
		log_warn("TSC: %s says %lu kHz, %s %lu kHz: clocks may run wrong", chosen_name, chosen / 1000, other_name,
			 other / 1000);
}

void clock_init(uint16_t pm_timer_port)
{
	uint64_t cpuid_hz = from_cpuid();
	uint64_t pm_hz = from_pm_timer(pm_timer_port);
	uint64_t pit_hz = pm_hz == 0 ? from_pit() : 0;
	const char *measured_name = pm_hz != 0 ? "the PM timer" : "the 8254";
	uint64_t measured = pm_hz != 0 ? pm_hz : pit_hz;

	if (cpuid_hz != 0) {
		tsc_hz = cpuid_hz;
		compare(cpuid_hz, measured, "CPUID", measured_name);
	} else if (measured != 0) {
		tsc_hz = measured;
	} else {
		log_warn("TSC: no source for its frequency; assuming %lu kHz, clocks will run wrong", tsc_hz / 1000);
	}
	if (!cpu_features.invariant_tsc)
		log_debug("TSC: the CPU does not promise a constant rate");
	log_debug("TSC: %lu kHz from %s", tsc_hz / 1000, cpuid_hz != 0 ? "CPUID" : measured_name);
}
