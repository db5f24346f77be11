/* Another try for an instruction, or a walk of page tables, that another vCPU may have changed since the exit: the CPU shall say
 * what there is now, until it has come back too often. */
#include "lib/base/string.h"
#include "vmm/exit_decode.h"
#include "vmm/machine.h"

#define RETRIES_MAX 1000U

/* Is it where it was when it got another try? Registers that changed say that the CPU has executed the instruction since. */
static bool stands_still(const struct machine_vcpu *vcpu)
{
	return vcpu->retried_rip == vcpu->state->exit.rip && vcpu->retried_rflags == vcpu->state->exit.rflags &&
	       memcmp(vcpu->retried_gpr, vcpu->state->gpr, sizeof(vcpu->retried_gpr)) == 0;
}

bool exit_may_try_again(struct machine_vcpu *vcpu)
{
	if (!stands_still(vcpu))
		vcpu->retries = 0;
	vcpu->retried_rip = vcpu->state->exit.rip;
	vcpu->retried_rflags = vcpu->state->exit.rflags;
	memcpy(vcpu->retried_gpr, vcpu->state->gpr, sizeof(vcpu->retried_gpr));
	vcpu->reply->action = VCPU_REPLY_NONE;
	return ++vcpu->retries <= RETRIES_MAX;
}
