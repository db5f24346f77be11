/* Accesses to addresses without memory: fetch, decode, device, reply. */
#include "lib/base/format.h"
#include "user/log.h"
#include "vmm/decode/emulate.h"
#include "vmm/decode/recall.h"
#include "vmm/exit_decode.h"
#include "vmm/exit_event.h"
#include "vmm/firmware.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

#define CODE_TEXT_BYTES   (INSTRUCTION_BYTES_MAX * 3 + 1)

/* "c7 05 ..." */
static void show_code(const struct fetched_code *code, char out[CODE_TEXT_BYTES])
{
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; i < code->count; i++)
		length += format_text(out + length, CODE_TEXT_BYTES - length, i == 0 ? "%02x" : " %02x", code->bytes[i]);
}

/* Lines of the log: general registers in the SDM's order, four a line, and those that say how the code runs. */
static void log_registers(const struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	const uint64_t *gpr = vcpu->state->gpr;

	for (unsigned i = 0; i < GPR_COUNT; i += 4)
		log_print("registers: r%u %lx %lx %lx %lx", i, gpr[i], gpr[i + 1], gpr[i + 2], gpr[i + 3]);
	log_print("registers: rip %lx rflags %lx cr0 %lx cr3 %lx cr4 %lx efer %lx", exit->rip, exit->rflags, exit->cr0,
		  exit->cr3, exit->cr4, exit->efer);
	log_print("registers: cs-base %lx ss-base %lx ds-base %lx es-base %lx fs-base %lx gs-base %lx", exit->cs_base,
		  exit->ss_base, exit->ds_base, exit->es_base, exit->fs_base, exit->gs_base);
}

static void stop_at_unknown(struct machine_vcpu *vcpu, const struct fetched_code *code)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	char text[CODE_TEXT_BYTES];

	if (firmware_settles(vcpu))
		return;
	show_code(code, text);
	log_registers(vcpu);
	vcpu_answer_stop(vcpu, VCPU_STOP_UNKNOWN_INSTRUCTION,
			 "instruction %s at %llx accesses device memory at %llx (%u-bit code, privilege level %u)", text,
			 (unsigned long long)exit->rip, (unsigned long long)exit->gpa, 8U * (unsigned)fetch_code_size(exit),
			 exit->cpl);
}

void exit_inject(struct machine_vcpu *vcpu, const struct fault *fault)
{
	struct vcpu_reply *reply = vcpu->reply;

	reply->vector = (uint16_t)fault->vector;
	reply->error_code_valid = fault->vector >= EXCEPTION_TS && fault->vector != EXCEPTION_MF ? 1 : 0;
	reply->error_code = fault->error_code;
	reply->value = fault->address;
	reply->action = VCPU_REPLY_INJECT;
}

void exit_cannot_emulate(struct machine_vcpu *vcpu, enum status status, const struct fetched_code *code)
{
	/* ERR_BUSY: a device was read or written. */
	if (status == ERR_BUSY || !exit_may_try_again(vcpu))
		stop_at_unknown(vcpu, code);
}

static void cannot_decode(struct machine_vcpu *vcpu, enum status status, const struct fetched_code *code)
{
	const struct fault fault = {EXCEPTION_PF, code->fault_error_code, code->fault_address};

	if (status == ERR_FAULT)
		exit_inject(vcpu, &fault);
	else if (status != ERR_UNSUPPORTED || !exit_return(vcpu, code))
		exit_cannot_emulate(vcpu, status, code);
}

const struct recalled *exit_recall(struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	const struct recalled *recalled;
	enum status status;

	if ((exit->access & (VCPU_ACCESS_TABLE | VCPU_ACCESS_EVENT | VCPU_ACCESS_EXECUTE)) != 0) {
		if (!firmware_settles(vcpu))
			exit_table(vcpu);
		return NULL;
	}
	status = recall_instruction(&vcpu->recall, &vcpu->machine->gmem, exit, &recalled);
	if (status == OK)
		return recalled;
	cannot_decode(vcpu, status, &recalled->code);
	return NULL;
}

bool exit_prepare(struct machine_vcpu *vcpu, const struct recalled *recalled)
{
	enum status status = emulation_prepare(&recalled->instruction, vcpu->state, &vcpu->emulation);

	if (status == ERR_UNSUPPORTED) {
		exit_execute(vcpu, recalled);
		return false;
	}
	if (status != OK) {
		exit_cannot_emulate(vcpu, status, &recalled->code);
		return false;
	}
	vcpu->retried_rip = UINT64_MAX;
	return true;
}

static void write_device(struct machine *machine, const struct device_access *access, uint64_t value)
{
	uint64_t address = access->start.raw;

	for (unsigned i = 0; i < access->count; i++) {
		machine_write(machine, &machine->memory, address, access->width_bytes, value);
		address += (uint64_t)(int64_t)access->step_bytes;
	}
}

/* Kept apart: the commonest instructions need no stack for it. */
static __attribute__((noinline)) void emulate(struct machine_vcpu *vcpu, const struct recalled *recalled)
{
	struct machine *machine = vcpu->machine;
	const struct device_access *access = &vcpu->emulation.access;
	struct emulation_result result;
	uint64_t read_value = 0;

	if (!exit_prepare(vcpu, recalled))
		return;
	if (access->reads)
		read_value = machine_read(machine, &machine->memory, access->start.raw, access->width_bytes);
	emulation_finish(&vcpu->emulation, vcpu->state, read_value, &result);
	if (result.has_divide_error) {
		exit_inject(vcpu, &(const struct fault){.vector = EXCEPTION_DE});
		return;
	}
	emulation_to_reply(&result, vcpu->reply);
	if (access->writes)
		write_device(machine, access, result.write_value);
	vcpu_answer_device_request(vcpu);
}

static void move(struct machine_vcpu *vcpu, const struct plain_move *plain)
{
	struct machine *machine = vcpu->machine;
	uint64_t address = vcpu->state->exit.gpa, value = 0;

	if (plain->kind == PLAIN_LOAD)
		value = machine_read(machine, &machine->memory, address, plain->width_bytes);
	else
		machine_write(machine, &machine->memory, address, plain->width_bytes, vcpu->state->gpr[plain->register_number]);
	plain_move_reply(plain, value, vcpu->reply);
	vcpu->reply->action = VCPU_REPLY_COMPLETE;
	vcpu->retried_rip = UINT64_MAX;
	vcpu_answer_device_request(vcpu);
}

void exit_memory(struct machine_vcpu *vcpu)
{
	const struct recalled *recalled = exit_recall(vcpu);

	if (recalled == NULL)
		return;
	if (plain_move_hits(&recalled->plain, vcpu->state))
		move(vcpu, &recalled->plain);
	else
		emulate(vcpu, recalled);
}
