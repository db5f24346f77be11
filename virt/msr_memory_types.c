/* What PAT and MTRRs take. SDM Vol. 3A, "Memory Type Range Registers (MTRRs)", "Page Attribute Table (PAT)". */
#include "virt/msr_memory_types.h"

#include "virt/vcpu.h"

static bool memory_type_valid(uint64_t type)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

static bool all_types_valid(uint64_t value, bool with_uc_minus)
{
	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t type = value >> i & 0xff;

		if (!memory_type_valid(type) && !(with_uc_minus && type == 7))
			return false;
	}
	return true;
}

bool msr_write_pat(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)msr;
	if (!all_types_valid(value, true))
		return false;
	vcpu->pat = value;
	return true;
}

/* The register's place in vcpu_mtrr; the rows of the table let no other number come here. */
static uint64_t *mtrr(struct vcpu *vcpu, uint32_t msr)
{
	if (msr == MSR_MTRR_DEF_TYPE)
		return &vcpu->mtrr.default_type;
	if (msr < MSR_MTRR_FIX64K)
		return &vcpu->mtrr.variable[msr - MSR_MTRR_PHYS0];
	if (msr < MSR_MTRR_FIX16K)
		return &vcpu->mtrr.fixed[0];
	if (msr < MSR_MTRR_FIX4K)
		return &vcpu->mtrr.fixed[1 + msr - MSR_MTRR_FIX16K];
	return &vcpu->mtrr.fixed[3 + msr - MSR_MTRR_FIX4K];
}

bool msr_read_mtrr(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	*value = *mtrr(vcpu, msr);
	return true;
}

bool msr_write_mtrr_fixed(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (!all_types_valid(value, false))
		return false;
	*mtrr(vcpu, msr) = value;
	return true;
}

bool msr_write_mtrr_variable(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t address_bits = ((UINT64_C(1) << vcpu->apic.physical_bits) - 1) & ~0xfffULL;
	bool is_mask = (msr & 1) != 0;

	if ((value & ~(address_bits | (is_mask ? 0x800 : 0xff))) != 0 || (!is_mask && !memory_type_valid(value & 0xff)))
		return false;
	*mtrr(vcpu, msr) = value;
	return true;
}

bool msr_write_mtrr_default(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if ((value & ~0xcffULL) != 0 || !memory_type_valid(value & 0xff))
		return false;
	*mtrr(vcpu, msr) = value;
	return true;
}
