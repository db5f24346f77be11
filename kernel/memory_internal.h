/* What the memory calls and boot use. */
#pragma once
#include "kernel/memory.h"

struct space;
struct view;
struct vm;

MUST_CHECK enum status memory_create(struct pool *pool, struct memory **out);
/* Appends zeroed RAM up to a size of target_bytes, at most 512 pages a call (or fewer and then one large run). Returns the size
 * reached through *size_bytes; ERR_NO_MEMORY when nothing could be added. */
MUST_CHECK enum status memory_grow(struct memory *memory, uint64_t target_bytes, uint64_t *size_bytes);
/* An object over physical memory that is not a pool's: device registers, boot files. */
MUST_CHECK enum status memory_wrap(struct pool *pool, uint64_t physical, uint64_t len_bytes, enum memory_kind kind,
				   struct memory **out);
/* Takes a whole piece of 2 MiB out of the object, which then has no memory there; *physical is its run, which the caller frees to
 * memory_pool() once no translation of it is left. Only space and vm may see the object, whose mappings the caller undoes.
 * Errors: ERR_INVALID; ERR_OUT_OF_RANGE; ERR_BUSY: others see it, or it is seen in many places; ERR_NOT_FOUND: it is gone already
 * or made of single pages; ERR_NO_MEMORY: no page to note it down. */
MUST_CHECK enum status memory_take_piece(struct memory *memory, uint64_t offset_bytes, const struct space *space,
					 const struct vm *vm, uint64_t *physical);
/* Whether it could be taken now; errors as above, but for ERR_NO_MEMORY. */
MUST_CHECK enum status memory_may_take_piece(struct memory *memory, uint64_t offset_bytes, const struct space *space,
					     const struct vm *vm);
void memory_add_view(struct memory *memory, struct view *view);
void memory_remove_view(struct memory *memory, struct view *view);
