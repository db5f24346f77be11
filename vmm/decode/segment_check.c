/* Limits and types of segments, and canonical addresses. SDM Vol. 3A, "Limit Checking", "Type Checking". */
#include "vmm/decode/segment_check.h"

#include "vmm/decode/emulate.h"

#define TYPE_CODE        0x8U
#define TYPE_EXPAND_DOWN 0x4U /* of data */
#define TYPE_WRITABLE    0x2U /* of data; of code: readable */
#define SEGMENT_BIG      (1U << 14)
#define SEGMENT_UNUSABLE (1U << 16)
#define CR4_LA57         (1ULL << 12)

struct vcpu_segment *execution_segment(struct vcpu_registers *registers, enum segment segment)
{
	switch (segment) {
	case SEGMENT_ES:
		return &registers->es;
	case SEGMENT_CS:
		return &registers->cs;
	case SEGMENT_SS:
		return &registers->ss;
	case SEGMENT_DS:
		return &registers->ds;
	case SEGMENT_FS:
		return &registers->fs;
	case SEGMENT_GS:
		break;
	}
	return &registers->gs;
}

bool execution_is_canonical(const struct execution *x, uint64_t address)
{
	unsigned bits = (x->state->exit.cr4 & CR4_LA57) != 0 ? 57 : 48;
	uint64_t upper = address >> (bits - 1);

	return upper == 0 || upper == UINT64_MAX >> (bits - 1);
}

static bool type_allows(const struct vcpu_segment *segment, bool is_write)
{
	if ((segment->attributes & SEGMENT_UNUSABLE) != 0)
		return false;
	if ((segment->attributes & TYPE_CODE) != 0)
		return !is_write && (segment->attributes & TYPE_WRITABLE) != 0;
	return !is_write || (segment->attributes & TYPE_WRITABLE) != 0;
}

static bool limit_allows(const struct vcpu_segment *segment, uint64_t offset, unsigned bytes)
{
	uint64_t last = offset + bytes - 1;

	if ((segment->attributes & (TYPE_CODE | TYPE_EXPAND_DOWN)) == TYPE_EXPAND_DOWN)
		return offset > segment->limit && last <= ((segment->attributes & SEGMENT_BIG) != 0 ? UINT32_MAX : 0xffff);
	return last <= segment->limit;
}

static enum status refuse(struct execution *x, enum segment segment)
{
	return execution_fault(x, segment == SEGMENT_SS ? EXCEPTION_SS : EXCEPTION_GP, 0);
}

enum status segment_check(struct execution *x, enum segment segment, uint64_t offset, unsigned bytes, bool is_write,
			  uint64_t *linear)
{
	const struct vcpu_segment *checked;
	enum status status;

	*linear = offset + emulation_segment_base(&x->state->exit, segment, x->instruction->code_size);
	if (execution_is_64_bit(x)) {
		bool is_canonical = execution_is_canonical(x, *linear) && execution_is_canonical(x, *linear + bytes - 1);

		return is_canonical ? OK : refuse(x, segment);
	}
	*linear = (uint32_t)*linear;
	status = execution_need_registers(x);
	if (status != OK)
		return status;
	checked = execution_segment(&x->registers, segment);
	if (!limit_allows(checked, offset, bytes) || (execution_is_protected(x) && !type_allows(checked, is_write)))
		return refuse(x, segment);
	return OK;
}
