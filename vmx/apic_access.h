/* Accesses to the local APIC's page that exit as such. The page stands at FEE00000h in every VM: where the guest's local APIC is
 * elsewhere, or no page, an access there is one to an address without memory. SDM Vol. 3C, "Virtualizing APIC Accesses". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct vm;

/* "Exit Qualification for APIC-Access VM Exits": offset in 11:0, kind in 15:12. */
#define APIC_ACCESS_OFFSET(qualification) ((uint32_t)(qualification) & 0xfffU)
#define APIC_ACCESS_KIND(qualification)   ((uint32_t)(qualification) >> 12 & 0xfU)
enum apic_access_kind { APIC_ACCESS_READ, APIC_ACCESS_WRITE, APIC_ACCESS_FETCH, APIC_ACCESS_DELIVERY };

/* Makes the page that VMs share, whose content nobody sees; once, where all CPUs have the control. */
MUST_CHECK enum status apic_access_page_create(void);
/* Whether the VM has a page; its physical address. One whose local APIC the CPU virtualizes has its own: in x2APIC mode the control
 * must be off, and what stands there then is memory of this VM, all-ones at first. */
bool apic_access_in_use(const struct vm *vm);
uint64_t apic_access_page_physical(const struct vm *vm);
/* Shows it to the VM. Errors: ERR_NO_MEMORY. Free: when nothing maps it any more. */
MUST_CHECK enum status apic_access_map(const struct vm *vm);
void apic_access_free(const struct vm *vm);
