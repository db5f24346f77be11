/* Rules for control registers. SDM Vol. 3A, "Control Registers" and "IA-32e Mode"; Vol. 1, "Managing State Using the XSAVE
 * Feature Set". Pure. */
#include "virt/control_registers.h"

#include <stddef.h>

#define CR4_ALWAYS 0x7ffULL /* VME .. OSXMMEXCPT */

uint64_t cr4_allowed(uint32_t leaf1_ecx, uint32_t leaf7_ebx, uint32_t leaf7_ecx, uint32_t leaf7_edx)
{
	static const struct { uint8_t reg, bit; uint64_t cr4;
	} features[] = {
	    {0, 17, CR4_PCIDE}, {0, 26, CR4_OSXSAVE}, {1, 0, CR4_FSGSBASE}, {1, 7, CR4_SMEP}, {1, 20, CR4_SMAP},  {2, 2, CR4_UMIP},
	    {2, 3, CR4_PKE},    {2, 7, CR4_CET},      {2, 16, CR4_LA57},    {3, 20, CR4_CET},
	};
	const uint32_t words[] = {leaf1_ecx, leaf7_ebx, leaf7_ecx, leaf7_edx};
	uint64_t allowed = CR4_ALWAYS;

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if ((words[features[i].reg] >> features[i].bit & 1) != 0)
			allowed |= features[i].cr4;
	}
	return allowed;
}

bool cr0_write_allowed(uint64_t value, uint64_t cr4, uint64_t efer, bool cs_is_long)
{
	if ((value >> 32) != 0)
		return false;
	if (((value & CR0_NW) != 0 && (value & CR0_CD) == 0) || ((cr4 & CR4_CET) != 0 && (value & CR0_WP) == 0))
		return false;
	if ((value & CR0_PG) != 0)
		return (value & CR0_PE) != 0 && ((efer & EFER_LME) == 0 || (cr4 & CR4_PAE) != 0) &&
		       ((efer & (EFER_LME | EFER_LMA)) != EFER_LME || !cs_is_long);
	return (cr4 & CR4_PCIDE) == 0 && ((efer & EFER_LMA) == 0 || !cs_is_long);
}

bool cr4_write_allowed(uint64_t value, uint64_t allowed, const struct vcpu_registers *now)
{
	bool in_long_mode = (now->efer & EFER_LMA) != 0;

	if ((value & ~allowed) != 0 || ((value & CR4_CET) != 0 && (now->cr0 & CR0_WP) == 0))
		return false;
	if (in_long_mode && ((value & CR4_PAE) == 0 || ((value ^ now->cr4) & CR4_LA57) != 0))
		return false;
	return (value & ~now->cr4 & CR4_PCIDE) == 0 || (in_long_mode && (now->cr3 & CR3_PCID) == 0);
}

bool efer_write(uint64_t old, uint64_t value, bool paging_enabled, uint64_t *result)
{
	if ((value & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) != 0)
		return false;
	if (paging_enabled && ((old ^ value) & EFER_LME) != 0)
		return false;
	*result = (value & ~EFER_LMA) | (old & EFER_LMA);
	return true;
}

bool xcr0_write_allowed(uint32_t index, uint64_t value, uint64_t mask)
{
	if (index != 0 || (value & ~mask) != 0 || (value & XCR0_X87) == 0)
		return false;
	if ((value & XCR0_AVX) != 0 && (value & XCR0_SSE) == 0)
		return false;
	return (value & XCR0_AVX512) == 0 || (value & (XCR0_AVX512 | XCR0_AVX)) == (XCR0_AVX512 | XCR0_AVX);
}

enum status registers_check(const struct vcpu_registers *registers, uint64_t cr4_allowed_mask)
{
	bool paging = (registers->cr0 & CR0_PG) != 0, lme = (registers->efer & EFER_LME) != 0;

	if ((registers->cr0 & ~CR0_DEFINED) != 0 || (registers->cr4 & ~cr4_allowed_mask) != 0)
		return ERR_INVALID;
	if ((registers->efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) != 0)
		return ERR_INVALID;
	if (((registers->efer & EFER_LMA) != 0) != (paging && lme))
		return ERR_INVALID;
	if (!cr0_write_allowed(registers->cr0, registers->cr4, registers->efer & ~EFER_LME, false))
		return ERR_INVALID;
	if (paging && lme && (registers->cr4 & CR4_PAE) == 0)
		return ERR_INVALID;
	return (registers->rflags & 0x2) != 0 ? OK : ERR_INVALID;
}

#define DATA_SEGMENT  {.limit = 0xffff, .attributes = 0x93}
#define TABLE_REGISTER {.limit = 0xffff}

const struct vcpu_registers registers_after_init = {
	.gpr = {[GPR_RDX] = 0x600},
	.rip = 0xfff0,
	.rflags = 0x2,
	.cr0 = CR0_CD | CR0_NW | CR0_ET,
	.dr7 = 0x400,
	.cs = {.selector = 0xf000, .base = 0xffff0000, .limit = 0xffff, .attributes = 0x9b},
	.ss = DATA_SEGMENT,
	.ds = DATA_SEGMENT,
	.es = DATA_SEGMENT,
	.fs = DATA_SEGMENT,
	.gs = DATA_SEGMENT,
	.tr = {.limit = 0xffff, .attributes = 0x8b},
	.ldtr = {.limit = 0xffff, .attributes = 0x82},
	.gdtr = TABLE_REGISTER,
	.idtr = TABLE_REGISTER,
};
