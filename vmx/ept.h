/* Extended page tables: guest-physical to host-physical, 4 levels, pages of 4 KiB, 2 MiB and 1 GiB. Pure: pages come from a
 * provider, nothing is flushed here. SDM Vol. 3C, "The Extended Page Table Mechanism (EPT)". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct ept_provider {
	void *(*page_alloc)(void *context); /* zeroed; NULL: none left */
	void (*page_free)(void *context, void *page);
	uint64_t (*physical)(const void *page);
	void *(*pointer)(uint64_t physical);
};

struct ept {
	uint64_t *root;
	const struct ept_provider *provider;
	void *context;
	bool use_2m, use_1g;
};

#define EPT_READ    0x1U
#define EPT_WRITE   0x2U
#define EPT_EXECUTE 0x4U

#define EPT_POINTER_WRITE_BACK     0x6ULL
#define EPT_POINTER_WALK_LENGTH_4  0x18ULL
#define EPT_POINTER_ACCESSED_DIRTY 0x40ULL

/* ERR_NO_MEMORY. */
MUST_CHECK enum status ept_create(struct ept *ept, const struct ept_provider *provider, void *context);
/* Frees up to pages_max of its tables; true: none is left. No CPU uses them any more. */
MUST_CHECK bool ept_destroy(struct ept *ept, unsigned pages_max);

/* Maps up to steps_max pages, of the largest size that both ends allow, as write-back memory whatever the guest's PAT says.
 * gpa, hpa, len_bytes: multiples of 4096, gpa below 2^48. *done_bytes is right on errors too.
 * Errors: ERR_EXISTS, ERR_NO_MEMORY. No flush is needed: CPUs do not cache what is not present. */
MUST_CHECK enum status ept_map(struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t len_bytes, unsigned rights, unsigned steps_max,
			       uint64_t *done_bytes);

/* Takes up to steps_max pages away; large pages that reach beyond the span are split. The caller flushes before it lets go of
 * the memory. Errors: ERR_NO_MEMORY (a split). */
MUST_CHECK enum status ept_unmap(struct ept *ept, uint64_t gpa, uint64_t len_bytes, unsigned steps_max, uint64_t *done_bytes);
