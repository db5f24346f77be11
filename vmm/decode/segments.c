/* Loads and stores of segment registers, far jumps, LLDT and LTR, with an operand at a device.
 * SDM Vol. 2, "MOV-Move", "LDS/LES/LFS/LGS/LSS", "JMP-Jump", "LLDT", "LTR"; Vol. 3A, "Privilege Checking". */
#include "abi/vcpu.h"
#include "lib/base/string.h"
#include "vmm/decode/handlers.h"
#include "vmm/decode/operand.h"
#include "vmm/decode/segment_check.h"
#include "vmm/event/segment.h"

#define SELECTOR_BYTES 2U
#define ATTRIBUTES_BYTE 5U /* of a descriptor: type, S, DPL, P */
#define EXCEPTION_OF(x, vector, selector) execution_fault(x, vector, (selector) & SELECTOR_INDEX_TI)

static bool in_ia32e_mode(const struct execution *x)
{
	return (x->state->exit.efer & EFER_LMA) != 0;
}

/* Tables may lie on devices too; what is busy reads as all-ones. An access that is not aligned goes byte by byte. */
static uint64_t read_table(void *ctx, uint64_t gpa, unsigned width)
{
	const struct execution *x = ctx;
	unsigned step = gpa % width == 0 ? width : 1;
	uint64_t value = 0;

	for (unsigned done = 0; done < width; done += step) {
		uint64_t part;

		if (x->environment->read_device(x->environment->context, gpa + done, step, &part) != OK)
			return UINT64_MAX;
		value |= part << 8 * done;
	}
	return value;
}

static void write_table(void *ctx, uint64_t gpa, unsigned width, uint64_t value)
{
	const struct execution *x = ctx;
	unsigned step = gpa % width == 0 ? width : 1;

	for (unsigned done = 0; done < width; done += step) {
		if (x->environment->write_device(x->environment->context, gpa + done, step, value >> 8 * done) != OK)
			return;
	}
}

static struct event_cpu tables_of(struct execution *x)
{
	return (struct event_cpu){
		.gmem = x->environment->gmem,
		.devices = {.read = read_table, .write = write_table, .ctx = x},
		.registers = x->registers,
	};
}

/* A fault on the way to a descriptor as the instruction's. */
static enum status fault_of(struct execution *x, const struct event_cpu *tables, enum status status)
{
	if (status == ERR_FAULT)
		x->fault = (struct fault){(enum exception)tables->fault.vector, tables->fault.error_code, tables->fault.value};
	return status;
}

static enum status read_descriptor(struct execution *x, unsigned selector, struct descriptor *out)
{
	struct event_cpu tables = tables_of(x);
	enum status status = descriptor_read(&tables, (uint16_t)selector, out);

	return status == ERR_NOT_FOUND ? EXCEPTION_OF(x, EXCEPTION_GP, selector) : fault_of(x, &tables, status);
}

static enum status mark_descriptor(struct execution *x, struct descriptor *descriptor)
{
	struct event_cpu tables = tables_of(x);

	return fault_of(x, &tables, descriptor_mark(&tables, descriptor));
}

static bool is_null(unsigned selector)
{
	return (selector & SELECTOR_INDEX_TI) == 0;
}

/* The CPU keeps CPL in SS. */
static enum status load_null(struct execution *x, enum segment number, unsigned selector, struct vcpu_segment *segment)
{
	unsigned cpl = x->state->exit.cpl;

	if (number == SEGMENT_SS && (!execution_is_64_bit(x) || cpl == 3 || (selector & SELECTOR_RPL) != cpl))
		return execution_fault(x, EXCEPTION_GP, 0);
	*segment = segment_unusable((uint16_t)selector, number == SEGMENT_SS ? cpl : 0);
	return OK;
}

static bool stack_allows(const struct execution *x, const struct descriptor *d, unsigned selector)
{
	unsigned cpl = x->state->exit.cpl;

	return (selector & SELECTOR_RPL) == cpl && SEGMENT_DPL(d->attributes) == cpl && segment_is_writable_data(d->attributes);
}

static bool data_allows(const struct execution *x, const struct descriptor *d, unsigned selector)
{
	unsigned dpl = SEGMENT_DPL(d->attributes);

	if ((d->attributes & SEGMENT_S) == 0 || (segment_is_code(d->attributes) && (d->attributes & SEGMENT_WRITABLE) == 0))
		return false;
	return segment_is_conforming(d->attributes) || (dpl >= x->state->exit.cpl && dpl >= (selector & SELECTOR_RPL));
}

static enum status load_protected(struct execution *x, enum segment number, unsigned selector, struct vcpu_segment *segment)
{
	bool is_stack = number == SEGMENT_SS;
	struct descriptor descriptor;
	enum status status = read_descriptor(x, selector, &descriptor);

