/* Asks for a record of stolen time (docs/paravirtual.md) and computes beside whoever shares its CPU. Prints what part of two
 * seconds was stolen; with the word "absent" on its command line it expects none of it to be offered. */
#include "abi/paravirtual.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define LEAF_OFFERED       0x40000001U
#define OFFERED            (1U << 5)
#define VECTOR_GP          13U
#define NO_MEMORY          0xd0000000UL

static struct steal_record record __attribute__((aligned(STEAL_RECORD_BYTES)));

static uint64_t tsc_hz;

static uint64_t stolen_ns(void)
{
	uint64_t ns;
	uint32_t version;

	do {
		version = record.version;
		ns = record.steal_ns;
	} while ((version & 1) != 0 || version != record.version);
	return ns;
}

static void compute_until(uint64_t tsc)
{
	interrupts_on();
	while (read_tsc() < tsc) {
		if ((record.preempted & STEAL_PREEMPTED) != 0)
			print("TEST-FAIL preempted while it runs\n");
	}
}

/* WRMSR; whether it was #GP. */
static bool write_faults(uint64_t value)
{
	flat_catch.vector = NO_EXCEPTION;
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "movq %%rax, %0\n\t"
			 "movl %2, %%eax\n\t"
			 "wrmsr\n"
			 "1:\tmovq $0, %0"
			 : "+m"(flat_catch.go_on_at)
			 : "c"(MSR_KVM_STEAL_TIME), "r"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "rax", "memory");
	return flat_catch.vector == VECTOR_GP;
}

static void measure(void)
{
	uint64_t address = (uint64_t)(uintptr_t)&record, start, before, percent;

	if (!write_faults(address | 3) || record.version != 0)
		print("TEST-FAIL reserved bits are accepted\n");
	write_msr(MSR_KVM_STEAL_TIME, NO_MEMORY | 1);
	if (read_msr(MSR_KVM_STEAL_TIME) != (NO_MEMORY | 1))
		print("TEST-FAIL an address without memory is not accepted\n");
	write_msr(MSR_KVM_STEAL_TIME, address | 1);
	if (read_msr(MSR_KVM_STEAL_TIME) != (address | 1) || record.version == 0 || record.flags != 0)
		print("TEST-FAIL no record\n");
	start = read_tsc() + tsc_hz;
	compute_until(start);
	before = stolen_ns();
	compute_until(start + 2 * tsc_hz);
	percent = (stolen_ns() - before) * 100 / 2000000000;
	print("steal_time: ");
	print_number(percent);
	print(" percent\n");
	compute_until(start + 3 * tsc_hz); /* for the one beside it */
}

void guest_main(const struct guest_flat_info *info)
{
	bool is_offered = (cpuid(LEAF_OFFERED, 0).eax & OFFERED) != 0;
	bool is_wanted = ((const char *)(uintptr_t)info->command_line_address)[0] != 'a';

	exceptions_install();
	tsc_hz = flat_tsc_hz();
	if (is_offered != is_wanted)
		print("TEST-FAIL offered where it should not be, or not where it should\n");
	else if (is_offered)
		measure();
	else
		print(write_faults(1) ? "steal_time: absent\n" : "TEST-FAIL not offered and accepted\n");
}
