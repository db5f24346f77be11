/* VCPU_RUN: the loop around the guest. The backend's own inner loop handles most exits without coming back here. */
#include <stddef.h>

#include "kernel/cpu_insn.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "virt/control_registers.h"
#include "virt/fpu.h"
#include "virt/hv.h"
#include "virt/interrupts.h"
#include "virt/reply.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define VECTOR_DEBUG      1U
#define VECTOR_PAGE_FAULT 14U
#define DR6_CAUSES        0xe00fULL /* B0 - B3, BD, BS, BT */

static void settle(struct hv_cpu *cpu, struct vcpu *vcpu)
{
	if (cpu->fpu_owner != vcpu)
		fpu_take(cpu, vcpu);
	if (cpu->msr_owner != vcpu)
		live_msrs_take(cpu, vcpu);
	hv->take_cpu(vcpu);
	steal_time_arrive(vcpu);
	cpu->settled = vcpu;
}

/* What of the guest must be on this CPU before anything of it is touched. */
static inline void arrive(struct vcpu *vcpu)
{
	struct hv_cpu *cpu = percpu_self()->hypervisor;

	if (cpu->settled != vcpu)
		settle(cpu, vcpu);
	if (read_cr2() != vcpu->cr2)
		write_cr2(vcpu->cr2);
	/* While it is armed the CPU has it; once reached, or after another thread, the CPU has none (kernel/timer.c). */
	if (vcpu->timer_deadline_tsc != percpu_self()->guest_deadline_tsc)
		interrupts_timer_arm(vcpu);
}

/* A page fault of the VMM, or of a program that runs next, overwrites CR2. The CPU's guest deadline stays armed while the VMM
 * works: it is the scheduler that takes it back (hypervisor_switch_out). */
static void depart(struct vcpu *vcpu)
{
	vcpu->cr2 = read_cr2();
}

static inline void complete(struct vcpu *vcpu, const struct vcpu_reply *reply)
{
	uint64_t *gpr = vcpu->state->gpr;
	unsigned count = reply->register_count;

	for (unsigned i = 0; i < count; i++)
		gpr[reply->registers[i].number] = reply->registers[i].value;
	if (reply->flags_valid != 0)
		hv->set_flags(vcpu, reply->flags, VCPU_REPLY_FLAGS_MASK);
	if (reply->advance_bytes != 0)
		hv->advance(vcpu, reply->advance_bytes);
}

/* A local APIC register in its page; what is not there reads as all-ones. */
static uint32_t apic_page_read(struct vcpu *vcpu, uint32_t offset)
{
	if (!local_apic_in_xapic(&vcpu->apic))
		return UINT32_MAX;
	return local_apic_read(&vcpu->apic, offset, offset == APIC_CURRENT ? rdtsc() : 0);
}

static void apic_page_write(struct vcpu *vcpu, uint32_t offset, uint32_t value)
{
	struct apic_effects effects = {.flags = 0};

	if (!local_apic_in_xapic(&vcpu->apic))
		return;
	local_apic_write(&vcpu->apic, offset, value, rdtsc(), &effects);
	interrupts_apply(vcpu, &effects);
}

static void load_waiting_registers(struct vcpu *vcpu)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		vcpu->state->gpr[i] = vcpu->registers.gpr[i];
	vcpu->cr2 = vcpu->registers.cr2;
	write_cr2(vcpu->cr2);
	hv->set_registers(vcpu, &vcpu->registers);
	vcpu->registers_waiting = false;
	atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT); /* what can be delivered may have changed with RFLAGS */
}

static void inject(struct vcpu *vcpu, const struct vcpu_reply *reply)
{
	if (vcpu->registers_waiting)
		load_waiting_registers(vcpu);
	if (reply->vector == VECTOR_PAGE_FAULT)
		write_cr2(reply->value);
	if (reply->vector == VECTOR_DEBUG)
		write_dr6(read_dr6() | (reply->value & DR6_CAUSES));
	hv->inject_exception(vcpu, (uint8_t)reply->vector, reply->error_code_valid != 0, reply->error_code);
}

