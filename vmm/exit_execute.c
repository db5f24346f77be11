/* Instructions that are executed as a whole (vmm/decode/execute.h): what they meet at addresses without memory, and the answer to
 * the kernel. The local APIC is ring 0's: a read of one of its registers ends the execution, which begins anew when the value is
 * there. */
#include "lib/base/string.h"
#include "user/calls.h"
#include "vmm/decode/execute.h"
#include "vmm/decode/recall.h"
#include "vmm/exit_decode.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

#define APIC_PAGE_DEFAULT    0xfee00000ULL
#define REGISTER_OFFSET_MASK 0xff0U
#define REGISTER_BYTES       4U
#define RFLAGS_TF            0x100ULL
#define RFLAGS_RF            0x10000ULL
#define ALL_GROUPS           (VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS)

static bool is_apic(const struct machine_vcpu *vcpu, uint64_t address)
{
	return ((address ^ vcpu->apic.page) & ~(PAGE_SIZE_BYTES - 1)) == 0;
}

/* What lies between registers reads as 0. */
static enum status read_apic(struct execute_apic *apic, uint64_t address, uint64_t *value)
{
	uint16_t offset = (uint16_t)(address & REGISTER_OFFSET_MASK);
	unsigned byte = address & 0xf;

	*value = 0;
	if (byte >= REGISTER_BYTES)
		return OK;
	if (apic->has_value && apic->read_offset == offset) {
		*value = apic->value >> 8 * byte;
		return OK;
	}
	apic->waits = !apic->has_value;
	apic->read_offset = offset;
	return ERR_BUSY;
}

/* The kernel writes it when it carries out the reply. */
static enum status write_apic(struct execute_apic *apic, uint64_t address, uint64_t value)
{
	if ((address & 0xf) != 0)
		return OK;
	if (apic->has_write)
		return ERR_BUSY;
	apic->has_write = true;
	apic->write_offset = (uint16_t)(address & REGISTER_OFFSET_MASK);
	apic->written = (uint32_t)value;
	return OK;
}

static enum status read_device(void *context, uint64_t address, unsigned width, uint64_t *value)
{
	struct machine_vcpu *vcpu = context;

	if (is_apic(vcpu, address))
		return read_apic(&vcpu->apic, address, value);
	*value = machine_read(vcpu->machine, &vcpu->machine->memory, address, width);
	return OK;
}

static enum status write_device(void *context, uint64_t address, unsigned width, uint64_t value)
{
	struct machine_vcpu *vcpu = context;

	if (is_apic(vcpu, address))
		return write_apic(&vcpu->apic, address, value);
	machine_write(vcpu->machine, &vcpu->machine->memory, address, width, value);
	return OK;
}

static enum status get_registers(void *context, struct vcpu_registers *out)
{
	const struct machine_vcpu *vcpu = context;

	return sys_vcpu_get_state(vcpu->handle, ALL_GROUPS, out);
}

static enum status get_vectors(void *context, struct vcpu_vectors *out)
{
	const struct machine_vcpu *vcpu = context;

	return sys_vcpu_get_vectors(vcpu->handle, out);
}

struct execution_environment exit_environment(struct machine_vcpu *vcpu)
{
	return (struct execution_environment){
		.context = vcpu,
		.gmem = &vcpu->machine->gmem,
		.read_device = read_device,
		.write_device = write_device,
		.get_registers = get_registers,
		.get_vectors = get_vectors,
	};
}

/* All registers at once, by way of the kernel's check. */
static enum status set_all_registers(struct machine_vcpu *vcpu, struct execution *x)
{
	memcpy(x->registers.gpr, x->gpr, sizeof(x->gpr));
	x->registers.rip = x->rip;
	x->registers.rflags = x->rflags & ~RFLAGS_RF; /* an EPT violation has set it; what was carried out uses it up */
	vcpu->reply->action = VCPU_REPLY_NONE;
	return sys_vcpu_set_state(vcpu->handle, ALL_GROUPS, &x->registers);
}

/* ERR_UNSUPPORTED: more registers than a reply has. */
static enum status reply_registers(struct machine_vcpu *vcpu, const struct execution *x)
{
	struct vcpu_reply *reply = vcpu->reply;
	unsigned count = 0;

