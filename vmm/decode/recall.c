/* A small table of decoded instructions, one place for each RIP by its low bits. */
#include "vmm/decode/recall.h"

#define RFLAGS_VM (1ULL << 17)

static bool matches(const struct recall_key *key, const struct vcpu_exit *exit)
{
	return ((key->rip ^ exit->rip) | (key->cs_base ^ exit->cs_base) | (key->cr0 ^ exit->cr0) | (key->cr3 ^ exit->cr3) |
		(key->cr4 ^ exit->cr4) | (key->efer ^ exit->efer) | (key->cs_attributes ^ exit->cs_attributes) |
		(key->cpl ^ exit->cpl) | ((key->rflags ^ exit->rflags) & RFLAGS_VM)) == 0;
}

static struct recall_key key_of(const struct vcpu_exit *exit)
{
	return (struct recall_key){.rip = exit->rip,
				   .cs_base = exit->cs_base,
				   .cr0 = exit->cr0,
				   .cr3 = exit->cr3,
				   .cr4 = exit->cr4,
				   .efer = exit->efer,
				   .cs_attributes = exit->cs_attributes,
				   .cpl = exit->cpl,
				   .rflags = exit->rflags};
}

/* Instructions that access devices stand some bytes apart. */
static struct recalled *place_of(struct recall *recall, uint64_t rip)
{
	return &recall->places[(rip ^ rip >> 3 ^ rip >> 6) % RECALL_INSTRUCTIONS];
}

/* Kept apart: what is remembered needs no stack for it. */
static __attribute__((noinline)) enum status fetch_anew(struct recalled *place, const struct gmem *gm, const struct vcpu_exit *exit)
{
	enum status status = fetch_instruction(gm, exit, &place->code, &place->instruction);

	place->key = key_of(exit);
	place->is_valid = status == OK;
	if (status == OK)
		place->plain = plain_move_of(&place->instruction, exit->rip);
	return status;
}

enum status recall_instruction(struct recall *recall, const struct gmem *gm, const struct vcpu_exit *exit,
			       const struct recalled **out)
{
	struct recalled *place = place_of(recall, exit->rip);

	*out = place;
	if (place->is_valid && matches(&place->key, exit) && gmem_watch_holds(&place->code.watch))
		return OK;
	return fetch_anew(place, gm, exit);
}
