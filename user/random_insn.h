/* The CPU's instructions for random numbers, one wrapper each. Source: SDM Vol. 2, "RDSEED", "RDRAND", "CPUID". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* EBX and ECX of a leaf that the CPU has. */
static inline void cpuid_ebx_ecx(uint32_t leaf, uint32_t *ebx, uint32_t *ecx)
{
	uint32_t edx;

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(*ebx), "=c"(*ecx), "=d"(edx) : "2"(0));
}

static inline uint32_t cpuid_last_leaf(void)
{
	uint32_t leaf = 0, ebx, ecx, edx;

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return leaf;
}

/* False: the CPU had no number at that moment. Only where CPUID shows the instruction. */
static inline bool rdseed64(uint64_t *value)
{
	bool ok;

	__asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

static inline bool rdrand64(uint64_t *value)
{
	bool ok;

	__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}
