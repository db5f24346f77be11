/* What the memory calls and boot use. */
#pragma once
#include "kernel/memory.h"

struct view;

MUST_CHECK enum status memory_create(struct pool *pool, struct memory **out);
/* Appends zeroed RAM up to a size of target_bytes, at most 512 pages a call (or fewer and then one large run). Returns the size
 * reached through *size_bytes; ERR_NO_MEMORY when nothing could be added. */
MUST_CHECK enum status memory_grow(struct memory *memory, uint64_t target_bytes, uint64_t *size_bytes);
/* An object over physical memory that is not a pool's: device registers, boot files. */
MUST_CHECK enum status memory_wrap(struct pool *pool, uint64_t physical, uint64_t len_bytes, enum memory_kind kind,
				   struct memory **out);
void memory_add_view(struct memory *memory, struct view *view);
void memory_remove_view(struct memory *memory, struct view *view);
