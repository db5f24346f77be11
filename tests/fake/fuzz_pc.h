/* All device models of a PC on their two buses, wired as a machine wires them, for fuzz targets. Their lines, messages and moves
 * are checked where they arrive: what does not hold ends the program. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/acpi_pm.h"
#include "drivers/virt/bus.h"
#include "drivers/virt/debug_ports.h"
#include "drivers/virt/flash.h"
#include "drivers/virt/fw_cfg.h"
#include "drivers/virt/hpet.h"
#include "drivers/virt/i8042.h"
#include "drivers/virt/ioapic.h"
#include "drivers/virt/pci_decode.h"
#include "drivers/virt/pci_function.h"
#include "drivers/virt/pci_host.h"
#include "drivers/virt/pci_host_bridge.h"
#include "drivers/virt/pci_lpc.h"
#include "drivers/virt/pic8259.h"
#include "drivers/virt/pit8254.h"
#include "drivers/virt/rtc_cmos.h"
#include "drivers/virt/testdev.h"
#include "drivers/virt/uart16550.h"
#include "tests/fake/demand.h"

#define FUZZ_PC_HPET   0xfed00000ULL
#define FUZZ_PC_IOAPIC 0xfec00000ULL
#define FUZZ_PC_ECAM   0xe0000000ULL
#define FUZZ_PC_FUNCTION PCI_DEVFN(2, 0)

struct fuzz_pc {
	struct bus ports, mmio;
	struct pic8259 pic;
	struct ioapic ioapic;
	struct pit8254 pit;
	struct rtc_cmos rtc;
	struct uart16550 uart, com2;
	struct i8042 i8042;
	struct pci_host pci;
	struct pci_host_bridge bridge;
	struct pci_lpc lpc;
	struct pci_function function; /* device 2 */
	struct pci_decode decode;
	unsigned ecam_window, windows[PCI_BARS_MAX];
	const void *held; /* the lock that is held */
	bool pin;
	struct acpi_pm pm;
	struct hpet hpet;
	struct post_port post;
	struct debug_ports debug;
	struct testdev testdev;
	struct flash flash;
	bool flash_hidden;
	struct fw_cfg fw_cfg; /* without memory to write to; fuzz_fw_cfg.c has some */
	uint64_t now_ns;
	uint32_t lines, hpet_lines;
	unsigned transmits;
};

extern struct fuzz_pc pc;

/* Everything as at power-on. */
void fuzz_pc_create(void);

/* Only for tests/fake/fuzz_pc.c: bridges, a function with BARs, and where they are decoded. */
void fuzz_pc_create_pci(void);
