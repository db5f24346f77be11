/* Accesses to the local APIC's page: decoded here, carried out by the kernel, which owns the local APIC. A plain load is one
 * action; any other read comes back as VCPU_EXIT_APIC_VALUE.
 * SDM Vol. 3A, "Local APIC Register Address Map": registers are 32 bits wide at multiples of 16. */
#include "vmm/decode/emulate.h"
#include "vmm/exit_decode.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

#define REGISTER_OFFSET_MASK 0xff0U
#define IN_REGISTER_MASK     0xfU

static uint16_t register_offset(const struct machine_vcpu *vcpu)
{
	return (uint16_t)(vcpu->emulation.access.start.raw & REGISTER_OFFSET_MASK);
}

static unsigned byte_in_register(const struct machine_vcpu *vcpu)
{
	return (unsigned)vcpu->emulation.access.start.raw & IN_REGISTER_MASK;
}

static bool is_plain_load(const struct machine_vcpu *vcpu)
{
	const struct instruction *instruction = vcpu->emulation.instruction;

	return instruction->operation == OP_MOV && instruction->form == FORM_REGISTER_MEMORY &&
	       instruction->memory_bytes == 4 && instruction->register_bytes == 4 && byte_in_register(vcpu) == 0 &&
	       instruction->register_number != GPR_RSP;
}

/* read_value: of the whole 32-bit register. */
static void finish(struct machine_vcpu *vcpu, uint64_t read_value)
{
	struct emulation_result result;
	unsigned byte = byte_in_register(vcpu);

	emulation_finish(&vcpu->emulation, vcpu->state, byte < 4 ? read_value >> byte * 8 : 0, &result);
	if (result.has_divide_error) {
		exit_inject(vcpu, &(const struct fault){.vector = EXCEPTION_DE});
		return;
	}
	emulation_to_reply(&result, vcpu->reply);
	if (!vcpu->emulation.access.writes || byte != 0 || vcpu->emulation.access.count == 0)
		return; /* what lies between registers takes no writes */
	vcpu->reply->action = VCPU_REPLY_APIC_WRITE;
	vcpu->reply->apic_offset = register_offset(vcpu);
	vcpu->reply->value = (uint32_t)result.write_value;
}

/* Kept apart: the commonest instructions need no stack for it. */
static __attribute__((noinline)) void emulate(struct machine_vcpu *vcpu, const struct recalled *recalled)
{
	struct vcpu_reply *reply = vcpu->reply;

	if (!exit_prepare(vcpu, recalled))
		return;
	if (vcpu->emulation.access.count > 1)
		vcpu->emulation.access.count = 1; /* one register at a time */
	if (!vcpu->emulation.access.reads) {
		finish(vcpu, 0);
		return;
	}
	if (is_plain_load(vcpu)) {
		finish(vcpu, 0);
		reply->action = VCPU_REPLY_APIC_LOAD;
	} else {
		reply->action = VCPU_REPLY_APIC_READ;
	}
	reply->apic_offset = register_offset(vcpu);
}

/* A plain move of one whole register. */
static void move(struct machine_vcpu *vcpu, const struct plain_move *plain)
{
	struct vcpu_reply *reply = vcpu->reply;

	plain_move_reply(plain, 0, reply);
	reply->action = plain->kind == PLAIN_LOAD ? VCPU_REPLY_APIC_LOAD : VCPU_REPLY_APIC_WRITE;
	reply->apic_offset = (uint16_t)(vcpu->state->exit.gpa & REGISTER_OFFSET_MASK);
	reply->value = (uint32_t)vcpu->state->gpr[plain->register_number];
	vcpu->retried_rip = UINT64_MAX;
}

void exit_local_apic(struct machine_vcpu *vcpu)
{
	const struct recalled *recalled = exit_recall(vcpu);

	if (recalled == NULL)
		return;
	if (plain_move_hits(&recalled->plain, vcpu->state) && recalled->plain.width_bytes == 4 &&
	    (vcpu->state->exit.gpa & IN_REGISTER_MASK) == 0)
		move(vcpu, &recalled->plain);
	else
		emulate(vcpu, recalled);
}

void exit_apic_value(struct machine_vcpu *vcpu)
{
	if (vcpu->apic.waits)
		exit_execute_again(vcpu);
	else
		finish(vcpu, vcpu->state->exit.value);
}
