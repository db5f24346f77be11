/* One VM as its VMM knows it: memory, devices, buses, vCPUs, and how to reach their handles. The program has one.
 * Threads: one per vCPU, and the first one, which serves timers and the terminal (vmm/timers.h).
 * Each device has its lock; a thread holds one at most. Interrupt lines travel by the relay (drivers/virt/irq_relay.h). */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/vcpu.h"
#include "abi/vmm_spec.h"
#include "drivers/virt/acpi_pm.h"
#include "drivers/virt/bus.h"
#include "drivers/virt/debug_ports.h"
#include "drivers/virt/flash.h"
#include "drivers/virt/fw_cfg.h"
#include "drivers/virt/hpet.h"
#include "drivers/virt/i8042.h"
#include "drivers/virt/ioapic.h"
#include "drivers/virt/irq_relay.h"
#include "drivers/virt/pci_decode.h"
#include "drivers/virt/pci_host.h"
#include "drivers/virt/pci_host_bridge.h"
#include "drivers/virt/pci_lpc.h"
#include "drivers/virt/pic8259.h"
#include "drivers/virt/pit8254.h"
#include "drivers/virt/rom.h"
#include "drivers/virt/rtc_cmos.h"
#include "drivers/virt/testdev.h"
#include "drivers/virt/uart16550.h"
#include "user/lock.h"
#include "user/thread.h"
#include "vmm/decode/emulate.h"
#include "vmm/decode/execution.h"
#include "vmm/decode/recall.h"
#include "vmm/gmem.h"
#include "vmm/lines.h"
#include "vmm/pci.h"
#include "vmm/region.h"
#include "vmm/terminal.h"
#include "vmm/virtio_devices.h"

#define MACHINE_VCPUS_MAX 64U

/* The VMM's own bits of its event. */
#define MACHINE_EVENT_WAKE (1ULL << 16) /* a device's next event is earlier than the I/O thread waits */

struct machine;

/* The local APIC as an executed instruction meets it: one register is read, one is written. */
struct execute_apic {
	uint64_t page;          /* where its registers are */
	bool waits;             /* a value was asked for with VCPU_REPLY_APIC_READ: the instruction is executed again with it */
	bool has_value, has_write;
	uint16_t read_offset, write_offset;
	uint32_t value, written;
};

struct machine_vcpu {
	/* constant once it runs */
	struct machine *machine;
	uint32_t index;
	handle_t handle;
	const struct vcpu_state *state; /* the kernel writes it during VCPU_RUN only */
	struct vcpu_reply *reply;
	/* own thread */
	struct recall recall;
	struct emulation emulation; /* waits for VCPU_EXIT_APIC_VALUE */
	struct execution execution; /* the same, where apic.waits */
	struct execute_apic apic;
	const struct recalled *executed; /* the same; of recall */
	uint64_t retried_rip;       /* the instruction that was given another try, or UINT64_MAX */
	uint64_t retried_rflags;    /* as they were then */
	uint64_t retried_gpr[GPR_COUNT];
	uint32_t retries;           /* of it, in this state */
	uint32_t pool_empty_count;  /* times in a row */
	handle_t sleep_event;       /* nobody signals it: vmm/sleep.c waits with it; HANDLE_NONE before */
};

/* Indices of locks; interrupt controllers share one, as the relay changes both. */
enum machine_lock {
	LOCK_CONTROLLERS,
	LOCK_PIT,
	LOCK_RTC,
	LOCK_I8042,
	LOCK_UART,
	LOCK_COMS,
	LOCK_PCI,
	LOCK_PM,
	LOCK_TESTDEV, LOCK_FW_CFG,
	LOCK_HPET,
	LOCK_FLASH,
	LOCK_COUNT
};

