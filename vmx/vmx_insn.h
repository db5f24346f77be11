/* Single VMX instructions and stores of descriptor registers. SDM Vol. 3C, "VMX Instruction Reference". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernel/cpu_insn.h"

/* False: VMfailInvalid or VMfailValid. */
static inline bool vmx_on(uint64_t region_physical)
{
	bool ok;

	__asm__ volatile("vmxon %1" : "=@cca"(ok) : "m"(region_physical) : "memory");
	return ok;
}

static inline void vmx_off(void)
{
	__asm__ volatile("vmxoff" : : : "cc", "memory");
}

static inline bool vmx_clear(uint64_t vmcs_physical)
{
	bool ok;

	__asm__ volatile("vmclear %1" : "=@cca"(ok) : "m"(vmcs_physical) : "memory");
	return ok;
}

static inline bool vmx_load(uint64_t vmcs_physical)
{
	bool ok;

	__asm__ volatile("vmptrld %1" : "=@cca"(ok) : "m"(vmcs_physical) : "memory");
	return ok;
}

static inline bool vmx_read(uint64_t encoding, uint64_t *value)
{
	bool ok;

	__asm__ volatile("vmread %2, %1" : "=@cca"(ok), "=r"(*value) : "r"(encoding) : "memory");
	return ok;
}

static inline bool vmx_write(uint64_t encoding, uint64_t value)
{
	bool ok;

	__asm__ volatile("vmwrite %2, %1" : "=@cca"(ok) : "r"(encoding), "rm"(value) : "memory");
	return ok;
}

struct invalidation {
	uint64_t first, second;
};

static inline bool vmx_invept(uint64_t type, const struct invalidation *descriptor)
{
	bool ok;

	__asm__ volatile("invept %2, %1" : "=@cca"(ok) : "r"(type), "m"(*descriptor) : "memory");
	return ok;
}

static inline bool vmx_invvpid(uint64_t type, const struct invalidation *descriptor)
{
	bool ok;

	__asm__ volatile("invvpid %2, %1" : "=@cca"(ok) : "r"(type), "m"(*descriptor) : "memory");
	return ok;
}

static inline struct descriptor_table_register sgdt(void)
{
	struct descriptor_table_register gdtr;

	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	return gdtr;
}

static inline struct descriptor_table_register sidt(void)
{
	struct descriptor_table_register idtr;

	__asm__ volatile("sidt %0" : "=m"(idtr));
	return idtr;
}
