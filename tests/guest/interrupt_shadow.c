/* Where is an interrupt taken that waits when STI comes: behind the next instruction, also where a hypervisor carries that out? SDM
 * Vol. 2, "STI"; Vol. 3A, "Masking Exceptions and Interrupts When Switching Stacks". */
#include "guests/flat/apic.h"
#include "tests/guest/lib/question.h"

#define VECTOR 0x50U

struct interrupt_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

static volatile uint64_t taken_at, taken_count;
static uint64_t after __attribute__((used));
static uint8_t bytes[16];

static INTERRUPT_HANDLER void take_interrupt(struct interrupt_frame *frame)
{
	taken_at = frame->rip;
	taken_count++;
	apic_write(APIC_EOI, 0);
}

#define SHADOW(name, load, code)                                                                              \
	do {                                                                                                  \
		taken_at = taken_count = 0;                                                                   \
		apic_send(0, ICR_SELF | VECTOR);                                                              \
		__asm__ volatile("leaq 2f(%%rip), %%rax\n\tmovq %%rax, after(%%rip)\n\t"                        \
				 load "\n\tsti\n\t" code "\n2:\tnop\n\tnop\n\tcli"                             \
				 : : "b"(bytes) : "rax", "rcx", "rdx", "rsi", "rdi", "memory", "cc");           \
		expect(name, taken_at, after);                                                                \
		expect_quietly("interrupts", 0, taken_count, 1);                                              \
	} while (0)

static void ask(void)
{
	SHADOW("NOP", "", "nop");
	SHADOW("IN", "", "inb $0x80, %%al");
	SHADOW("IN of a device", "", "inb $0x71, %%al");
	SHADOW("OUT", "", "outb %%al, $0x80");
	SHADOW("RDMSR", "movl $0x1b, %%ecx", "rdmsr");
	SHADOW("WRMSR", "movl $0x6e0, %%ecx\n\txorl %%eax, %%eax\n\txorl %%edx, %%edx", "wrmsr");
	SHADOW("load from a device", "movl $0xfec00000, %%edi", "movl (%%rdi), %%eax");
	SHADOW("store to a device", "movl $0xfec00000, %%edi\n\txorl %%eax, %%eax", "movl %%eax, (%%rdi)");
	SHADOW("VMCALL", "movl $0x7fffffff, %%eax", "vmcall");
	SHADOW("PAUSE", "", "pause");
	SHADOW("MOV to CR8", "xorl %%eax, %%eax", "movq %%rax, %%cr8");
	SHADOW("OUTS", "movl $0x300, %%edx\n\tmovq %%rbx, %%rsi", "outsb");
	SHADOW("HLT", "", "hlt");
}

/* STI, CLI: the window is closed before it opens. */
static void ask_of_closed_window(void)
{
	taken_count = 0;
	apic_send(0, ICR_SELF | VECTOR);
	for (unsigned i = 0; i < 100; i++)
		__asm__ volatile("sti\n\tcli");
	expect("STI, CLI", taken_count, 0);
	__asm__ volatile("sti\n\tnop\n\tcli");
	expect("it still waits", taken_count, 1);
}

void question(const struct guest_flat_info *info)
{
	(void)info;
	interrupt_handle(VECTOR, take_interrupt);
	apic_enable(true);
	ask();
	apic_enable(false);
	print("the same with the APIC as MSRs\n");
	ask();
	ask_of_closed_window();
}
