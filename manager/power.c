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

/* Type first, then the same with the enable bit, as the specification orders. */
static void enter_sleep(const struct power *power, uint16_t port, uint8_t type)
{
	uint32_t value = (read16(power, port) & ~PM1_CONTROL_SLEEP_MASK) | (uint32_t)type << PM1_CONTROL_SLEEP_TYPE_SHIFT;

	write16(power, port, value);
	write16(power, port, value | PM1_CONTROL_SLEEP_ENABLE);
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
	enter_sleep(power, control_a, power->tables.s5.sleep_type_a);
	if (control_b != 0)
		enter_sleep(power, control_b, power->tables.s5.sleep_type_b);
	power->wait_ms(power->context, OFF_WAIT_MS);
	return ERR_TIMED_OUT;
}

bool power_has_button(const struct power *power)
{
	const struct acpi_fadt *fadt = &power->tables.fadt;

	return power->has_tables && (fadt->flags & (FADT_FLAG_PWR_BUTTON | FADT_FLAG_HW_REDUCED)) == 0 &&
	       port_of(&fadt->pm1a_event.at) != 0 && fadt->pm1a_event.length_bytes >= 4;
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

void power_enable_button(struct power *power)
{
	const struct acpi_fadt *fadt = &power->tables.fadt;

	silence_general_events(power, &fadt->gpe0);
	silence_general_events(power, &fadt->gpe1);
	set_pm1_enable(power, &fadt->pm1a_event, PM1_STATUS_POWER_BUTTON);
	set_pm1_enable(power, &fadt->pm1b_event, PM1_STATUS_POWER_BUTTON);
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
