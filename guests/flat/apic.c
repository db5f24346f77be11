/* The local APIC. SDM Vol. 3A, "Local APIC", "x2APIC Register Address Space", "Issuing Interprocessor Interrupts". */
#include "guests/flat/apic.h"

#include "guests/flat/cpu.h"

#define MSR_APIC_BASE      0x1bU
#define MSR_X2APIC_FIRST   0x800U
#define APIC_BASE_ENABLE   0x800U
#define APIC_BASE_X2APIC   0x400U
#define XAPIC_PAGE         0xfee00000UL
#define SVR_ENABLE         0x1ffU
#define ICR_DELIVERY_STATUS 0x1000U

static bool in_xapic; /* all processors of this program alike */

bool apic_in_x2apic(void)
{
	return !in_xapic;
}

uint32_t apic_read(uint32_t offset)
{
	if (in_xapic)
		return *(volatile uint32_t *)(XAPIC_PAGE + offset);
	return (uint32_t)read_msr(MSR_X2APIC_FIRST + offset / 16);
}

void apic_write(uint32_t offset, uint32_t value)
{
	if (in_xapic)
		*(volatile uint32_t *)(XAPIC_PAGE + offset) = value;
	else
		write_msr(MSR_X2APIC_FIRST + offset / 16, value);
}

void apic_enable(bool as_xapic)
{
	in_xapic = as_xapic;
	write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | APIC_BASE_ENABLE | (as_xapic ? 0 : APIC_BASE_X2APIC));
	apic_write(APIC_SVR, SVR_ENABLE);
}

uint32_t apic_number(void)
{
	return cpuid(0x0b, 0).edx;
}

void apic_send(uint32_t destination, uint32_t command)
{
	if (!in_xapic) {
		write_msr(MSR_X2APIC_FIRST + APIC_ICR_LOW / 16, (uint64_t)destination << 32 | command);
		return;
	}
	while ((apic_read(APIC_ICR_LOW) & ICR_DELIVERY_STATUS) != 0)
		;
	apic_write(APIC_ICR_HIGH, destination << 24);
	apic_write(APIC_ICR_LOW, command);
}
