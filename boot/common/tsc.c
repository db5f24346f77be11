/* The TSC against whatever else counts; which of it is believed is clock_choice.c's. */
#include "boot/common/tsc.h"

#include "boot/common/clock_choice.h"
#include "boot/common/cpu.h"
#include "boot/common/report.h"

#define PM_TIMER_HZ       3579545ULL
#define PIT_HZ            1193182ULL
#define MEASURE_PM_TICKS  35795U /* 10 ms */
#define MEASURE_PIT_TICKS 11932U
#define SPIN_LIMIT        2000000000ULL /* TSC ticks after which a counter counts as dead */
#define ASSUMED_HZ        1000000000UL
#define PIT_CHANNEL_2     0x42
#define PIT_COMMAND       0x43
#define PORT_B            0x61
#define CLOCK_REMEDY      "update the PC's firmware; if the VMs' clocks run wrong, please report the PC's model"

static void read_cpuid(struct clock_evidence *evidence)
{
	uint32_t last = cpuid(0, 0).eax;
	struct cpuid_result ratio = last >= 0x15 ? cpuid(0x15, 0) : (struct cpuid_result){0};
	struct cpuid_result base = last >= 0x16 ? cpuid(0x16, 0) : (struct cpuid_result){0};

	evidence->numerator = ratio.ebx;
	evidence->denominator = ratio.eax;
	evidence->crystal_hz = ratio.ecx;
	evidence->base_hz = (uint64_t)(base.eax & 0xffff) * 1000000;
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
static uint64_t from_pit(uint16_t unused)
{
	uint64_t start;

	(void)unused;
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

static uint64_t median(const uint64_t *v)
{
	uint64_t low = v[0] < v[1] ? v[0] : v[1];
	uint64_t high = v[0] < v[1] ? v[1] : v[0];

	return v[2] < low ? low : v[2] > high ? high : v[2];
}

/* Of three: an interrupt to the firmware (SMI) may stretch one. 0: that timer does not run. */
static uint64_t measure(uint64_t (*once)(uint16_t port), uint16_t port)
{
	uint64_t samples[3];

	for (unsigned i = 0; i < 3; i++) {
		samples[i] = once(port);
		if (samples[i] == 0)
			return 0;
	}
	return median(samples);
}

uint64_t tsc_decide(const struct clock_evidence *evidence, const char *timer)
{
	struct clock_choice choice = clock_choose(evidence);

	if (choice.measured_otherwise)
		report_warning(E515, CLOCK_REMEDY, "the time stamp counter: CPUID says %lu kHz, %s %lu kHz", choice.hz / 1000,
			       timer, evidence->measured_hz / 1000);
	if (choice.hz != 0)
		return choice.hz;
	report_warning(E515, CLOCK_REMEDY, "no source for the time stamp counter's frequency; %lu kHz is assumed",
		       ASSUMED_HZ / 1000);
	return ASSUMED_HZ;
}

uint64_t tsc_measure(uint16_t pm_timer_port)
{
	const char *timer = "the PM timer";
	struct clock_evidence evidence = {.measured_hz = measure(from_pm_timer, pm_timer_port)};

	if (evidence.measured_hz == 0) {
		timer = "the 8254";
		evidence.measured_hz = measure(from_pit, 0);
	}
	read_cpuid(&evidence);
	return tsc_decide(&evidence, timer);
}
