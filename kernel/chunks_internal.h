/* The chunk store's fields, for the two files that make it up: chunks_init.c (boot) and chunks.c. */
#pragma once
#include "kernel/chunks.h"
#include "kernel/spinlock.h"

#define REGIONS_MAX     256U
#define HEAP_CHUNKS_MAX 16U
#define GROUP_CHUNKS    512U

struct region {
	uint64_t first_index; /* physical >> 21 */
	uint64_t chunk_count;
	struct chunk *chunks;
	uint16_t *free_in_group; /* how many of each GROUP_CHUNKS chunks are free, so that a search skips what is in use */
};

struct chunk_store {
	/* constant after chunks_init() */
	struct region regions[REGIONS_MAX]; /* 0: the boot heap */
	unsigned region_count;
	uint64_t total_bytes;
	/* lock */
	struct spinlock lock;
	uint64_t free_count;        /* with the spare ones */
	uint64_t promised_count;    /* of the free ones: set aside for guarantees; never more than free_count */
	unsigned next_region;       /* where the next search starts */
	uint64_t next_chunk;
	struct chunk *spare_kernel; /* free chunks that are still mapped */
	struct chunk heap_chunks[HEAP_CHUNKS_MAX];
	uint16_t free_in_heap;
};

extern struct chunk_store chunk_store;

/* Gives a chunk to a pool, or to nobody, with all pages free. Lock held, or at boot. */
void chunk_reset(struct chunk *chunk, struct pool *pool, enum chunk_kind kind);
