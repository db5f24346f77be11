/* IN and OUT. The commonest exits come here: the way to a device that needs neither lock nor time is kept short. */
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

/* RAX after IN of width bytes. SDM Vol. 1, "General-Purpose Registers in 64-Bit Mode": 32-bit writes clear the upper half. */
static uint64_t merged_rax(uint64_t rax, uint64_t value, unsigned width)
{
	if (width == 4)
		return (uint32_t)value;
	return width == 2 ? (rax & ~0xffffULL) | (value & 0xffff) : (rax & ~0xffULL) | (value & 0xff);
}

void exit_port(struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	struct vcpu_reply *reply = vcpu->reply;
	struct machine *machine = vcpu->machine;

	reply->action = VCPU_REPLY_COMPLETE;
	reply->flags_valid = 0;
	reply->advance_bytes = exit->instruction_bytes;
	if (exit->port_is_write) {
		reply->register_count = 0;
		machine_write(machine, &machine->ports, exit->port, exit->port_width, exit->value);
		vcpu_answer_device_request(vcpu);
		return;
	}
	reply->register_count = 1;
	reply->registers[0].number = GPR_RAX;
	reply->registers[0].value =
		merged_rax(vcpu->state->gpr[GPR_RAX], machine_read(machine, &machine->ports, exit->port, exit->port_width),
			   exit->port_width);
}
