/* Between the chunk store and the pools, at boot. */
#pragma once

struct chunk;
struct pool;

/* Puts a chunk that has free pages into the pool's list of its kind (kernel or frames) and charges it. */
void pool_adopt_chunk(struct pool *pool, struct chunk *chunk);
