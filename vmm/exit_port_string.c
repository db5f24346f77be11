/* INS and OUTS, element by element, with or without REP. Bounded: a long transfer goes on with the next exit, as the
 * instruction is not advanced until its counter is 0.
 * SDM Vol. 2A, "INS/INSB/INSW/INSD"; Vol. 2B, "OUTS/OUTSB/OUTSW/OUTSD". */
#include "vmm/decode/alu.h"
#include "vmm/decode/emulate.h"
#include "vmm/decode/fetch.h"
#include "vmm/decode/operand.h"
#include "vmm/exit_decode.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

#define ELEMENTS_MAX 256U
#define RFLAGS_TF    0x100ULL

/* Prefixes of an instruction that is known to be INS or OUTS. SDM Vol. 2A, "Instruction Prefixes". False: it is neither. */
static bool parse(const struct fetched_code *code, enum code_size code_size, struct instruction *out)
{
	*out = (struct instruction){.code_size = code_size, .address_bytes = (uint8_t)code_size, .memory.segment = SEGMENT_DS};
	for (unsigned i = 0; i < code->count; i++) {
		switch (code->bytes[i]) {
		case 0x26: out->memory.segment = SEGMENT_ES; break;
		case 0x2e: out->memory.segment = SEGMENT_CS; break;
		case 0x36: out->memory.segment = SEGMENT_SS; break;
		case 0x3e: out->memory.segment = SEGMENT_DS; break;
		case 0x64: out->memory.segment = SEGMENT_FS; break;
		case 0x65: out->memory.segment = SEGMENT_GS; break;
		case 0x67: out->address_bytes = code_size == CODE_32 ? 2 : 4; break;
		case 0x6c: case 0x6d: out->memory.segment = SEGMENT_ES; out->length_bytes = (uint8_t)(i + 1); return true;
		case 0x6e: case 0x6f: out->length_bytes = (uint8_t)(i + 1); return true;
		default: break; /* 66h, F2h, F3h, REX: the exit says what they mean */
		}
	}
	return false;
}

/* One element between the port and memory, or a device in its place. */
static enum status transfer_element(struct machine_vcpu *vcpu, const struct instruction *instruction, uint64_t index)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	struct machine *machine = vcpu->machine;
	uint64_t value = 0;
	struct place place;
	enum status status = operand_place(&vcpu->execution, instruction->memory.segment, index, exit->port_width,
					   !exit->port_is_write, &place);

	if (status != OK)
		return status;
	vcpu->execution.touches_device = true; /* the port */
	if (!exit->port_is_write) {
		value = machine_read(machine, &machine->ports, exit->port, exit->port_width);
		return operand_write_number(&vcpu->execution, &place, value);
	}
	status = operand_read_number(&vcpu->execution, &place, &value);
	if (status == OK)
		machine_write(machine, &machine->ports, exit->port, exit->port_width, value);
	return status;
}

static void complete(struct machine_vcpu *vcpu, const struct instruction *instruction, uint64_t index, uint64_t left)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	const uint64_t *gpr = vcpu->state->gpr;
	unsigned index_gpr = exit->port_is_write ? GPR_RSI : GPR_RDI;
	struct vcpu_reply *reply = vcpu->reply;

	reply->action = VCPU_REPLY_COMPLETE;
	reply->flags_valid = 0;
	reply->register_count = exit->port_has_rep ? 2 : 1;
	reply->registers[0].number = index_gpr;
	reply->registers[0].value = emulation_merged(gpr[index_gpr], index, instruction->address_bytes, false);
	reply->registers[1].number = GPR_RCX;
	reply->registers[1].value = emulation_merged(gpr[GPR_RCX], left, instruction->address_bytes, false);
	reply->advance_bytes = left == 0 || !exit->port_has_rep ? instruction->length_bytes : 0;
	if (reply->advance_bytes == 0 && (exit->rflags & RFLAGS_TF) != 0) { /* the trap comes after each element */
		reply->action = VCPU_REPLY_JUMP;
		reply->value = exit->rip;
	}
	vcpu_answer_device_request(vcpu);
}

static void refuse(struct machine_vcpu *vcpu, enum status status, uint64_t index)
{
	if (status == ERR_FAULT)
		exit_inject(vcpu, &vcpu->execution.fault);
	else
		vcpu_answer_stop(vcpu, VCPU_STOP_UNKNOWN_INSTRUCTION, "INS or OUTS at %llx with memory operand at offset %llx",
				 (unsigned long long)vcpu->state->exit.rip, (unsigned long long)index);
}

static void transfer(struct machine_vcpu *vcpu, const struct instruction *instruction)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	const uint64_t *gpr = vcpu->state->gpr;
	uint64_t index = alu_truncate(gpr[exit->port_is_write ? GPR_RSI : GPR_RDI], instruction->address_bytes);
	uint64_t left = exit->port_has_rep ? alu_truncate(gpr[GPR_RCX], instruction->address_bytes) : 1;
	uint64_t step = (exit->rflags & RFLAGS_DF) != 0 ? 0 - (uint64_t)exit->port_width : exit->port_width;

	unsigned most = (exit->rflags & RFLAGS_TF) != 0 ? 1 : ELEMENTS_MAX;

	for (unsigned done = 0; left > 0 && done < most; done++) {
		enum status status = transfer_element(vcpu, instruction, index);

		if (status != OK && done > 0)
			break; /* the element before is kept; this one faults with the next exit */
		if (status != OK) {
			refuse(vcpu, status, index);
			return;
		}
		index = alu_truncate(index + step, instruction->address_bytes);
		left--;
	}
	complete(vcpu, instruction, index, left);
}

void exit_port_string(struct machine_vcpu *vcpu)
{
	struct execution_environment environment = exit_environment(vcpu);
	struct instruction instruction;
	struct fetched_code code;

	/* The decoder knows no INS and OUTS: its answer does not matter, the bytes do. */
	if (fetch_instruction(&vcpu->machine->gmem, &vcpu->state->exit, &code, &instruction) == ERR_FAULT) {
		vcpu->execution.fault = (struct fault){EXCEPTION_PF, code.fault_error_code, code.fault_address};
		refuse(vcpu, ERR_FAULT, 0);
		return;
	}
	if (!parse(&code, fetch_code_size(&vcpu->state->exit), &instruction)) {
		refuse(vcpu, ERR_UNSUPPORTED, 0);
		return;
	}
	vcpu->apic = (struct execute_apic){.page = UINT64_MAX};
	vcpu->execution.environment = &environment;
	vcpu->execution.instruction = &instruction;
	vcpu->execution.state = vcpu->state;
	vcpu->execution.has_registers = false;
	transfer(vcpu, &instruction);
}
