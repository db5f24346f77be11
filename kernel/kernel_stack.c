/* Kernel stacks: slots of KERNEL_STACK_BYTES in a part of the kernel map of their own, each with a guard page below. */
#include <stdbool.h>
#include <stddef.h>

#include "kernel/config.h"
#include "kernel/kernel_map.h"
#include "kernel/page_table.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
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

/* Frees the stack's pages, which no CPU knows any more; absent ones are skipped. Lock held. */
static void free_pages(struct pool *pool, uint32_t slot)
{
	for (unsigned page = 0; page < STACK_PAGES; page++) {
		uint64_t *entry = page_table_entry(pml4(), page_address(slot, page), 1, NULL, 0);

		if (entry == NULL || *entry == 0)
			continue;
		pool_page_free(pool, direct_pointer(*entry & PTE_ADDRESS));
		*entry = 0;
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

	if (!pool_stack_take(pool))
		return 0;
	spinlock_acquire(&stacks.lock);
	slot = take_slot();
	if (slot < STACKS_MAX) {
		if (map(pool, slot)) {
			top = KERNEL_STACKS_BASE + (slot + 1) * KERNEL_STACK_BYTES - sizeof(struct stack_head);
		} else {
			free_pages(pool, slot);
			give_back_slot(slot);
		}
	}
	spinlock_release(&stacks.lock);
	if (top == 0)
		pool_stack_give_back(pool);
	return top;
}

static uint32_t slot_of(uint64_t top)
{
	return (uint32_t)((top - KERNEL_STACKS_BASE) / KERNEL_STACK_BYTES);
}

void kernel_stack_unmap(uint64_t top)
{
	spinlock_acquire(&stacks.lock);
	for (unsigned page = 0; page < STACK_PAGES; page++)
		*page_table_entry(pml4(), page_address(slot_of(top), page), 1, NULL, 0) &= ~PTE_PRESENT;
	spinlock_release(&stacks.lock);
}

void kernel_stack_free(struct pool *pool, uint64_t top)
{
	spinlock_acquire(&stacks.lock);
	free_pages(pool, slot_of(top));
	give_back_slot(slot_of(top));
	spinlock_release(&stacks.lock);
	pool_stack_give_back(pool);
}
