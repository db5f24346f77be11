/* Which instructions there are, and a small walk through memory whose time is the noise. */
#include "user/random_cpu.h"

#include "user/random_insn.h"

#define CPUID_1_ECX_RDRAND (1U << 30)
#define CPUID_7_EBX_RDSEED (1U << 18)
#define WALK_BYTES         0x4000U /* more than a way of the first cache */
#define WALK_STEPS         16U

/* Where the walk goes depends on what it found: a lost race between two threads only adds to the noise. */
static uint64_t timed_walk(void)
{
	static volatile uint8_t memory[WALK_BYTES];
	uint64_t start = __builtin_ia32_rdtsc();
	uint64_t place = start;

	for (unsigned i = 0; i < WALK_STEPS; i++) {
		place = place * 0x5851f42d4c957f2dULL + memory[place >> 32 & (WALK_BYTES - 1)];
		memory[place >> 32 & (WALK_BYTES - 1)] = (uint8_t)place;
	}
	return __builtin_ia32_rdtsc() - start;
}

void random_cpu_find(struct random_cpu *cpu)
{
	uint32_t ebx, ecx, last = cpuid_last_leaf();

	*cpu = (struct random_cpu){.sample = timed_walk};
	if (last >= 7) {
		cpuid_ebx_ecx(7, &ebx, &ecx);
		cpu->seed = (ebx & CPUID_7_EBX_RDSEED) != 0 ? rdseed64 : NULL;
	}
	if (last >= 1) {
		cpuid_ebx_ecx(1, &ebx, &ecx);
		cpu->random = (ecx & CPUID_1_ECX_RDRAND) != 0 ? rdrand64 : NULL;
	}
}