	if (status != OK)
		return status;
	if (!(is_stack ? stack_allows(x, &descriptor, selector) : data_allows(x, &descriptor, selector)))
		return EXCEPTION_OF(x, EXCEPTION_GP, selector);
	if ((descriptor.attributes & SEGMENT_PRESENT) == 0)
		return EXCEPTION_OF(x, is_stack ? EXCEPTION_SS : EXCEPTION_NP, selector);
	status = mark_descriptor(x, &descriptor);
	*segment = segment_of((uint16_t)selector, &descriptor);
	return status;
}

/* Loads ES, SS, DS, FS or GS. In real-address mode limits stay as they are. */
static enum status load_segment(struct execution *x, enum segment number, unsigned selector)
{
	struct vcpu_segment *segment = execution_segment(&x->registers, number);

	x->changes_segments = true;
	if (!execution_is_protected(x)) {
		segment->selector = selector;
		segment->base = (uint64_t)selector << 4;
		return OK;
	}
	return is_null(selector) ? load_null(x, number, selector, segment) : load_protected(x, number, selector, segment);
}

static enum status read_operand(struct execution *x, unsigned bytes, void *out)
{
	struct place place;
	enum status status = operand_place_own(x, 0, bytes, false, &place);

	if (status == OK && !x->touches_device)
		return ERR_INVALID; /* before a descriptor is marked */
	return status == OK ? operand_read(x, &place, out) : status;
}

static enum status move_from_segment(struct execution *x)
{
	unsigned number = x->instruction->register_number;
	struct place place;
	enum status status = number <= SEGMENT_GS ? execution_need_registers(x) : execution_fault(x, EXCEPTION_UD, 0);

	if (status == OK)
		status = operand_place_own(x, 0, SELECTOR_BYTES, true, &place);
	if (status != OK)
		return status;
	return operand_write_number(x, &place, execution_segment(&x->registers, (enum segment)number)->selector);
}

static enum status move_to_segment(struct execution *x)
{
	unsigned number = x->instruction->register_number;
	uint16_t selector = 0;
	enum status status;

	if (number > SEGMENT_GS || number == SEGMENT_CS)
		return execution_fault(x, EXCEPTION_UD, 0);
	status = execution_need_registers(x);
	if (status == OK)
		status = read_operand(x, SELECTOR_BYTES, &selector);
	return status == OK ? load_segment(x, (enum segment)number, selector) : status;
}

/* An offset of the operand's width, then a selector. */
static enum status read_far_pointer(struct execution *x, uint64_t *offset, unsigned *selector)
{
	unsigned bytes = x->instruction->memory_bytes;
	uint8_t pointer[16] = {0};
	uint16_t last;
	enum status status = execution_need_registers(x);

	if (status == OK)
		status = read_operand(x, bytes, pointer);
	*offset = 0;
	memcpy(offset, pointer, bytes - SELECTOR_BYTES);
	memcpy(&last, pointer + bytes - SELECTOR_BYTES, SELECTOR_BYTES);
	*selector = last;
	return status;
}

static enum status load_far_pointer(struct execution *x)
{
	uint64_t offset;
	unsigned selector;
	enum status status = read_far_pointer(x, &offset, &selector);

	if (status == OK)
		status = load_segment(x, (enum segment)x->instruction->other_register, selector);
	if (status == OK)
		execution_set_register(x, x->instruction->register_number, offset, x->instruction->memory_bytes - SELECTOR_BYTES);
	return status;
}

/* At the current privilege level: gates and TSSs are other kinds. */
static bool code_allows(const struct execution *x, const struct descriptor *d, unsigned selector)
{
	unsigned cpl = x->state->exit.cpl, dpl = SEGMENT_DPL(d->attributes);

	if (!segment_is_code(d->attributes) ||
	    (in_ia32e_mode(x) && (d->attributes & (SEGMENT_L | SEGMENT_DB)) == (SEGMENT_L | SEGMENT_DB)))
		return false;
	return segment_is_conforming(d->attributes) ? dpl <= cpl : dpl == cpl && (selector & SELECTOR_RPL) <= cpl;
}

/* The target belongs to the new segment, which may be of another width. */
static enum status go_to(struct execution *x, uint64_t offset, const struct vcpu_segment *cs, bool is_long)
{
	if (is_long ? !execution_is_canonical(x, offset) : offset > cs->limit)
		return execution_fault(x, EXCEPTION_GP, 0);
	x->registers.cs = *cs;
	x->changes_segments = true;
	x->rip = offset;
	return OK;
}

static enum status jump_protected(struct execution *x, uint64_t offset, unsigned selector)
{
	struct descriptor descriptor;
	struct vcpu_segment cs;
	enum status status;

