/* INS and OUTS, element by element, with or without REP. Bounded: a long transfer goes on with the next exit, as the
 * instruction is not advanced until its counter is 0.
 * SDM Vol. 2A, "INS/INSB/INSW/INSD"; Vol. 2B, "OUTS/OUTSB/OUTSW/OUTSD". */
#include "lib/base/format.h"
#include "vmm/decode/alu.h"
#include "vmm/decode/fetch.h"
#include "vmm/decode/walk.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

#define ELEMENTS_MAX      256U
#define VECTOR_PAGE_FAULT 14U

struct string_transfer {
	unsigned address_bytes;
	unsigned length_bytes; /* of the instruction */
	enum segment segment;  /* of OUTS */
};

/* Prefixes of an instruction that is known to be INS or OUTS. SDM Vol. 2A, "Instruction Prefixes". */
static bool parse(const struct fetched_code *code, enum code_size code_size, struct string_transfer *out)
{
	*out = (struct string_transfer){.address_bytes = code_size, .segment = SEGMENT_DS};
	for (unsigned i = 0; i < code->count; i++) {
		switch (code->bytes[i]) {
		case 0x26: out->segment = SEGMENT_ES; break;
		case 0x2e: out->segment = SEGMENT_CS; break;
		case 0x36: out->segment = SEGMENT_SS; break;
		case 0x3e: out->segment = SEGMENT_DS; break;
		case 0x64: out->segment = SEGMENT_FS; break;
		case 0x65: out->segment = SEGMENT_GS; break;
		case 0x67: out->address_bytes = code_size == CODE_32 ? 2 : 4; break;
		case 0x6c: case 0x6d: case 0x6e: case 0x6f: out->length_bytes = i + 1; return true;
		default: break; /* 66h, F2h, F3h, REX: the exit says what they mean */
		}
	}
	return false;
}

static uint64_t segment_base(const struct vcpu_exit *exit, enum segment segment, enum code_size code_size)
{
	bool is_flat = code_size == CODE_64;

	switch (segment) {
	case SEGMENT_ES: return is_flat ? 0 : exit->es_base;
	case SEGMENT_CS: return is_flat ? 0 : exit->cs_base;
	case SEGMENT_SS: return is_flat ? 0 : exit->ss_base;
	case SEGMENT_DS: return is_flat ? 0 : exit->ds_base;
	case SEGMENT_FS: return exit->fs_base;
	case SEGMENT_GS: return exit->gs_base;
	}
	return 0;
}

/* One element between the port and memory at linear. Elements across a page border are not supported. */
static enum status transfer_element(struct machine_vcpu *vcpu, uint64_t linear, uint32_t *fault_code)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	struct machine *machine = vcpu->machine;
	const struct walk_access access = {.is_write = !exit->port_is_write, .is_user = exit->cpl == 3};
	uint64_t value = 0;
	gpa_t at;
	enum status status = walk_translate(&machine->gmem, exit, linear, access, &at, fault_code, NULL);

	if (status != OK)
		return status;
	if ((linear & 0xfff) > 0x1000U - exit->port_width)
		return ERR_UNSUPPORTED;
	if (!exit->port_is_write) {
		value = machine_read(machine, &machine->ports, exit->port, exit->port_width);
		return gmem_write(&machine->gmem, at, &value, exit->port_width);
	}
	status = gmem_read(&machine->gmem, at, &value, exit->port_width);
	if (status == OK)
		machine_write(machine, &machine->ports, exit->port, exit->port_width, value);
	return status;
}

/* A register of which only the low address_bytes count. */
static uint64_t merged(uint64_t old, uint64_t value, unsigned address_bytes)
{
	return address_bytes == 2 ? (old & ~0xffffULL) | (value & 0xffff) : alu_truncate(value, address_bytes);
}

static void complete(struct machine_vcpu *vcpu, const struct string_transfer *string, uint64_t index, uint64_t left)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	const uint64_t *gpr = vcpu->state->gpr;
	unsigned index_gpr = exit->port_is_write ? GPR_RSI : GPR_RDI;
	struct vcpu_reply *reply = vcpu->reply;

	reply->action = VCPU_REPLY_COMPLETE;
	reply->flags_valid = 0;
	reply->register_count = exit->port_has_rep ? 2 : 1;
	reply->registers[0].number = index_gpr;
	reply->registers[0].value = merged(gpr[index_gpr], index, string->address_bytes);
	reply->registers[1].number = GPR_RCX;
	reply->registers[1].value = merged(gpr[GPR_RCX], left, string->address_bytes);
	reply->advance_bytes = (uint8_t)(left == 0 || !exit->port_has_rep ? string->length_bytes : 0);
	vcpu_answer_device_request(vcpu);
}

static void refuse(struct machine_vcpu *vcpu, enum status status, uint64_t linear, uint32_t fault_code)
{
	if (status != ERR_FAULT) {
		vcpu_answer_stop(vcpu, VCPU_STOP_UNKNOWN_INSTRUCTION, "INS or OUTS at %llx with memory operand at %llx",
				 (unsigned long long)vcpu->state->exit.rip, (unsigned long long)linear);
		return;
	}
	vcpu->reply->action = VCPU_REPLY_INJECT;
	vcpu->reply->vector = VECTOR_PAGE_FAULT;
	vcpu->reply->error_code = fault_code;
	vcpu->reply->error_code_valid = 1;
	vcpu->reply->value = linear;
}

static void transfer(struct machine_vcpu *vcpu, const struct string_transfer *string, uint64_t base)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	const uint64_t *gpr = vcpu->state->gpr;
	uint64_t index = alu_truncate(gpr[exit->port_is_write ? GPR_RSI : GPR_RDI], string->address_bytes);
	uint64_t left = exit->port_has_rep ? alu_truncate(gpr[GPR_RCX], string->address_bytes) : 1;
	uint64_t step = (exit->rflags & RFLAGS_DF) != 0 ? 0 - (uint64_t)exit->port_width : exit->port_width;
	enum code_size code_size = fetch_code_size(exit);

	for (unsigned done = 0; left > 0 && done < ELEMENTS_MAX; done++) {
		uint64_t linear = code_size == CODE_64 ? base + index : (uint32_t)(base + index);
		uint32_t fault_code = 0;
		enum status status = transfer_element(vcpu, linear, &fault_code);

		if (status != OK && done > 0)
			break; /* the element before is kept; this one faults with the next exit */
		if (status != OK) {
			refuse(vcpu, status, linear, fault_code);
			return;
		}
		index = alu_truncate(index + step, string->address_bytes);
		left--;
	}
	complete(vcpu, string, index, left);
}

void exit_port_string(struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	enum code_size code_size = fetch_code_size(exit);
	struct string_transfer string;
	struct instruction unused;
	struct fetched_code code;

	/* The decoder knows no INS and OUTS: its answer does not matter, the bytes do. */
	if (fetch_instruction(&vcpu->machine->gmem, exit, &code, &unused) == ERR_FAULT) {
		refuse(vcpu, ERR_FAULT, code.fault_address, code.fault_error_code);
		return;
	}
	if (!parse(&code, code_size, &string)) {
		refuse(vcpu, ERR_UNSUPPORTED, exit->rip, 0);
		return;
	}
	transfer(vcpu, &string, segment_base(exit, exit->port_is_write ? string.segment : SEGMENT_ES, code_size));
}
