/* QEMU's device for memory that several VMs share (1AF4:1110, revision 1). BAR 0 memory: registers; BAR 1 memory: MSI-X; BAR 2
 * memory, 64-bit, prefetchable: the shared memory itself, which the machine maps. A write to the doorbell register asks for an
 * interrupt of a peer, which gets it as the MSI-X message of that vector, or with MSI as its only one; there is no pin.
 *
 * Source: QEMU, "Device Specification for Inter-VM shared memory device". */
#pragma once
#include <stdint.h>

#include "drivers/virt/device.h"
#include "drivers/virt/pci_function.h"

#define IVSHMEM_BAR_REGISTERS 0U
#define IVSHMEM_BAR_MSIX      1U
#define IVSHMEM_BAR_MEMORY    2U
#define IVSHMEM_REGISTERS_BYTES 256U

/* Registers of BAR 0, 4 bytes each. The first two are reserved in this revision: the mask keeps what was written, the status
 * is 0. */
enum ivshmem_register {
	IVSHMEM_INTERRUPT_MASK = 0,
	IVSHMEM_INTERRUPT_STATUS = 4,
	IVSHMEM_POSITION = 8, /* own id among the peers; read-only */
	IVSHMEM_DOORBELL = 12 /* peer << 16 | vector; write-only */
};

struct ivshmem_config {
	uint64_t size_bytes;  /* of the shared memory: a power of two, at least 4096 */
	uint16_t own_id;
	uint16_t vector_count; /* 1 .. PCI_VECTORS_MAX */
};

struct ivshmem_wires {
	struct pci_function_wires pci;
	void (*ring)(void *ctx, unsigned peer, unsigned vector); /* whatever the guest wrote */
	void *ctx;
};

struct ivshmem {
	struct ivshmem_state {
		uint32_t interrupt_mask;
	} state;
	struct pci_function function;
	struct ivshmem_wires wires;
	struct ivshmem_config config; /* constant */
};

extern const struct device_ops ivshmem_ops; /* BAR 0 */

/* A device as at power-on. config and wires are copied. */
void ivshmem_init(struct ivshmem *device, const struct ivshmem_config *config, const struct ivshmem_wires *wires);

/* A peer rang. Lost where the guest has enabled neither MSI-X nor MSI, or for a vector that there is not. */
void ivshmem_receive(struct ivshmem *device, unsigned vector);
