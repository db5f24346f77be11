/* Writes every register that a hypervisor may have to switch by itself, and looks at them again and again while other VMs have
 * their turns on the same CPU. "seed=N" on the command line chooses the values; without it, those of control-flow enforcement are
 * left alone and must stay zero. Ends with exit code 1 when all stayed, else with 3 + 2 * the register's place in the table. */
#include <stddef.h>

#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define DEBUG_EXIT_PORT 0xf4U
#define TURN_TICKS      40000000ULL
#define CR4_OSFXSR      0x200ULL
#define CR4_OSXSAVE     0x40000ULL
#define CR4_PKE         0x400000ULL
#define UPPER_HALF      0xffff800000000000ULL

enum kind { MSR, XMM, YMM, PKRU, XCR0, DEBUG, CR_2, CR_8 };
enum need { ALWAYS, NEEDS_RDTSCP, NEEDS_PKU, NEEDS_CET, NEEDS_XSAVE, NEEDS_AVX };

/* value = seed * step + base. */
static const struct row { enum kind kind; enum need need; uint32_t number; uint64_t base, step; } rows[] = {
	{MSR, ALWAYS, 0xc0000081, 0x0010001800000000, 0x100000000}, {MSR, ALWAYS, 0xc0000082, UPPER_HALF, 0x10},
	{MSR, ALWAYS, 0xc0000083, UPPER_HALF, 0x20},          {MSR, ALWAYS, 0xc0000084, 0, 0x100},
	{MSR, ALWAYS, 0xc0000100, UPPER_HALF, 0x30},          {MSR, ALWAYS, 0xc0000101, UPPER_HALF, 0x40},
	{MSR, ALWAYS, 0xc0000102, UPPER_HALF, 0x50},          {MSR, NEEDS_RDTSCP, 0xc0000103, 0, 7},
	{MSR, ALWAYS, 0x174, 0, 8},                           {MSR, ALWAYS, 0x175, UPPER_HALF, 0x60},
	{MSR, ALWAYS, 0x176, UPPER_HALF, 0x70},               {MSR, ALWAYS, 0x277, 0x0007040600070406, 0x100},
	{MSR, NEEDS_CET, 0x6a0, 0, 4},                        {MSR, NEEDS_CET, 0x6a2, 0, 4},
	{MSR, NEEDS_CET, 0x6a4, 0, 0x1000},                   {MSR, NEEDS_CET, 0x6a5, 0, 0x2000},
	{MSR, NEEDS_CET, 0x6a6, 0, 0x3000},                   {MSR, NEEDS_CET, 0x6a7, 0, 0x4000},
	{MSR, NEEDS_CET, 0x6a8, 0, 0x5000},                   {MSR, NEEDS_CET, 0xda0, 0, 0x800},
	{DEBUG, ALWAYS, 0, 0, 0x1111},                        {DEBUG, ALWAYS, 3, 0, 0x2222},
	{DEBUG, ALWAYS, 6, 0xffff0ff0, 1},                    {CR_2, ALWAYS, 0, 0, 0x12345},
	{CR_8, ALWAYS, 0, 0, 1},                              {XMM, ALWAYS, 0, 0, 0x123456789},
	{YMM, NEEDS_AVX, 0, 0, 0x987654321},                  {PKRU, NEEDS_PKU, 0, 0, 0x55},
	{XCR0, NEEDS_XSAVE, 0, 3, 0},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static bool has[NEEDS_AVX + 1];

static void write_debug(uint32_t number, uint64_t value)
{
	if (number == 0)
		__asm__ volatile("movq %0, %%dr0" : : "r"(value));
	else if (number == 3)
		__asm__ volatile("movq %0, %%dr3" : : "r"(value));
	else
		__asm__ volatile("movq %0, %%dr6" : : "r"(value));
}

static uint64_t read_debug(uint32_t number)
{
	uint64_t value;

	if (number == 0)
		__asm__ volatile("movq %%dr0, %0" : "=r"(value));
	else if (number == 3)
		__asm__ volatile("movq %%dr3, %0" : "=r"(value));
	else
		__asm__ volatile("movq %%dr6, %0" : "=r"(value));
	return value;
}

/* The compiler uses no vector registers here. */
static void write_row(const struct row *row, uint64_t value)
{
	switch (row->kind) {
	case MSR: write_msr(row->number, value); break;
	case DEBUG: write_debug(row->number, value); break;
	case XMM: __asm__ volatile(".byte 0x66, 0x48, 0x0f, 0x6e, 0xe0" : : "a"(value)); break; /* MOVQ to XMM4 */
	case YMM: /* VMOVDQU from memory to YMM5, whose upper half this is */
		__asm__ volatile("vmovdqu (%0), %%ymm5" : : "r"((const uint64_t[4]){0, 0, value, ~value}) : "memory");
		break;
	case PKRU: __asm__ volatile(".byte 0x0f, 0x01, 0xef" : : "a"((uint32_t)value), "c"(0), "d"(0)); break;
	case XCR0: __asm__ volatile("xsetbv" : : "a"((uint32_t)value | (has[NEEDS_AVX] ? 4U : 0)), "c"(0), "d"(0)); break;
	case CR_2: __asm__ volatile("movq %0, %%cr2" : : "r"(value)); break;
	case CR_8: __asm__ volatile("movq %0, %%cr8" : : "r"(value)); break;
	}
}

static uint64_t read_row(const struct row *row)
{
	uint64_t value = 0, upper[4];
	uint32_t low, high;

	switch (row->kind) {
	case MSR: return read_msr(row->number);
	case DEBUG: return read_debug(row->number);
	case XMM: __asm__ volatile(".byte 0x66, 0x48, 0x0f, 0x7e, 0xe0" : "=a"(value)); return value; /* MOVQ from XMM4 */
	case YMM:
		__asm__ volatile("vmovdqu %%ymm5, (%0)" : : "r"(upper) : "memory");
		return upper[3] == ~upper[2] ? upper[2] : ~value;
	case PKRU: __asm__ volatile(".byte 0x0f, 0x01, 0xee" : "=a"(low), "=d"(high) : "c"(0)); return low;
	case XCR0: __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0)); return low & ~4U;
	case CR_2: __asm__ volatile("movq %%cr2, %0" : "=r"(value)); return value;
	case CR_8: __asm__ volatile("movq %%cr8, %0" : "=r"(value)); return value;
	}
	return value;
}

