/* What does a hypervisor carry out when another processor changes the page tables under an operand and the bytes of the instruction
 * meanwhile? The processor may fault; nothing but the operand changes. SDM Vol. 3A, "Propagation of Paging-Structure Changes to
 * Multiple Processors". */
#include "guests/flat/apic.h"
#include "guests/flat/smp.h"
#include "tests/guest/lib/paging.h"
#include "tests/guest/lib/question.h"

#define DEVICE 0xff000000ULL
#define RIGHTS (PAGE_PRESENT | PAGE_WRITABLE)
#define ROUNDS 3000U
#define GUARD  0x1122334455667788ULL

static uint8_t pages[3][4096] __attribute__((aligned(4096)));

static volatile uint8_t code[16] __attribute__((aligned(16))) = {0x48, 0x89, 0x07, 0xc3};
static volatile bool stop;
__attribute__((used)) static uint64_t stack;

/* Four bytes each, with a RET; little-endian. */
static const uint32_t codes[] = {
	0xc3078948, /* MOV [RDI], RAX */
	0xc3018748, /* XCHG [RCX], RAX */
	0xc3a5f390, /* NOP; REP MOVSD, of as many as lie before the page that is not there */
	0xc3110f0f, /* none */
	0xc3310148, /* ADD [RCX], RSI */
	0xc3a648f3, /* REPE CMPSB */
	0xc307110f, /* MOVUPS [RDI], XMM0 */
	0xc3076690, /* none */
};

/* At random: in an emulator the two processors could otherwise keep step for ever. */
static void change(unsigned number)
{
	uint32_t seed = number;

	while (!stop) {
		static const uint64_t flags[] = {RIGHTS, RIGHTS, PAGE_PRESENT, 0};

		seed = seed * 1103515245 + 12345;
		paging_map(2, (seed >> 16) % 3 == 0 ? DEVICE + 4096 : (uint64_t)(uintptr_t)pages[1], flags[seed >> 20 & 3]);
		*(volatile uint32_t *)code = codes[seed >> 24 & 7];
		for (unsigned i = 0; i < (seed >> 27); i++)
			__asm__ volatile("pause");
	}
}

/* Operands end, begin or lie across the border. A fault leaves RSP where it was then. */
static void run(uint64_t border)
{
	flat_catch.vector = NO_EXCEPTION;
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, flat_catch(%%rip)\n\tmovq %%rsp, stack(%%rip)\n\t"
			 "leaq -4(%0), %%rdi\n\tleaq -64(%0), %%rsi\n\tmovq %%rdi, %%rcx\n\tcall *%1\n"
			 "1:\tmovq stack(%%rip), %%rsp\n\tmovq $0, flat_catch(%%rip)"
			 : : "r"(border), "r"(code) : "rax", "rcx", "rsi", "rdi", "memory", "cc");
}

static bool guards_hold(void)
{
	const volatile uint64_t *first = (const volatile uint64_t *)(uintptr_t)pages[0];
	const volatile uint64_t *last = (const volatile uint64_t *)(uintptr_t)pages[2];

	for (unsigned i = 0; i < 512; i++)
		if (first[i] != GUARD || last[i] != GUARD)
			return false;
	return true;
}

void question(const struct guest_flat_info *info)
{
	unsigned faults = 0;

	(void)info;
	for (unsigned i = 0; i < 512; i++)
		((uint64_t *)(uintptr_t)pages[0])[i] = ((uint64_t *)(uintptr_t)pages[2])[i] = GUARD;
	apic_enable(false);
	paging_map(1, DEVICE, RIGHTS);
	paging_map(2, DEVICE + 4096, RIGHTS);
	if (smp_start(change) == 0) {
		expect("a second processor", 0, 1);
		return;
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		run(PAGING_PAGE(2));
		faults += flat_catch.vector != NO_EXCEPTION;
	}
	stop = true;
	expect("no byte beside the operands changed", guards_hold(), true);
	expect("some went wrong, as they must", faults > 0, true);
}
