/* The ACPI tables of a guest: RSDP, RSDT, XSDT, FADT, FACS, MADT, MCFG, HPET, a SSDT with the VM's features, and the
 * DSDT.
 * Builds them into a buffer; owns no guest memory and no device. The addresses below are a contract with the device
 * models and with dsdt.asl, which repeats them.
 * Source: ACPI Specification 6.4, "ACPI Software Programming Model". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define GUEST_ACPI_PHYSICAL   0xe0000U /* where operating systems look for a RSDP without being told */
#define GUEST_ACPI_MAX_BYTES  0x20000U

#define GUEST_PM1A_EVENT_PORT   0x600U /* 4 bytes: status, enable */
#define GUEST_PM1A_CONTROL_PORT 0x604U /* 2 bytes */
#define GUEST_PM_TIMER_PORT     0x608U /* 4 bytes; its low 24 bits count, the rest may count or be 0 */
#define GUEST_RESET_PORT        0xcf9U
#define GUEST_RESET_VALUE       0x06U
#define GUEST_S5_SLEEP_TYPE     7U     /* in PM1 control bits 12:10, with SLP_EN, bit 13 */
#define GUEST_SCI_GSI           9U     /* level, active high */
#define GUEST_PIT_GSI           2U     /* ISA interrupt 0 */
#define GUEST_LOCAL_APIC_BASE   0xfee00000U
#define GUEST_IOAPIC_BASE       0xfec00000U
#define GUEST_HPET_BASE         0xfed00000U
#define GUEST_HPET_ID           0x8086a201U
#define GUEST_HPET_LEAST_TICKS  2000U /* of a period: 20 us */
#define GUEST_PCI_INTX_GSI      16U    /* device d, pin p: 16 + (d + p) % 4 */
#define GUEST_PCI_WINDOW_BASE   0x80000000U /* 32-bit memory for PCI devices, or where RAM ends, if that is higher */
#define GUEST_PCI_WINDOW_END    0xe0000000U
#define GUEST_ECAM_BASE         0xe0000000U
#define GUEST_ECAM_BYTES        0x10000000U

/* What the VM has. dsdt.asl names these bits by value. */
enum guest_acpi_feature {
	GUEST_ACPI_COMS = 1U << 0, /* COM1 to COM4 */
	GUEST_ACPI_I8042 = 1U << 1,
	GUEST_ACPI_RTC = 1U << 2,
	GUEST_ACPI_PCI = 1U << 3,  /* host bridge by ports CF8h, CFCh */
	GUEST_ACPI_ECAM = 1U << 4, /* and by memory at GUEST_ECAM_BASE */
	GUEST_ACPI_HPET = 1U << 5,
};

struct guest_acpi_config {
	uint64_t physical;        /* where the buffer will lie: a multiple of 4096 below 4 GiB */
	uint32_t vcpu_count;      /* 1 to 1024 */
	const uint32_t *apic_ids; /* one for each vCPU; NULL: 0, 1, 2, ... */
	uint8_t ioapic_id;
	uint32_t features;        /* enum guest_acpi_feature */
	uint32_t low_memory_end;  /* RAM below 4 GiB ends there */
	uint32_t high_window_first_gib, high_window_end_gib; /* PCI's addresses above 4 GiB; end not above first: none */
};

struct guest_acpi_layout {
	uint64_t rsdp_physical;
	uint64_t facs_physical;
	size_t used_bytes; /* from the start of the buffer */
	size_t mcfg_offset; /* the table's, in the buffer; 0: there is none */
	size_t ssdt_offset;
};

/* Writes the tables to buffer (buffer_bytes; GUEST_ACPI_MAX_BYTES always suffice).
 * Errors: ERR_INVALID (vcpu_count), ERR_MISALIGNED or ERR_OUT_OF_RANGE (physical), ERR_NO_SPACE (buffer too small; its
 * contents are then undefined).
 * Context: any; pure. */
MUST_CHECK enum status guest_acpi_build(const struct guest_acpi_config *config, uint8_t *buffer, size_t buffer_bytes,
					struct guest_acpi_layout *layout);

/* Firmware has put PCI Express configuration space somewhere else than GUEST_ECAM_BASE, or given it another size than
 * GUEST_ECAM_BYTES (a MiB for each bus from 0 on, at most 256): the tables say so from then on. base above 4 GiB or UINT64_MAX
 * (nowhere): no device of the tables reserves it, and operating systems do not use it. */
void guest_acpi_move_ecam(uint8_t *buffer, const struct guest_acpi_layout *layout, uint64_t base, uint64_t size_bytes);