	if (is_null(selector))
		return execution_fault(x, EXCEPTION_GP, 0);
	status = read_descriptor(x, selector, &descriptor);
	if (status != OK)
		return status;
	if ((descriptor.attributes & SEGMENT_S) == 0)
		return ERR_UNSUPPORTED;
	if (!code_allows(x, &descriptor, selector))
		return EXCEPTION_OF(x, EXCEPTION_GP, selector);
	if ((descriptor.attributes & SEGMENT_PRESENT) == 0)
		return EXCEPTION_OF(x, EXCEPTION_NP, selector);
	status = mark_descriptor(x, &descriptor);
	cs = segment_of((uint16_t)((selector & ~SELECTOR_RPL) | x->state->exit.cpl), &descriptor);
	return status == OK ? go_to(x, offset, &cs, in_ia32e_mode(x) && (cs.attributes & SEGMENT_L) != 0) : status;
}

static enum status jump_far(struct execution *x)
{
	struct vcpu_segment cs;
	uint64_t offset;
	unsigned selector;
	enum status status = read_far_pointer(x, &offset, &selector);

	if (status != OK)
		return status;
	if (execution_is_protected(x))
		return jump_protected(x, offset, selector);
	cs = x->registers.cs;
	cs.selector = selector;
	cs.base = (uint64_t)selector << 4;
	return go_to(x, offset, &cs, false);
}

static bool system_type_fits(const struct descriptor *d, bool is_tss, bool is_wide)
{
	unsigned type = SEGMENT_TYPE(d->attributes);

	if ((d->attributes & SEGMENT_S) != 0)
		return false;
	return is_tss ? type == (SYSTEM_TSS_16 | SYSTEM_32) || (type == SYSTEM_TSS_16 && !is_wide) : type == SYSTEM_LDT;
}

/* In IA-32e mode descriptors of systems have 16 bytes. LTR marks its own as busy. */
static enum status load_system_descriptor(struct execution *x, const struct descriptor *d, unsigned selector, bool is_tss,
					  struct vcpu_segment *segment)
{
	struct event_cpu tables = tables_of(x);
	uint64_t high = 0;
	enum status status = OK;

	if (in_ia32e_mode(x) && (selector | SELECTOR_RPL | SELECTOR_TI) + 8 > x->registers.gdtr.limit)
		return EXCEPTION_OF(x, EXCEPTION_GP, selector);
	if (in_ia32e_mode(x))
		status = linear_read(&tables, d->linear + 8, 8, LINEAR_TABLE, &high);
	if (status == OK && !execution_is_canonical(x, high << 32 | d->base))
		return EXCEPTION_OF(x, EXCEPTION_GP, selector);
	if (status == OK && is_tss)
		status = linear_change(&tables, d->linear + ATTRIBUTES_BYTE, 0, SYSTEM_TSS_BUSY);
	*segment = segment_of((uint16_t)selector, d);
	segment->base |= high << 32;
	segment->attributes |= is_tss ? SYSTEM_TSS_BUSY : 0;
	return fault_of(x, &tables, status);
}

/* LLDT and LTR. */
static enum status load_system_segment(struct execution *x)
{
	bool is_tss = x->instruction->operation == OP_LTR;
	struct vcpu_segment *segment = is_tss ? &x->registers.tr : &x->registers.ldtr;
	struct descriptor descriptor;
	uint16_t selector = 0;
	enum status status;

	if (!execution_is_protected(x))
		return execution_fault(x, EXCEPTION_UD, 0);
	status = x->state->exit.cpl == 0 ? execution_need_registers(x) : execution_fault(x, EXCEPTION_GP, 0);
	if (status == OK)
		status = read_operand(x, SELECTOR_BYTES, &selector);
	if (status != OK)
		return status;
	x->changes_segments = true;
	if (is_null(selector) && !is_tss) {
		*segment = segment_unusable(selector, 0);
		return OK;
	}
	if (is_null(selector) || (selector & SELECTOR_TI) != 0)
		return EXCEPTION_OF(x, EXCEPTION_GP, selector);
	status = read_descriptor(x, selector, &descriptor);
	if (status != OK)
		return status;
	if (!system_type_fits(&descriptor, is_tss, in_ia32e_mode(x)))
		return EXCEPTION_OF(x, EXCEPTION_GP, selector);
	if ((descriptor.attributes & SEGMENT_PRESENT) == 0)
		return EXCEPTION_OF(x, EXCEPTION_NP, selector);
	return load_system_descriptor(x, &descriptor, selector, is_tss, segment);
}

enum status execute_segment(struct execution *x)
{
	switch ((unsigned)x->instruction->operation) {
	case OP_MOV_FROM_SEGMENT:
		return move_from_segment(x);
	case OP_MOV_TO_SEGMENT:
		return move_to_segment(x);
	case OP_LOAD_FAR_POINTER:
		return load_far_pointer(x);
	case OP_FAR_JMP:
		return execution_has_cet(x) ? ERR_UNSUPPORTED : jump_far(x);
	default:
		return load_system_segment(x);
	}
}
