/* Where an operand in memory lies, checked as a CPU checks it, and how it is read and written: in the guest's memory, at devices,
 * or partly here and there.
 *
 * A device sees naturally aligned accesses of 1, 2, 4 and 8 bytes only, from the lowest address on: an operand that is not aligned
 * reaches it in such parts, each byte once. (On a PC an access that is not aligned becomes one bus cycle for each aligned word
 * that it touches, with enable lines for the bytes.)
 * Source: SDM Vol. 3A, "Protection", "Limit Checking", "Type Checking", "Alignment Check Exception"; Vol. 1, "Canonical
 * Addressing". */
#pragma once
#include "vmm/decode/execution.h"

struct place {
	unsigned bytes;      /* 1 .. 32 */
	unsigned part_count; /* 2: it crosses a page border */
	struct {
		gpa_t start;
		unsigned bytes;
		bool is_memory;
	} parts[2];
};

/* Finds bytes at offset in the segment, with all rights checked and accessed and dirty bits set; is_write also where it is read
 * before. Errors: ERR_FAULT (x->fault); what walk_translate() returns else. */
MUST_CHECK enum status operand_place(struct execution *x, enum segment segment, uint64_t offset, unsigned bytes, bool is_write,
				     struct place *out);

/* The instruction's own operand; extra: added to its offset. bytes may differ from its memory_bytes. */
MUST_CHECK enum status operand_place_own(struct execution *x, uint64_t extra, unsigned bytes, bool is_write, struct place *out);

/* Copies an operand out or in. Errors: ERR_BUSY (a device's), ERR_INVALID (writing: the instruction has no operand at a device so
 * far: the CPU can execute it). */
MUST_CHECK enum status operand_read(struct execution *x, const struct place *place, void *out);
MUST_CHECK enum status operand_write(struct execution *x, const struct place *place, const void *in);

/* The same for a number of up to 8 bytes. */
MUST_CHECK enum status operand_read_number(struct execution *x, const struct place *place, uint64_t *out);
MUST_CHECK enum status operand_write_number(struct execution *x, const struct place *place, uint64_t value);
