/* What a VM's fw_cfg says: processors, memory, ACPI tables, kernel with initrd and command line, and the few files by which
 * firmware is told how this PC differs from its own ideas. Makes the items; the device (drivers/virt/fw_cfg.h) shows them.
 * Source: QEMU, docs/specs/fw_cfg.rst, "Firmware Configuration Items", and the keys and files that SeaBIOS and OVMF read. */
#pragma once
#include "drivers/virt/fw_cfg.h"
#include "lib/bzimage/bzimage.h"
#include "vmm/acpi/loader.h"
#include "vmm/acpi/tables.h"
#include "vmm/load/load.h"

#define FW_CFG_FILES_MAX   32U
#define FW_CFG_ITEMS_MAX   64U
#define FW_CFG_NUMBERS_MAX 32U
#define FW_CFG_NAME_BYTES  56U
#define FW_CFG_TABLE_BYTES 0x8000U  /* of ACPI tables; 64 vCPUs take less */
#define FW_CFG_SETUP_BYTES 0x10000U /* of a kernel's real-mode part; the boot protocol allows less */

/* All pointers are the caller's; files, command line and e820 stay as long as the items do. */
struct fw_cfg_config {
	const struct guest_acpi_config *acpi; /* physical does not count */
	const struct load_request *load;      /* kernel NULL: none */
	uint64_t low_memory_end;              /* RAM from 0 on ends there */
	bool has_firmware;                    /* modules are option ROMs for it */
};

/* Large: not for the stack. The items point into it: not to be copied. */
struct fw_cfg_contents {
	size_t item_count, number_count, file_count;
	bool overflowed; /* something did not fit */
	struct fw_cfg_item items[FW_CFG_ITEMS_MAX];
	uint64_t numbers[FW_CFG_NUMBERS_MAX];
	struct bzimage_e820 ram[2];
	uint8_t directory[4 + FW_CFG_FILES_MAX * (FW_CFG_NAME_BYTES + 8)];
	struct acpi_loader loader;
	struct guest_acpi_layout layout; /* of tables */
	uint64_t ecam_base, ecam_bytes;  /* that tables name */
	uint8_t tables[FW_CFG_TABLE_BYTES];
	uint8_t setup[FW_CFG_SETUP_BYTES];
};

/* Errors: ERR_NO_SPACE: tables or items do not fit; those of guest_acpi_build(). Context: any; pure. */
MUST_CHECK enum status fw_cfg_make_items(const struct fw_cfg_config *config, struct fw_cfg_contents *out);

/* ACPI tables name the place and size that PCI Express configuration space has now; PCI_DECODE_OFF: none.
 * Context: the device's lock. */
void fw_cfg_move_ecam(struct fw_cfg_contents *contents, uint64_t base, uint64_t size_bytes);
