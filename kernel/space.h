/* Address spaces: the page tables of one program, its handle table, its threads and how it ended. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/syscall.h"
#include "kernel/object.h"

struct memory;
struct pool;
struct space;
struct vm;

/* vm: whose slot is present in this space, or NULL. The caller owns one reference. */
MUST_CHECK enum status space_create(struct pool *pool, struct vm *vm, struct space **out);
struct vm *space_vm(const struct space *space);
struct pool *space_pool(struct space *space);
uint64_t space_cr3(const struct space *space);

/* Maps one 4 KiB frame. rights: RIGHT_READ/WRITE/EXECUTE, never both of the last two. virtual_address: in the program's half
 * with user = true; in the VM's slot (VM_SLOT_BASE ..) with user = false. For pages that no memory object owns (vcpu_state and
 * vcpu_reply): the caller keeps the frame until the space is gone. Errors: ERR_EXISTS, ERR_NO_MEMORY, ERR_INVALID. */
MUST_CHECK enum status space_map_frame(struct space *space, uint64_t virtual_address, uint64_t physical, unsigned rights,
				       bool user);

/* handle_add takes over the caller's reference on OK. */
MUST_CHECK enum status handle_add(struct space *space, struct object *object, unsigned rights, uint64_t badge, handle_t *out);
/* The object, with a new reference, when it has that kind and all these rights; badge: of an event, the bits it may signal. */
MUST_CHECK enum status handle_find(struct space *space, uint64_t handle, enum object_kind kind, unsigned rights,
				   struct object **out, uint64_t *badge);