/* The VMM acknowledged its 8259: the vector must not be lost, even where the guest cannot take it at once. */
static void external_interrupt(struct vcpu *vcpu, uint8_t vector)
{
	vcpu->extint_taken = true;
	vcpu->extint_vector = vector;
	atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
}

/* The VMM may write while this reads: each word is read once, and only the copy counts. */
static void take_reply(struct vcpu *vcpu, struct vcpu_reply *out)
{
	const volatile uint64_t *words = (const volatile void *)vcpu->reply;
	const volatile struct vcpu_reply *from = vcpu->reply;
	uint64_t *copy = (uint64_t *)(void *)out;

	copy[0] = words[0];
	copy[1] = words[1];
	copy[2] = words[2];
	copy[3] = words[3];
	for (unsigned i = 0; i < out->register_count && i < VCPU_REPLY_REGISTERS; i++) {
		out->registers[i].value = from->registers[i].value;
		out->registers[i].number = from->registers[i].number;
	}
	vcpu->reply->action = VCPU_REPLY_NONE;
}

/* Kept apart: what vcpu_run() does at each exit needs no stack for it. VCPU_EXIT_NONE: go on into the guest. */
static __attribute__((noinline)) enum vcpu_exit_kind carry_out(struct vcpu *vcpu, struct vcpu_reply *reply)
{
	switch ((enum vcpu_action)reply->action) {
	case VCPU_REPLY_APIC_READ:
		vcpu->state->exit.value = apic_page_read(vcpu, reply->apic_offset);
		return VCPU_EXIT_APIC_VALUE;
	case VCPU_REPLY_APIC_WRITE:
		apic_page_write(vcpu, reply->apic_offset, (uint32_t)reply->value);
		complete(vcpu, reply);
		break;
	case VCPU_REPLY_JUMP:
		complete(vcpu, reply);
		hv->jump(vcpu, reply->value);
		break;
	case VCPU_REPLY_INJECT: inject(vcpu, reply); break;
	case VCPU_REPLY_EXTINT: external_interrupt(vcpu, (uint8_t)reply->vector); break;
	case VCPU_REPLY_STOP: vm_stop(vcpu->vm, (enum vcpu_stop_reason)reply->value); break;
	case VCPU_REPLY_APIC_LOAD:
	case VCPU_REPLY_COMPLETE:
	case VCPU_REPLY_NONE:
	case VCPU_ACTION_COUNT: break;
	}
	return VCPU_EXIT_NONE;
}

/* VCPU_EXIT_NONE: go on into the guest. */
static enum vcpu_exit_kind apply_reply(struct vcpu *vcpu)
{
	struct vcpu_reply reply;

	if (*(volatile uint32_t *)&vcpu->reply->action == VCPU_REPLY_NONE)
		return VCPU_EXIT_NONE;
	take_reply(vcpu, &reply);
	if (reply_check(&reply) != OK) {
		vm_stop(vcpu->vm, VCPU_STOP_BAD_REPLY);
		return VCPU_EXIT_NONE;
	}
	if (reply.action != VCPU_REPLY_COMPLETE) {
		if (reply.action != VCPU_REPLY_APIC_LOAD)
			return carry_out(vcpu, &reply);
		reply.registers[0].value = apic_page_read(vcpu, reply.apic_offset);
	}
	complete(vcpu, &reply);
	return VCPU_EXIT_NONE;
}

static void start_by_sipi(struct vcpu *vcpu)
{
	uint32_t vector = atomic_exchange(&vcpu->sipi_vector, NO_SIPI) & 0xff;

	vcpu_reset(vcpu, vcpu->registers.cr0); /* as INIT left it */
	vcpu->registers.rip = 0;
	vcpu->registers.cs.selector = vector << 8;
	vcpu->registers.cs.base = (uint64_t)vector << 12;
	vcpu->activity = VCPU_ACTIVE;
}

