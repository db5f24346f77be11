/* The host bridge's registers: a PCI function with some more of its own, one of which places ECAM. */
#include "drivers/virt/pci_host_bridge.h"

#include "drivers/virt/pci_config.h"
#include "drivers/virt/pci_decode.h"

#define PCIEXBAR_LENGTH_SHIFT  1
#define PCIEXBAR_LENGTH_MASK   0x3U
#define PCIEXBAR_LOW_WRITABLE  0xfc000007U
#define PCIEXBAR_HIGH_WRITABLE 0x0000000fU
#define PCIEXBAR_BASE          0xffc000000ULL
#define BRIDGE_COMMAND         (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER) /* always */
#define PAM0                   0x90U
#define PAM0_WRITABLE          0x30U /* the segment from F0000h on; the other nibble has none */
#define PAM1                   0x91U
#define PAM6                   0x96U
#define PAM_WRITABLE           0x33U
#define SMRAM                  0x9dU
#define SMRAM_LOCKED           0x12U /* D_LCK, C_BASE_SEG */
#define ESMRAMC                0x9eU
#define ESMRAMC_NONE           0x38U /* cache bits only: no TSEG */

static const struct pci_identity identity = {
	.vendor = 0x8086,
	.device = 0x29c0,
	.subsystem_vendor = PCI_SUBSYSTEM_VENDOR,
	.subsystem = PCI_SUBSYSTEM,
	.class_code = 0x060000,
	.revision = 2,
};

static uint64_t pciexbar(const struct pci_host_bridge *bridge)
{
	return pci_function_register(&bridge->function, PCI_PCIEXBAR, 4) |
	       (uint64_t)pci_function_register(&bridge->function, PCI_PCIEXBAR + 4, 4) << 32;
}

/* "Length: 00 256 MB, 01 128 MB, 10 64 MB, 11 reserved". */
static unsigned ecam_length(const struct pci_host_bridge *bridge)
{
	return pciexbar(bridge) >> PCIEXBAR_LENGTH_SHIFT & PCIEXBAR_LENGTH_MASK;
}

static uint64_t ecam_bytes(const struct pci_host_bridge *bridge)
{
	return 0x10000000ULL >> ecam_length(bridge);
}

static uint64_t ecam_base(const struct pci_host_bridge *bridge)
{
	if ((pciexbar(bridge) & PCI_PCIEXBAR_ENABLE) == 0 || ecam_length(bridge) == PCIEXBAR_LENGTH_MASK)
		return PCI_DECODE_OFF;
	return pciexbar(bridge) & PCIEXBAR_BASE;
}

static void follow_pciexbar(struct pci_host_bridge *bridge)
{
	uint64_t base = ecam_base(bridge), size_bytes = base == PCI_DECODE_OFF ? 0 : ecam_bytes(bridge);

	if (base == bridge->told && size_bytes == bridge->told_bytes)
		return;
	bridge->told = base;
	bridge->told_bytes = size_bytes;
	bridge->wires.ecam_moved(bridge->wires.ctx, base, size_bytes);
}

/* "This bit is either part of the PCI Express Base Address (R/W) or part of the Address Mask (RO, read 0b), depending on" the
 * length: bits 27 and 26. */
static void mask_address(struct pci_host_bridge *bridge)
{
	uint8_t mask = (uint8_t)((ecam_bytes(bridge) - 1) >> 24);

	bridge->function.state.config[PCI_PCIEXBAR + 3] &= (uint8_t)~mask;
}

static uint32_t bridge_read(void *dev, unsigned reg, unsigned width)
{
	struct pci_host_bridge *bridge = dev;

	return pci_function_ops.read(&bridge->function, reg, width);
}

static void bridge_write(void *dev, unsigned reg, unsigned width, uint32_t value)
{
	struct pci_host_bridge *bridge = dev;

	pci_function_ops.write(&bridge->function, reg, width, value);
	mask_address(bridge);
	follow_pciexbar(bridge);
}

const struct pci_config_ops pci_host_bridge_ops = {.read = bridge_read, .write = bridge_write};

void pci_host_bridge_init(struct pci_host_bridge *bridge, const struct pci_host_bridge_wires *wires, uint64_t ecam_base_address)
{
	static const struct pci_function_wires none = {0};
	struct pci_function *function = &bridge->function;
	uint32_t enable = ecam_base_address == 0 ? 0 : PCI_PCIEXBAR_ENABLE;

	bridge->wires = *wires;
	bridge->told = PCI_DECODE_OFF;
	pci_function_init(function, &identity, &none);
	pci_function_define(function, PCI_CONFIG_COMMAND, 2, BRIDGE_COMMAND, PCI_COMMAND_SERR);
	pci_function_define(function, PCI_PCIEXBAR, 4, (uint32_t)ecam_base_address | enable, PCIEXBAR_LOW_WRITABLE);
	pci_function_define(function, PCI_PCIEXBAR + 4, 4, (uint32_t)(ecam_base_address >> 32), PCIEXBAR_HIGH_WRITABLE);
	pci_function_define(function, PAM0, 1, 0, PAM0_WRITABLE);
	for (unsigned pam = PAM1; pam <= PAM6; pam++)
		pci_function_define(function, pam, 1, 0, PAM_WRITABLE);
	pci_function_define(function, SMRAM, 1, SMRAM_LOCKED, 0);
	pci_function_define(function, ESMRAMC, 1, ESMRAMC_NONE, 0);
	follow_pciexbar(bridge);
}

void pci_host_bridge_reset(struct pci_host_bridge *bridge)
{
	pci_function_reset(&bridge->function);
	follow_pciexbar(bridge);
}