static void find_features(void)
{
	struct cpuid_answer leaf1 = cpuid(1, 0), leaf7 = cpuid(7, 0);
	uint64_t cr4;

	has[ALWAYS] = true;
	has[NEEDS_RDTSCP] = (cpuid(0x80000001U, 0).edx >> 27 & 1) != 0;
	has[NEEDS_PKU] = (leaf7.ecx >> 3 & 1) != 0;
	has[NEEDS_CET] = (leaf7.ecx >> 7 & leaf7.edx >> 20 & 1) != 0;
	has[NEEDS_XSAVE] = (leaf1.ecx >> 26 & 1) != 0;
	has[NEEDS_AVX] = (leaf1.ecx >> 28 & 1) != 0;
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_OSFXSR | (has[NEEDS_XSAVE] ? CR4_OSXSAVE : 0) | (has[NEEDS_PKU] ? CR4_PKE : 0);
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
}

static void leave(unsigned value)
{
	out8(DEBUG_EXIT_PORT, (uint8_t)value);
}

void guest_main(const struct guest_flat_info *info)
{
	uint64_t seed = flat_number((const char *)(uintptr_t)info->command_line_address, "seed=", 0);

	exceptions_install();
	find_features();
	for (size_t i = ROW_COUNT; i-- > 0;) { /* XCR0 first */
		if (has[rows[i].need] && (rows[i].need != NEEDS_CET || seed != 0))
			write_row(&rows[i], rows[i].base + seed * rows[i].step);
	}
	for (uint64_t end = read_tsc() + TURN_TICKS; read_tsc() < end;) {
		for (size_t i = 0; i < ROW_COUNT; i++) {
			if (has[rows[i].need] && read_row(&rows[i]) != rows[i].base + seed * rows[i].step)
				leave(1 + (unsigned)i);
		}
	}
	leave(0);
}
