/* Finding, taking and giving back free chunks. chunks_init.c builds the store at boot. */
#include "kernel/chunks.h"

#include <stddef.h>

#include "abi/layout.h"
#include "kernel/chunks_internal.h"
#include "kernel/kernel_map.h"
#include "kernel/panic.h"

struct chunk_store chunk_store = {.lock = {.rank = RANK_CHUNKS}};

struct chunk *chunk_at(uint64_t physical)
{
	uint64_t index = physical >> 21;

	for (unsigned i = 0; i < chunk_store.region_count; i++) {
		const struct region *region = &chunk_store.regions[i];

		if (index - region->first_index < region->chunk_count) {
			struct chunk *chunk = &region->chunks[index - region->first_index];

			if (chunk->kind != CHUNK_ABSENT)
				return chunk;
		}
	}
	return NULL;
}

uint64_t chunks_unpromised_count(void)
{
	uint64_t count;

	spinlock_acquire(&chunk_store.lock);
	count = chunk_store.free_count - chunk_store.promised_count;
	spinlock_release(&chunk_store.lock);
	return count;
}

enum status chunks_promise(uint64_t count)
{
	enum status status = ERR_NO_MEMORY;

	spinlock_acquire(&chunk_store.lock);
	if (count <= chunk_store.free_count - chunk_store.promised_count) {
		chunk_store.promised_count += count;
		status = OK;
	}
	spinlock_release(&chunk_store.lock);
	return status;
}

void chunks_unpromise(uint64_t count)
{
	spinlock_acquire(&chunk_store.lock);
	ASSERT(count <= chunk_store.promised_count);
	chunk_store.promised_count -= count;
	spinlock_release(&chunk_store.lock);
}

uint64_t chunks_total_bytes(void)
{
	return chunk_store.total_bytes;
}

uint64_t chunk_page_take(struct chunk *chunk)
{
	for (unsigned word = 0; word < CHUNK_PAGES / 64; word++) {
		if (~chunk->used[word] != 0) {
			unsigned bit = (unsigned)__builtin_ctzll(~chunk->used[word]);

			chunk->used[word] |= 1ULL << bit;
			chunk->free_pages--;
			return chunk->physical + ((uint64_t)word * 64 + bit) * PAGE_SIZE_BYTES;
		}
	}
	panic("chunk %lx says it has free pages and has none", chunk->physical);
}

void chunk_page_put(struct chunk *chunk, uint64_t physical)
{
	uint64_t page = (physical - chunk->physical) >> PAGE_SHIFT;

	ASSERT(page < CHUNK_PAGES && (chunk->used[page / 64] >> (page % 64) & 1));
	chunk->used[page / 64] &= ~(1ULL << (page % 64));
	chunk->free_pages++;
}

void chunk_reset(struct chunk *chunk, struct pool *pool, enum chunk_kind kind)
{
	chunk->pool = pool;
	chunk->kind = kind;
	chunk->next = NULL;
	chunk->previous = NULL;
	chunk->free_pages = CHUNK_PAGES;
	for (unsigned i = 0; i < CHUNK_PAGES / 64; i++)
		chunk->used[i] = 0;
}

/* First index >= from of a run of count free chunks whose physical index is a multiple of align; chunk_count: none. */
static uint64_t find_run(const struct region *region, uint64_t from, uint64_t count, uint64_t align)
{
	uint64_t run = 0;

	for (uint64_t i = from; i < region->chunk_count; i++) {
		if (run == 0 && region->free_in_group[i / GROUP_CHUNKS] == 0) {
			i |= GROUP_CHUNKS - 1;
			continue;
		}
		if (region->chunks[i].kind != CHUNK_FREE || (run == 0 && (region->first_index + i) % align != 0)) {
			run = 0;
			continue;
		}
		if (++run == count)
			return i + 1 - count;
	}
	return region->chunk_count;
}

static struct chunk *search(uint64_t count, uint64_t align)
{
	for (unsigned n = 0; n <= chunk_store.region_count; n++) {
		unsigned at = (chunk_store.next_region + n) % chunk_store.region_count;
		struct region *region = &chunk_store.regions[at];
		uint64_t from = n == 0 ? chunk_store.next_chunk : 0;
		uint64_t found = find_run(region, from, count, align);

		if (found < region->chunk_count) {
			chunk_store.next_region = at;
			chunk_store.next_chunk = found + count;
			for (uint64_t i = found; i < found + count; i++)
				region->free_in_group[i / GROUP_CHUNKS]--;
			return &region->chunks[found];
		}
	}
	return NULL;
}

static struct chunk *take_spare(void)
{
	struct chunk *chunk = chunk_store.spare_kernel;

	if (chunk != NULL)
		chunk_store.spare_kernel = chunk->next;
	return chunk;
}

/* A run of free chunks; *mapped: it is one that was left mapped. Lock held. */
static struct chunk *find_free(enum chunk_kind kind, uint64_t count, bool *mapped)
{
	struct chunk *found = NULL;

	*mapped = false;
	if (kind == CHUNK_KERNEL && chunk_store.spare_kernel != NULL) {
		*mapped = true;
		return take_spare();
	}
	if (count % CHUNK_PAGES == 0)
		found = search(count, CHUNK_PAGES);
	if (found == NULL)
		found = search(count, 1);
	if (found == NULL && count == 1) {
		found = take_spare();
		*mapped = found != NULL;
	}
	return found;
}

struct chunk *chunks_take(struct pool *pool, enum chunk_kind kind, uint64_t count, uint64_t promised)
{
	struct chunk *found = NULL;
	bool mapped = false;

	spinlock_acquire(&chunk_store.lock);
	ASSERT(promised <= count && promised <= chunk_store.promised_count);
	if (count - promised <= chunk_store.free_count - chunk_store.promised_count)
		found = find_free(kind, count, &mapped);
	if (found != NULL) {
		chunk_store.free_count -= count;
		chunk_store.promised_count -= promised;
	}
	for (uint64_t i = 0; found != NULL && i < count; i++)
		chunk_reset(&found[i], pool, kind);
	spinlock_release(&chunk_store.lock);
	if (found != NULL && kind == CHUNK_KERNEL && !mapped)
		kernel_map_chunk(found->physical);
	if (found != NULL && kind != CHUNK_KERNEL && mapped)
		kernel_unmap_chunk(found->physical);
	return found;
}

/* Counts chunks as free; the next search starts there. Lock held. */
static void note_free(const struct chunk *first, uint64_t count)
{
	uint64_t index = first->physical >> 21;

	for (unsigned r = 0; r < chunk_store.region_count; r++) {
		struct region *region = &chunk_store.regions[r];

		if (index - region->first_index >= region->chunk_count)
			continue;
		chunk_store.next_region = r;
		chunk_store.next_chunk = index - region->first_index;
		for (uint64_t i = chunk_store.next_chunk; i < chunk_store.next_chunk + count; i++)
			region->free_in_group[i / GROUP_CHUNKS]++;
		return;
	}
}

void chunks_give_back(struct chunk *first, uint64_t count, uint64_t promised)
{
	spinlock_acquire(&chunk_store.lock);
	if (first->kind == CHUNK_KERNEL) {
		first->pool = NULL;
		first->next = chunk_store.spare_kernel;
		chunk_store.spare_kernel = first;
	} else {
		for (uint64_t i = 0; i < count; i++)
			chunk_reset(&first[i], NULL, CHUNK_FREE);
		note_free(first, count);
	}
	chunk_store.free_count += count;
	chunk_store.promised_count += promised;
	spinlock_release(&chunk_store.lock);
}
