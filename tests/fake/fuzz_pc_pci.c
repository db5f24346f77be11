/* The PCI part: two bridges and a function, whose BARs and ECAM move in the decode table. */
#include "tests/fake/fuzz_pc.h"

#define BAR_IO       0
#define BAR_MSIX     1
#define BAR_64       2
#define BAR_64_BYTES 0x4000

static void ignore(void *ctx)
{
	(void)ctx;
}

static void acquire(void *ctx, void *lock)
{
	(void)ctx;
	demand(pc.held == NULL);
	pc.held = lock;
}

static void release(void *ctx, void *lock)
{
	(void)ctx;
	demand(pc.held == lock);
	pc.held = NULL;
}

static void move_ecam(void *ctx, uint64_t base, uint64_t size_bytes)
{
	(void)ctx;
	demand(base == PCI_DECODE_OFF || (size_bytes >= 0x4000000 && base % size_bytes == 0 && base >> 36 == 0));
	pci_decode_move(&pc.decode, pc.ecam_window, base);
}

static void move_bar(void *ctx, unsigned bar, uint64_t base)
{
	uint64_t size_bytes = pc.function.identity.bars[bar].size_bytes;

	(void)ctx;
	demand(size_bytes != 0 && pci_decode_base(&pc.decode, pc.windows[bar]) != base);
	demand(base == PCI_DECODE_OFF || (base != 0 && base % size_bytes == 0));
	pci_decode_move(&pc.decode, pc.windows[bar], base);
}

static void route(void *ctx, unsigned pirq, unsigned irq)
{
	(void)ctx;
	demand(pirq < PCI_LPC_PIRQS && irq < 16 && irq != 1 && irq != 2 && irq != 8 && irq != 13);
}

/* Messages and pin exclude each other. */
static bool has_messages(void)
{
	return pci_function_has_msix(&pc.function) || pci_function_has_msi(&pc.function);
}

static void send_message(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)data;
	demand(address % 4 == 0 && has_messages() && pci_function_is_master(&pc.function));
}

static void set_pin(void *ctx, bool level)
{
	(void)ctx;
	demand(!level || !has_messages());
	pc.pin = level;
}

static void attach_window(bool is_io, uint64_t bytes, const struct device_ops *ops, void *dev, unsigned *index)
{
	const struct pci_window window = {.is_io = is_io, .size_bytes = bytes, .ops = ops, .dev = dev};

	demand(pci_decode_attach(&pc.decode, &window, index) == OK);
}

/* The registers behind two of the BARs are another model's. */
void fuzz_pc_create_pci(void)
{
	const struct pci_identity identity = {
		.vendor = 0x1af4, .device = 0x1042, .has_pin = true, .has_msi = true, .is_express = true,
		.vector_count = 3, .msix_bar = BAR_MSIX,
		.bars = {[BAR_IO] = {.size_bytes = 4, .is_io = true},
			 [BAR_MSIX] = {.size_bytes = PCI_MSIX_REGION_SIZE},
			 [BAR_64] = {.size_bytes = BAR_64_BYTES, .is_64bit = true}},
	};
	const struct pci_function_wires wires = {.bar_moved = move_bar, .send = send_message, .pin = {.set = set_pin}};

	attach_window(false, PCI_ECAM_BUS_SIZE, &pci_ecam_ops, &pc.pci, &pc.ecam_window);
	attach_window(true, 4, &testdev_ops, &pc.testdev, &pc.windows[BAR_IO]);
	attach_window(false, PCI_MSIX_REGION_SIZE, &pci_msix_ops, &pc.function, &pc.windows[BAR_MSIX]);
	attach_window(false, BAR_64_BYTES, &pci_msix_ops, &pc.function, &pc.windows[BAR_64]);
	pci_host_init(&pc.pci, &(struct pci_host_wires){.reset = ignore, .acquire = acquire, .release = release});
	pci_host_bridge_init(&pc.bridge, &(struct pci_host_bridge_wires){.ecam_moved = move_ecam}, FUZZ_PC_ECAM);
	pci_lpc_init(&pc.lpc, &(struct pci_lpc_wires){.routed = route}, true);
	pci_function_init(&pc.function, &identity, &wires);
	pci_function_place_bar(&pc.function, BAR_MSIX, 0xc0000000);
	demand(pci_host_attach(&pc.pci, PCI_DEVFN(0, 0), &pci_host_bridge_ops, &pc.bridge, &pc.bridge) == OK);
	demand(pci_host_attach(&pc.pci, FUZZ_PC_FUNCTION, &pci_function_ops, &pc.function, &pc.function) == OK);
	demand(pci_host_attach(&pc.pci, PCI_DEVFN(31, 0), &pci_lpc_ops, &pc.lpc, &pc.lpc) == OK);
}
