/* Hands out pieces of the boot heap. Owns the "used" mark; what is in the pieces belongs to who asked for them. */
#include "boot/common/arena.h"

#include "lib/base/string.h"

void *arena_alloc(struct arena *arena, uint64_t len_bytes, uint64_t alignment_bytes)
{
	uint64_t padding = -arena->used_bytes & (alignment_bytes - 1);
	uint64_t left = arena->length_bytes - arena->used_bytes;
	uint8_t *piece;

	if (padding > left || len_bytes > left - padding)
		return NULL;
	piece = arena->memory + arena->used_bytes + padding;
	arena->used_bytes += padding + len_bytes;
	memset(piece, 0, len_bytes);
	return piece;
}

uint64_t arena_physical(const struct arena *arena, const void *piece)
{
	return arena->physical + (uint64_t)((const uint8_t *)piece - arena->memory);
}

void *arena_at(const struct arena *arena, uint64_t physical)
{
	return arena->memory + (physical - arena->physical);
}
