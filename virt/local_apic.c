/* Registers and interrupt acceptance of the virtual local APIC. Its timer is in local_apic_timer.c, its x2APIC face and
 * IA32_APIC_BASE in local_apic_x2apic.c. SDM Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)". Pure. */
#include "virt/local_apic.h"

#include <stddef.h>

#define VERSION_VALUE 0x00050014U /* version 14h, last LVT entry 5, no EOI-broadcast suppression */
#define SVR_WRITABLE  0x3ffU
#define ICR_WRITABLE  0x000ccfffU
#define LVT_TSC_DEADLINE 0x40000U

uint32_t local_apic_lvt_writable(const struct local_apic *apic, unsigned entry)
{
	/* Delivery status and remote IRR are read-only. */
	static const uint32_t writable[APIC_LVT_COUNT] = {0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

	return writable[entry] | (entry == 0 && apic->deadline_offered ? LVT_TSC_DEADLINE : 0);
}

void local_apic_init(struct local_apic *apic)
{
	for (unsigned i = 0; i < 8; i++)
		apic->irr[i] = apic->isr[i] = apic->tmr[i] = 0;
	for (unsigned i = 0; i < APIC_LVT_COUNT; i++)
		apic->lvt[i] = APIC_LVT_MASKED;
	apic->tpr = apic->ldr = apic->esr = apic->esr_pending = apic->icr_low = apic->icr_high = 0;
	apic->dfr = UINT32_MAX;
	apic->svr = 0xff;
	apic->initial_count = apic->divide = 0;
	apic->counting = false;
	apic->tsc_deadline = 0;
}

void local_apic_create(struct local_apic *apic, uint32_t id, bool is_bootstrap, bool x2apic_offered, uint8_t physical_bits,
		       struct apic_clock clock)
{
	*apic = (struct local_apic){.id = id,
				    .xapic_id = id << 24,
				    .x2apic_offered = x2apic_offered,
				    .deadline_offered = true,
				    .physical_bits = physical_bits,
				    .clock = clock,
				    .base = APIC_BASE_DEFAULT | APIC_BASE_ENABLED | (is_bootstrap ? APIC_BASE_BSP : 0)};
	local_apic_init(apic);
}

void local_apic_set_virtual_wire(struct local_apic *apic)
{
	apic->svr |= APIC_SVR_ENABLED;
	apic->lvt[(APIC_LVT_LINT0 - APIC_LVT_TIMER) / 16] = DELIVERY_EXTINT << 8;
	apic->lvt[(APIC_LVT_LINT1 - APIC_LVT_TIMER) / 16] = DELIVERY_NMI << 8;
}

/* The highest vector set, or -1. */
static int highest(const uint32_t bits[8])
{
	const uint64_t *words = (const void *)bits; /* half as many looks, before each entry */

	for (unsigned i = 4; i-- > 0;) {
		if (words[i] != 0)
			return (int)(i * 64) + 63 - __builtin_clzll(words[i]);
	}
	return -1;
}

/* "Task and Processor Priorities". */
uint8_t local_apic_priority(const struct local_apic *apic)
{
	int in_service = highest(apic->isr);
	uint32_t service_class = in_service < 0 ? 0 : (uint32_t)in_service & 0xf0U;

	return (uint8_t)((apic->tpr & 0xf0U) >= service_class ? apic->tpr : service_class);
}

int local_apic_requested(const struct local_apic *apic)
{
	return highest(apic->irr);
}

int local_apic_in_service(const struct local_apic *apic)
{
	return highest(apic->isr);
}

int local_apic_pending(const struct local_apic *apic)
{
	int vector = highest(apic->irr);

	if (vector < 0 || (apic->base & APIC_BASE_ENABLED) == 0 ||
	    ((uint32_t)vector & 0xf0U) <= (local_apic_priority(apic) & 0xf0U))
		return -1;
	return vector;
}

void local_apic_accept(struct local_apic *apic, uint8_t vector)
{
	apic->irr[vector / 32] &= ~(1U << vector % 32);
	apic->isr[vector / 32] |= 1U << vector % 32;
}

static void raise_error(struct local_apic *apic, uint32_t bit)
{
	bool is_new = (apic->esr_pending & bit) == 0;
	uint32_t lvt = apic->lvt[(APIC_LVT_ERROR - APIC_LVT_TIMER) / 16];

	apic->esr_pending |= bit;
	if (!is_new || (lvt & APIC_LVT_MASKED) != 0)
		return;
	if ((lvt & 0xff) < 16)
		apic->esr_pending |= APIC_ESR_RECEIVE_ILLEGAL; /* of its own interrupt, which is lost */
	else
		local_apic_post(apic, (uint8_t)lvt);
}

void local_apic_post(struct local_apic *apic, uint8_t vector)
{
	if (vector < 16)
		raise_error(apic, APIC_ESR_RECEIVE_ILLEGAL);
	else
		apic->irr[vector / 32] |= 1U << vector % 32;
}

bool local_apic_takes_extint(const struct local_apic *apic)
{
	uint32_t lint0 = apic->lvt[(APIC_LVT_LINT0 - APIC_LVT_TIMER) / 16];

	if ((apic->base & APIC_BASE_ENABLED) == 0)
		return true;
	return (lint0 & APIC_LVT_MASKED) == 0 && ICR_DELIVERY(lint0) == DELIVERY_EXTINT;
}

static uint32_t logical_id(const struct local_apic *apic)
{
	return local_apic_in_x2apic(apic) ? (apic->id >> 4) << 16 | 1U << (apic->id & 15) : apic->ldr;
}

uint32_t local_apic_read(struct local_apic *apic, uint32_t offset, uint64_t now_tsc)
{
	if (offset >= APIC_ISR && offset < APIC_ESR) {
		const uint32_t *bits = offset < APIC_TMR ? apic->isr : offset < APIC_IRR ? apic->tmr : apic->irr;

		return bits[offset >> 4 & 7];
	}
	if (offset >= APIC_LVT_TIMER && offset <= APIC_LVT_ERROR)
		return apic->lvt[(offset - APIC_LVT_TIMER) / 16];
	switch (offset) {
	case APIC_ID: return local_apic_in_x2apic(apic) ? apic->id : apic->xapic_id;
	case APIC_VERSION: return VERSION_VALUE;
	case APIC_TPR: return apic->tpr;
	case APIC_APR:
	case APIC_EOI:
	case APIC_RRD: return 0;
	case APIC_PPR: return local_apic_priority(apic);
	case APIC_LDR: return logical_id(apic);
	case APIC_DFR: return apic->dfr;
	case APIC_SVR: return apic->svr;
	case APIC_ESR: return apic->esr;
	case APIC_ICR_LOW: return apic->icr_low;
	case APIC_ICR_HIGH: return apic->icr_high;
	case APIC_INITIAL: return apic->initial_count;
	case APIC_CURRENT: return local_apic_timer_count(apic, now_tsc);
	case APIC_DIVIDE: return apic->divide;
	default:
		raise_error(apic, APIC_ESR_REGISTER);
		return 0;
	}
}

static void write_lvt(struct local_apic *apic, unsigned entry, uint32_t value, struct apic_effects *effects)
{
	uint32_t old = apic->lvt[entry];

	apic->lvt[entry] = value & local_apic_lvt_writable(apic, entry);
	if ((apic->svr & APIC_SVR_ENABLED) == 0)
		apic->lvt[entry] |= APIC_LVT_MASKED;
	if (entry == 0) {
		local_apic_timer_lvt_changed(apic, old);
		effects->flags |= APIC_EFFECT_TIMER;
	}
	effects->flags |= APIC_EFFECT_EVALUATE; /* LINT0 may take ExtINT now */
}

static void write_svr(struct local_apic *apic, uint32_t value, struct apic_effects *effects)
{
	apic->svr = value & SVR_WRITABLE;
	if ((value & APIC_SVR_ENABLED) == 0) {
		for (unsigned i = 0; i < APIC_LVT_COUNT; i++)
			apic->lvt[i] |= APIC_LVT_MASKED;
	}
	effects->flags |= APIC_EFFECT_ROUTE | APIC_EFFECT_TIMER | APIC_EFFECT_EVALUATE;
}

static void end_of_interrupt(struct local_apic *apic, struct apic_effects *effects)
{
	int vector = highest(apic->isr);

	if (vector < 0)
		return;
	apic->isr[vector / 32] &= ~(1U << vector % 32);
	effects->flags |= APIC_EFFECT_EOI | APIC_EFFECT_EVALUATE;
	effects->eoi_vector = (uint8_t)vector;
}

/* "Valid Combinations for the Pentium 4 and Intel Xeon Processors' Local xAPIC Interrupt Command Register". */
static bool can_be_sent(uint64_t icr)
{
	uint32_t shorthand = ICR_SHORTHAND(icr);

	return (shorthand != SHORTHAND_SELF && shorthand != SHORTHAND_ALL) || ICR_DELIVERY(icr) == DELIVERY_FIXED;
}

static void send(struct local_apic *apic, uint64_t icr, struct apic_effects *effects)
{
	uint32_t delivery = ICR_DELIVERY(icr);

	if (!can_be_sent(icr))
		return;
	if ((delivery == DELIVERY_FIXED || delivery == DELIVERY_LOWEST) && ICR_VECTOR(icr) < 16) {
		raise_error(apic, APIC_ESR_SEND_ILLEGAL);
		return;
	}
	effects->flags |= APIC_EFFECT_SEND;
	effects->icr = icr;
}

static void write_icr_low(struct local_apic *apic, uint32_t value, struct apic_effects *effects)
{
	uint32_t destination = local_apic_in_x2apic(apic) ? apic->icr_high : apic->icr_high >> 24;

	apic->icr_low = value & ICR_WRITABLE;
	send(apic, (uint64_t)destination << 32 | apic->icr_low, effects);
}

void local_apic_write(struct local_apic *apic, uint32_t offset, uint32_t value, uint64_t now_tsc, struct apic_effects *effects)
{
	if (offset >= APIC_LVT_TIMER && offset <= APIC_LVT_ERROR) {
		write_lvt(apic, (offset - APIC_LVT_TIMER) / 16, value, effects);
		return;
	}
	switch (offset) {
	case APIC_ID:
		apic->xapic_id = value & 0xff000000U;
		effects->flags |= APIC_EFFECT_ROUTE;
		break;
	case APIC_TPR:
		if (((apic->tpr ^ value) & 0xf0) != 0)
			effects->flags |= APIC_EFFECT_ROUTE; /* lowest priority */
		apic->tpr = value & 0xff;
		effects->flags |= APIC_EFFECT_EVALUATE;
		break;
	case APIC_EOI: end_of_interrupt(apic, effects); break;
	case APIC_LDR:
		apic->ldr = value & 0xff000000U;
		effects->flags |= APIC_EFFECT_ROUTE;
		break;
	case APIC_DFR:
		apic->dfr = value | 0x0fffffffU;
		effects->flags |= APIC_EFFECT_ROUTE;
		break;
	case APIC_SVR: write_svr(apic, value, effects); break;
	case APIC_ESR: /* "Error Handling": a write updates the register with what was gathered since the last */
		apic->esr = apic->esr_pending;
		apic->esr_pending = 0;
		break;
	case APIC_ICR_LOW: write_icr_low(apic, value, effects); break;
	case APIC_ICR_HIGH: apic->icr_high = local_apic_in_x2apic(apic) ? value : value & 0xff000000U; break;
	case APIC_INITIAL:
		local_apic_timer_start(apic, value, now_tsc);
		effects->flags |= APIC_EFFECT_TIMER;
		break;
	case APIC_DIVIDE:
		local_apic_timer_set_divide(apic, value & 0xb, now_tsc);
		effects->flags |= APIC_EFFECT_TIMER;
		break;
	case APIC_SELF_IPI: /* x2APIC only: "SELF IPI Register" */
		if (local_apic_in_x2apic(apic)) {
			send(apic, (uint64_t)SHORTHAND_SELF << 18 | (value & 0xff), effects);
			break;
		}
		raise_error(apic, APIC_ESR_REGISTER);
		break;
	case APIC_VERSION: /* read-only ones: the write is lost */
	case APIC_APR:
	case APIC_PPR:
	case APIC_RRD:
	case APIC_CURRENT: break;
	default:
		if (offset < APIC_ISR || offset >= APIC_ESR)
			raise_error(apic, APIC_ESR_REGISTER);
	}
}
