/* A view: one place where a memory object, or a part of it, can be seen. Listed by the object and by the place. */
#pragma once
#include <stdint.h>

#include "abi/status.h"

struct memory;
struct pool;
struct space;

struct view {
	struct view *next_of_memory, *previous_of_memory; /* the memory object's lock */
	struct view *next_of_place;                       /* the place's lock: a space's */
	struct memory *memory;       /* holds a reference */
	const struct space *space;   /* the place; constant */
	struct pool *pool;           /* paid for the view */
	uint64_t address;            /* virtual or guest-physical */
	uint64_t offset_bytes;       /* in the object */
	uint64_t len_bytes;          /* grows with the progress of the map call */
	uint32_t rights;
};

/* Makes a view of nothing yet, listed by the memory object; ERR_NO_MEMORY. */
MUST_CHECK enum status view_create(struct memory *memory, const struct space *space, struct pool *pool, struct view **out);
/* Takes it from the object's list and frees it. The place has already let go of it. */
void view_destroy(struct view *view);
