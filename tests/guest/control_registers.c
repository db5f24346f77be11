/* Do moves to control, debug and extended control registers keep the processor's rules? SDM Vol. 2, "MOV-Move to/from Control
 * Registers", "MOV-Move to/from Debug Registers", "XSETBV"; Vol. 3A, "Control Registers", "IA32_EFER". */
#include "tests/guest/lib/question.h"

#define MSR_EFER 0xc0000080U

#define CR0_PE (1ULL << 0)
#define CR0_NW (1ULL << 29)
#define CR0_PG (1ULL << 31)
#define CR4_DE      (1ULL << 3)
#define CR4_PAE     (1ULL << 5)
#define CR4_LA57    (1ULL << 12)
#define CR4_VMXE    (1ULL << 13)
#define CR4_SMXE    (1ULL << 14)
#define CR4_PCIDE   (1ULL << 17)
#define CR4_OSXSAVE (1ULL << 18)
#define EFER_LME    (1ULL << 8)
#define EFER_NXE    (1ULL << 11)
#define EFER_SVME   (1ULL << 12)
#define DR6_BD      (1ULL << 13)
#define DR7_GD      (1ULL << 13)

#define REGISTER(name)                                                                          \
	static uint64_t read_##name(void)                                                       \
	{                                                                                       \
		uint64_t value;                                                                 \
                                                                                                \
		__asm__ volatile("movq %%" #name ", %0" : "=r"(value));                         \
		return value;                                                                   \
	}                                                                                       \
	static void expect_##name(const char *text, uint64_t value, uint64_t vector)            \
	{                                                                                       \
		uint64_t before = read_##name();                                                \
                                                                                                \
		EXPECT_VECTOR(text, vector, "movq %0, %%" #name, "b"(value));                   \
		if (vector != NO_EXCEPTION)                                                     \
			expect_quietly(text, value, read_##name(), before);                     \
		else                                                                            \
			TRY("movq %0, %%" #name, "b"(before));                                  \
	}

REGISTER(cr0)
REGISTER(cr3)
REGISTER(cr4)
REGISTER(cr8)
REGISTER(dr6)
REGISTER(dr7)

static void expect_efer(const char *name, uint64_t flipped, uint64_t vector)
{
	uint64_t before = read_msr(MSR_EFER);
	uint64_t value = before ^ flipped;

	EXPECT_VECTOR(name, vector, "movl $0xc0000080, %%ecx\n\tmovl %k0, %%eax\n\tmovq %0, %%rdx\n\tshrq $32, %%rdx\n\twrmsr",
		      "b"(value));
	if (vector == NO_EXCEPTION)
		write_msr(MSR_EFER, before);
}

static void ask_of_cr0_and_cr3(void)
{
	expect_cr0("CR0.PG without PE", read_cr0() & ~CR0_PE, VECTOR_GP);
	expect_cr0("CR0 without PG in 64-bit mode", read_cr0() & ~CR0_PG, VECTOR_GP);
	expect_cr0("CR0.NW without CD", read_cr0() | CR0_NW, VECTOR_GP);
	expect_cr0("CR0 bit 32", read_cr0() | 1ULL << 32, VECTOR_GP);
	expect_cr0("CR0 bit 63", read_cr0() | 1ULL << 63, VECTOR_GP);
	expect_cr0("CR0 as it is", read_cr0(), NO_EXCEPTION);
	expect_cr3("CR3 bit 62", read_cr3() | 1ULL << 62, VECTOR_GP);
	expect_cr3("CR3 bit 63 without PCIDE", read_cr3() | 1ULL << 63, VECTOR_GP);
	expect_cr3("CR3.PWT and PCD", read_cr3() | 0x18, NO_EXCEPTION);
}

static void ask_of_cr4(void)
{
	expect_cr4("CR4 without PAE in 64-bit mode", read_cr4() & ~CR4_PAE, VECTOR_GP);
	expect_cr4("CR4.VMXE", read_cr4() | CR4_VMXE, VECTOR_GP);
	expect_cr4("CR4.SMXE", read_cr4() | CR4_SMXE, VECTOR_GP);
	expect_cr4("CR4.LA57 in 64-bit mode", read_cr4() ^ CR4_LA57, VECTOR_GP);
	expect_cr4("CR4 bit 15", read_cr4() | 1ULL << 15, VECTOR_GP);
	expect_cr4("CR4 bit 31", read_cr4() | 1ULL << 31, VECTOR_GP);
	expect_cr4("CR4 bit 32", read_cr4() | 1ULL << 32, VECTOR_GP);
	expect_cr4("CR4 bit 63", read_cr4() | 1ULL << 63, VECTOR_GP);
	if ((cpuid(1, 0).ecx >> 17 & 1) == 0)
		expect_cr4("CR4.PCIDE that is not there", read_cr4() | CR4_PCIDE, VECTOR_GP);
	else
		expect_cr4("CR4.PCIDE with CR3 bits 0 to 11 clear", read_cr4() | CR4_PCIDE,
			   (read_cr3() & 0xfff) == 0 ? NO_EXCEPTION : VECTOR_GP);
}

static void ask_of_cr8_and_efer(void)
{
	expect_cr8("CR8 bit 4", 0x10, VECTOR_GP);
	expect_cr8("CR8 bit 63", 1ULL << 63, VECTOR_GP);
	expect_cr8("CR8 = 15", 15, NO_EXCEPTION);
	TRY("movq %0, %%cr8", "b"(5ULL));
	expect("CR8 is kept", read_cr8(), 5);
	TRY("movq %0, %%cr8", "b"(0ULL));
	expect_efer("EFER.LME with paging", EFER_LME, VECTOR_GP);
	expect_efer("EFER.SVME", EFER_SVME, VECTOR_GP);
	expect_efer("EFER bit 1", 2, VECTOR_GP);
	expect_efer("EFER bit 63", 1ULL << 63, VECTOR_GP);
	expect_efer("EFER.NXE", EFER_NXE, NO_EXCEPTION);
	expect_efer("EFER.SCE", 1, NO_EXCEPTION);
}

#define SET_XCR0 "xorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\tmovl %k0, %%eax\n\txsetbv"

static void ask_of_xcr0(void)
{
	uint64_t cr4 = read_cr4();

	if ((cpuid(1, 0).ecx >> 26 & 1) == 0)
		return;
	TRY("movq %0, %%cr4", "b"(cr4 | CR4_OSXSAVE));
	expect("CPUID shows OSXSAVE", cpuid(1, 0).ecx >> 27 & 1, 1);
	EXPECT_VECTOR("XCR0 without x87", VECTOR_GP, SET_XCR0, "b"(2ULL));
	EXPECT_VECTOR("XCR0 with AVX but without SSE", VECTOR_GP, SET_XCR0, "b"(5ULL));
	EXPECT_VECTOR("XCR0 with a reserved bit", VECTOR_GP, SET_XCR0, "b"(0x100001ULL));
	EXPECT_VECTOR("XCR1", VECTOR_GP, "movl $1, %%ecx\n\txorl %%edx, %%edx\n\tmovl $1, %%eax\n\txsetbv", "b"(0ULL));
	EXPECT_VECTOR("XCR0 = 1", NO_EXCEPTION, SET_XCR0, "b"(1ULL));
	TRY("movq %0, %%cr4", "b"(cr4));
	expect("CPUID hides OSXSAVE", cpuid(1, 0).ecx >> 27 & 1, 0);
}

static void ask_of_debug_registers(void)
{
	uint64_t cr4 = read_cr4();

	expect_dr7("DR7 bit 32", 1ULL << 32 | 0x400, VECTOR_GP);
	expect_dr6("DR6 bit 63", 1ULL << 63, VECTOR_GP);
	EXPECT_VECTOR("DR4 is DR6 without DE", NO_EXCEPTION, "movq %%db4, %%rax", "b"(0ULL));
	TRY("movq %0, %%cr4", "b"(cr4 | CR4_DE));
	EXPECT_VECTOR("DR4 with DE", VECTOR_UD, "movq %%db4, %%rax", "b"(0ULL));
	EXPECT_VECTOR("DR5 with DE", VECTOR_UD, "movq %%rbx, %%db5", "b"(0ULL));
	TRY("movq %0, %%cr4", "b"(cr4));
	EXPECT_VECTOR("DR7.GD", VECTOR_DB, "movq %0, %%dr7\n\tmovq %%dr0, %%rax", "b"(DR7_GD | 0x400));
	expect("DR6.BD", read_dr6() & DR6_BD, DR6_BD);
	expect("DR7.GD is clear", read_dr7() & DR7_GD, 0);
	TRY("movq %0, %%dr6", "b"(0ULL));
	expect("DR6's fixed bits", read_dr6(), 0xffff0ff0);
	TRY("movq %0, %%dr7", "b"(0ULL));
	expect("DR7's fixed bit", read_dr7(), 0x400);
}

void question(const struct guest_flat_info *info)
{
	(void)info;
	ask_of_cr0_and_cr3();
	ask_of_cr4();
	ask_of_cr8_and_efer();
	ask_of_xcr0();
	ask_of_debug_registers();
}
