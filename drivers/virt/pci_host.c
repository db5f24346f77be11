/* Dispatch of configuration accesses, the host bridge's own configuration space, and reset control. */
#include "drivers/virt/pci_host.h"

#include <stddef.h>

/* CONFIG_ADDRESS */
#define CONFIG_ENABLE      0x80000000U
#define CONFIG_WRITABLE    0x80fffffcU
#define CONFIG_BUS_SHIFT   16
#define CONFIG_DEVFN_SHIFT 8
#define CONFIG_REGISTER    0xfcU
/* Offsets among the ports */
#define PORT_RESET_CONTROL 1
#define PORT_CONFIG_DATA   4
/* Reset Control Register */
#define RESET_SYSTEM   0x02
#define RESET_CPU      0x04
#define RESET_FULL     0x08
#define RESET_WRITABLE (RESET_SYSTEM | RESET_CPU | RESET_FULL)
/* ECAM address */
#define ECAM_DEVFN_SHIFT 12
#define ECAM_REGISTER    0xfffU

/* Type 0 header: device 29C0h of vendor 8086h, class "bridge, host". Everything else reads 0; nothing is writable. */
static const uint32_t bridge_header[16] = {
	[0] = 0x29c08086, /* device, vendor */
	[1] = 0x00000006, /* command: memory space, bus master */
	[2] = 0x06000002, /* class, revision */
};

static uint32_t bridge_read(void *function, unsigned reg, unsigned width)
{
	(void)function;
	(void)width;
	return reg / 4 < 16 ? bridge_header[reg / 4] >> reg % 4 * 8 : 0;
}

static void bridge_write(void *function, unsigned reg, unsigned width, uint32_t value)
{
	(void)function;
	(void)reg;
	(void)width;
	(void)value;
}

static const struct pci_config_ops bridge_ops = {.read = bridge_read, .write = bridge_write};

/* An access that software can express but that a function need not understand: crosses a register, or is too wide. */
static bool is_odd(unsigned reg, unsigned width)
{
	return width > 4 || reg % 4 > 4 - width;
}

static uint32_t config_read(const struct pci_host *host, unsigned devfn, unsigned reg, unsigned width)
{
	const struct pci_slot *slot = &host->slots[devfn];

	if (slot->ops == NULL || is_odd(reg, width))
		return UINT32_MAX;
	return slot->ops->read(slot->function, reg, width);
}

static void config_write(const struct pci_host *host, unsigned devfn, unsigned reg, unsigned width, uint32_t value)
{
	const struct pci_slot *slot = &host->slots[devfn];

	if (slot->ops != NULL && !is_odd(reg, width))
		slot->ops->write(slot->function, reg, width, value);
}

/* Whether CONFIG_ADDRESS names a function of bus 0; other buses are empty. */
static bool address_is_mine(const struct pci_host *host)
{
	return (host->state.address & CONFIG_ENABLE) && (host->state.address >> CONFIG_BUS_SHIFT & 0xff) == 0;
}

static unsigned address_devfn(const struct pci_host *host)
{
	return host->state.address >> CONFIG_DEVFN_SHIFT & 0xff;
}

static unsigned address_register(const struct pci_host *host, uint64_t offset)
{
	return (host->state.address & CONFIG_REGISTER) | (unsigned)(offset & 3);
}

/* "RST_CPU: transition from 0 to 1 initiates a hard or soft reset": either restarts the machine. */
static void write_reset_control(struct pci_host *host, uint8_t value)
{
	bool rises = (value & RESET_CPU) && !(host->state.reset_control & RESET_CPU);

	host->state.reset_control = value & RESET_WRITABLE;
	if (rises && host->wires.reset != NULL)
		host->wires.reset(host->wires.ctx);
}

/* CONFIG_ADDRESS answers to 32-bit accesses only: smaller ones pass it by, to what else lies there. */
static uint64_t host_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct pci_host *host = dev;

	(void)now_ns;
	if (offset >= PORT_CONFIG_DATA && address_is_mine(host))
		return config_read(host, address_devfn(host), address_register(host, offset), width);
	if (offset == 0 && width == 4)
		return host->state.address;
	if (offset == PORT_RESET_CONTROL && width == 1)
		return host->state.reset_control;
	return UINT32_MAX;
}

static void host_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct pci_host *host = dev;

	(void)now_ns;
	if (offset >= PORT_CONFIG_DATA) {
		if (address_is_mine(host))
			config_write(host, address_devfn(host), address_register(host, offset), width, (uint32_t)value);
	} else if (offset == 0 && width == 4) {
		host->state.address = (uint32_t)value & CONFIG_WRITABLE;
	} else if (offset == PORT_RESET_CONTROL && width == 1) {
		write_reset_control(host, (uint8_t)value);
	}
}

static uint64_t ecam_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct pci_host *host = dev;

	(void)now_ns;
	if (offset >= PCI_ECAM_BUS_SIZE)
		return UINT32_MAX;
	return config_read(host, (unsigned)(offset >> ECAM_DEVFN_SHIFT), offset & ECAM_REGISTER, width);
}

static void ecam_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	const struct pci_host *host = dev;

	(void)now_ns;
	if (offset < PCI_ECAM_BUS_SIZE)
		config_write(host, (unsigned)(offset >> ECAM_DEVFN_SHIFT), offset & ECAM_REGISTER, width,
			     (uint32_t)value);
}

static void host_reset(void *dev)
{
	struct pci_host *host = dev;

	host->state = (struct pci_host_state){0};
}

void pci_host_init(struct pci_host *host, const struct pci_host_wires *wires)
{
	*host = (struct pci_host){.wires = *wires, .slots = {[0] = {.ops = &bridge_ops}}};
}

enum status pci_host_attach(struct pci_host *host, unsigned devfn, const struct pci_config_ops *ops, void *function)
{
	if (devfn >= PCI_FUNCTION_COUNT)
		return ERR_OUT_OF_RANGE;
	if (host->slots[devfn].ops != NULL)
		return ERR_EXISTS;
	host->slots[devfn] = (struct pci_slot){.ops = ops, .function = function};
	return OK;
}

const struct device_ops pci_host_ops = {
	.name = "pci",
	.width_max = 4,
	.uses_time = false,
	.read = host_read,
	.write = host_write,
	.reset = host_reset,
};

const struct device_ops pci_ecam_ops = {
	.name = "pci-ecam",
	.width_max = 4,
	.uses_time = false,
	.read = ecam_read,
	.write = ecam_write,
};
