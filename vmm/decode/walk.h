/* The guest's own page tables: linear address to guest-physical address, as the guest's CPU would translate it.
 * Accessed and dirty bits are set only where that is asked for: most addresses asked for are those that the CPU itself has just
 * translated, and set the bits for, before it left the guest. Protection keys are not applied.
 * Source: SDM Vol. 3A, "Paging": "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging", "Access Rights",
 * "Page-Fault Exceptions". PAE's four top entries are read from memory, not from the CPU's copies of them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "vmm/gmem.h"

#define PAGE_FAULT_PRESENT  0x01U
#define PAGE_FAULT_WRITE    0x02U
#define PAGE_FAULT_USER     0x04U
#define PAGE_FAULT_RESERVED 0x08U
#define PAGE_FAULT_FETCH    0x10U

struct walk_access {
	bool is_write;
	bool is_fetch;
	bool is_user; /* CPL 3 */
	bool marks;   /* sets accessed and dirty bits, as a CPU does */
};

/* Translates linear with exit's CR0, CR3, CR4, EFER and RFLAGS. Each table entry is fetched once.
 * Errors: ERR_FAULT (*error_code is what the CPU would push; CR2 = linear); ERR_INVALID (not canonical: #GP, or #SS);
 * never ERR_OUT_OF_RANGE: a table entry outside the guest's memory reads as all-ones, as on a PC, and thus has reserved bits (but
 * for 32-bit paging without CR4.PSE, which has none). Devices are not read for entries. The result may lie outside memory too.
 * Address bits beyond the CPU's width count as reserved by a CPU; here they lead outside the guest's memory.
 * watch: notes the entries, or NULL. */
MUST_CHECK enum status walk_translate(const struct gmem *gm, const struct vcpu_exit *exit, uint64_t linear,
				      struct walk_access access, gpa_t *out, uint32_t *error_code, struct gmem_watch *watch);
