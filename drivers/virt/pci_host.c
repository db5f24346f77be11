/* Dispatch of configuration accesses, and reset control. Each access looks at CONFIG_ADDRESS once: another vCPU may change it. */
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

/* An access that software can express but that a function need not understand: crosses a register, or is too wide. */
static bool is_odd(unsigned reg, unsigned width)
{
	return width > 4 || reg % 4 > 4 - width;
}

static uint32_t config_read(const struct pci_host *host, unsigned devfn, unsigned reg, unsigned width)
{
	const struct pci_slot *slot = &host->slots[devfn];
	uint32_t value;

	if (slot->ops == NULL || is_odd(reg, width))
		return UINT32_MAX;
	if (slot->lock == NULL)
		return slot->ops->read(slot->function, reg, width);
	host->wires.acquire(host->wires.ctx, slot->lock);
	value = slot->ops->read(slot->function, reg, width);
	host->wires.release(host->wires.ctx, slot->lock);
	return value;
}

static void config_write(const struct pci_host *host, unsigned devfn, unsigned reg, unsigned width, uint32_t value)
{
	const struct pci_slot *slot = &host->slots[devfn];

	if (slot->ops == NULL || is_odd(reg, width))
		return;
	if (slot->lock != NULL)
		host->wires.acquire(host->wires.ctx, slot->lock);
	slot->ops->write(slot->function, reg, width, value);
	if (slot->lock != NULL)
		host->wires.release(host->wires.ctx, slot->lock);
}

/* Whether a CONFIG_ADDRESS names a function of bus 0; other buses are empty. */
static bool address_is_mine(uint32_t address)
{
	return (address & CONFIG_ENABLE) && (address >> CONFIG_BUS_SHIFT & 0xff) == 0;
}

static unsigned address_devfn(uint32_t address)
{
	return address >> CONFIG_DEVFN_SHIFT & 0xff;
}

static unsigned address_register(uint32_t address, uint64_t offset)
{
	return (address & CONFIG_REGISTER) | (unsigned)(offset & 3);
}

/* "RST_CPU: transition from 0 to 1 initiates a hard or soft reset": either restarts the machine. */
static void write_reset_control(struct pci_host *host, uint8_t value)
{
	uint8_t before = atomic_exchange(&host->state.reset_control, value & RESET_WRITABLE);
	bool rises = (value & RESET_CPU) && !(before & RESET_CPU);

	if (rises && host->wires.reset != NULL)
		host->wires.reset(host->wires.ctx);
}

/* CONFIG_ADDRESS answers to 32-bit accesses only: smaller ones pass it by, to what else lies there. */
static uint64_t host_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct pci_host *host = dev;
	uint32_t address = atomic_load_explicit(&host->state.address, memory_order_relaxed);

	(void)now_ns;
	if (offset >= PORT_CONFIG_DATA && address_is_mine(address))
		return config_read(host, address_devfn(address), address_register(address, offset), width);
	if (offset == 0 && width == 4)
		return address;
	if (offset == PORT_RESET_CONTROL && width == 1)
		return atomic_load_explicit(&host->state.reset_control, memory_order_relaxed);
	return UINT32_MAX;
}

static void host_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct pci_host *host = dev;
	uint32_t address = atomic_load_explicit(&host->state.address, memory_order_relaxed);

	(void)now_ns;
	if (offset >= PORT_CONFIG_DATA) {
		if (address_is_mine(address))
			config_write(host, address_devfn(address), address_register(address, offset), width, (uint32_t)value);
	} else if (offset == 0 && width == 4) {
		atomic_store_explicit(&host->state.address, (uint32_t)value & CONFIG_WRITABLE, memory_order_relaxed);
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

	atomic_store(&host->state.address, 0);
	atomic_store(&host->state.reset_control, 0);
}

void pci_host_init(struct pci_host *host, const struct pci_host_wires *wires)
{
	*host = (struct pci_host){.wires = *wires};
}

enum status pci_host_attach(struct pci_host *host, unsigned devfn, const struct pci_config_ops *ops, void *function,
			    void *lock)
{
	if (devfn >= PCI_FUNCTION_COUNT)
		return ERR_OUT_OF_RANGE;
	if (host->slots[devfn].ops != NULL)
		return ERR_EXISTS;
	host->slots[devfn] = (struct pci_slot){.ops = ops, .function = function, .lock = lock};
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
