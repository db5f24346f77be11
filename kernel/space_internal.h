/* Spaces as the system calls, threads and exceptions use them. */
#pragma once
#include "kernel/config.h"
#include "kernel/space.h"

struct event;
struct schedule_group;
struct schedule_place;
struct schedule_space;
struct thread;
struct trap_frame;

struct object *space_object(struct space *space);
struct space *space_from_object(struct object *object);

/* Maps up to 512 pages of memory's [offset, offset + len) at address; *done = bytes mapped, to be added to address and offset for
 * the next call, which then extends the same view. ERR_EXISTS: something is mapped there. Rights: READ, with WRITE or EXECUTE or
 * neither. */
MUST_CHECK enum status space_map(struct space *space, struct memory *memory, uint64_t address, uint64_t offset_bytes,
				 uint64_t len_bytes, unsigned rights, uint64_t *done);
/* One step of it: the piece at offset as one large page, where all is aligned and `left` allows, else a page; returns the bytes
 * mapped, 0 with *status on failure. The space's lock is held. */
uint64_t space_map_piece(struct space *space, struct memory *memory, uint64_t address, uint64_t offset, uint64_t left,
			 unsigned rights, enum status *status);
/* Clears the entries of all views of [offset_bytes, + 2 MiB) of memory, of which there are few, and makes all CPUs forget them. The
 * views stay. */
void space_hide_piece(struct space *space, const struct memory *memory, uint64_t offset_bytes);
/* A page of one of its views is not there: if its piece was taken out, gives it memory and maps it. True: try again. */
bool space_fill(struct space *space, uint64_t address);
/* Takes away the view that starts at address, up to 512 pages a call, from its end; *done = bytes unmapped, 0: gone. */
MUST_CHECK enum status space_unmap(struct space *space, uint64_t address, uint64_t *done);

/* A program ends with the one that made it: else a VMM could leave programs behind that nobody can reach, and memory that only
 * their handles to each other keep. Before the child's first thread; ERR_NO_SPACE: the parent has PROGRAM_CHILDREN_MAX. */
MUST_CHECK enum status space_adopt(struct space *parent, struct space *child);
/* What a program made by a VMM is, too: it sees nobody's messages, and its own are marked with its name. */
bool space_is_confined(const struct space *space);
const char *space_name(const struct space *space);
void space_leave_parent(struct space *child); /* it is being freed */

/* Signalled once, when the program ends. */
void space_set_end_event(struct space *space, struct event *event, uint64_t bits);
/* Restricts its threads to these CPUs; before the first one is created. A new space may use all. */
void space_set_cpus(struct space *space, const uint64_t cpu_mask[CPUS_MAX / 64]);
const uint64_t *space_cpus(const struct space *space); /* CPUS_MAX / 64 words */
/* What its threads share CPU time by, and where each vCPU belongs; NULL: nothing was said of it. */
struct schedule_group *space_group(struct space *space);
const struct schedule_place *space_place(const struct space *space, uint32_t vcpu_index);
/* Rules that are valid. ERR_BUSY: it has had a thread, or was told already. ERR_NO_MEMORY. */
MUST_CHECK enum status space_set_schedule(struct space *space, const struct schedule_space *rules);
/* Starts a thread, whose reference it takes over on OK. ERR_NO_SPACE: the program has PROGRAM_THREADS_MAX. */
MUST_CHECK enum status space_add_thread(struct space *space, struct thread *thread);
void space_thread_gone(struct space *space, struct thread *thread); /* the reference goes to the caller */
/* Ends the program: exception (frame), exit or kill. */
void space_fault(struct space *space, const struct trap_frame *frame, uint64_t fault_address);
void space_end(struct space *space, enum space_state state, uint64_t exit_code);
void space_describe(struct space *space, struct space_status *status);

handle_t handle_add_at(struct space *space, struct object *object, unsigned rights, handle_t at); /* boot: fixed numbers */
MUST_CHECK enum status handle_close(struct space *space, uint64_t handle);
/* badge: of an event, the bits that the new handle may signal. */
MUST_CHECK enum status handle_grant(struct space *from, uint64_t handle, struct space *to, unsigned rights, uint64_t badge,
				    handle_t *out);
