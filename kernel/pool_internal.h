/* Between the chunk store and the pools, at boot. */
#pragma once

struct chunk;
struct pool;

/* Puts a chunk (kernel or frames) with any number of free pages into the pool's lists and charges it. */
void pool_adopt_chunk(struct pool *pool, struct chunk *chunk);
