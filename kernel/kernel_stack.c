/* Kernel stacks: slots of KERNEL_STACK_BYTES in a part of the kernel map of their own, each with a guard page below. */
#include <stdbool.h>
#include <stddef.h>

#include "kernel/config.h"
#include "kernel/kernel_map.h"
#include "kernel/page_table.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/shootdown.h"
#include "kernel/spinlock.h"

#define STACK_PAGES 3U
#define STACKS_MAX  65536U
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE)
#define STACK_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_GLOBAL | PTE_NX)

static struct {
	struct spinlock lock;
	uint64_t taken[STACKS_MAX / 64]; /* a bit per slot */
	uint32_t first_word;             /* no slot is free in the words before */
} stacks = {.lock = {.rank = RANK_KERNEL_MAP}};

static uint64_t *pml4(void)
{
	return direct_pointer(kernel_map_cr3());
}

/* STACKS_MAX: none. Lock held. */
static uint32_t take_slot(void)
{
	for (; stacks.first_word < STACKS_MAX / 64; stacks.first_word++) {
		uint64_t *word = &stacks.taken[stacks.first_word];

		if (*word != UINT64_MAX) {
			unsigned bit = (unsigned)__builtin_ctzll(~*word);

			*word |= 1ULL << bit;
			return stacks.first_word * 64 + bit;
		}
	}
	return STACKS_MAX;
}

/* Lock held. */
static void give_back_slot(uint32_t slot)
{
	stacks.taken[slot / 64] &= ~(1ULL << (slot % 64));
	if (slot / 64 < stacks.first_word)
		stacks.first_word = slot / 64;
}

static uint64_t page_address(uint32_t slot, unsigned page)
{
	return KERNEL_STACKS_BASE + slot * KERNEL_STACK_BYTES + (1 + page) * PAGE_SIZE_BYTES;
}

/* Takes the stack's pages out of the map and frees them; absent ones are skipped. Lock held. */
static void unmap(struct pool *pool, uint32_t slot, bool flush)
{
	uint64_t physical[STACK_PAGES];

	for (unsigned page = 0; page < STACK_PAGES; page++) {
		uint64_t *entry = page_table_entry(pml4(), page_address(slot, page), 1, NULL, 0);

		physical[page] = entry != NULL ? *entry & PTE_ADDRESS : 0;
		if (entry != NULL)
			*entry = 0;
	}
	if (flush)
		shootdown_all();
	for (unsigned page = 0; page < STACK_PAGES; page++) {
		if (physical[page] != 0)
			pool_page_free(pool, direct_pointer(physical[page]));
	}
}

/* Lock held. */
static bool map(struct pool *pool, uint32_t slot)
{
	for (unsigned page = 0; page < STACK_PAGES; page++) {
		uint64_t *entry = page_table_entry(pml4(), page_address(slot, page), 1, root_pool, TABLE_FLAGS);
		void *memory = entry != NULL ? pool_page_alloc(pool) : NULL;

		if (memory == NULL)
			return false;
		*entry = direct_physical(memory) | STACK_FLAGS;
	}
	return true;
}

uint64_t kernel_stack_alloc(struct pool *pool)
{
	uint64_t top = 0;
	uint32_t slot;

	spinlock_acquire(&stacks.lock);
	slot = take_slot();
	if (slot < STACKS_MAX) {
		if (map(pool, slot)) {
			top = KERNEL_STACKS_BASE + (slot + 1) * KERNEL_STACK_BYTES - sizeof(struct stack_head);
		} else {
			unmap(pool, slot, false);
			give_back_slot(slot);
		}
	}
	spinlock_release(&stacks.lock);
	return top;
}

void kernel_stack_free(struct pool *pool, uint64_t top)
{
	uint32_t slot = (uint32_t)((top - KERNEL_STACKS_BASE) / KERNEL_STACK_BYTES);

	spinlock_acquire(&stacks.lock);
	unmap(pool, slot, true);
	give_back_slot(slot);
	spinlock_release(&stacks.lock);
}
