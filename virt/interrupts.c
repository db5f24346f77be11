/* Routing of messages to vCPUs, and what a vCPU takes in before an entry. SDM Vol. 3A, "Determining IPI Destination",
 * "Message Signalled Interrupts"; Vol. 3C, "Event Injection". */
#include "virt/interrupts.h"

#include "kernel/cpu_insn.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "virt/hv.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

/* vcpu->route: 31:0 logical destination (an xAPIC's 8 bits at the bottom), 39:32 xAPIC ID, 43:40 destination format. */
#define ROUTE_X2APIC   (1ULL << 48)
#define ROUTE_ENABLED  (1ULL << 49) /* IA32_APIC_BASE */
#define ROUTE_SOFTWARE (1ULL << 50) /* SVR */
#define ROUTE_CLASS(route) ((unsigned)((route) >> 52) & 0xfU) /* of the TPR */

void interrupts_publish_route(struct vcpu *vcpu)
{
	const struct local_apic *apic = &vcpu->apic;
	bool x2apic = local_apic_in_x2apic(apic);
	uint64_t route = x2apic ? ROUTE_X2APIC | (apic->id >> 4) << 16 | 1U << (apic->id & 15) : apic->ldr >> 24;

	route |= (uint64_t)(apic->xapic_id >> 24) << 32 | (uint64_t)(apic->dfr >> 28) << 40;
	route |= (apic->base & APIC_BASE_ENABLED) != 0 ? ROUTE_ENABLED : 0;
	route |= (apic->svr & APIC_SVR_ENABLED) != 0 ? ROUTE_SOFTWARE : 0;
	route |= (uint64_t)(apic->tpr >> 4) << 52;
	atomic_store(&vcpu->route, route);
}

static bool matches_logical(uint64_t route, uint32_t destination)
{
	uint32_t ldr = (uint32_t)route;

	if ((route & ROUTE_X2APIC) != 0)
		return (ldr >> 16) == (destination >> 16) && (ldr & destination & 0xffff) != 0;
	if ((route >> 40 & 0xf) == 0xf)
		return (ldr & destination) != 0;
	return (ldr >> 4) == (destination >> 4) && (ldr & destination & 0xf) != 0;
}

static bool matches(const struct vcpu *target, const struct vcpu *sender, uint64_t icr, bool wide)
{
	uint32_t destination = (uint32_t)(icr >> 32);
	uint64_t route = atomic_load(&target->route);

	if ((route & ROUTE_ENABLED) == 0)
		return false; /* "Enabling or Disabling the Local APIC": as a processor without one */
	switch ((enum icr_shorthand)ICR_SHORTHAND(icr)) {
	case SHORTHAND_SELF: return target == sender;
	case SHORTHAND_ALL: return true;
	case SHORTHAND_OTHERS: return target != sender;
	case SHORTHAND_NONE: break;
	}
	if (destination == (wide ? UINT32_MAX : 0xffU))
		return true;
	if ((icr & ICR_LOGICAL) != 0)
		return matches_logical(route, destination);
	return destination == ((route & ROUTE_X2APIC) != 0 ? target->index : (uint32_t)(route >> 32 & 0xff));
}

static bool accepts_interrupts(const struct vcpu *target)
{
	const uint64_t accepts = ROUTE_ENABLED | ROUTE_SOFTWARE;

	return (atomic_load(&target->route) & accepts) == accepts;
}

/* "Lowest Priority Delivery Mode" among those that accept it: the lowest class of the task priority, as chipsets know it. Of
 * several the next one behind the last that was chosen. NULL: nobody. */
static struct vcpu *lowest_priority(struct vm *vm, const struct vcpu *sender, uint64_t icr, bool wide)
{
	uint32_t start = atomic_load_explicit(&vm->lowest_start, memory_order_relaxed);
	struct vcpu *best = NULL;

	for (uint32_t i = 0; i < vm->vcpu_limit; i++) {
		struct vcpu *target = vm_vcpu(vm, (start + i) % vm->vcpu_limit);

		if (target == NULL || !matches(target, sender, icr, wide) || !accepts_interrupts(target))
			continue;
		if (best == NULL || ROUTE_CLASS(atomic_load(&target->route)) < ROUTE_CLASS(atomic_load(&best->route)))
			best = target;
	}
	if (best != NULL)
		atomic_store_explicit(&vm->lowest_start, best->index + 1, memory_order_relaxed);
	return best;
}

/* A SIPI from before the INIT found no processor that waits for one. Where both are pending the INIT thus came first. */
static void send_init(struct vcpu *target)
{
	atomic_fetch_and(&target->pending, ~PENDING_SIPI);
	atomic_store(&target->sipi_vector, NO_SIPI);
	vcpu_notify(target, PENDING_INIT);
}

