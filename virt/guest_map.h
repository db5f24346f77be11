/* The guest map: which piece of which memory object a VM sees at which guest-physical address, and with what rights.
 * The backend's page tables are made from it and hold nothing that is not in it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/spinlock.h"

struct memory;
struct vm;

#define GUEST_RANGES_MAX 64U

struct guest_range {
	uint64_t gpa, len_bytes; /* len_bytes 0: not in use */
	struct memory *memory;   /* holds one reference */
	uint64_t offset_bytes;
	unsigned rights;         /* RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE */
};

struct guest_map {
	struct spinlock lock;
	struct guest_range ranges[GUEST_RANGES_MAX]; /* lock */
	bool has_gaps; /* a piece was taken out once: pages of a range may not be there. Set under the lock, read without */
};

void guest_map_init(struct guest_map *map);
/* The VM is gone: drops the references. */
void guest_map_destroy(struct guest_map *map);

/* Shows [offset_bytes, +len_bytes) of memory at gpa. All multiples of 4096. done_bytes: how much of it is mapped now; fewer
 * than len_bytes with OK: call again for the rest.
 * Errors: ERR_MISALIGNED, ERR_INVALID (rights), ERR_UNSUPPORTED (device memory), ERR_OUT_OF_RANGE (address or memory too short),
 * ERR_EXISTS (overlap), ERR_NO_SPACE (too many ranges), ERR_NO_MEMORY. Context: any thread. */
MUST_CHECK enum status guest_map_add(struct vm *vm, uint64_t gpa, struct memory *memory, uint64_t offset_bytes, uint64_t len_bytes,
				     unsigned rights, uint64_t *done_bytes);

/* Takes [gpa, +len_bytes), which must be whole ranges from gpa on, away; no vCPU uses it any more when this returns.
 * done_bytes as above. Errors: ERR_MISALIGNED, ERR_NOT_FOUND. */
MUST_CHECK enum status guest_map_remove(struct vm *vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes);

/* The guest touched a page that is in a range but was taken out (virt/discard.c): it gets zeroed memory again. OK: the guest tries
 * again. Errors: ERR_NOT_FOUND: no range holds gpa; ERR_NO_MEMORY. Context: the vCPU's thread. */
MUST_CHECK enum status guest_map_fill(struct vm *vm, uint64_t gpa);