static void reset_by_init(struct vcpu *vcpu)
{
	if (!vcpu->registers_waiting)
		hv->get_registers(vcpu, &vcpu->registers);
	vcpu_reset(vcpu, vcpu->registers.cr0);
	fpu_init_debug_registers(vcpu);
	live_msrs_init(vcpu);
	hv->reset_switched_msrs(vcpu);
}

/* SDM Vol. 3A, "Local APIC State After It Receives an INIT-Deassert IPI"; a bootstrap vCPU starts at its reset vector. */
static void take_requests(struct vcpu *vcpu, uint32_t bits)
{
	uint64_t lost[4];

	if ((bits & PENDING_FLUSH) != 0)
		hv->flush(vcpu->vm);
	if ((bits & PENDING_NMI) != 0)
		interrupts_take_nmis(vcpu);
	if (vcpu->activity == VCPU_WAIT_FOR_SIPI)
		vcpu->nmis_waiting = 0; /* lost: that state knows SIPI only */
	if ((bits & PENDING_KICK) != 0)
		vcpu->is_kicked = true;
	if ((bits & PENDING_INIT) != 0) {
		reset_by_init(vcpu);
		hv->take_apic(vcpu);
		local_apic_init(&vcpu->apic);
		(void)posted_take(&vcpu->posted, lost);
		interrupts_publish_route(vcpu);
		interrupts_timer_changed(vcpu);
		steal_time_reset(vcpu);
		vcpu->nmis_waiting = 0;
		vcpu->is_kicked = false;
		vcpu->extint_taken = false;
		vcpu->activity = (vcpu->apic.base & APIC_BASE_BSP) != 0 ? VCPU_ACTIVE : VCPU_WAIT_FOR_SIPI;
	}
	if ((bits & PENDING_SIPI) != 0 && vcpu->activity == VCPU_WAIT_FOR_SIPI)
		start_by_sipi(vcpu);
}

/* No interrupt wakes it, and nobody but another vCPU is there to send NMI, INIT or SIPI, or to kick it. */
static bool needs_another_vcpu(const struct vcpu *vcpu)
{
	return vcpu->activity == VCPU_WAIT_FOR_SIPI || !hv->interrupt_open(vcpu);
}

/* False: it goes on waiting. */
static bool ends_halt(struct vcpu *vcpu)
{
	if (!interrupts_wake(vcpu))
		return false;
	vcpu->activity = VCPU_ACTIVE;
	vcpu->is_kicked = false;
	return true;
}

/* HLT or wait-for-SIPI: gives the CPU away until there may be something to do. */
static void wait(struct vcpu *vcpu)
{
	if (vcpu->activity == VCPU_HALTED && ends_halt(vcpu)) {
		atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
		return;
	}
	if (needs_another_vcpu(vcpu) && vcpu_sleeps_for_good(vcpu)) {
		vm_stop(vcpu->vm, VCPU_STOP_HALTED_FOREVER);
		return;
	}
	depart(vcpu);
	atomic_store(&vcpu->place, VCPU_BLOCKED);
	if (atomic_load(&vcpu->pending) == 0 && !(vcpu->activity == VCPU_HALTED && posted_waits(&vcpu->posted)))
		thread_block(vcpu->activity == VCPU_HALTED ? vcpu->timer_deadline_tsc : UINT64_MAX);
	atomic_store(&vcpu->place, VCPU_IN_LOOP);
	vcpu_awakes(vcpu);
	arrive(vcpu);
}

static enum vcpu_exit_kind stopped(struct vcpu *vcpu)
{
	hv->fill_decode_group(vcpu);
	vcpu->state->exit.stop_reason = atomic_load(&vcpu->vm->stop_reason);
	vcpu->state->exit.value = atomic_load(&vcpu->vm->stopper) - 1;
	return VCPU_EXIT_STOPPED;
}

/* Whatever changes what can be delivered sets a bit of `pending`. What the VMM must hear of first, else VCPU_EXIT_KIND_COUNT; the
 * bits that were not dealt with are set again then. */
static enum vcpu_exit_kind look_at_pending(struct vcpu *vcpu)
{
	enum vcpu_exit_kind kind;
	uint32_t bits = atomic_exchange(&vcpu->pending, 0);

