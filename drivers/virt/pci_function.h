/* One PCI function: its configuration space with header type 0, base address registers, capabilities, MSI, MSI-X and interrupt pin.
 * What its registers do is another model's business (virtio_pci.h): this one says where they are and carries its interrupts.
 *
 * Everything here, its configuration space, its MSI-X table and the registers behind its BARs, is under one lock: the device's.
 *
 * Source: "PCI Local Bus Specification" 3.0, "Configuration Space Organization", "MSI Capability Structure", "MSI-X Capability and
 * Table Structures";
 * "PCI Express Base Specification", "PCI Express Capability Structure". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/virt/device.h"
#include "drivers/virt/pci_host.h"

#define PCI_BARS_MAX          6U
#define PCI_CONFIG_BYTES      256U
#define PCI_VECTORS_MAX       64U /* as many as a word of pending bits has */
#define PCI_VECTOR_NONE       0xffffU
#define PCI_MSIX_REGION_SIZE  0x1000U /* table at 0, pending bits at 800h */
#define PCI_MSIX_PENDING      0x800U

/* A base address register. size_bytes: a power of two, at least 4 for ports and 16 for memory (the machine maps what is memory
 * itself in whole pages, and so asks for 4096 or more); 0: not there. A 64-bit one takes the next index, too. */
struct pci_bar {
	uint64_t size_bytes;
	bool is_io, is_64bit, is_prefetchable;
};

struct pci_identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code; /* 24 bits: class, subclass, interface */
	uint8_t revision;
	bool has_pin; /* INTA */
	bool has_msi; /* one message */
	bool is_express; /* shows a PCI Express capability, of a root complex integrated endpoint */
	uint16_t vector_count; /* of MSI-X; 0: none. Its table is at the start of the BAR msix_bar, PCI_MSIX_REGION_SIZE bytes */
	uint8_t msix_bar;
	struct pci_bar bars[PCI_BARS_MAX];
};

struct pci_function_wires {
	/* The BAR answers at base now; PCI_DECODE_OFF: nowhere. Told at each change, never twice the same. */
	void (*bar_moved)(void *ctx, unsigned bar, uint64_t base);
	void (*send)(void *ctx, uint64_t address, uint32_t data); /* an MSI */
	struct irq_line pin;
	void *ctx;
};

struct pci_msix_entry {
	uint64_t address;
	uint32_t data, control; /* bit 0: masked */
};

struct pci_function_state {
	uint8_t config[PCI_CONFIG_BYTES];
	struct pci_msix_entry entries[PCI_VECTORS_MAX];
	uint64_t pending; /* a bit for each vector */
	bool pin_level;
};

/* Bytes of the configuration space, below PCI_CONFIG_BYTES, that do something when they are read or written: what a register of a
 * capability is that reaches into a BAR. An access that begins in [first, first + count) goes there, and not to config. */
struct pci_config_window {
	unsigned first, count; /* count 0: there is none */
	uint32_t (*read)(void *ctx, unsigned reg, unsigned width);
	void (*write)(void *ctx, unsigned reg, unsigned width, uint32_t value);
	void *ctx;
};

struct pci_function {
	struct pci_function_state state;
	struct pci_function_wires wires;
	/* constant once vCPUs run */
	struct pci_identity identity;
	uint8_t writable[PCI_CONFIG_BYTES]; /* bits of config that software can change */
	uint8_t initial[PCI_CONFIG_BYTES];  /* config after reset */
	uint8_t next_capability;            /* where the next one goes */
	uint8_t last_capability;            /* whose pointer it gets */
	uint8_t msix_capability, msi_capability; /* 0: none */
	struct pci_config_window window;    /* set by the device after pci_function_init() */
	/* what follows from the state */
	uint64_t told[PCI_BARS_MAX]; /* what bar_moved() was told last */
};

extern const struct pci_config_ops pci_function_ops;
/* The BAR msix_bar, offsets from its start. */
extern const struct device_ops pci_msix_ops;

/* For functions with registers of their own, as bridges have: what a register is after power-on, and which of its bits software
 * can change. width: 1, 2 or 4. Context: before vCPUs run. */
void pci_function_define(struct pci_function *function, unsigned reg, unsigned width, uint32_t value, uint32_t writable);

/* What a register holds. Below PCI_CONFIG_BYTES. */
uint32_t pci_function_register(const struct pci_function *function, unsigned reg, unsigned width);

/* A function as at power-on: BARs nowhere, nothing enabled. */
void pci_function_init(struct pci_function *function, const struct pci_identity *identity,
		       const struct pci_function_wires *wires);

/* Adds a capability: id and len_bytes, both headers included; body is what follows ID and pointer, len_bytes - 2 bytes; writable
 * (or NULL) as many. Returns where it is. Errors: ERR_NO_SPACE. Context: before vCPUs run. */
MUST_CHECK enum status pci_function_add_capability(struct pci_function *function, uint8_t id, const void *body,
						   const void *writable, unsigned len_bytes, unsigned *offset);

/* Puts a BAR where firmware would, and enables what it needs: memory or port decoding. base: a multiple of the BAR's size. */
void pci_function_place_bar(struct pci_function *function, unsigned bar, uint64_t base);
/* Where it answers now, or PCI_DECODE_OFF. */
uint64_t pci_function_bar(const struct pci_function *function, unsigned bar);

/* Whether MSI-X is on: then the pin is dead, and MSI off whatever its registers say. */
bool pci_function_has_msix(const struct pci_function *function);
/* Whether MSI is on, and MSI-X off: then, too, the pin is dead. */
bool pci_function_has_msi(const struct pci_function *function);
/* Whether the function may read and write memory by itself: "Bus Master" of its command register. */
bool pci_function_is_master(const struct pci_function *function);

/* Sends the vector's message, or notes it as pending where it is masked or the function is no bus master (a message is a write to
 * memory); it is sent once neither holds. vector from vector_count on: nothing. With MSI on it is the one message that there is, of
 * any vector; with neither on: nothing. */
void pci_function_send(struct pci_function *function, unsigned vector);

/* The level that the device wants on its pin; it gets there unless MSI or MSI-X is on or the command register disables it. */
void pci_function_set_pin(struct pci_function *function, bool level);

/* Power-on state but for what pci_function_place_bar() did. */
void pci_function_reset(struct pci_function *function);
