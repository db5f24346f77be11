/* CPUID, one wrapper. Source: SDM Vol. 2, "CPUID". */
#pragma once
#include <stdint.h>

/* EAX of subleaf 0. */
static inline uint32_t cpuid_eax(uint32_t leaf)
{
	uint32_t ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return leaf;
}
