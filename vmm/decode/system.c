/* SMSW, LMSW, SLDT and STR with an operand in memory. SDM Vol. 2B, "SMSW", "LMSW", "SLDT", "STR". */
#include "vmm/decode/handlers.h"
#include "vmm/decode/operand.h"

#define SELECTOR_BYTES 2U
#define CR4_UMIP       (1ULL << 11)
#define CR0_PE         1ULL
#define MSW_WRITABLE   0xfULL /* PE, MP, EM, TS */

static enum status store(struct execution *x, uint64_t value)
{
	struct place place;
	enum status status;

	if (x->state->exit.cpl > 0 && (x->state->exit.cr4 & CR4_UMIP) != 0)
		return execution_fault(x, EXCEPTION_GP, 0);
	status = operand_place_own(x, 0, SELECTOR_BYTES, true, &place);
	return status == OK ? operand_write_number(x, &place, value) : status;
}

/* PE can be set and not cleared. */
static enum status load_machine_status(struct execution *x)
{
	struct place place;
	uint64_t value;
	enum status status = x->state->exit.cpl == 0 ? execution_need_registers(x) : execution_fault(x, EXCEPTION_GP, 0);

	if (status == OK)
		status = operand_place_own(x, 0, SELECTOR_BYTES, false, &place);
	if (status == OK)
		status = operand_read_number(x, &place, &value);
	if (status != OK)
		return status;
	x->registers.cr0 = (x->registers.cr0 & ~(MSW_WRITABLE & ~CR0_PE)) | (value & MSW_WRITABLE);
	x->changes_segments = true;
	return OK;
}

enum status execute_system(struct execution *x)
{
	enum operation operation = x->instruction->operation;
	enum status status;

	if (operation == OP_LMSW)
		return load_machine_status(x);
	if (operation == OP_SMSW)
		return store(x, x->state->exit.cr0);
	status = execution_is_protected(x) ? execution_need_registers(x) : execution_fault(x, EXCEPTION_UD, 0);
	if (status != OK)
		return status;
	return store(x, operation == OP_SLDT ? x->registers.ldtr.selector : x->registers.tr.selector);
}
