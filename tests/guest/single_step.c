/* Does TF trap behind each instruction that a hypervisor carries out itself, at once and once? SDM Vol. 3B, "Single-Step Exception
 * Condition". */
#include "guests/flat/apic.h"
#include "tests/guest/lib/question.h"

#define TF     0x100ULL
#define DR6_BS 0x4000ULL
#define IOAPIC 0xfec00000UL

struct interrupt_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

static volatile struct {
	uint64_t count, rip, dr6;
} trap;

static uint64_t after __attribute__((used));
static uint8_t bytes[16];

static INTERRUPT_HANDLER void take_trap(struct interrupt_frame *frame)
{
	uint64_t dr6;

	__asm__ volatile("movq %%dr6, %0" : "=r"(dr6));
	trap.count++;
	trap.rip = frame->rip;
	trap.dr6 = dr6;
	*(volatile uint64_t *)&frame->rflags &= ~TF; /* else the compiler may think that nobody reads it */
	__asm__ volatile("movq %0, %%dr6" : : "r"(0xffff0ff0ULL));
}

/* Registers are loaded first; TF is set by POPF, and the trap comes behind the instruction that follows. */
#define STEP(name, load, code)                                                                                          \
	do {                                                                                                            \
		trap.count = trap.rip = trap.dr6 = 0;                                                                   \
		__asm__ volatile("leaq 2f(%%rip), %%rax\n\tmovq %%rax, after(%%rip)\n\t"                                  \
				 load "\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t" code "\n2:\tnop\n\tnop"           \
				 : : "b"(bytes) : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "memory", "cc");               \
		expect(name, trap.rip, after);                                                                          \
		expect_quietly("traps", 0, trap.count, 1);                                                              \
		expect_quietly("DR6", 0, trap.dr6 & DR6_BS, DR6_BS);                                                    \
	} while (0)

static void plain(void)
{
	STEP("NOP", "", "nop");
	STEP("CPUID", "xorl %%eax, %%eax\n\tpushq %%rbx\n\tpopq %%r8", "cpuid");
}

static void exits(void)
{
	STEP("RDMSR", "movl $0x1b, %%ecx", "rdmsr");
	STEP("RDMSR of the TSC deadline", "movl $0x6e0, %%ecx", "rdmsr");
	STEP("WRMSR", "movl $0x6e0, %%ecx\n\txorl %%eax, %%eax\n\txorl %%edx, %%edx", "wrmsr");
	STEP("IN", "", "inb $0x80, %%al");
	STEP("IN of a device", "", "inb $0x71, %%al");
	STEP("OUT", "xorl %%eax, %%eax", "outb %%al, $0x80");
	STEP("RDTSC", "", "rdtsc");
	STEP("PAUSE", "", "pause");
	STEP("WBINVD", "", "wbinvd");
	STEP("INVLPG", "", "invlpg (%%rbx)");
	STEP("VMCALL", "movl $0x7fffffff, %%eax", "vmcall");
	STEP("MOV from CR0", "", "movq %%cr0, %%rax");
	STEP("MOV to CR0", "movq %%cr0, %%rax", "movq %%rax, %%cr0");
	STEP("MOV to CR3", "movq %%cr3, %%rax", "movq %%rax, %%cr3");
	STEP("MOV to CR4", "movq %%cr4, %%rax", "movq %%rax, %%cr4");
	STEP("MOV to CR8", "xorl %%eax, %%eax", "movq %%rax, %%cr8");
	STEP("MOV from DR7", "", "movq %%dr7, %%rax");
	STEP("CLTS", "", "clts");
	STEP("LMSW", "smsw %%ax", "lmsw %%ax");
}

static void device_memory(void)
{
	STEP("load from a device", "movl $0xfec00000, %%edi", "movl (%%rdi), %%eax");
	STEP("store to a device", "movl $0xfec00000, %%edi\n\txorl %%eax, %%eax", "movl %%eax, (%%rdi)");
	STEP("ADD to a device", "movl $0xfec00000, %%edi", "addl $0, (%%rdi)");
	STEP("load from nobody", "movl $0xd0000000, %%edi", "movq (%%rdi), %%rax");
	STEP("MOVS from a device", "movl $0xfec00000, %%esi\n\tmovq %%rbx, %%rdi", "movsl");
}

/* Between the elements of a REP the trap comes, too: its RIP is the instruction's. */
static void strings(void)
{
	STEP("INS", "movl $0x300, %%edx\n\tmovq %%rbx, %%rdi", "insb");
	STEP("OUTS", "movl $0x300, %%edx\n\tmovq %%rbx, %%rsi", "outsb");
	STEP("REP OUTS of one", "movl $0x300, %%edx\n\tmovq %%rbx, %%rsi\n\tmovl $1, %%ecx", "rep outsb");
	STEP("REP OUTS of none", "movl $0x300, %%edx\n\tmovq %%rbx, %%rsi\n\txorl %%ecx, %%ecx", "rep outsb");
	trap.count = 0;
	__asm__ volatile("leaq 2f(%%rip), %%rax\n\tmovq %%rax, after(%%rip)\n\tmovl $0x300, %%edx\n\tmovq %%rbx, %%rsi\n\t"
			 "movl $3, %%ecx\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n2:\trep outsb\n\tnop"
			 : : "b"(bytes) : "rax", "rcx", "rdx", "rsi", "memory", "cc");
	expect("REP OUTS traps behind its first element", trap.rip, after);
	expect("once, as the handler clears TF", trap.count, 1);
}

void question(const struct guest_flat_info *info)
{
	(void)info;
	interrupt_handle(VECTOR_DB, take_trap);
	plain();
	exits();
	device_memory();
	strings();
}
