/* Debug exceptions one after another, in the order and at the places the manual gives them: SDM Vol. 3B, "Debug Exception (#DB)";
 * Vol. 3A, "Masking Exceptions and Interrupts When Switching Stacks". A line for each sequence; ends with exit code 33 when
 * all is well. */
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define DEBUG_EXIT_PORT 0xf4U
#define ALL_IS_WELL 16U
#define DB        1U
#define SEEN_MAX  8U
#define RFLAGS_TF 0x100U
#define RFLAGS_RF 0x10000U
#define DR6_CLEAR 0xffff0ff0U
#define BREAKPOINT_2 (DR6_CLEAR | 0x4U)
#define WATCHED   0x2U /* B1 */
#define GENERAL   (DR6_CLEAR | 0x2000U) /* BD */
#define STEP      (DR6_CLEAR | 0x4000U) /* BS */

struct interrupt_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

/* A sequence's exceptions: where, from its label on, and what DR6 had. */
struct trap {
	uint64_t offset, dr6;
};

static struct trap seen[SEEN_MAX];
static volatile unsigned count;
static unsigned failed;
static unsigned steps;          /* TF is cleared after so many exceptions */
static volatile uint64_t start; /* of the sequence */
static uint32_t stack_segment; /* watched by DR1 */

static INTERRUPT_HANDLER void on_debug(struct interrupt_frame *frame)
{
	volatile uint64_t *rflags = &frame->rflags; /* else the compiler may think that nobody reads it */
	uint64_t dr6;

	__asm__ volatile("movq %%dr6, %0" : "=r"(dr6));
	if (count < SEEN_MAX)
		seen[count] = (struct trap){frame->rip - start, dr6};
	if (++count >= steps)
		*rflags &= ~(uint64_t)RFLAGS_TF;
	if ((dr6 & 0xf) != 0)
		*rflags |= RFLAGS_RF;
	__asm__ volatile("movq %0, %%dr6" : : "r"(0UL));
}

static void check(const char *name, const struct trap *expected, unsigned expected_count)
{
	bool passed = count == expected_count;

	for (unsigned i = 0; i < expected_count && passed; i++)
		passed = seen[i].offset == expected[i].offset && seen[i].dr6 == expected[i].dr6;
	failed += passed ? 0 : 1;
	print(passed ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	for (unsigned i = 0; i < count && i < SEEN_MAX && !passed; i++) {
		print(" +");
		print_number(seen[i].offset);
		print(" ");
		print_hex(seen[i].dr6);
	}
	print("\n");
}

/* RAX is 0, EBX the stack segment; flags: what POPF sets before the sequence. */
#define SEQUENCE(dr7_value, flags, instructions)                                                                                  \
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, %0\n\tmovq %%rax, %%dr2\n\tmovq %4, %%rax\n\t"                     \
			 "movq %%rax, %%dr1\n\tmovl %%ss, %%ebx\n\tmovl %2, %%eax\n\tmovq %%rax, %%dr7\n\txorl %%eax, %%eax\n\t"  \
			 "pushfq\n\torq %3, (%%rsp)\n\tpopfq\n1:\t" instructions "\n\tnop\n\tcli\n\tmovl $0x400, %%eax\n\t"       \
			 "movq %%rax, %%dr7"                                                                              \
			 : "=m"(start), "+m"(stack_segment)                                                               \
			 : "i"(dr7_value), "i"(flags), "r"(&stack_segment)                                                \
			 : "rax", "rbx", "memory", "cc")
#define EXPECT(name, ...)                                                                                                     \
	do {                                                                                                                  \
		static const struct trap expected[] = {__VA_ARGS__};                                                          \
		check(name, expected, sizeof(expected) / sizeof(expected[0]));                                                \
	} while (0)

static void begin(unsigned steps_wanted)
{
	count = 0;
	steps = steps_wanted;
	__asm__ volatile("movq %0, %%dr6" : : "r"(0UL));
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	exceptions_install();
	interrupt_handle(DB, on_debug);
	__asm__ volatile("movl %%ss, %0" : "=r"(stack_segment));
	begin(3);
	SEQUENCE(0x400, RFLAGS_TF, "sti\n\thlt");
	EXPECT("TF over STI and HLT", {1, STEP}, {2, STEP}, {3, STEP});
	begin(3);
	SEQUENCE(0x400, RFLAGS_TF, "movl %%ebx, %%ss\n\t.byte 0xf1, 0xf1");
	EXPECT("TF over MOV SS, INT1 and INT1", {3, DR6_CLEAR}, {4, DR6_CLEAR}, {5, STEP});
	begin(3);
	SEQUENCE(0x2400, RFLAGS_TF, "movl %%ebx, %%ss\n\tmovq %%rax, %%dr6");
	EXPECT("TF and GD over MOV SS and MOV DR6", {2, GENERAL}, {5, STEP}, {6, STEP});
	begin(1);
	SEQUENCE(0x420, 0, "nop");
	EXPECT("a code breakpoint", {0, BREAKPOINT_2});
	begin(1);
	SEQUENCE(0xf00408, 0, "mov stack_segment(%%rip), %%ss\n\t.byte 0xf1");
	seen[0].dr6 &= ~(uint64_t)WATCHED; /* the manual does not say */
	EXPECT("MOV SS of watched memory and INT1", {7, DR6_CLEAR});
	out8(DEBUG_EXIT_PORT, (uint8_t)(ALL_IS_WELL + failed));
}
