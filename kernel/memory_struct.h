/* The fields of a memory object, for the files that make it up: memory.c (growth, extents, views), memory_pieces.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/layout.h"
#include "kernel/memory.h"
#include "kernel/spinlock.h"

struct view;
struct vm;

struct extent {
	uint64_t offset_bytes;
	uint64_t physical;
	uint64_t len_bytes;
};

#define EXTENTS_PER_PAGE (PAGE_SIZE_BYTES / sizeof(struct extent))
#define EXTENT_PAGES_MAX (PAGE_SIZE_BYTES / sizeof(struct extent *))

struct memory {
	struct object object;
	struct pool *pool;    /* constant; a reference */
	enum memory_kind kind; /* constant */
	struct spinlock lock;
	uint64_t size_bytes;
	uint64_t extent_count;
	struct extent first;        /* most objects have just one */
	struct extent **more;       /* a page of pointers to pages of extents, made when needed */
	struct view *views;
	uint64_t **pieces;          /* a page of pointers to pages of words for 2 MiB each: memory_pieces.c; NULL: all are whole */
	const struct vm *guest;     /* the VM that has seen it, to be compared only */
	bool several_guests;
};

struct extent *memory_extent_at(struct memory *memory, uint64_t index);
/* All with the lock held. Where the run is another one than its extent says: changes it and ends it with its piece.
 * ERR_NOT_FOUND: the piece is gone. */
MUST_CHECK enum status memory_replace_run(const struct memory *memory, uint64_t offset_bytes, struct memory_run *run);
/* If the 2 MiB before end_bytes are not what their extent says, frees what is there instead; false: they are. */
bool memory_free_replaced(struct memory *memory, uint64_t end_bytes);
void memory_free_pieces(struct memory *memory);
