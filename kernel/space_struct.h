/* The fields of a space, for the files that make it up: space.c (page tables), program.c (threads, end), handles.c. */
#pragma once
#include "kernel/config.h"
#include "kernel/handle_table.h"
#include "kernel/object.h"
#include "kernel/schedule/schedule.h"
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
	/* constant once it has a thread */
	struct schedule_group *group;      /* what it shares CPU time by: its own, or its parent's */
	struct schedule_group own_group;
	struct schedule_space *rules;      /* from `pool`; NULL: nothing was said */
	/* lock */
	struct spinlock lock;
	uint64_t cpu_mask[CPUS_MAX / 64]; /* where its threads may run */
	struct event *end_event; /* a reference, or NULL */
	struct view *views;
	uint32_t view_count;
	struct thread *threads;
	struct space_status status;
	uint32_t thread_count;
	char name[16];              /* of its first thread, or its parent's */
	struct space *children;     /* programs that this one made */
	uint32_t child_count;
	/* the parent's lock */
	struct space *next_sibling;
	/* constant after space_adopt() */
	struct space *parent;       /* a reference, or NULL */
};
