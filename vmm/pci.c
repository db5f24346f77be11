/* Bus 0 as this machine has it. A BAR's place is one atomic word of the decode table, which every access that finds no fixed device
 * looks at; the device behind it is entered under its own lock. */
#include "vmm/pci.h"

#include "drivers/virt/pci_config.h"
#include "user/calls.h"
#include "vmm/acpi/tables.h"
#include "vmm/firmware.h"
#include "vmm/machine.h"

#define DEVICE_FIRST    2U
#define LPC_DEVICE      31U
#define PLACE_IO_END     0x10000ULL
#define PLACE_MEMORY_END ((uint64_t)GUEST_ECAM_BASE)
#define NO_WINDOW       UINT32_MAX

static void move_ecam(void *ctx, uint64_t base, uint64_t size_bytes)
{
	struct machine *machine = ctx;

	atomic_store_explicit(&machine->ecam_bytes, size_bytes, memory_order_relaxed);
	pci_decode_move(&machine->pci_decode, machine->ecam_window, base);
}

/* The window is one bus large: the others are empty, as is what nobody claims. */
static enum status attach_ecam(struct machine *machine)
{
	const struct pci_window ecam = {.size_bytes = PCI_ECAM_BUS_SIZE, .ops = &pci_ecam_ops, .dev = &machine->pci};

	return pci_decode_attach(&machine->pci_decode, &ecam, &machine->ecam_window);
}

/* The lines are the interrupt controllers', under another lock: they follow when the relay is drained. */
static void route_pirq(void *ctx, unsigned pirq, unsigned irq)
{
	struct machine *machine = ctx;
	struct irq_line line = irq_relay_line(&machine->relay, SOURCE_ROUTES);

	atomic_store(&machine->pirq_routes[pirq], (uint8_t)irq);
	line.set(line.ctx, true);
	line.set(line.ctx, false);
}

enum status pci_build(struct machine *machine)
{
	const struct pci_host_bridge_wires wires = {.ecam_moved = move_ecam, .ctx = machine};
	const struct pci_lpc_wires lpc = {.routed = route_pirq, .ctx = machine};
	void *lock = &machine->locks[LOCK_PCI];
	bool has_firmware = firmware_of(machine->spec) != NULL;
	enum status status = attach_ecam(machine);

	machine->pci_io_next = PCI_PLACE_IO;
	machine->pci_memory_next = PCI_PLACE_MEMORY;
	pci_lpc_init(&machine->lpc, &lpc, !has_firmware);
	/* Interrupts of PCI are levels. */
	if (!has_firmware)
		pic8259_ops.write(&machine->pic, PIC8259_ELCR + 1, 1, 1U << (PCI_LPC_IRQ(0) - 8) | 1U << (PCI_LPC_IRQ(1) - 8), 0);
	if (status == OK)
		status = pci_host_attach(&machine->pci, PCI_DEVFN(LPC_DEVICE, 0), &pci_lpc_ops, &machine->lpc, lock);
	if (status == OK)
		status = pci_host_attach(&machine->pci, PCI_DEVFN(0, 0), &pci_host_bridge_ops, &machine->host_bridge, lock);
	if (status == OK)
		pci_host_bridge_init(&machine->host_bridge, &wires, has_firmware ? 0 : GUEST_ECAM_BASE);
	return status;
}

static void carry_bar(void *ctx, unsigned bar, uint64_t base)
{
	struct pci_slot_entry *slot = ctx;

	if (slot->windows[bar] != NO_WINDOW)
		pci_decode_move(&slot->machine->pci_decode, slot->windows[bar], base);
	if (slot->bar_moved != NULL)
		slot->bar_moved(slot->ctx, bar, base);
}

static void carry_message(void *ctx, uint64_t address, uint32_t data)
{
	const struct pci_slot_entry *slot = ctx;

	/* Fails for an address that is no local APIC's, which reaches nobody, and for a VM that is being destroyed. */
	if (sys_vm_msi(slot->machine->spec->handles.vm, address, data) != OK)
		return;
}

enum status pci_claim_slot(struct machine *machine, void *lock, struct pci_slot_entry **slot, struct pci_function_wires *wires)
{
	for (unsigned i = 0; i < PCI_SLOTS_MAX; i++) {
		struct pci_slot_entry *entry = &machine->pci_slots[i];

		if (entry->machine != NULL)
			continue;
		*entry = (struct pci_slot_entry){.machine = machine, .lock = lock, .device = DEVICE_FIRST + i};
		for (unsigned bar = 0; bar < PCI_BARS_MAX; bar++)
			entry->windows[bar] = NO_WINDOW;
		*slot = entry;
		*wires = (struct pci_function_wires){
			.bar_moved = carry_bar,
			.send = carry_message,
			.pin = irq_relay_line(&machine->relay, SOURCE_PCI + i),
			.ctx = entry,
		};
		return OK;
	}
	return ERR_NO_SPACE;
}

static enum status attach_windows(struct pci_slot_entry *slot, const struct pci_bar_registers registers[PCI_BARS_MAX])
{
	enum status status = OK;

	for (unsigned bar = 0; bar < PCI_BARS_MAX && status == OK; bar++) {
		const struct pci_bar *identity = &slot->function->identity.bars[bar];
		const struct pci_window window = {
			.is_io = identity->is_io,
			.size_bytes = identity->size_bytes,
			.first_offset = registers[bar].first_offset,
			.ops = registers[bar].ops,
			.dev = registers[bar].dev,
			.lock = slot->lock,
		};

		if (identity->size_bytes != 0 && registers[bar].ops != NULL)
			status = pci_decode_attach(&slot->machine->pci_decode, &window, &slot->windows[bar]);
	}
	return status;
}

/* The next place that is a multiple of the BAR's size. */
static enum status place_bar(struct pci_slot_entry *slot, unsigned bar)
{
	const struct pci_bar *identity = &slot->function->identity.bars[bar];
	uint64_t *next = identity->is_io ? &slot->machine->pci_io_next : &slot->machine->pci_memory_next;
	uint64_t end = identity->is_io ? PLACE_IO_END : PLACE_MEMORY_END;
	uint64_t base = (*next + identity->size_bytes - 1) & ~(identity->size_bytes - 1);

	if (base < *next || base > end || identity->size_bytes > end - base)
		return ERR_NO_SPACE;
	*next = base + identity->size_bytes;
	pci_function_place_bar(slot->function, bar, base);
	return OK;
}

/* BARs, and what its pin drives without an I/O APIC. Firmware that runs in the machine does it itself. */
static enum status configure(struct pci_slot_entry *slot)
{
	enum status status = OK;

	if (firmware_of(slot->machine->spec) != NULL)
		return OK;
	if (slot->function->identity.has_pin)
		pci_function_ops.write(slot->function, PCI_CONFIG_INTERRUPT_LINE, 1, PCI_LPC_IRQ(slot->device % LINES_PIRQS));
	for (unsigned bar = 0; bar < PCI_BARS_MAX && status == OK; bar++) {
		if (slot->function->identity.bars[bar].size_bytes != 0)
			status = place_bar(slot, bar);
	}
	return status;
}

enum status pci_attach(struct pci_slot_entry *slot, struct pci_function *function,
		       const struct pci_bar_registers registers[PCI_BARS_MAX])
{
	enum status status;

	slot->function = function;
	status = attach_windows(slot, registers);
	if (status == OK)
		status = configure(slot);
	if (status == OK)
		status = pci_host_attach(&slot->machine->pci, PCI_DEVFN(slot->device, 0), &pci_function_ops, function, slot->lock);
	return status;
}
