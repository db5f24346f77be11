/* Events and task switches that the VMM carries out: registers in, pure code of vmm/event/, registers out. */
#include "vmm/exit_event.h"

#include <stddef.h>

#include "lib/x86/fault_combine.h"
#include "user/calls.h"
#include "vmm/decode/fetch.h"
#include "vmm/decode/walk.h"
#include "vmm/event/deliver.h"
#include "vmm/event/return.h"
#include "vmm/event/task_switch.h"
#include "vmm/exit_decode.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

#define ALL_GROUPS (VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS)

static uint64_t read_device(void *ctx, uint64_t address, unsigned width)
{
	struct machine *machine = ctx;

	return machine_read(machine, &machine->memory, address, width);
}

static void write_device(void *ctx, uint64_t address, unsigned width, uint64_t value)
{
	struct machine *machine = ctx;

	machine_write(machine, &machine->memory, address, width, value);
}

static void stop_outside_memory(struct machine_vcpu *vcpu, enum vcpu_stop_reason reason)
{
	vcpu_answer_stop(vcpu, reason, "physical address %llx", (unsigned long long)vcpu->state->exit.gpa);
}

static void answer_fault(struct machine_vcpu *vcpu, const struct event_fault *fault)
{
	struct vcpu_reply *reply = vcpu->reply;

	reply->vector = fault->vector;
	reply->error_code_valid = fault->vector != VECTOR_DB ? 1 : 0; /* all others raised here have one */
	reply->error_code = fault->error_code;
	reply->value = fault->value;
	reply->action = VCPU_REPLY_INJECT;
}

static bool begin(struct machine_vcpu *vcpu, struct event_cpu *cpu)
{
	*cpu = (struct event_cpu){
		.gmem = &vcpu->machine->gmem,
		.devices = {.read = read_device, .write = write_device, .ctx = vcpu->machine},
	};
	if (sys_vcpu_get_state(vcpu->handle, ALL_GROUPS, &cpu->registers) == OK)
		return true;
	vcpu_answer_stop(vcpu, VCPU_STOP_VMM_FAULT, "registers cannot be read");
	return false;
}

/* A fault behind the commit point is the event's all the same: a double fault, or worse. Before it the kernel still has the event,
 * and knows. False: the VM stops. */
static bool combine(struct machine_vcpu *vcpu, const struct event *event, struct event_fault *fault)
{
	if ((event->info & VCPU_EVENT_VALID) == 0 || VCPU_EVENT_TYPE(event->info) != VCPU_EVENT_EXCEPTION)
		return true;
	switch (fault_combine(VCPU_EVENT_VECTOR(event->info), fault->vector)) {
	case FAULT_SERIAL: return true;
	case FAULT_DOUBLE: *fault = (struct event_fault){.vector = VECTOR_DF}; return true;
	case FAULT_TRIPLE: break;
	}
	vcpu_answer_stop(vcpu, VCPU_STOP_TRIPLE_FAULT, "a fault in the task that handles a double fault");
	return false;
}

static void finish(struct machine_vcpu *vcpu, struct event_cpu *cpu, enum status status, const struct event *event)
{
	if (status != OK && status != ERR_FAULT) {
		vcpu_answer_stop(vcpu, VCPU_STOP_EVENT_NOT_EMULATED, "%s", cpu->refusal);
		return;
	}
	if (cpu->is_committed && sys_vcpu_set_state(vcpu->handle, ALL_GROUPS, &cpu->registers) != OK) {
		vcpu_answer_stop(vcpu, VCPU_STOP_EVENT_NOT_EMULATED, "the new registers are not allowed");
		return;
	}
	if (status == OK)
		vcpu_answer_device_request(vcpu);
	else if (!cpu->is_committed || combine(vcpu, event, &cpu->fault))
		answer_fault(vcpu, &cpu->fault);
}

static struct event event_of(const struct vcpu_exit *exit)
{
	return (struct event){.info = exit->event,
			      .error_code = exit->event_error_code,
			      .instruction_bytes = exit->instruction_bytes};
}

void exit_task_switch(struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	struct task_switch request = {.selector = VCPU_TASK_SELECTOR(exit->value),
				      .source = (enum vcpu_task_source)VCPU_TASK_SOURCE(exit->value),
				      .instruction_bytes = exit->instruction_bytes};
	struct event_cpu cpu;
	enum status status;

	if (request.source == VCPU_TASK_GATE)
		request.event = event_of(exit);
	if (!begin(vcpu, &cpu))
		return;
	status = task_switch(&cpu, &request);
	finish(vcpu, &cpu, status, &request.event);
}

