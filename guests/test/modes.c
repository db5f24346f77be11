/* Takes the processor through its modes and lets instructions exit in each: compatibility mode, protected mode without paging, real
 * mode with its own and with big segments, virtual-8086 mode, and five levels of paging where CPUID shows them. One line for each;
 * ends with exit code 1 when all is well, else with 1 + 2 * the number of lines that are not.
 * SDM Vol. 3A, "Switching to Protected Mode", "Switching Out of IA-32e Mode Operation", "8086 Emulation", "5-Level Paging". */
#include <stdint.h>

#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define DEBUG_EXIT_PORT 0xf4U
#define ENOSYS      0xfffffc18U
#define EPERM       0xffffffffU
#define MARK        0x600df00dU
#define EFER_LME    0x100U
#define EFER_LMA    0x400U

/* What modes_run() leaves at 0xc000, in its order. */
enum place {
	COMPATIBILITY_CALL, COMPATIBILITY_CPUID, UNPAGED_EFER, UNPAGED_CALL, REAL_CALL, REAL_CPUID, REAL_GP, REAL_UD, REAL_STACK,
	BIG_READ, REAL_PORT, VIRTUAL_CALL, VIRTUAL_CPUID, VIRTUAL_GP, FIVE_EFER, FIVE_CPUID, FIVE_DEVICE, FIVE_MEMORY, FIVE_BASE
};
static volatile uint32_t *const results = (volatile uint32_t *)0xc000;

/* guests/flat/modes.asm */
void modes_run(uint32_t has_la57);

static unsigned failures;

static void expect(const char *name, enum place place, uint64_t wanted)
{
	failures += results[place] == wanted ? 0U : 1U;
	print(results[place] == wanted ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	if (results[place] != wanted) {
		print(": ");
		print_hex(results[place]);
		print(", not ");
		print_hex(wanted);
	}
	print("\n");
}

static void show_five_levels(uint32_t signature, uint32_t first_word)
{
	expect("five levels: IA32_EFER", FIVE_EFER, EFER_LME | EFER_LMA);
	expect("... CPUID", FIVE_CPUID, signature);
	expect("... an address without memory, beyond 48 bits", FIVE_DEVICE, 0xffffffff);
	expect("... memory beyond 48 bits", FIVE_MEMORY, first_word);
	expect("... IA32_KERNEL_GS_BASE of 57 bits", FIVE_BASE, 0x00ffffff);
}

void guest_main(const struct guest_flat_info *info)
{
	uint32_t has_la57 = cpuid(7, 0).ecx >> 16 & 1, signature = cpuid(0, 0).ebx;
	uint32_t first_word = *(const uint32_t *)(uintptr_t)0x100000;

	(void)info;
	exceptions_install();
	modes_run(has_la57);
	expect("compatibility mode: VMCALL", COMPATIBILITY_CALL, ENOSYS);
	expect("... CPUID", COMPATIBILITY_CPUID, signature);
	expect("protected mode without paging: IA32_EFER", UNPAGED_EFER, EFER_LME);
	expect("... VMCALL", UNPAGED_CALL, ENOSYS);
	expect("real mode: VMCALL", REAL_CALL, ENOSYS);
	expect("... CPUID", REAL_CPUID, signature);
	expect("... RDMSR of nothing faults", REAL_GP, MARK);
	expect("... UD2 faults", REAL_UD, MARK);
	expect("... and neither left an error code", REAL_STACK, 0xf000);
	expect("... memory beyond 1 MiB", BIG_READ, first_word);
	expect("... a port", REAL_PORT, 0x40);
	expect("virtual-8086 mode: VMCALL", VIRTUAL_CALL, EPERM);
	expect("... CPUID", VIRTUAL_CPUID, signature);
	expect("... HLT faults there", VIRTUAL_GP, 0);
	if (has_la57 != 0)
		show_five_levels(signature, first_word);
	out8(DEBUG_EXIT_PORT, (uint8_t)failures);
}
