/* Moves between memory and MMX, XMM and YMM registers, in an image of the XSAVE area.
 * SDM Vol. 1, "XSAVE Area", "The MMX State and MMX Register Set"; Vol. 2A, "Exception Conditions" of SSE and VEX instructions;
 * Vol. 3A, "Effect of MMX Instructions on x87 FPU, FXSAVE, and FXRSTOR". */
#include "lib/base/string.h"
#include "vmm/decode/handlers.h"
#include "vmm/decode/operand.h"

#define CR0_EM      (1ULL << 2)
#define CR0_TS      (1ULL << 3)
#define CR4_OSFXSR  (1ULL << 9)
#define CR4_OSXSAVE (1ULL << 18)
#define XCR0_SSE_AVX 0x6ULL

/* Places in the area. */
#define AREA_FSW    2U
#define AREA_FTW    4U
#define AREA_ST0    32U
#define AREA_XMM0   160U
#define AREA_YMM0   576U /* upper halves */
#define SLOT_BYTES  16U
#define FSW_ES      0x80U /* in the low byte: an exception waits */
#define FSW_TOP     0x38U /* in the high byte */
#define FTW_ALL     0xffU

/* A CPU would have raised these before it left the guest; they count where another vCPU wrote the instruction since. */
static enum status check_enabled(struct execution *x)
{
	const struct vcpu_exit *exit = &x->state->exit;
	const struct vector_operand *vector = &x->instruction->vector;

	if (vector->is_vex) {
		if (!execution_is_protected(x) || (exit->cr4 & CR4_OSXSAVE) == 0 ||
		    (x->vectors.xcr0 & XCR0_SSE_AVX) != XCR0_SSE_AVX)
			return execution_fault(x, EXCEPTION_UD, 0);
	} else if ((exit->cr0 & CR0_EM) != 0 || (!vector->is_mmx && (exit->cr4 & CR4_OSFXSR) == 0)) {
		return execution_fault(x, EXCEPTION_UD, 0);
	}
	if ((exit->cr0 & CR0_TS) != 0)
		return execution_fault(x, EXCEPTION_NM, 0);
	if (vector->is_mmx && (x->vectors.area[AREA_FSW] & FSW_ES) != 0)
		return execution_fault(x, EXCEPTION_MF, 0);
	return OK;
}

/* The area holds ST(0) first; MMX registers are physical ones. After any MMX instruction ST(0) is register 0 and all are in use. */
static void begin_mmx(struct execution *x)
{
	uint8_t *area = x->vectors.area;
	unsigned top = (area[AREA_FSW + 1] & FSW_TOP) >> 3;
	uint8_t rotated[8 * SLOT_BYTES];

	for (unsigned i = 0; i < 8; i++)
		memcpy(rotated + (top + i) % 8 * SLOT_BYTES, area + AREA_ST0 + i * SLOT_BYTES, SLOT_BYTES);
	memcpy(area + AREA_ST0, rotated, sizeof(rotated));
	area[AREA_FSW + 1] &= (uint8_t)~FSW_TOP;
	area[AREA_FTW] = FTW_ALL;
	x->changes_vectors = true;
}

/* Reads or writes bytes of XMM or YMM register number, from first on. */
static void copy_wide(uint8_t *area, unsigned number, unsigned first, unsigned bytes, uint8_t *buffer, bool to_register)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned at = first + i;
		uint8_t *byte = at < SLOT_BYTES ? area + AREA_XMM0 + number * SLOT_BYTES + at
						: area + AREA_YMM0 + number * SLOT_BYTES + (at - SLOT_BYTES);

		if (to_register)
			*byte = buffer[i];
		else
			buffer[i] = *byte;
	}
}

/* MMX: bits 79:64 become ones. */
static void load_mmx(struct execution *x, const uint8_t *bytes, unsigned count)
{
	uint8_t *slot = x->vectors.area + AREA_ST0 + x->instruction->register_number * SLOT_BYTES;

	memset(slot, 0, 8);
	memcpy(slot, bytes, count);
	slot[8] = slot[9] = 0xff;
}

/* A load that keeps the rest takes it from the register of VEX.vvvv, without VEX from its own. */
static void load_wide(struct execution *x, uint8_t *bytes, unsigned count)
{
	const struct instruction *instruction = x->instruction;
	const struct vector_operand *vector = &instruction->vector;
	uint8_t value[2 * SLOT_BYTES] = {0};
	uint8_t *area = x->vectors.area;
	unsigned rest_of = vector->is_vex ? instruction->other_register : instruction->register_number;

	if (vector->keeps_rest)
		copy_wide(area, rest_of, 0, SLOT_BYTES, value, false);
	memcpy(value + vector->first_byte, bytes, count);
	copy_wide(area, instruction->register_number, 0, vector->is_vex ? sizeof(value) : SLOT_BYTES, value, true);
	x->changes_vectors = true;
}

static enum status store(struct execution *x, const struct place *place)
{
	const struct instruction *instruction = x->instruction;
	uint8_t bytes[2 * SLOT_BYTES];

	if (instruction->vector.is_mmx)
		memcpy(bytes, x->vectors.area + AREA_ST0 + instruction->register_number * SLOT_BYTES, 8);
	else
		copy_wide(x->vectors.area, instruction->register_number, instruction->vector.first_byte, place->bytes, bytes,
			  false);
	return operand_write(x, place, bytes);
}

static enum status load(struct execution *x, const struct place *place)
{
	uint8_t bytes[2 * SLOT_BYTES];
	enum status status = operand_read(x, place, bytes);

	if (status != OK)
		return status;
	if (x->instruction->vector.is_mmx)
		load_mmx(x, bytes, place->bytes);
	else
		load_wide(x, bytes, place->bytes);
	return OK;
}

enum status execute_vector(struct execution *x)
{
	const struct instruction *instruction = x->instruction;
	struct place place;
	enum status status = execution_need_vectors(x);

	if (status == OK)
		status = check_enabled(x);
	if (status == OK)
		status = operand_place_own(x, 0, instruction->memory_bytes, instruction->vector.is_store, &place);
	if (status != OK)
		return status;
	if (instruction->vector.must_be_aligned && place.parts[0].start.raw % instruction->memory_bytes != 0)
		return execution_fault(x, EXCEPTION_GP, 0);
	if (!x->touches_device)
		return ERR_INVALID; /* before the registers are turned */
	if (instruction->vector.is_mmx)
		begin_mmx(x);
	return instruction->vector.is_store ? store(x, &place) : load(x, &place);
}
