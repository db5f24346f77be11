/* Linux kernels in bzImage form: what the header says, where everything goes, and what the kernel finds at its entry: the
 * 64-bit one, or the 32-bit one where there is no other.
 * Serves a guest (addresses are guest-physical) and a kernel started on the PC itself (physical). Touches no memory but
 * the buffers it is given. Not here: copying, e820 maps, entering the kernel.
 * Source: Linux, Documentation/arch/x86/boot.rst, "The Linux/x86 Boot Protocol": "The Real-Mode Kernel Header", "Details of
 * Header Fields", "Loading The Rest of The Kernel", "32-bit Boot Protocol", "64-bit Boot Protocol";
 * zero-page.rst, "Zero Page". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define BZIMAGE_E820_MAX          128U  /* entries that fit the zero page */
#define BZIMAGE_BOOT_PARAMS_BYTES 4096U
#define BZIMAGE_GDT_BYTES         32U   /* null, null, 10h: 64-bit code, 18h: data */
#define BZIMAGE_PAGE_TABLES_BYTES (6U * 4096U)
#define BZIMAGE_BOOT_CS           0x10U
#define BZIMAGE_BOOT_DS           0x18U

/* Why an image or a placing was refused. what is a constant string without a full stop; number: the offending value. */
struct bzimage_problem {
	const char *what;
	uint64_t number;
};

/* A checked header. */
struct bzimage {
	const uint8_t *bytes; /* the caller's */
	size_t header_bytes;  /* from offset 1F1h: what is copied into the zero page */
	size_t code_offset;   /* the protected-mode kernel in the file, and its size */
	size_t code_bytes;
	uint16_t version;     /* 020Ch: 2.12 */
	bool has_64_bit_entry;
	bool relocatable;
	bool above_4g;        /* initrd may lie above 4 GiB */
	uint64_t preferred_address;
	uint64_t alignment;   /* a power of two */
	uint64_t init_bytes;  /* memory the kernel needs from its run-time start address */
	uint64_t initrd_last; /* highest address that a byte of the initrd may have */
	uint64_t command_line_max; /* characters without the NUL */
};

/* Free memory: any order, no overlap, no wrap. */
struct bzimage_range {
	uint64_t base;
	uint64_t length_bytes;
};

/* Where everything goes. The state at entry ("64-bit Boot Protocol"): 64-bit mode, RIP = entry, RSI = boot_params,
 * CR3 = page_tables, GDTR = gdt / BZIMAGE_GDT_BYTES - 1, CS = 10h, DS = ES = SS = 18h, RSP = stack_top, IF = 0.
 * By the 32-bit one: protected mode without paging, RIP and ESI the same, CS = 10h, DS = ES = SS = 18h, EBP = EDI = EBX = 0,
 * IF = 0. */
struct bzimage_plan {
	uint64_t kernel;       /* the file's [code_offset, + code_bytes) goes here */
	uint64_t kernel_bytes; /* memory set aside from there */
	uint64_t entry;
	uint64_t initrd;       /* 0 without an initrd */
	uint64_t initrd_bytes;
	uint64_t boot_params;
	uint64_t page_tables;
	uint64_t gdt;
	uint64_t stack_top;
	uint64_t command_line;
	uint64_t command_line_bytes; /* with the NUL */
};

/* One e820 entry; the zero page's own layout. Types: ACPI Specification, "System Address Map Interfaces". */
struct bzimage_e820 {
	uint64_t base;
	uint64_t length_bytes;
	uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct bzimage_e820) == 20, "e820 entry layout");

/* Checks the header. image need not be aligned, and only its setup part need be readable where whole_bytes says that the
 * file is larger (a caller may hold just the first 64 KiB).
 * Errors, each with *problem written: ERR_BAD_FORMAT (not a bzImage at all), ERR_TRUNCATED, ERR_UNSUPPORTED (too old, or a
 * zImage), ERR_INVALID (a field without sense). *out is written only on OK. Context: any; pure. */
MUST_CHECK enum status bzimage_parse(const void *image, size_t readable_bytes, size_t whole_bytes, struct bzimage *out,
				     struct bzimage_problem *problem);

/* Chooses places, all below 4 GiB but an initrd that may and must lie above. command_line_bytes: with the NUL.
 * The kernel gets its preferred address where that is free, else (if it is relocatable) a higher one; the initrd goes as
 * high as it may. Errors, with *problem: ERR_OVERFLOW (command line too long), ERR_NO_MEMORY (the kernel does not fit:
 * number is how much memory a PC without holes must have for it), ERR_NO_SPACE (the initrd does not).
 * *out is written only on OK. Context: any; pure. */
MUST_CHECK enum status bzimage_place(const struct bzimage *image, const struct bzimage_range *ranges, size_t range_count,
				     uint64_t command_line_bytes, uint64_t initrd_bytes, struct bzimage_plan *out,
				     struct bzimage_problem *problem);

/* Fills the zero page. rsdp: 0 if the kernel shall search for it. ERR_NO_SPACE: more than BZIMAGE_E820_MAX entries. */
MUST_CHECK enum status bzimage_fill_boot_params(const struct bzimage *image, const struct bzimage_plan *plan,
						const struct bzimage_e820 *e820, size_t e820_count, uint64_t rsdp,
						uint8_t page[BZIMAGE_BOOT_PARAMS_BYTES]);

/* Identity-maps the first 4 GiB by 2 MiB pages, present, writable and executable. base: the tables' own physical address,
 * a multiple of 4096. Source: SDM Vol. 3A, "4-Level Paging and 5-Level Paging". */
void bzimage_fill_page_tables(uint64_t base, uint64_t tables[BZIMAGE_PAGE_TABLES_BYTES / 8]);

/* Flat code at 10h, 64-bit or 32-bit, and flat data at 18h. Source: SDM Vol. 3A, "Segment Descriptors". */
void bzimage_fill_gdt(bool is_64_bit, uint64_t gdt[BZIMAGE_GDT_BYTES / 8]);