	for (unsigned i = 0; i < GPR_COUNT; i++) {
		if (x->gpr[i] == x->state->gpr[i])
			continue;
		if (count == VCPU_REPLY_REGISTERS)
			return ERR_UNSUPPORTED;
		reply->registers[count].number = i;
		reply->registers[count++].value = x->gpr[i];
	}
	reply->register_count = (uint8_t)count;
	reply->flags_valid = x->rflags != x->state->exit.rflags;
	reply->flags = x->rflags & VCPU_REPLY_FLAGS_MASK;
	return OK;
}

/* RIP beyond the instruction, or RSP, needs a jump; so does the trap of TF after a repetition that goes on. */
static bool needs_jump(const struct execution *x)
{
	uint64_t distance = x->rip - x->state->exit.rip;

	return x->gpr[GPR_RSP] != x->state->gpr[GPR_RSP] || (distance != 0 && distance != x->instruction->length_bytes) ||
	       (distance == 0 && (x->rflags & RFLAGS_TF) != 0);
}

/* A reply that writes the local APIC has no place for RIP and RSP: all registers go before it. */
static enum status reply_with_state(struct machine_vcpu *vcpu, struct execution *x)
{
	struct vcpu_reply *reply = vcpu->reply;
	enum status status = execution_need_registers(x);

	if (status == OK)
		status = set_all_registers(vcpu, x);
	reply->register_count = 0;
	reply->flags_valid = 0;
	reply->advance_bytes = 0;
	reply->value = vcpu->apic.written;
	reply->apic_offset = vcpu->apic.write_offset;
	reply->action = VCPU_REPLY_APIC_WRITE;
	return status;
}

static enum status reply_with(struct machine_vcpu *vcpu, struct execution *x)
{
	const struct execute_apic *apic = &vcpu->apic;
	struct vcpu_reply *reply = vcpu->reply;
	bool jumps = needs_jump(x);

	if (jumps && apic->has_write)
		return reply_with_state(vcpu, x);
	if (reply_registers(vcpu, x) != OK)
		return ERR_UNSUPPORTED;
	reply->advance_bytes = jumps ? 0 : (uint8_t)(x->rip - x->state->exit.rip);
	reply->value = jumps ? x->rip : apic->written;
	reply->apic_offset = apic->write_offset;
	reply->action = jumps ? VCPU_REPLY_JUMP : apic->has_write ? VCPU_REPLY_APIC_WRITE : VCPU_REPLY_COMPLETE;
	return OK;
}

static enum status answer(struct machine_vcpu *vcpu, struct execution *x)
{
	enum status status = OK;

	vcpu->retried_rip = UINT64_MAX;
	if (x->changes_vectors)
		status = sys_vcpu_set_vectors(vcpu->handle, &x->vectors);
	if (status == OK && x->changes_segments)
		status = vcpu->apic.has_write ? ERR_UNSUPPORTED : set_all_registers(vcpu, x);
	else if (status == OK)
		status = reply_with(vcpu, x);
	if (status == OK)
		vcpu_answer_device_request(vcpu);
	return status;
}

static void run(struct machine_vcpu *vcpu, const struct recalled *recalled)
{
	struct execution_environment environment = exit_environment(vcpu);
	struct execution *x = &vcpu->execution;
	enum status status;

	x->environment = &environment;
	x->instruction = &recalled->instruction;
	x->state = vcpu->state;
	vcpu->apic.waits = vcpu->apic.has_write = false;
	status = execute_instruction(x);
	if (status == OK) {
		if (answer(vcpu, x) != OK)
			exit_cannot_emulate(vcpu, ERR_BUSY, &recalled->code);
		return;
	}
	if (status == ERR_FAULT) {
		exit_inject(vcpu, &x->fault);
	} else if (status == ERR_BUSY && vcpu->apic.waits) {
		vcpu->executed = recalled;
		vcpu->reply->action = VCPU_REPLY_APIC_READ;
		vcpu->reply->apic_offset = vcpu->apic.read_offset;
	} else {
		exit_cannot_emulate(vcpu, status, &recalled->code);
	}
}

void exit_execute(struct machine_vcpu *vcpu, const struct recalled *recalled)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;

	vcpu->apic = (struct execute_apic){
		.page = exit->kind == VCPU_EXIT_LOCAL_APIC ? exit->gpa & ~(uint64_t)(PAGE_SIZE_BYTES - 1) : APIC_PAGE_DEFAULT,
	};
	run(vcpu, recalled);
}

/* Nothing was recalled since: the instruction is where it was. */
void exit_execute_again(struct machine_vcpu *vcpu)
{
	vcpu->apic.value = (uint32_t)vcpu->state->exit.value;
	vcpu->apic.has_value = true;
	run(vcpu, vcpu->executed);
}
