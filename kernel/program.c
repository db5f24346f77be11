/* A program's life: its threads and how it ended. When its last thread is gone its handles are dropped and its end event is
 * signalled. */
#include <stddef.h>

#include "kernel/event.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/scheduler.h"
#include "kernel/space_internal.h"
#include "kernel/space_struct.h"
#include "kernel/thread_internal.h"
#include "kernel/trap.h"
#include "lib/base/string.h"

enum status space_add_thread(struct space *space, struct thread *thread)
{
	bool full;

	spinlock_acquire(&space->lock);
	full = space->thread_count == PROGRAM_THREADS_MAX;
	if (!full) {
		/* From here on another CPU may kill it, and it may run, end and let go of its reference. */
		object_get(&thread->object);
		thread->next_in_space = space->threads;
		space->threads = thread;
		space->thread_count++;
		thread->home->thread_count++;
		if (space->name[0] == '\0')
			memcpy(space->name, thread->name, sizeof(space->name));
		if (space->status.state != SPACE_RUNNING)
			thread->kill_pending = true;
	}
	spinlock_release(&space->lock);
	if (full)
		return ERR_NO_SPACE;
	scheduler_make_runnable(thread);
	object_put(&thread->object);
	return OK;
}

enum status space_adopt(struct space *parent, struct space *child)
{
	enum status status = ERR_NO_SPACE;

	spinlock_acquire(&parent->lock);
	if (parent->child_count < PROGRAM_CHILDREN_MAX) {
		object_get(&parent->object);
		child->parent = parent;
		child->group = parent->group; /* its CPU time is its maker's */
		memcpy(child->name, parent->name, sizeof(child->name));
		child->next_sibling = parent->children;
		parent->children = child;
		parent->child_count++;
		status = OK;
	}
	spinlock_release(&parent->lock);
	return status;
}

bool space_is_confined(const struct space *space)
{
	return space->vm != NULL || space->parent != NULL;
}

const char *space_name(const struct space *space)
{
	return space->name;
}

/* Parent's lock held. */
static void unlist_child(struct space *parent, const struct space *child)
{
	for (struct space **at = &parent->children; *at != NULL; at = &(*at)->next_sibling) {
		if (*at == child) {
			*at = child->next_sibling;
			parent->child_count--;
			return;
		}
	}
}

void space_leave_parent(struct space *child)
{
	struct space *parent = child->parent;

	if (parent == NULL)
		return;
	spinlock_acquire(&parent->lock);
	unlist_child(parent, child);
	spinlock_release(&parent->lock);
	object_put(&parent->object);
}

/* One that is being freed at this moment stays readable as long as the lock is held: it leaves its parent first. A child that never
 * ran has no children, so this nests no deeper. */
static void end_children(struct space *space)
{
	struct space *child;
	bool alive;

	do {
		spinlock_acquire(&space->lock);
		child = space->children;
		alive = child != NULL && object_get_unless_dying(&child->object);
		if (child != NULL)
			unlist_child(space, child);
		spinlock_release(&space->lock);
		if (alive) {
			space_end(child, SPACE_KILLED, 0);
			object_put(&child->object);
		}
	} while (child != NULL);
}

/* No thread is left: drops the handles and tells who waits for the end. More than one CPU may come here. */
static void finish(struct space *space)
{
	struct event *event;

	end_children(space);
	handle_table_close(&space->handles, space->pool);
	spinlock_acquire(&space->lock);
	event = space->end_event;
	space->end_event = NULL;
	spinlock_release(&space->lock);
	if (event != NULL) {
		event_signal(event, space->end_bits);
		object_put(event_object(event));
	}
}

void space_thread_gone(struct space *space, struct thread *thread)
{
	bool last;

	spinlock_acquire(&space->lock);
	for (struct thread **at = &space->threads; *at != NULL; at = &(*at)->next_in_space) {
		if (*at == thread) {
			*at = thread->next_in_space;
			break;
		}
	}
	last = --space->thread_count == 0;
	if (last && space->status.state == SPACE_RUNNING)
		space->status.state = SPACE_EXITED;
	spinlock_release(&space->lock);
	if (last)
		finish(space);
}

