/* Any bytes as instruction and as vCPU state: accesses stay in the page of the fault, results name no register that the
 * kernel refuses. */
#include <stdlib.h>
#include <string.h>

#include "vmm/decode/emulate.h"
#include "vmm/decode/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_access(const struct device_access *access)
{
	uint64_t offset = access->start.raw & 0xfff;
	int64_t last = (int64_t)offset + (access->count > 0 ? access->count - 1 : 0) * (int64_t)access->step_bytes;

	if (offset + access->width_bytes > 4096 || last < 0 || last + access->width_bytes > 4096)
		abort();
	if (!access->reads && !access->writes)
		abort();
}

static void check_result(const struct emulation_result *result)
{
	if (result->register_count > EMULATION_REGISTERS || result->advance_bytes > 15)
		abort();
	for (unsigned i = 0; i < result->register_count; i++) {
		if (result->registers[i].number >= GPR_COUNT || result->registers[i].number == GPR_RSP)
			abort();
	}
}

/* The short way must hit where the long one does, and answer the same. */
static void check_plain(const struct instruction *instruction, const struct vcpu_state *state, enum status status,
			const struct emulation_result *result)
{
	struct plain_move plain = plain_move_of(instruction, state->exit.rip);

	if (plain.kind == PLAIN_NONE)
		return;
	if (plain_move_hits(&plain, state) != (status == OK))
		abort();
	if (status == OK && plain.kind == PLAIN_LOAD &&
	    (result->register_count != 1 || result->registers[0].number != plain.register_number))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum code_size sizes[] = {CODE_16, CODE_32, CODE_64};
	struct vcpu_state state;
	struct instruction instruction;
	struct emulation emulation;
	struct emulation_result result;

	memset(&state, 0, sizeof(state));
	if (size > 15)
		memcpy(&state, data + 15, size - 15 < sizeof(state) ? size - 15 : sizeof(state));
	state.exit.gla_valid = 0;
	for (size_t i = 0; i < 3; i++) {
		if (decode_instruction(data, size, sizes[i], &instruction) != OK)
			continue;
		/* Let the fault be where the operand is: it is found by trying all offsets of a page. */
		for (unsigned offset = 0; offset < 4096; offset++) {
			state.exit.gpa = 0xfee00000 + offset;
			if (emulation_prepare(&instruction, &state, &emulation) != OK) {
				check_plain(&instruction, &state, ERR_INVALID, &result);
				continue;
			}
			check_access(&emulation.access);
			emulation_finish(&emulation, &state, 0x8877665544332211, &result);
			check_result(&result);
			check_plain(&instruction, &state, OK, &result);
			break;
		}
	}
	return 0;
}
