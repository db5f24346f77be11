/* The store of physical memory: RAM in chunks of 2 MiB, each free or owned by one pool. Knows nothing of who pays. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct boot_info;
struct pool;

enum chunk_kind {
	CHUNK_ABSENT, /* no RAM, or not ours */
	CHUNK_FREE,
	CHUNK_KERNEL, /* mapped in the direct map, dealt out page by page */
	CHUNK_FRAMES, /* not mapped, dealt out page by page */
	CHUNK_RUN,    /* part of a run of whole chunks */
};

#define CHUNK_PAGES 512U

struct chunk {
	struct pool *pool;
	struct chunk *next, *previous; /* pool's list of chunks of this kind with free pages */
	uint64_t physical;
	uint32_t free_pages;
	uint32_t kind;
	uint64_t used[CHUNK_PAGES / 64]; /* a bit per page */
};

/* Builds the store from the boot memory map; the boot heap becomes the root pool's first kernel chunks. Once, on the boot CPU. */
MUST_CHECK enum status chunks_init(const struct boot_info *boot, struct pool *root);

/* Sets count free chunks aside for a guarantee, all or none, and gives up such a promise. ERR_NO_MEMORY. */
MUST_CHECK enum status chunks_promise(uint64_t count);
void chunks_unpromise(uint64_t count);

/* A run of count free chunks (contiguous; 1 GiB-aligned if count is a multiple of 512 and such a run exists), now of this kind and
 * pool with all pages free. promised: how many of them were promised; the others must be free beyond all promises. NULL: none.
 * For CHUNK_KERNEL count is 1 and the chunk is mapped; all others are not mapped. */
struct chunk *chunks_take(struct pool *pool, enum chunk_kind kind, uint64_t count, uint64_t promised);
/* promised: how many of them are promised to their pool again. */
void chunks_give_back(struct chunk *first, uint64_t count, uint64_t promised);
/* The chunk that holds a physical address, NULL: not RAM of ours. */
struct chunk *chunk_at(uint64_t physical);
/* Free chunks that nobody was promised. */
uint64_t chunks_unpromised_count(void);
uint64_t chunks_total_bytes(void);

/* Pages of one chunk, by its used bits. */
uint64_t chunk_page_take(struct chunk *chunk); /* physical; free_pages > 0 */
void chunk_page_put(struct chunk *chunk, uint64_t physical);