/* Of several the first one starts the processor, which ignores the rest. */
static void send_startup(struct vcpu *target, uint8_t vector)
{
	uint32_t none = NO_SIPI;

	atomic_compare_exchange_strong(&target->sipi_vector, &none, vector);
	vcpu_notify(target, PENDING_SIPI);
}

bool interrupts_deliver(struct vcpu *target, uint64_t icr)
{
	uint8_t vector = ICR_VECTOR(icr);

	switch ((enum icr_delivery)ICR_DELIVERY(icr)) {
	case DELIVERY_FIXED:
	case DELIVERY_LOWEST:
		if (!accepts_interrupts(target))
			return false;
		/* The hardware would not note an illegal one. */
		if (posted_post(&target->posted, vector) && (vector < APIC_VECTOR_FIRST || !vcpu_notify_posted(target)))
			vcpu_notify(target, PENDING_INTERRUPT);
		break;
	case DELIVERY_NMI:
		atomic_fetch_add(&target->nmis_sent, 1);
		vcpu_notify(target, PENDING_NMI);
		break;
	case DELIVERY_INIT:
		if ((icr & ICR_LEVEL) == 0 || (icr & ICR_ASSERT) != 0) /* "INIT Level De-assert" does nothing */
			send_init(target);
		break;
	case DELIVERY_STARTUP: send_startup(target, vector); break;
	case DELIVERY_SMI: /* a VM has no SMM; ExtINT comes by VCPU_EXTINT */
	case DELIVERY_EXTINT:
	case DELIVERY_RESERVED: return false;
	}
	return true;
}

unsigned interrupts_send(struct vm *vm, struct vcpu *sender, uint64_t icr, bool wide)
{
	uint32_t first = 0, end = vm->vcpu_limit, destination = (uint32_t)(icr >> 32);
	unsigned count = 0;

	if (ICR_DELIVERY(icr) == DELIVERY_LOWEST) {
		struct vcpu *target = lowest_priority(vm, sender, icr, wide);

		return target != NULL && interrupts_deliver(target, icr) ? 1 : 0;
	}
	if (wide && ICR_SHORTHAND(icr) == SHORTHAND_NONE && (icr & ICR_LOGICAL) == 0 && destination < end) {
		first = destination; /* an x2APIC's ID is the index of its vCPU */
		end = first + 1;
	}
	for (uint32_t i = first; i < end; i++) {
		struct vcpu *target = vm_vcpu(vm, i);

		if (target == NULL || !matches(target, sender, icr, wide))
			continue;
		(void)interrupts_deliver(target, icr);
		count++;
	}
	return count;
}

unsigned interrupts_send_msi(struct vm *vm, uint64_t address, uint32_t data)
{
	uint64_t icr = (address >> 12 & 0xff) << 32 | (data & 0xc7ff); /* vector, delivery mode, level, trigger mode */

	if ((address >> 20) != 0xfee)
		return 0;
	return interrupts_send(vm, NULL, icr | ((address & 0x4) != 0 ? ICR_LOGICAL : 0), false);
}

void interrupts_timer_arm(struct vcpu *vcpu)
{
	uint64_t deadline = vcpu->timer_deadline_tsc;

	if (deadline <= rdtsc())
		atomic_fetch_or(&vcpu->pending, PENDING_TIMER);
	else
		timer_set_guest_deadline(deadline);
}

/* Kept apart: TSC-deadline mode needs no stack for it. */
static __attribute__((noinline)) void count_changed(struct vcpu *vcpu)
{
	vcpu->timer_deadline_tsc = local_apic_count_deadline(&vcpu->apic);
	interrupts_timer_arm(vcpu);
}

void interrupts_timer_changed(struct vcpu *vcpu)
{
	if (!local_apic_in_deadline_mode(&vcpu->apic)) {
		count_changed(vcpu);
		return;
	}
	vcpu->timer_deadline_tsc = local_apic_timer_deadline(&vcpu->apic, vcpu->tsc_offset);
	interrupts_timer_arm(vcpu);
}

static void expire_timer(struct vcpu *vcpu)
{
	uint64_t now = vcpu->timer_deadline_tsc == UINT64_MAX ? 0 : rdtsc();

	if (now < vcpu->timer_deadline_tsc)
		return;
	local_apic_timer_expire(&vcpu->apic, now, vcpu->tsc_offset);
	interrupts_timer_changed(vcpu);
}

void interrupts_end(struct vcpu *vcpu, uint8_t vector)
{
	if ((atomic_load(&vcpu->vm->eoi_exits[vector / 64]) >> (vector % 64) & 1) == 0)
		return;
	vcpu->eoi_vector = vector;
	atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
}

void interrupts_note_level(struct vcpu *vcpu, unsigned i, uint32_t accepted)
{
	uint32_t level = (uint32_t)(atomic_load(&vcpu->vm->eoi_exits[i / 2]) >> (i % 2 * 32));

	vcpu->apic.tmr[i] = (vcpu->apic.tmr[i] & ~accepted) | (accepted & level);
}

