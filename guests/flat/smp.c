/* Starting other processors. SDM Vol. 3A, "Multiple-Processor (MP) Initialization". */
#include "guests/flat/smp.h"

#include <stdatomic.h>
#include <stdint.h>

#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define TRAMPOLINE   0xa000UL
#define STACK_BYTES  4096U
#define WAIT_SECONDS 5U

extern const uint8_t smp_trampoline[], smp_trampoline_end[];
void smp_begin(unsigned number);
extern uint8_t smp_stacks[SMP_PROCESSORS_MAX][STACK_BYTES];

_Alignas(16) uint8_t smp_stacks[SMP_PROCESSORS_MAX][STACK_BYTES];
static smp_function *work;
static _Atomic unsigned arrived;
static _Atomic unsigned starts[SMP_PROCESSORS_MAX];

void smp_begin(unsigned number)
{
	exceptions_load();
	apic_enable(!apic_in_x2apic());
	atomic_fetch_add(&starts[number], 1);
	atomic_fetch_add(&arrived, 1);
	work(number);
}

unsigned smp_count(void)
{
	unsigned count = cpuid(0x0b, 1).ebx & 0xffff;

	return count < SMP_PROCESSORS_MAX ? count : SMP_PROCESSORS_MAX;
}

unsigned smp_sipi_vector(void)
{
	return TRAMPOLINE >> 12;
}

void smp_restart(unsigned number)
{
	apic_send(number, ICR_INIT | ICR_ASSERT);
	apic_send(number, ICR_STARTUP | ICR_ASSERT | smp_sipi_vector());
}

unsigned smp_start(smp_function *function)
{
	volatile uint8_t *page = (volatile uint8_t *)TRAMPOLINE;
	uint64_t deadline = read_tsc() + WAIT_SECONDS * flat_tsc_hz();
	unsigned count = smp_count();

	work = function;
	for (const uint8_t *from = smp_trampoline; from < smp_trampoline_end; from++)
		page[from - smp_trampoline] = *from;
	for (unsigned number = 1; number < count; number++)
		smp_restart(number);
	while (atomic_load(&arrived) < count - 1 && read_tsc() < deadline)
		__builtin_ia32_pause();
	return atomic_load(&arrived);
}

unsigned smp_starts(unsigned number)
{
	return atomic_load(&starts[number]);
}
