/* What the test kernels of this folder share: 32-bit programs started by Multiboot or PVH that check what they were given, one
 * line "TEST-PASS name" or "TEST-FAIL name" for each question, and power off. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Registers at entry, as the start code saved them. */
struct boot_state {
	uint32_t eax, ebx, eflags, cr0, cr4;
	uint16_t cs, ds, tr;
};
extern const struct boot_state boot_state;

/* The program itself; returning powers the VM off. */
void boot_main(void);

/* COM1, polled. */
void print(const char *text);

void expect(const char *name, bool holds);
/* The same, and both numbers where they differ. */
void expect_number(const char *name, uint32_t value, uint32_t wanted);

bool same_text(const char *a, const char *b);
bool same_bytes(const void *a, const void *b, uint32_t len_bytes);

/* The memory of the program, its zeroed part included. */
extern const uint8_t boot_start[], boot_end[];

/* Protected mode, flat, without paging and interrupts; A20 open. */
void check_state(void);
/* What every guest finds in the first MiB: RSDP, BIOS data area. Returns the RSDP's address, or 0. */
uint32_t check_firmware_area(void);
/* Writes to all memory below 640 KiB but the BIOS data area: it is the program's. */
void use_low_memory(void);