	if ((bits & PENDING_STOP) != 0) {
		atomic_fetch_or(&vcpu->pending, PENDING_STOP); /* stays: the VM has stopped for ever */
		return VCPU_EXIT_KIND_COUNT;
	}
	take_requests(vcpu, bits);
	if ((vcpu->activity != VCPU_ACTIVE && !(vcpu->activity == VCPU_HALTED && ends_halt(vcpu))) || vcpu->registers_waiting)
		return VCPU_EXIT_KIND_COUNT;
	if (vcpu->eoi_vector != NO_EOI) {
		vcpu->state->exit.value = vcpu->eoi_vector;
		vcpu->eoi_vector = NO_EOI;
		kind = VCPU_EXIT_EOI;
	} else if (vcpu->steal.is_asked_for) {
		vcpu->state->exit.value = vcpu->steal.msr;
		vcpu->steal.is_asked_for = false;
		kind = VCPU_EXIT_STEAL_TIME;
	} else if (interrupts_before_entry(vcpu)) {
		kind = VCPU_EXIT_EXTINT;
	} else {
		return VCPU_EXIT_KIND_COUNT;
	}
	atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
	return kind;
}

/* Nothing keeps the guest from running on. A VM that stopped has a bit of `pending` set, for ever. */
static inline bool is_ready(const struct vcpu *vcpu)
{
	return atomic_load(&vcpu->pending) == 0 && !posted_waits(&vcpu->posted) && vcpu->activity == VCPU_ACTIVE &&
	       !vcpu->registers_waiting &&
	       !thread_should_yield();
}

/* Deals with what keeps the guest from running. VCPU_EXIT_KIND_COUNT: look again. */
static enum vcpu_exit_kind attend(struct vcpu *vcpu)
{
	if (atomic_load(&vcpu->vm->stop_reason) != VCPU_STOP_NONE)
		return stopped(vcpu);
	if (atomic_load(&thread_current()->kill_pending))
		return VCPU_EXIT_NONE;
	if (thread_should_yield()) {
		depart(vcpu);
		thread_yield();
		arrive(vcpu);
	}
	if (vcpu->registers_waiting)
		load_waiting_registers(vcpu);
	if (posted_waits(&vcpu->posted) && vcpu->activity == VCPU_ACTIVE)
		atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT); /* its notification came while no guest ran */
	if (atomic_load(&vcpu->pending) != 0)
		return look_at_pending(vcpu);
	if (vcpu->activity != VCPU_ACTIVE)
		wait(vcpu);
	return VCPU_EXIT_KIND_COUNT;
}

/* One round; VCPU_EXIT_KIND_COUNT: another one. */
static inline enum vcpu_exit_kind round_trip(struct vcpu *vcpu)
{
	if (!is_ready(vcpu))
		return attend(vcpu);
	switch (hv->run(vcpu)) {
	case HV_LEAVE_BLOCK: vcpu->activity = VCPU_HALTED; break;
	case HV_LEAVE_TO_VMM: return (enum vcpu_exit_kind)vcpu->state->exit.kind;
	case HV_LEAVE_ATTENTION:
	case HV_LEAVE_STOP: break;
	}
	return VCPU_EXIT_KIND_COUNT;
}

int64_t vcpu_run(struct vcpu *vcpu)
{
	enum vcpu_exit_kind kind;

	atomic_store(&vcpu->place, VCPU_IN_LOOP);
	arrive(vcpu);
	kind = apply_reply(vcpu);
	if (kind == VCPU_EXIT_NONE) {
		do {
			kind = round_trip(vcpu);
		} while (kind == VCPU_EXIT_KIND_COUNT);
	}
	depart(vcpu);
	/* Who still sees it in the loop only interrupts this CPU in vain. */
	atomic_store_explicit(&vcpu->place, VCPU_OUTSIDE, memory_order_release);
	vcpu->state->exit.kind = kind;
	vcpu->exits_to_vmm++;
	return kind;
}
