/* A VM's slot of the upper half: one PDPT, shared by all address spaces of the VM and by no other, under which lies what its
 * vCPUs compute with. A CPU that leaks thus leaks nothing of a neighbour. */
#pragma once
#include <stdint.h>

#include "abi/layout.h"
#include "abi/status.h"

struct pool;

/* What lies where in a vCPU's 64 KiB of the slot, in pages. */
#define VCPU_SLOT_BYTES     0x10000ULL
#define VCPU_PAGE_STATE     0U
#define VCPU_PAGE_REPLY     1U
#define VCPU_PAGE_PRIVATE   2U
#define VCPU_PAGE_APIC      3U
#define VCPU_PAGE_XSAVE     4U
#define VCPU_SLOT_PAGES     16U

struct vm_slot {
	uint64_t *pdpt, *directory;
	uint64_t *tables[2]; /* 2 MiB each: 64 vCPUs in all */
};

MUST_CHECK enum status vm_slot_create(struct vm_slot *slot, struct pool *pool);
void vm_slot_destroy(struct vm_slot *slot, struct pool *pool);
uint64_t vm_slot_physical(const struct vm_slot *slot);

/* Where page `page` of vCPU `index` appears in the VM's address spaces. */
static inline uint64_t vm_slot_address(uint32_t index, unsigned page)
{
	return VM_SLOT_BASE + index * VCPU_SLOT_BYTES + page * PAGE_SIZE_BYTES;
}

/* Takes a zeroed frame of the pool's RAM part and maps it there, supervisor and writable; what is
 * there already stays. */
MUST_CHECK enum status vm_slot_add(struct vm_slot *slot, struct pool *pool, uint32_t index, unsigned page, uint64_t *physical);
