/* IN and OUT. The commonest exits come here: the way to a device that needs neither lock nor time is kept short. */
#include "vmm/acpi/tables.h"
#include "vmm/machine.h"
#include "vmm/sleep.h"
#include "vmm/vcpu_thread.h"

/* RAX after IN of width bytes. SDM Vol. 1, "General-Purpose Registers in 64-Bit Mode": 32-bit writes clear the upper half. */
static uint64_t merged_rax(uint64_t rax, uint64_t value, unsigned width)
{
	if (width == 4)
		return (uint32_t)value;
	return width == 2 ? (rax & ~0xffffULL) | (value & 0xffff) : (rax & ~0xffULL) | (value & 0xff);
}

static __attribute__((noinline)) void port_in(struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	uint64_t value = machine_read(vcpu->machine, &vcpu->machine->ports, exit->port, exit->port_width);

	vcpu->reply->registers[0].number = GPR_RAX;
	vcpu->reply->registers[0].value = merged_rax(vcpu->state->gpr[GPR_RAX], value, exit->port_width);
}

void exit_port(struct machine_vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->state->exit;
	struct vcpu_reply *reply = vcpu->reply;

	reply->action = VCPU_REPLY_COMPLETE;
	reply->flags_valid = 0;
	reply->advance_bytes = exit->instruction_bytes;
	reply->register_count = exit->port_is_write ^ 1;
	if (exit->port_is_write == 0) {
		port_in(vcpu);
		return;
	}
	machine_write(vcpu->machine, &vcpu->machine->ports, exit->port, exit->port_width, vcpu->state->gpr[GPR_RAX]);
	vcpu_answer_device_request(vcpu);
	if (exit->port - GUEST_PM1A_CONTROL_PORT < ACPI_PM_PM1_CONTROL_LENGTH)
		sleep_answer(vcpu);
}
