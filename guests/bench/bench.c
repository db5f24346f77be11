/* What VM exits cost, in ticks of the TSC, from guest instruction to guest instruction: RDTSC after minus before, median of
 * 2,000, minus that of nothing. Prints "bench NAME TICKS" on COM1 and powers off. tools/bench.py reads it. */
#include "guests/bench/bench.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define MSR_MISC_ENABLE  0x1a0U
#define UNKNOWN_CALL     0x7fffffffU
#define POST_PORT        0x80U
#define IOAPIC_WINDOW    ((volatile uint32_t *)0xfec00010UL)
#define PAGE_BYTES       4096U
#define TOUCHED_MEMORY   0x400000UL /* behind the program; the VM has 16 MiB */

/* Loads of registers belong to the loop, not to the exit: each figure has a twin without the instruction. */
static void measure_register_exits(void)
{
	uint32_t empty;

	MEASURE("xorl %%eax, %%eax", [operand] "r"(0UL));
	empty = empty_ticks("empty_1");
	MEASURE("xorl %%eax, %%eax\n\tcpuid", [operand] "r"(0UL));
	show("exit_cpuid_ticks", median() - empty);
	MEASURE("movl %[operand], %%eax", [operand] "i"(UNKNOWN_CALL));
	empty = empty_ticks("empty_2");
	MEASURE("movl %[operand], %%eax\n\tvmcall", [operand] "i"(UNKNOWN_CALL));
	show("exit_vmcall_ticks", median() - empty);
	MEASURE("movl %[operand], %%ecx", [operand] "i"(MSR_MISC_ENABLE));
	empty = empty_ticks("empty_3");
	MEASURE("movl %[operand], %%ecx\n\trdmsr", [operand] "i"(MSR_MISC_ENABLE));
	show("exit_rdmsr_ticks", median() - empty);
}

static void measure_device_exits(void)
{
	uint32_t empty;

	MEASURE("", [operand] "i"(0));
	empty = empty_ticks("empty_4");
	MEASURE("outb %%al, %[operand]", [operand] "i"(POST_PORT));
	show("exit_pio_vmm_ticks", median() - empty);
	MEASURE("movl %[operand], %%eax", [operand] "m"(*IOAPIC_WINDOW));
	show("exit_mmio_vmm_ticks", median() - empty);
}

/* One write to each of 2,000 pages. */
static uint32_t touch_pages(void)
{
	uint8_t *page = (uint8_t *)TOUCHED_MEMORY;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t before = read_tsc();

		*(volatile uint8_t *)(page + (uint64_t)round * PAGE_BYTES) = 1;
		ticks[round] = (uint32_t)(read_tsc() - before);
	}
	return median();
}

static void touch_marked_pages(void)
{
	uint8_t *page = (uint8_t *)TOUCHED_MEMORY + ROUNDS * (uint64_t)PAGE_BYTES;

	for (unsigned round = 0; round < MARKED_ROUNDS; round++, page += PAGE_BYTES)
		__asm__ volatile(MARK "movb $1, %0\n\t" MARK : "=m"(*page));
}

/* Nobody touched these pages since the VM started; the second time is the empty loop. */
static void measure_first_touch(void)
{
	uint32_t first = touch_pages();

	touch_marked_pages();
	show("first_touch_4k_ticks", first - touch_pages());
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	exceptions_install();
	measure_register_exits();
	measure_device_exits();
	measure_first_touch();
	measure_devices();
	measure_local_apic();
	print("bench end\n");
}