static void deliver(struct machine_vcpu *vcpu)
{
	const struct event event = event_of(&vcpu->state->exit);
	struct event_cpu cpu;
	enum status status;

	if (!begin(vcpu, &cpu))
		return;
	status = event_deliver(&cpu, &event);
	finish(vcpu, &cpu, status, &event);
}

/* Which access the CPU was about: that is not told where it met the tables. What cannot be decoded counts as a read. */
static struct walk_access access_behind(const struct machine_vcpu *vcpu, const struct fetched_code *code, enum status decoded,
					const struct instruction *instruction)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	struct walk_access access = {.is_user = exit->cpl == 3};

	access.is_fetch = decoded == ERR_FAULT && code->fault_address == exit->gla;
	access.is_write = decoded == OK && instruction_writes_memory(instruction);
	return access;
}

/* A page table lies where nobody answers: all-ones, and so an entry with reserved bits. The page fault that this is. */
static void walk_outside_memory(struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	struct event_fault fault = {.vector = VECTOR_PF, .value = exit->gla};
	struct fetched_code code;
	struct instruction instruction;
	enum status decoded = fetch_instruction(&vcpu->machine->gmem, exit, &code, &instruction);
	gpa_t unused;

	if (decoded == ERR_FAULT && (code.fault_address ^ exit->gla) >> 12 == 0)
		fault.value = code.fault_address;
	if (walk_translate(&vcpu->machine->gmem, exit, exit->gla, access_behind(vcpu, &code, decoded, &instruction), &unused,
			   &fault.error_code, NULL) == ERR_FAULT) {
		answer_fault(vcpu, &fault);
	} else if (!exit_may_try_again(vcpu)) {
		stop_outside_memory(vcpu, VCPU_STOP_TABLE_OUTSIDE_MEMORY);
	}
}

/* The operand size of IRET, or 0. SDM Vol. 2A, "Instruction Prefixes", "REX Prefixes". */
static unsigned width_of_return(const struct fetched_code *code, enum code_size code_size)
{
	unsigned width = code_size == CODE_16 ? 2 : 4, other = code_size == CODE_16 ? 4 : 2;
	bool is_other = false;

	for (unsigned i = 0; i < code->count; i++) {
		bool has_rex = code_size == CODE_64 && i > 0 && (code->bytes[i - 1] & 0xf8) == 0x48; /* with W */

		switch (code->bytes[i]) {
		case 0xcf: return has_rex ? 8 : is_other ? other : width;
		case 0x66: is_other = true; break;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0x67: case 0xf2: case 0xf3: break;
		default:
			if (code_size != CODE_64 || (code->bytes[i] & 0xf0) != 0x40)
				return 0;
		}
	}
	return 0;
}

/* TF traps behind it, as behind any instruction. */
bool exit_return(struct machine_vcpu *vcpu, const struct fetched_code *code)
{
	static const struct event none;
	unsigned width = width_of_return(code, fetch_code_size(&vcpu->state->exit));
	struct event_cpu cpu;
	enum status status;

	if (width == 0)
		return false;
	if (!begin(vcpu, &cpu))
		return true;
	status = event_return(&cpu, width);
	if (status == OK && (vcpu->state->exit.rflags & RFLAGS_TF) != 0) {
		cpu.fault = (struct event_fault){.vector = VECTOR_DB, .value = DR6_BS};
		status = ERR_FAULT;
	}
	finish(vcpu, &cpu, status, &none);
	return true;
}

void exit_table(struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;

	if ((exit->access & (VCPU_ACCESS_TABLE | VCPU_ACCESS_EVENT)) == 0)
		stop_outside_memory(vcpu, VCPU_STOP_FETCH_OUTSIDE_MEMORY);
	else if (exit->kind == VCPU_EXIT_LOCAL_APIC) /* the kernel's, and no VMM can reach it so */
		stop_outside_memory(vcpu, VCPU_STOP_TABLE_OUTSIDE_MEMORY);
	else if ((exit->access & VCPU_ACCESS_EVENT) != 0)
		deliver(vcpu);
	else if (exit->gla_valid != 0)
		walk_outside_memory(vcpu);
	else if ((exit->access & VCPU_ACCESS_READ) != 0) /* PDPTEs for a MOV to a control register: "PDPTE Registers" */
		answer_fault(vcpu, &(struct event_fault){.vector = VECTOR_GP});
	else
		stop_outside_memory(vcpu, VCPU_STOP_TABLE_OUTSIDE_MEMORY);
}
