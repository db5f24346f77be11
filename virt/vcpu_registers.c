/* A vCPU's registers as its VMM reads and sets them. */
#include <stddef.h>

#include "kernel/percpu.h"
#include "kernel/hypervisor.h"
#include "kernel/syscall.h"
#include "kernel/user_copy.h"
#include "lib/base/string.h"
#include "virt/control_registers.h"
#include "virt/fpu.h"
#include "virt/hv.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define ALL_GROUPS (VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS)

/* The groups lie one behind the other. */
static void copy_groups(struct vcpu_registers *dst, const struct vcpu_registers *src, uint64_t groups)
{
	static const struct { uint64_t group; size_t start, end; } places[] = {
		{VCPU_GROUP_GENERAL, 0, offsetof(struct vcpu_registers, cr0)},
		{VCPU_GROUP_SYSTEM, offsetof(struct vcpu_registers, cr0), offsetof(struct vcpu_registers, cs)},
		{VCPU_GROUP_SEGMENTS, offsetof(struct vcpu_registers, cs), sizeof(struct vcpu_registers)},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if ((groups & places[i].group) != 0)
			memcpy((uint8_t *)dst + places[i].start, (const uint8_t *)src + places[i].start,
			       places[i].end - places[i].start);
	}
}

/* The registers as they are now: waiting to go to the hardware, or in it. Then only the bound thread may touch them: what it leaves
 * on a CPU goes with it. ERR_BUSY: this thread is bound to another vCPU. */
static enum status read_registers(struct vcpu *vcpu, struct vcpu_registers *out)
{
	enum status status;

	if (vcpu->registers_waiting) {
		*out = vcpu->registers;
		return OK;
	}
	status = vcpu_bind_thread(vcpu);
	if (status != OK)
		return status;
	hv->take_cpu(vcpu);
	hv->get_registers(vcpu, out);
	for (unsigned i = 0; i < GPR_COUNT; i++) {
		if (i != GPR_RSP)
			out->gpr[i] = vcpu->state->gpr[i];
	}
	out->cr2 = vcpu->cr2;
	return OK;
}

/* These stay with the thread: they are loaded. */
static enum status vectors_to_user(struct vcpu *vcpu, uint64_t user)
{
	enum status status = vcpu_bind_thread(vcpu);

	if (status == OK)
		status = copy_to_user(user, &vcpu->xcr0, sizeof(vcpu->xcr0));
	if (status == OK)
		status = copy_to_user(user + offsetof(struct vcpu_vectors, area), fpu_vectors(percpu_self()->hypervisor, vcpu),
				      VCPU_VECTORS_BYTES);
	return status;
}

static enum status vectors_from_user(struct vcpu *vcpu, uint64_t user)
{
	struct vcpu_vectors vectors;
	enum status status = copy_from_user(&vectors, user, sizeof(vectors));

	if (status == OK)
		status = vcpu_bind_thread(vcpu);
	if (status == OK)
		fpu_set_vectors(percpu_self()->hypervisor, vcpu, &vectors);
	return status;
}

int64_t sys_vcpu_get_state(const struct syscall_arguments *a)
{
	struct vcpu_registers now, out = {.rip = 0};
	struct vcpu *vcpu;
	enum status status = vcpu_enter(a, &vcpu);

	if (status != OK)
		return syscall_error(status);
	if (a->value[1] == VCPU_GROUP_VECTORS) {
		status = vectors_to_user(vcpu, a->value[2]);
		vcpu_leave(vcpu);
		return syscall_error(status);
	}
	if ((a->value[1] & ~(uint64_t)ALL_GROUPS) != 0)
		status = ERR_INVALID;
	if (status == OK)
		status = read_registers(vcpu, &now);
	if (status == OK) {
		copy_groups(&out, &now, a->value[1]);
		status = copy_to_user(a->value[2], &out, sizeof(out));
	}
	vcpu_leave(vcpu);
	return syscall_error(status);
}

/* They reach the hardware before the next entry. */
int64_t sys_vcpu_set_state(const struct syscall_arguments *a)
{
	struct vcpu_registers now, wanted;
	struct vcpu *vcpu;
	enum status status = vcpu_enter(a, &vcpu);

	if (status != OK)
		return syscall_error(status);
	if (a->value[1] == VCPU_GROUP_VECTORS) {
		status = vectors_from_user(vcpu, a->value[2]);
		vcpu_leave(vcpu);
		return syscall_error(status);
	}
	status = (a->value[1] & ~(uint64_t)ALL_GROUPS) != 0 ? ERR_INVALID : copy_from_user(&wanted, a->value[2], sizeof(wanted));
	if (status == OK)
		status = read_registers(vcpu, &now);
	if (status == OK) {
		copy_groups(&now, &wanted, a->value[1]);
		status = registers_check(&now, vcpu->vm->cr4_allowed);
	}
	if (status == OK) {
		vcpu->registers = now;
		vcpu->registers_waiting = true;
	}
	vcpu_leave(vcpu);
	return syscall_error(status);
}
