/* The local APIC's MSRs: x2APIC registers with their reserved bits, and IA32_APIC_BASE with its states.
 * SDM Vol. 3A, "Extended XAPIC (x2APIC)". Pure. */
#include "virt/local_apic.h"

#define X2APIC_MSR_FIRST 0x800U

/* Which bits of each register may be set; absent ones are not writable. */
static bool writable_mask(const struct local_apic *apic, uint32_t offset, uint64_t *mask)
{
	if (offset >= APIC_LVT_TIMER && offset <= APIC_LVT_ERROR) {
		*mask = local_apic_lvt_writable(apic, (offset - APIC_LVT_TIMER) / 16);
		return true;
	}
	switch (offset) {
	case APIC_TPR: *mask = 0xff; return true;
	case APIC_EOI:
	case APIC_ESR: *mask = 0; return true;
	case APIC_SVR: *mask = 0x3ff; return true;
	case APIC_ICR_LOW: *mask = 0xffffffff000ccfffULL; return true;
	case APIC_INITIAL: *mask = UINT32_MAX; return true;
	case APIC_DIVIDE: *mask = 0xb; return true;
	case APIC_SELF_IPI: *mask = 0xff; return true;
	default: return false;
	}
}

static bool is_readable(uint32_t offset)
{
	if (offset >= APIC_ISR && offset <= APIC_ESR)
		return true;
	if (offset >= APIC_LVT_TIMER && offset <= APIC_CURRENT)
		return true;
	return offset == APIC_ID || offset == APIC_VERSION || offset == APIC_TPR || offset == APIC_PPR || offset == APIC_LDR ||
	       offset == APIC_SVR || offset == APIC_ICR_LOW || offset == APIC_DIVIDE;
}

bool local_apic_msr_read(struct local_apic *apic, uint32_t msr, uint64_t now_tsc, uint64_t *value)
{
	uint32_t offset = (msr - X2APIC_MSR_FIRST) * 16;

	if (!local_apic_in_x2apic(apic) || !is_readable(offset))
		return false;
	*value = local_apic_read(apic, offset, now_tsc);
	if (offset == APIC_ICR_LOW)
		*value |= (uint64_t)apic->icr_high << 32;
	return true;
}

bool local_apic_msr_write(struct local_apic *apic, uint32_t msr, uint64_t value, uint64_t now_tsc, struct apic_effects *effects)
{
	uint32_t offset = (msr - X2APIC_MSR_FIRST) * 16;
	uint64_t mask;

	if (!local_apic_in_x2apic(apic) || !writable_mask(apic, offset, &mask) || (value & ~mask) != 0)
		return false;
	if (offset == APIC_ICR_LOW)
		apic->icr_high = (uint32_t)(value >> 32);
	local_apic_write(apic, offset, (uint32_t)value, now_tsc, effects);
	return true;
}

/* "x2APIC State Transitions": off -> xAPIC -> x2APIC -> off, xAPIC -> off; nothing else. */
bool local_apic_base_write(struct local_apic *apic, uint64_t value, struct apic_effects *effects)
{
	const uint64_t mode_bits = APIC_BASE_ENABLED | APIC_BASE_X2APIC;
	uint64_t old_mode = apic->base & mode_bits, mode = value & mode_bits;
	uint64_t address_mask = ((UINT64_C(1) << apic->physical_bits) - 1) & APIC_BASE_PAGE;

	if ((value & ~(address_mask | mode_bits | APIC_BASE_BSP)) != 0 || mode == APIC_BASE_X2APIC)
		return false;
	if ((mode & APIC_BASE_X2APIC) != 0 && (!apic->x2apic_offered || old_mode == 0))
		return false;
	if (old_mode == mode_bits && mode == APIC_BASE_ENABLED)
		return false;
	if (mode == 0 && old_mode != 0) {
		local_apic_init(apic);
		apic->xapic_id = apic->id << 24;
	}
	apic->base = value;
	effects->flags |= APIC_EFFECT_ROUTE | APIC_EFFECT_TIMER | APIC_EFFECT_EVALUATE;
	return true;
}
