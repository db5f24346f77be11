/* ACPI's fixed power management registers. Only those in I/O port space are used: others are left to UEFI. */
#include "manager/power.h"

#define PM1_STATUS_POWER_BUTTON 0x0100U
#define PM1_STATUS_ALL          0xffffU /* each bit is cleared by writing it as one */
#define PM1_CONTROL_SCI_ENABLE  0x0001U
#define PM1_CONTROL_SLEEP_MASK  0x3c00U /* SLP_TYP and SLP_EN */
#define PM1_CONTROL_SLEEP_TYPE_SHIFT 10
#define PM1_CONTROL_SLEEP_ENABLE 0x2000U
#define SLEEP_CONTROL_TYPE_SHIFT 2
#define SLEEP_CONTROL_ENABLE    0x20U
#define SLEEP_CONTROL_KEEP      0xc3U

#define ACPI_MODE_TRIES   300U
#define ACPI_MODE_STEP_MS 10U
#define OFF_WAIT_MS       2000U

/* The port of a register, or 0. */
static uint16_t port_of(const struct acpi_gas *at)
{
	return at->space == ACPI_GAS_PORT && at->address <= 0xfff0 ? (uint16_t)at->address : 0;
}

static uint16_t read16(const struct power *power, uint16_t port)
{
	return (uint16_t)power->ports->read(power->ports->context, port, 2);
}

static void write16(const struct power *power, uint16_t port, uint32_t value)
{
	power->ports->write(power->ports->context, port, 2, value & 0xffff);
}

enum status power_enable_acpi(struct power *power)
{
	const struct acpi_fadt *fadt = &power->tables.fadt;
	uint16_t control = port_of(&fadt->pm1a_control.at);

	if (!power->has_tables || control == 0)
		return ERR_UNSUPPORTED;
	if ((read16(power, control) & PM1_CONTROL_SCI_ENABLE) != 0)
		return OK;
	if (fadt->smi_command_port == 0 || fadt->smi_command_port > 0xffff || fadt->acpi_enable == 0)
		return ERR_UNSUPPORTED;
	power->ports->write(power->ports->context, (uint16_t)fadt->smi_command_port, 1, fadt->acpi_enable);
	for (unsigned i = 0; i < ACPI_MODE_TRIES; i++) {
		if ((read16(power, control) & PM1_CONTROL_SCI_ENABLE) != 0)
			return OK;
		power->wait_ms(power->context, ACPI_MODE_STEP_MS);
	}
	return ERR_TIMED_OUT;
}

/* An event block: status, then enable, half its length each. */
static void set_pm1_enable(const struct power *power, const struct acpi_block *block, uint32_t value)
{
	uint16_t port = port_of(&block->at);

	if (port == 0 || block->length_bytes < 4)
		return;
	write16(power, port, PM1_STATUS_ALL);
	write16(power, (uint16_t)(port + block->length_bytes / 2), value);
}

static void silence_general_events(const struct power *power, const struct acpi_block *block)
{
	uint16_t port = port_of(&block->at);

	for (unsigned i = block->length_bytes / 2; port != 0 && i < block->length_bytes; i++)
		power->ports->write(power->ports->context, (uint16_t)(port + i), 1, 0);
}

/* Which fixed events the SCI tells; no general-purpose event does. What was told before, wake status included, is cleared. */
static void enable_events(const struct power *power, uint32_t fixed_events)
{
	const struct acpi_fadt *fadt = &power->tables.fadt;

	silence_general_events(power, &fadt->gpe0);
	silence_general_events(power, &fadt->gpe1);
	set_pm1_enable(power, &fadt->pm1a_event, fixed_events);
	set_pm1_enable(power, &fadt->pm1b_event, fixed_events);
}

/* The value that puts the type of sleep into a control register, without the bit that begins it. */
static uint32_t sleep_value(const struct power *power, uint16_t port, uint8_t type)
{
	return (read16(power, port) & ~PM1_CONTROL_SLEEP_MASK) | (uint32_t)type << PM1_CONTROL_SLEEP_TYPE_SHIFT;
}

/* Both registers get their type before either gets the enable bit: where they are one device in two halves, it looks at both at
 * that moment. control_b: 0 where there is none. ACPI, "Transitioning from the Working to the Sleeping State". */
static void enter_s5(const struct power *power, uint16_t control_a, uint16_t control_b)
{
	const struct acpi_s5 *s5 = &power->tables.s5;
	uint32_t value_a = sleep_value(power, control_a, s5->sleep_type_a);
	uint32_t value_b = control_b != 0 ? sleep_value(power, control_b, s5->sleep_type_b) : 0;

	write16(power, control_a, value_a);
	if (control_b != 0)
		write16(power, control_b, value_b);
	write16(power, control_a, value_a | PM1_CONTROL_SLEEP_ENABLE);
	if (control_b != 0)
		write16(power, control_b, value_b | PM1_CONTROL_SLEEP_ENABLE);
}

/* PCs without PM1 registers ("hardware-reduced"). */
static enum status off_by_sleep_control(const struct power *power)
{
	uint16_t port = port_of(&power->tables.fadt.sleep_control);
	uint32_t value;

	if (port == 0)
		return ERR_UNSUPPORTED;
	value = power->ports->read(power->ports->context, port, 1) & SLEEP_CONTROL_KEEP;
	value |= (uint32_t)power->tables.s5.sleep_type_a << SLEEP_CONTROL_TYPE_SHIFT;
	power->ports->write(power->ports->context, port, 1, value | SLEEP_CONTROL_ENABLE);
	power->wait_ms(power->context, OFF_WAIT_MS);
	return ERR_TIMED_OUT;
}

enum status power_off_by_acpi(struct power *power)
{
	const struct acpi_fadt *fadt = &power->tables.fadt;
	uint16_t control_a = port_of(&fadt->pm1a_control.at);
	uint16_t control_b = port_of(&fadt->pm1b_control.at);

	if (!power->has_tables || !power->tables.has_s5)
		return ERR_UNSUPPORTED;
	if (control_a == 0)
		return off_by_sleep_control(power);
	/* Some firmware switches off without ACPI mode: not being able to enter it is no reason to give up. */
	(void)(power_enable_acpi(power) == OK);
	/* A button's or a device's event that is still enabled would wake the PC at once. */
	enable_events(power, 0);
	enter_s5(power, control_a, control_b);
	power->wait_ms(power->context, OFF_WAIT_MS);
	/* The PC stayed on: then its button shall work. */
	if (power_has_button(power))
		power_enable_button(power);
	return ERR_TIMED_OUT;
}

bool power_has_button(const struct power *power)
{
	const struct acpi_fadt *fadt = &power->tables.fadt;

	return power->has_tables && (fadt->flags & (FADT_FLAG_PWR_BUTTON | FADT_FLAG_HW_REDUCED)) == 0 &&
	       port_of(&fadt->pm1a_event.at) != 0 && fadt->pm1a_event.length_bytes >= 4;
}

void power_enable_button(struct power *power)
{
	enable_events(power, PM1_STATUS_POWER_BUTTON);
}

static uint16_t take_status(const struct power *power, const struct acpi_block *block)
{
	uint16_t port = port_of(&block->at);
	uint16_t status;

	if (port == 0)
		return 0;
	status = read16(power, port);
	write16(power, port, status);
	return status;
}

bool power_take_button(struct power *power)
{
	uint16_t status = take_status(power, &power->tables.fadt.pm1a_event);

	status |= take_status(power, &power->tables.fadt.pm1b_event);
	return (status & PM1_STATUS_POWER_BUTTON) != 0;
}