/* Notes the end, once, and asks all threads to die. Lock held. */
static void end_locked(struct space *space, const struct space_status *status)
{
	if (space->status.state == SPACE_RUNNING)
		space->status = *status;
	for (struct thread *thread = space->threads; thread != NULL; thread = thread->next_in_space)
		thread_kill(thread);
}

void space_end(struct space *space, enum space_state state, uint64_t exit_code)
{
	struct space_status status = {.state = state, .exit_code = exit_code};
	bool no_threads;

	spinlock_acquire(&space->lock);
	end_locked(space, &status);
	no_threads = space->thread_count == 0;
	spinlock_release(&space->lock);
	/* Never started: its handles may even name itself, so that nothing else would ever let go of it. */
	if (no_threads)
		finish(space);
}

void space_fault(struct space *space, const struct trap_frame *frame, uint64_t fault_address)
{
	struct space_status status = {
		.state = SPACE_FAULTED,
		.exception = (uint32_t)frame->vector,
		.rip = frame->rip,
		.fault_address = fault_address,
		.error_code = frame->error_code,
	};

	log_error("E601 program %s stopped: exception %u at %lx, error code %lx, address %lx, rsp %lx",
		  space->name, status.exception, frame->rip, frame->error_code, fault_address, frame->rsp);
	spinlock_acquire(&space->lock);
	end_locked(space, &status);
	spinlock_release(&space->lock);
}

void space_describe(struct space *space, struct space_status *status)
{
	spinlock_acquire(&space->lock);
	*status = space->status;
	if (space->thread_count > 0 && status->state != SPACE_RUNNING)
		status->state = SPACE_RUNNING; /* still dying: its memory is in use */
	spinlock_release(&space->lock);
}

enum status handle_add(struct space *space, struct object *object, unsigned rights, uint64_t badge, handle_t *out)
{
	struct handle_entry entry = {.object = object, .rights = rights, .badge = badge};

	return handle_table_add(&space->handles, space->pool, &entry, 64, out);
}

handle_t handle_add_at(struct space *space, struct object *object, unsigned rights, handle_t at)
{
	struct handle_entry entry = {.object = object, .rights = rights, .badge = UINT64_MAX};
	handle_t got = HANDLE_NONE;

	return handle_table_add(&space->handles, space->pool, &entry, at, &got) == OK ? got : HANDLE_NONE;
}

enum status handle_find(struct space *space, uint64_t handle, enum object_kind kind, unsigned rights, struct object **out,
			uint64_t *badge)
{
	struct handle_entry entry;
	enum status status = handle_table_get(&space->handles, handle, &entry);

	if (status != OK)
		return status;
	if (entry.object->kind != kind || (entry.rights & rights) != rights) {
		status = entry.object->kind != kind ? ERR_BAD_HANDLE : ERR_DENIED;
		object_put(entry.object);
		return status;
	}
	*out = entry.object;
	*badge = entry.badge;
	return OK;
}

enum status handle_close(struct space *space, uint64_t handle)
{
	struct object *object;
	enum status status = handle_table_take(&space->handles, handle, &object);

	if (status == OK)
		object_put(object);
	return status;
}

/* The badge of a granted handle: never more than one's own. Of ports a range, of all else bits. */
static enum status narrow_badge(const struct handle_entry *own, uint64_t asked, uint64_t *out)
{
	*out = own->badge & asked;
	if (own->object->kind != OBJECT_PORTS || own->badge == BADGE_ALL || asked == BADGE_ALL)
		return OK;
	*out = asked;
	return (asked & 0xffff) >= (own->badge & 0xffff) && asked >> 16 <= own->badge >> 16 ? OK : ERR_DENIED;
}

enum status handle_grant(struct space *from, uint64_t handle, struct space *to, unsigned rights, uint64_t badge, handle_t *out)
{
	struct handle_entry entry;
	enum status status = handle_table_get(&from->handles, handle, &entry);

	if (status != OK)
		return status;
	status = (rights & ~entry.rights) != 0 ? ERR_DENIED : narrow_badge(&entry, badge, &badge);
	if (status == OK)
		status = handle_add(to, entry.object, rights, badge, out);
	if (status != OK)
		object_put(entry.object);
	return status;
}
