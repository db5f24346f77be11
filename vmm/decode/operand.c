/* Places of operands, and the way of their bytes. */
#include "vmm/decode/operand.h"

#include "abi/layout.h"
#include "lib/base/string.h"
#include "vmm/decode/emulate.h"
#include "vmm/decode/segment_check.h"
#include "vmm/decode/walk.h"

#define CR0_AM    (1ULL << 18)
#define RFLAGS_AC (1ULL << 18)
#define NUMBER_BYTES 8U

/* To what is written a ROM is a device, which loses it. */
static bool is_memory(const struct execution *x, gpa_t start, unsigned bytes, bool is_write)
{
	return gmem_slot_bytes(x->environment->gmem, start, is_write) >= bytes;
}

/* The part of an operand that lies in one page. */
static enum status place_part(struct execution *x, uint64_t linear, unsigned bytes, bool is_write, struct place *out)
{
	const struct walk_access access = {.is_write = is_write, .is_user = x->state->exit.cpl == 3, .marks = true};
	gpa_t start;
	enum status status = walk_translate(x->environment->gmem, &x->state->exit, linear, access, &start, &x->fault.error_code,
					    NULL);

	if (status == ERR_FAULT) {
		x->fault.vector = EXCEPTION_PF;
		x->fault.address = linear;
	}
	if (status != OK)
		return status;
	out->parts[out->part_count].start = start;
	out->parts[out->part_count].bytes = bytes;
	out->parts[out->part_count].is_memory = is_memory(x, start, bytes, is_write);
	x->touches_device |= !out->parts[out->part_count].is_memory;
	out->part_count++;
	return OK;
}

static bool breaks_alignment(const struct execution *x, uint64_t linear, unsigned bytes)
{
	const struct vcpu_exit *exit = &x->state->exit;

	return exit->cpl == 3 && (exit->cr0 & CR0_AM) != 0 && (exit->rflags & RFLAGS_AC) != 0 && bytes <= NUMBER_BYTES &&
	       (bytes & (bytes - 1)) == 0 && (linear & (bytes - 1)) != 0;
}

enum status operand_place(struct execution *x, enum segment segment, uint64_t offset, unsigned bytes, bool is_write,
			  struct place *out)
{
	uint64_t linear;
	unsigned first;
	bool is_refused;
	enum status status = segment_check(x, segment, offset, bytes, is_write, &linear);

	if (status != OK)
		return status;
	*out = (struct place){.bytes = bytes};
	is_refused = breaks_alignment(x, linear, bytes);
	first = PAGE_SIZE_BYTES - (linear & (PAGE_SIZE_BYTES - 1));
	first = first < bytes ? first : bytes;
	status = place_part(x, linear, first, is_write, out);
	if (status == OK && first < bytes) {
		linear += first;
		status = place_part(x, execution_is_64_bit(x) ? linear : (uint32_t)linear, bytes - first, is_write, out);
	}
	if (status == OK && is_refused)
		return execution_fault(x, EXCEPTION_AC, 0);
	return status;
}

enum status operand_place_own(struct execution *x, uint64_t extra, unsigned bytes, bool is_write, struct place *out)
{
	const struct instruction *instruction = x->instruction;
	struct vcpu_state registers = {.exit.rip = x->state->exit.rip};
	struct emulation unused;
	uint64_t offset;

	if (!instruction->has_memory)
		return ERR_INVALID;
	memcpy(registers.gpr, x->gpr, sizeof(registers.gpr));
	offset = emulation_effective_address(instruction, &registers, &unused) + extra;
	if (instruction->address_bytes < 8)
		offset &= (1ULL << 8 * instruction->address_bytes) - 1;
	return operand_place(x, instruction->memory.segment, offset, bytes, is_write, out);
}

/* The widest aligned access at address that is no longer than left. */
static unsigned access_width(uint64_t address, unsigned left)
{
	unsigned width = NUMBER_BYTES;

	while (width > left || (address & (width - 1)) != 0)
		width /= 2;
	return width;
}

static enum status read_device(struct execution *x, uint64_t address, unsigned bytes, uint8_t *out)
{
	for (unsigned done = 0, width; done < bytes; done += width) {
		uint64_t value = 0;
		enum status status;

		width = access_width(address + done, bytes - done);
		status = x->environment->read_device(x->environment->context, address + done, width, &value);
		if (status != OK)
			return status;
		memcpy(out + done, &value, width);
	}
	return OK;
}

static enum status write_device(struct execution *x, uint64_t address, unsigned bytes, const uint8_t *in)
{
	for (unsigned done = 0, width; done < bytes; done += width) {
		uint64_t value = 0;
		enum status status;

		width = access_width(address + done, bytes - done);
		memcpy(&value, in + done, width);
		status = x->environment->write_device(x->environment->context, address + done, width, value);
		if (status != OK)
			return status;
	}
	return OK;
}

/* Aligned words by one access, as the CPU does. */
static enum status read_memory(const struct gmem *gm, gpa_t start, unsigned bytes, uint8_t *out)
{
	uint64_t word;
	uint32_t half;
	enum status status;

	if (start.raw % bytes != 0 || (bytes != 4 && bytes != 8))
		return gmem_read(gm, start, out, bytes);
	status = bytes == 8 ? gmem_read_u64(gm, start, &word) : gmem_read_u32(gm, start, &half);
	if (status == OK)
		memcpy(out, bytes == 8 ? (const void *)&word : (const void *)&half, bytes);
	return status;
}

static enum status write_memory(const struct gmem *gm, gpa_t start, unsigned bytes, const uint8_t *in)
{
	uint64_t word;
	uint32_t half;

	if (start.raw % bytes != 0 || (bytes != 4 && bytes != 8))
		return gmem_write(gm, start, in, bytes);
	memcpy(bytes == 8 ? (void *)&word : (void *)&half, in, bytes);
	return bytes == 8 ? gmem_write_u64(gm, start, word) : gmem_write_u32(gm, start, half);
}

enum status operand_read(struct execution *x, const struct place *place, void *out)
{
	uint8_t *to = out;

	for (unsigned i = 0; i < place->part_count; i++) {
		gpa_t start = place->parts[i].start;
		unsigned bytes = place->parts[i].bytes;
		enum status status = place->parts[i].is_memory ? read_memory(x->environment->gmem, start, bytes, to)
							       : read_device(x, start.raw, bytes, to);

		if (status != OK)
			return status;
		to += bytes;
	}
	return OK;
}

enum status operand_write(struct execution *x, const struct place *place, const void *in)
{
	const uint8_t *from = in;

	if (!x->touches_device)
		return ERR_INVALID;
	for (unsigned i = 0; i < place->part_count; i++) {
		gpa_t start = place->parts[i].start;
		unsigned bytes = place->parts[i].bytes;
		enum status status = place->parts[i].is_memory ? write_memory(x->environment->gmem, start, bytes, from)
							       : write_device(x, start.raw, bytes, from);

		if (status != OK)
			return status;
		from += bytes;
	}
	return OK;
}

enum status operand_read_number(struct execution *x, const struct place *place, uint64_t *out)
{
	*out = 0;
	return operand_read(x, place, out);
}

enum status operand_write_number(struct execution *x, const struct place *place, uint64_t value)
{
	return operand_write(x, place, &value);
}
