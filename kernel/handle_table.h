/* A program's handles: small numbers that name objects with rights and, for events, the bits they may signal. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/syscall.h"
#include "kernel/config.h"
#include "kernel/object.h"
#include "kernel/spinlock.h"

struct pool;

struct handle_entry {
	struct object *object; /* NULL: free; else holds a reference */
	uint64_t badge;
	uint32_t rights;
	uint32_t reserved;
};

#define HANDLES_PER_PAGE (4096 / sizeof(struct handle_entry))
#define HANDLE_PAGES     ((HANDLES_MAX + HANDLES_PER_PAGE - 1) / HANDLES_PER_PAGE)

struct handle_table {
	struct spinlock lock;
	struct handle_entry *pages[HANDLE_PAGES];
	bool closed; /* for good: its program has ended */
};

/* Puts object (whose reference passes to the table on OK) under the lowest free number >= first.
 * ERR_NO_SPACE, ERR_NO_MEMORY, ERR_DEAD after handle_table_close(). */
MUST_CHECK enum status handle_table_add(struct handle_table *table, struct pool *pool, const struct handle_entry *entry,
					handle_t first, handle_t *out);
/* A copy of the entry with a new reference to its object. ERR_BAD_HANDLE. */
MUST_CHECK enum status handle_table_get(struct handle_table *table, uint64_t handle, struct handle_entry *out);
/* Frees the number; the table's reference passes to the caller. ERR_BAD_HANDLE. */
MUST_CHECK enum status handle_table_take(struct handle_table *table, uint64_t handle, struct object **out);
/* Drops all references, frees the pages and takes no handle from then on. May be called again, from any CPU. No lock held. */
void handle_table_close(struct handle_table *table, struct pool *pool);
