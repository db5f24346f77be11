/* Ports CF8h and CFCh. */
#include "guests/flat/pci.h"

#include "guests/flat/cpu.h"

#define CONFIG_ADDRESS 0xcf8U
#define CONFIG_DATA    0xcfcU
#define CONFIG_ENABLE  0x80000000U
#define DEVICES        32U
#define CAPABILITIES   0x34U
#define BAR_64BIT      0x4U

static void select(unsigned device, unsigned reg)
{
	out32(CONFIG_ADDRESS, CONFIG_ENABLE | device << 11 | (reg & 0xfcU));
}

uint32_t pci_read32(unsigned device, unsigned reg)
{
	select(device, reg);
	return in32(CONFIG_DATA);
}

uint16_t pci_read16(unsigned device, unsigned reg)
{
	return (uint16_t)(pci_read32(device, reg) >> (reg & 2) * 8);
}

uint8_t pci_read8(unsigned device, unsigned reg)
{
	return (uint8_t)(pci_read32(device, reg) >> (reg & 3) * 8);
}

void pci_write32(unsigned device, unsigned reg, uint32_t value)
{
	select(device, reg);
	out32(CONFIG_DATA, value);
}

void pci_write16(unsigned device, unsigned reg, uint16_t value)
{
	select(device, reg);
	out16((uint16_t)(CONFIG_DATA + (reg & 2)), value);
}

bool pci_find(uint16_t vendor, uint16_t id, unsigned nth, unsigned *device)
{
	for (unsigned i = 0; i < DEVICES; i++) {
		if (pci_read32(i, 0) != (vendor | (uint32_t)id << 16))
			continue;
		if (nth == 0) {
			*device = i;
			return true;
		}
		nth--;
	}
	return false;
}

unsigned pci_capability(unsigned device, uint8_t id, unsigned after)
{
	unsigned at = pci_read8(device, after == 0 ? CAPABILITIES : after + 1);

	while (at != 0 && pci_read8(device, at) != id)
		at = pci_read8(device, at + 1);
	return at;
}

uint64_t pci_bar(unsigned device, unsigned bar)
{
	uint64_t low = pci_read32(device, PCI_BAR_0 + bar * 4);

	if ((low & 1) != 0)
		return low & ~3ULL;
	if ((low & BAR_64BIT) != 0)
		low |= (uint64_t)pci_read32(device, PCI_BAR_0 + bar * 4 + 4) << 32;
	return low & ~15ULL;
}
