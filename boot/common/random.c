/* Random numbers from whatever this CPU has. Keeps no state: every call gathers afresh. */
#include "boot/common/random.h"

#include "boot/common/cpu.h"

#define CPUID_1_ECX_RDRAND   (1U << 30)
#define CPUID_7_EBX_RDSEED   (1U << 18)
#define HARDWARE_TRIES       10U
#define JITTER_ROUNDS        64U

/* A bijective scrambling of 64 bits: multiply by odd constants (digits of pi and e, made odd), fold the upper half down. */
static uint64_t scramble(uint64_t x)
{
	x = (x ^ x >> 32) * 0x3243f6a8885a308dULL;
	x = (x ^ x >> 29) * 0x2b7e151628aed2a7ULL;
	return x ^ x >> 32;
}

static uint64_t from_hardware(void)
{
	uint64_t value = 0;

	if (cpuid(0, 0).eax >= 7 && (cpuid(7, 0).ebx & CPUID_7_EBX_RDSEED)) {
		for (unsigned i = 0; i < HARDWARE_TRIES; i++) {
			if (rdseed64(&value))
				return value;
		}
	}
	if (cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND) {
		for (unsigned i = 0; i < HARDWARE_TRIES; i++) {
			if (rdrand64(&value))
				return value;
		}
	}
	return 0;
}

static uint64_t from_jitter(void)
{
	uint64_t mixed = rdtsc();

	for (unsigned i = 0; i < JITTER_ROUNDS; i++) {
		(void)cpuid(0, 0);
		mixed = scramble(mixed + rdtsc());
	}
	return mixed;
}

uint64_t random64(void)
{
	return scramble(from_hardware() + from_jitter());
}
