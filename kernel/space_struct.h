/* The fields of a space, for the files that make it up: space.c (page tables), program.c (threads, end), handles.c. */
#pragma once
#include "kernel/config.h"
#include "kernel/handle_table.h"
#include "kernel/object.h"
#include "kernel/space.h"
#include "kernel/spinlock.h"

struct event;
struct thread;
struct view;

struct space {
	struct object object;
	/* constant after space_create() */
	struct pool *pool;
	struct vm *vm;
	uint64_t *pml4;
	uint64_t cr3;
	uint64_t end_bits; /* set before the first thread, like end_event */
	/* own locks */
	struct handle_table handles;
	/* lock */
	struct spinlock lock;
	uint64_t cpu_mask[CPUS_MAX / 64]; /* where its threads may run */
	struct event *end_event; /* a reference, or NULL */
	struct view *views;
	struct thread *threads;
	struct space_status status;
	uint32_t thread_count;
	/* the dying list's lock */
	struct space *next_dying;
};