/* Vectors 32 i to 32 i + 31 go to IRR. */
static void request(struct vcpu *vcpu, unsigned i, uint32_t vectors)
{
	vcpu->apic.irr[i] |= vectors;
	interrupts_note_level(vcpu, i, vectors);
}

static void take_posted(struct vcpu *vcpu)
{
	uint64_t posted[4];

	if (!posted_take(&vcpu->posted, posted) || (vcpu->apic.base & APIC_BASE_ENABLED) == 0)
		return; /* none, or they came before it was switched off */
	if ((posted[0] & APIC_ILLEGAL_VECTORS) != 0)
		local_apic_post(&vcpu->apic, 0);
	posted[0] &= ~(uint64_t)APIC_ILLEGAL_VECTORS;
	for (unsigned i = 0; i < 8; i++) {
		uint32_t vectors = (uint32_t)(posted[i / 2] >> (i % 2 * 32));

		if (vectors != 0)
			request(vcpu, i, vectors);
	}
}

/* To itself: it need not be posted where only others look. */
static void send_to_self(struct vcpu *vcpu, uint8_t vector)
{
	if ((vcpu->apic.svr & APIC_SVR_ENABLED) == 0)
		return;
	request(vcpu, vector / 32, 1U << vector % 32);
	atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
}

void interrupts_apply(struct vcpu *vcpu, const struct apic_effects *effects)
{
	if ((effects->flags & APIC_EFFECT_ROUTE) != 0)
		interrupts_publish_route(vcpu);
	if ((effects->flags & APIC_EFFECT_TIMER) != 0)
		interrupts_timer_changed(vcpu);
	if ((effects->flags & APIC_EFFECT_EOI) != 0)
		interrupts_end(vcpu, effects->eoi_vector);
	if ((effects->flags & APIC_EFFECT_SEND) != 0 && ICR_SHORTHAND(effects->icr) == SHORTHAND_SELF)
		send_to_self(vcpu, ICR_VECTOR(effects->icr));
	else if ((effects->flags & APIC_EFFECT_SEND) != 0)
		(void)interrupts_send(vcpu->vm, vcpu, effects->icr, local_apic_in_x2apic(&vcpu->apic));
	if ((effects->flags & APIC_EFFECT_EVALUATE) != 0 &&
	    (local_apic_pending(&vcpu->apic) >= 0 || atomic_load(&vcpu->extint_level) != 0))
		atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
}

/* A vector is to be had from the VMM's 8259. */
static bool extint_waits(const struct vcpu *vcpu)
{
	return atomic_load(&vcpu->extint_level) != 0 && local_apic_takes_extint(&vcpu->apic);
}

void interrupts_take_nmis(struct vcpu *vcpu)
{
	uint32_t sent = atomic_exchange(&vcpu->nmis_sent, 0);
	uint32_t most = hv->nmi_open(vcpu) && !hv->event_pending(vcpu) ? 2 : 1;

	vcpu->nmis_waiting = (uint8_t)(vcpu->nmis_waiting + sent > most ? most : vcpu->nmis_waiting + sent);
}

bool interrupts_before_entry(struct vcpu *vcpu)
{
	bool extint = extint_waits(vcpu);
	int vector;

	take_posted(vcpu);
	expire_timer(vcpu);
	vector = hv->lend_apic(vcpu) ? -1 : local_apic_pending(&vcpu->apic);
	if (!hv->event_pending(vcpu)) {
		if (vcpu->nmis_waiting != 0 && hv->nmi_open(vcpu)) {
			hv->inject_nmi(vcpu);
			vcpu->nmis_waiting--;
		} else if (vcpu->extint_taken && hv->interrupt_open(vcpu)) {
			hv->inject_interrupt(vcpu, vcpu->extint_vector);
			vcpu->extint_taken = false;
		} else if (extint && hv->interrupt_open(vcpu)) {
			return true;
		} else if (vector >= 0 && hv->interrupt_open(vcpu)) {
			local_apic_accept(&vcpu->apic, (uint8_t)vector);
			hv->inject_interrupt(vcpu, (uint8_t)vector);
			vector = -1; /* the next one is of no higher class: its turn comes with the EOI */
		}
	}
	hv->set_windows(vcpu, extint || vcpu->extint_taken || vector >= 0, vcpu->nmis_waiting != 0);
	return false;
}

static bool can_deliver(const struct vcpu *vcpu)
{
	return vcpu->apic_is_lent ? hv->lent_apic_pending(vcpu) : local_apic_pending(&vcpu->apic) >= 0;
}

bool interrupts_wake(struct vcpu *vcpu)
{
	take_posted(vcpu);
	expire_timer(vcpu);
	if (vcpu->nmis_waiting != 0 || vcpu->is_kicked)
		return true;
	return (vcpu->extint_taken || extint_waits(vcpu) || can_deliver(vcpu)) && hv->interrupt_open(vcpu);
}
