/* Remembers instructions that were fetched and decoded, and gives them again without a walk through the page tables.
 *
 * Nothing is ever stale: an instruction is given again only where the vCPU's mode and registers that a fetch depends on are the
 * same, and every page-table entry and every byte of code that it came from still holds the same value, read once and now. A real
 * CPU's TLB may be older than that, so a guest can tell no difference. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "vmm/decode/fetch.h"
#include "vmm/decode/plain.h"

#define RECALL_INSTRUCTIONS 4U

/* What of a vCPU decides which bytes are fetched, and how they are decoded. */
struct recall_key {
	uint64_t rip, cs_base;
	uint64_t cr0, cr3, cr4, efer;
	uint32_t cs_attributes, cpl;
	uint64_t rflags; /* VM */
};

struct recalled {
	bool is_valid;
	struct recall_key key;
	struct fetched_code code;
	struct instruction instruction;
	struct plain_move plain; /* the same */
};

/* One vCPU's; all zeros: empty. */
struct recall {
	struct recalled places[RECALL_INSTRUCTIONS]; /* by RIP */
};

/* As fetch_instruction(). *out is always written: its code, and on OK its instruction, hold until the next call. */
MUST_CHECK enum status recall_instruction(struct recall *recall, const struct gmem *gm, const struct vcpu_exit *exit,
					  const struct recalled **out);
