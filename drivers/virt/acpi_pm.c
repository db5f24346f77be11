/* PM1 registers are seen as one word of eight bytes, so that any width and alignment of an access means the bytes that
 * it covers. The timer is guest time in other units. */
#include "drivers/virt/acpi_pm.h"

#include <stddef.h>

#include "drivers/virt/clock.h"

/* PM1 status and enable */
#define PM1_TIMER        0x0001U
#define PM1_GLOBAL       0x0020U
#define PM1_POWER_BUTTON 0x0100U
#define PM1_SLEEP_BUTTON 0x0200U
#define PM1_RTC          0x0400U
#define PM1_WAKE         0x8000U
#define PM1_STATUS_CLEARABLE (PM1_TIMER | PM1_GLOBAL | PM1_POWER_BUTTON | PM1_SLEEP_BUTTON | PM1_RTC | PM1_WAKE)
#define PM1_WAKES            (PM1_POWER_BUTTON | PM1_SLEEP_BUTTON | PM1_RTC)
#define PM1_ENABLE_WRITABLE  (PM1_TIMER | PM1_GLOBAL | PM1_POWER_BUTTON | PM1_SLEEP_BUTTON | PM1_RTC)
/* PM1 control */
#define PM1_SCI_EN           0x0001U /* always: there is no other mode */
#define PM1_BM_RLD           0x0002U
#define PM1_SLP_TYP_SHIFT    10
#define PM1_SLP_TYP          0x1c00U
#define PM1_SLP_EN           0x2000U /* "always reads as zero" */
#define PM1_CONTROL_WRITABLE (PM1_BM_RLD | PM1_SLP_TYP)
/* Places of the registers in the word */
#define ENABLE_SHIFT  16
#define CONTROL_SHIFT 32

static void update_sci(struct acpi_pm *pm)
{
	bool level = (pm->state.status & pm->state.enable) != 0;

	if (level != pm->state.sci_level && pm->wires.sci.set != NULL)
		pm->wires.sci.set(pm->wires.sci.ctx, level);
	pm->state.sci_level = level;
}

/* "TMR_STS is set any time the most significant bit of the timer changes." */
static unsigned half_cycle_shift(const struct acpi_pm_state *state)
{
	return state->timer_is_32_bit ? 31 : 23;
}

static uint32_t advance(struct acpi_pm *pm, uint64_t now_ns)
{
	struct acpi_pm_state *state = &pm->state;
	uint64_t tick = clock_ticks(now_ns, ACPI_PM_TIMER_HZ);
	unsigned shift = half_cycle_shift(state);

	if (tick < state->last_tick)
		tick = state->last_tick;
	if (tick >> shift != state->last_tick >> shift)
		state->status |= PM1_TIMER;
	state->last_tick = tick;
	return (uint32_t)(state->timer_is_32_bit ? tick : tick & 0xffffff);
}

static uint64_t pm_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct acpi_pm *pm = dev;
	uint32_t timer = advance(pm, now_ns);
	uint64_t word;

	(void)width;
	update_sci(pm);
	if (offset >= ACPI_PM_TIMER)
		return offset < ACPI_PM_TIMER + ACPI_PM_TIMER_LENGTH ? timer >> (offset - ACPI_PM_TIMER) * 8 : 0;
	word = pm->state.status | (uint64_t)pm->state.enable << ENABLE_SHIFT |
	       (uint64_t)(pm->state.control | PM1_SCI_EN) << CONTROL_SHIFT;
	return word >> offset * 8;
}

/* value and mask: the register's bytes that were written. */
static void write_control(struct acpi_pm *pm, uint16_t value, uint16_t mask)
{
	struct acpi_pm_state *state = &pm->state;
	unsigned type;

	state->control = (uint16_t)((state->control & ~mask) | (value & PM1_CONTROL_WRITABLE));
	type = (state->control & PM1_SLP_TYP) >> PM1_SLP_TYP_SHIFT;
	if ((value & PM1_SLP_EN) != 0 && type == ACPI_PM_SLP_TYP_S3_QEMU)
		state->asks_for_s3 = true;
	if (!(value & PM1_SLP_EN) || (type != ACPI_PM_SLP_TYP_S5 && type != ACPI_PM_SLP_TYP_S5_QEMU))
		return;
	if (pm->wires.power_off != NULL)
		pm->wires.power_off(pm->wires.ctx);
}

static void pm_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct acpi_pm *pm = dev;
	struct acpi_pm_state *state = &pm->state;
	uint64_t mask = width < 8 ? (1ULL << width * 8) - 1 : UINT64_MAX;
	uint16_t enable_mask;

	(void)advance(pm, now_ns);
	if (offset >= ACPI_PM_TIMER)
		return;
	value = (value & mask) << offset * 8;
	mask <<= offset * 8;
	enable_mask = (uint16_t)(mask >> ENABLE_SHIFT);
	state->status &= (uint16_t)~value | (uint16_t)~PM1_STATUS_CLEARABLE;
	state->enable = (uint16_t)((state->enable & ~enable_mask) | (value >> ENABLE_SHIFT & PM1_ENABLE_WRITABLE));
	write_control(pm, (uint16_t)(value >> CONTROL_SHIFT), (uint16_t)(mask >> CONTROL_SHIFT));
	update_sci(pm);
}

/* Only an enabled timer that is not yet reported needs to be woken for. */
static uint64_t pm_next_event_ns(const void *dev)
{
	const struct acpi_pm *pm = dev;
	unsigned shift = half_cycle_shift(&pm->state);

	if (!(pm->state.enable & PM1_TIMER) || (pm->state.status & PM1_TIMER))
		return NO_EVENT_NS;
	return clock_ns(((pm->state.last_tick >> shift) + 1) << shift, ACPI_PM_TIMER_HZ);
}

static void pm_tick(void *dev, uint64_t now_ns)
{
	(void)advance(dev, now_ns);
	update_sci(dev);
}

static void pm_reset(void *dev)
{
	struct acpi_pm *pm = dev;

	pm->state.status = 0;
	pm->state.enable = 0;
	pm->state.control = 0;
	pm->state.asks_for_s3 = false;
	update_sci(pm);
}

void acpi_pm_init(struct acpi_pm *pm, const struct acpi_pm_wires *wires, bool timer_is_32_bit)
{
	*pm = (struct acpi_pm){.state = {.timer_is_32_bit = timer_is_32_bit}, .wires = *wires};
}

bool acpi_pm_press_power_button(struct acpi_pm *pm)
{
	pm->state.status |= PM1_POWER_BUTTON;
	update_sci(pm);
	return (pm->state.enable & PM1_POWER_BUTTON) != 0;
}

bool acpi_pm_asks_for_s3(const struct acpi_pm *pm)
{
	return pm->state.asks_for_s3;
}

bool acpi_pm_try_wake(struct acpi_pm *pm, bool rtc_interrupt)
{
	struct acpi_pm_state *state = &pm->state;

	if (!state->asks_for_s3)
		return false;
	if (rtc_interrupt)
		state->status |= PM1_RTC;
	if ((state->status & state->enable & PM1_WAKES) != 0) {
		state->status |= PM1_WAKE;
		state->asks_for_s3 = false;
	}
	update_sci(pm);
	return !state->asks_for_s3;
}

const struct device_ops acpi_pm_ops = {
	.name = "acpi-pm",
	.width_max = 4,
	.uses_time = true,
	.read = pm_read,
	.write = pm_write,
	.next_event_ns = pm_next_event_ns,
	.tick = pm_tick,
	.reset = pm_reset,
};
