/* Hands out pieces of the boot heap, front to back; nothing is given back. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* memory: where the loader reaches the heap; physical: the heap's physical address (they differ in host tests only). */
struct arena {
	uint8_t *memory;
	uint64_t physical;
	uint64_t length_bytes;
	uint64_t used_bytes;
};

/* Returns len_bytes zeroed bytes, aligned to alignment_bytes (a power of two) relative to the arena's start; NULL if they
 * do not fit. Context: any. */
void *arena_alloc(struct arena *arena, uint64_t len_bytes, uint64_t alignment_bytes);

/* Physical address of a piece, and back. Both must lie in the arena. Context: any; pure. */
uint64_t arena_physical(const struct arena *arena, const void *piece);
void *arena_at(const struct arena *arena, uint64_t physical);
