/* The page tables of a VM's slot. SDM Vol. 3A, "4-Level Paging". */
#include "virt/vm_slot.h"

#include "kernel/pool.h"

#define PAGE_PRESENT    0x1ULL
#define PAGE_WRITABLE   0x2ULL
#define PAGE_NO_EXECUTE (1ULL << 63)
#define PAGE_ADDRESS    0x000ffffffffff000ULL
#define ENTRIES         512U

enum status vm_slot_create(struct vm_slot *slot, struct pool *pool)
{
	*slot = (struct vm_slot){.pdpt = pool_page_alloc(pool), .directory = pool_page_alloc(pool),
				 .tables = {pool_page_alloc(pool), pool_page_alloc(pool)}};
	if (slot->pdpt == NULL || slot->directory == NULL || slot->tables[0] == NULL || slot->tables[1] == NULL) {
		vm_slot_destroy(slot, pool);
		return ERR_NO_MEMORY;
	}
	slot->pdpt[0] = direct_physical(slot->directory) | PAGE_PRESENT | PAGE_WRITABLE;
	for (unsigned i = 0; i < 2; i++)
		slot->directory[i] = direct_physical(slot->tables[i]) | PAGE_PRESENT | PAGE_WRITABLE;
	return OK;
}

void vm_slot_destroy(struct vm_slot *slot, struct pool *pool)
{
	for (unsigned t = 0; t < 2; t++) {
		if (slot->tables[t] == NULL)
			continue;
		for (unsigned i = 0; i < ENTRIES; i++) {
			uint64_t physical = slot->tables[t][i] & PAGE_ADDRESS;

			if (physical == 0)
				continue;
			frames_zero(physical, PAGE_SIZE_BYTES);
			pool_frames_free(pool, physical, 1);
		}
		pool_page_free(pool, slot->tables[t]);
	}
	if (slot->directory != NULL)
		pool_page_free(pool, slot->directory);
	if (slot->pdpt != NULL)
		pool_page_free(pool, slot->pdpt);
	*slot = (struct vm_slot){.pdpt = NULL};
}

uint64_t vm_slot_physical(const struct vm_slot *slot)
{
	return direct_physical(slot->pdpt);
}

enum status vm_slot_add(struct vm_slot *slot, struct pool *pool, uint32_t index, unsigned page, uint64_t *physical)
{
	unsigned number = index * VCPU_SLOT_PAGES + page;
	uint64_t *entry = &slot->tables[number / ENTRIES][number % ENTRIES];
	uint64_t frame = *entry & PAGE_ADDRESS;

	if (frame != 0) { /* left over from an attempt that ran out of memory */
		*physical = frame;
		return OK;
	}
	frame = pool_frames_alloc(pool, 1);
	if (frame == 0)
		return ERR_NO_MEMORY;
	frames_zero(frame, PAGE_SIZE_BYTES);
	/* No TLB flush: the entry was not present, and CPUs do not cache those (SDM Vol. 3A, "Details of TLB Use"). */
	*entry = frame | PAGE_PRESENT | PAGE_WRITABLE | PAGE_NO_EXECUTE;
	*physical = frame;
	return OK;
}