struct machine {
	/* constant once vCPUs run */
	const struct vmm_spec *spec;
	struct vmm_report *report;
	uint64_t tsc_hz;
	uint64_t start_tsc; /* guest time 0 */
	uint64_t facs_physical; /* 0: firmware made the tables, and S3 is not offered */
	struct gmem gmem;
	struct bus ports;
	struct bus memory;
	uint32_t vcpu_count;
	struct machine_vcpu vcpus[MACHINE_VCPUS_MAX];
	/* first thread only */
	struct thread_maker threads;
	/* vmm/pci.c; constant once vCPUs run, but for where windows are, which is atomic */
	struct pci_decode pci_decode;
	struct pci_slot_entry pci_slots[PCI_SLOTS_MAX];
	unsigned ecam_window;
	_Atomic uint64_t ecam_bytes; /* that PCIEXBAR says */
	uint64_t pci_io_next, pci_memory_next; /* where the next BAR is placed */
	struct virtio_devices virtio;  /* each slot has its lock */
	struct region regions[VMM_REGIONS_MAX]; /* vmm/region.c */
	/* atomic */
	_Atomic uint64_t wake_ns;      /* when the I/O thread looks next; UINT64_MAX while it looks */
	_Atomic uint32_t stop_request; /* enum vcpu_stop_reason: a device wants the machine to stop after this access */
	_Atomic uint64_t exit_code;    /* the guest's own, by port F4h; 0: none yet */
	_Atomic bool has_explained, has_reported; /* vmm/report.c */
	_Atomic uint8_t pirq_routes[LINES_PIRQS]; /* as the LPC bridge has them; lines follow at the next drain */
	_Atomic uint64_t entry_tsc;    /* the host's, when the guest's first instruction was due */
	struct irq_relay relay;
	/* each under its lock */
	struct lock locks[LOCK_COUNT];
	struct pic8259 pic;            /* LOCK_CONTROLLERS */
	struct ioapic ioapic;          /* LOCK_CONTROLLERS */
	struct lines lines;            /* LOCK_CONTROLLERS */
	struct pit8254 pit;
	struct rtc_cmos rtc;
	struct i8042 i8042;
	struct uart16550 uart;         /* COM1: the VM's terminal */
	struct uart16550 coms[3];      /* LOCK_COMS: COM2 to COM4, where nothing is connected */
	struct terminal terminal;      /* LOCK_UART */
	struct pci_host_bridge host_bridge; /* LOCK_PCI */
	struct pci_lpc lpc;            /* LOCK_PCI */
	struct acpi_pm pm;
	struct testdev testdev;
	struct fw_cfg fw_cfg;
	/* vmm/firmware.c; of a VM without firmware, size 0 */
	struct rom rom;
	handle_t rom_memory;
	_Atomic bool rom_is_ram;
	struct flash flash;               /* LOCK_FLASH: where the ROM is one; else size 0 */
	_Atomic bool flash_is_shown;      /* its contents are mapped; changed under LOCK_FLASH */
	struct debug_ports firmware_text; /* port 402h: LOCK_UART */
	bool serial_printed_last;         /* LOCK_UART: ... and nothing else has printed since */
	bool serial_was_used;             /* LOCK_UART: the guest has sent something by COM1 */
	struct hpet hpet;              /* with VMM_OPTION_HPET */
	/* no lock needed */
	struct pci_host pci;
	struct post_port post;
	struct debug_ports debug;      /* its text goes to the terminal: LOCK_UART */
};

/* Wires all devices and attaches them to the buses, powered on. spec, tsc_hz and start_tsc are set; handles of vCPUs need
 * not exist yet. wall_clock_seconds: the time at guest time 0. Errors: as bus_attach(). */
MUST_CHECK enum status machine_build(struct machine *machine, int64_t wall_clock_seconds);

/* Adds what VMs with firmware have besides: machine->rom, or machine->flash if there is one, as a device from rom_base on, the port
 * for its messages.
 * Errors: as bus_attach(). Context: before vCPUs run. */
MUST_CHECK enum status machine_attach_firmware(struct machine *machine, uint64_t rom_base);

/* Guest time. Take it under the lock of the device that gets it, so that no device sees it go back. */
uint64_t machine_now_ns(const struct machine *machine);

/* One access of a vCPU or of an emulated instruction. bus: &machine->ports or &machine->memory. Nobody's: all-ones, writes
 * are ignored. Interrupts that it causes are on their way afterwards. Context: no lock held. */
uint64_t machine_read(struct machine *machine, struct bus *bus, uint64_t address, unsigned width);
void machine_write(struct machine *machine, struct bus *bus, uint64_t address, unsigned width, uint64_t value);

/* Carries lines that devices moved to the interrupt controllers. Context: no lock held. */
void machine_drain_lines(struct machine *machine);

/* Brings all devices up to now; returns when the next one has something to do, NO_EVENT_NS for never.
 * Context: the I/O thread. */
uint64_t machine_tick(struct machine *machine);

/* The I/O thread shall look at due_ns at the latest. Context: any thread, any lock. */
void machine_wake_by(struct machine *machine, uint64_t due_ns);

/* A local APIC ended the service of vector. Context: no lock held. */
void machine_end_of_interrupt(struct machine *machine, uint8_t vector);

/* The vector of the 8259's request. Context: no lock held. */
uint8_t machine_acknowledge_pic(struct machine *machine);
