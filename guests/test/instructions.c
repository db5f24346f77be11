/* Instructions that a hypervisor must answer, each with the answer that CPUID promises: those of features that are not shown are
 * undefined, the others work. One line for each. SDM Vol. 3C, "Instructions That Cause VM Exits" and "Changes to Instruction
 * Behavior in VMX Non-Root Operation". */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define SHOWN_TICKS 5000000U /* the console has it by then */
#define DB 1U
#define NMI 2U
#define BP 3U
#define UD 6U
#define GP 13U
#define INTERRUPT 30U
#define NONE NO_EXCEPTION

#define HYPERCALL_ENOSYS ((uint64_t)-1000)
#define REGISTERS "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory", "cc"

struct features {
	struct cpuid_answer leaf1, leaf7, leafd1, extended;
};

static uint8_t memory[4096] __attribute__((aligned(64), used));
static uint64_t observed[4] __attribute__((used));

static void expect(const char *name, uint64_t value, uint64_t wanted)
{
	print(value == wanted ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	if (value != wanted) {
		print(": ");
		print_hex(value);
		print(", not ");
		print_hex(wanted);
	}
	print("\n");
}

/* Runs the code, which loads its own registers, may use `memory` and leaves values in `observed`; an exception ends it. */
#define INSTRUCTION(name, wanted_vector, code)                                            \
	do {                                                                              \
		flat_catch.vector = NO_EXCEPTION;                                         \
		__asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, flat_catch(%%rip)\n\t" \
				 code "\n1:\tmovq $0, flat_catch(%%rip)"                       \
				 : : : REGISTERS);                                        \
		expect(name, flat_catch.vector, wanted_vector);                           \
	} while (0)

#define MSR_READ(msr)          "movl $" #msr ", %%ecx\n\trdmsr"
#define MSR_WRITE(msr, low, high) "movl $" #msr ", %%ecx\n\tmovl $" #low ", %%eax\n\tmovl $" #high ", %%edx\n\twrmsr"
#define CR4_SET(bits)          "movq %%cr4, %%rbx\n\torq $" #bits ", %%rbx\n\tmovq %%rbx, %%cr4"
#define CR0_SET(bits)          "movq %%cr0, %%rbx\n\tmovl $" #bits ", %%ecx\n\torq %%rcx, %%rbx\n\tmovq %%rbx, %%cr0"

static unsigned works_if(uint32_t word, unsigned bit)
{
	return (word >> bit & 1) != 0 ? NONE : UD;
}

static struct features read_features(void)
{
	return (struct features){.leaf1 = cpuid(1, 0), .leaf7 = cpuid(7, 0), .leafd1 = cpuid(0x0d, 1),
				 .extended = cpuid(0x80000001U, 0)};
}

static void not_shown(void)
{
	INSTRUCTION("VMXON", UD, "vmxon memory(%%rip)");
	INSTRUCTION("VMXOFF", UD, "vmxoff");
	INSTRUCTION("VMCLEAR", UD, "vmclear memory(%%rip)");
	INSTRUCTION("VMPTRLD", UD, "vmptrld memory(%%rip)");
	INSTRUCTION("VMPTRST", UD, "vmptrst memory(%%rip)");
	INSTRUCTION("VMLAUNCH", UD, "vmlaunch");
	INSTRUCTION("VMRESUME", UD, "vmresume");
	INSTRUCTION("VMREAD", UD, ".byte 0x0f, 0x78, 0xc8");  /* RCX to RAX */
	INSTRUCTION("VMWRITE", UD, ".byte 0x0f, 0x79, 0xc8");
	INSTRUCTION("VMFUNC", UD, "xorl %%eax, %%eax\n\t.byte 0x0f, 0x01, 0xd4");
	INSTRUCTION("INVEPT", UD, "movl $1, %%eax\n\tinvept memory(%%rip), %%rax");
	INSTRUCTION("INVVPID", UD, "movl $1, %%eax\n\tinvvpid memory(%%rip), %%rax");
	INSTRUCTION("GETSEC", UD, "xorl %%eax, %%eax\n\t.byte 0x0f, 0x37");
	INSTRUCTION("RSM", UD, "rsm");
	INSTRUCTION("MONITOR", UD, "leaq memory(%%rip), %%rax\n\txorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\tmonitor");
	INSTRUCTION("MWAIT", UD, "xorl %%eax, %%eax\n\txorl %%ecx, %%ecx\n\tmwait");
	INSTRUCTION("UMONITOR", UD, "leaq memory(%%rip), %%rax\n\t.byte 0xf3, 0x0f, 0xae, 0xf0");
	INSTRUCTION("UMWAIT", UD, "xorl %%ecx, %%ecx\n\t.byte 0xf2, 0x0f, 0xae, 0xf1");
	INSTRUCTION("TPAUSE", UD, "xorl %%ecx, %%ecx\n\t.byte 0x66, 0x0f, 0xae, 0xf1");
	INSTRUCTION("ENCLS", UD, "xorl %%eax, %%eax\n\t.byte 0x0f, 0x01, 0xcf");
	INSTRUCTION("ENCLV", UD, "xorl %%eax, %%eax\n\t.byte 0x0f, 0x01, 0xc0");
	INSTRUCTION("PCONFIG", UD, "xorl %%eax, %%eax\n\t.byte 0x0f, 0x01, 0xc5");
	INSTRUCTION("LOADIWKEY", UD, ".byte 0xf3, 0x0f, 0x38, 0xdc, 0xc0");
	INSTRUCTION("HRESET", UD, "xorl %%eax, %%eax\n\t.byte 0xf3, 0x0f, 0x3a, 0xf0, 0xc0, 0x00");
	INSTRUCTION("SEAMCALL", UD, ".byte 0x66, 0x0f, 0x01, 0xcf");
	INSTRUCTION("TDCALL", UD, ".byte 0x66, 0x0f, 0x01, 0xcc");
	INSTRUCTION("RDMSRLIST", UD, "xorl %%ecx, %%ecx\n\t.byte 0xf2, 0x0f, 0x01, 0xc6");
	INSTRUCTION("WRMSRLIST", UD, "xorl %%ecx, %%ecx\n\t.byte 0xf3, 0x0f, 0x01, 0xc6");
	INSTRUCTION("RDPKRU", UD, "xorl %%ecx, %%ecx\n\t.byte 0x0f, 0x01, 0xee");
	INSTRUCTION("XSAVES", UD, "xorl %%eax, %%eax\n\txorl %%edx, %%edx\n\txsaves memory(%%rip)");
	INSTRUCTION("XRSTORS", UD, "xorl %%eax, %%eax\n\txorl %%edx, %%edx\n\txrstors memory(%%rip)");
	INSTRUCTION("XSETBV without OSXSAVE", UD, "xorl %%ecx, %%ecx\n\tmovl $1, %%eax\n\txorl %%edx, %%edx\n\txsetbv");
	INSTRUCTION("VMMCALL", UD, ".byte 0x0f, 0x01, 0xd9");
}

static void always_there(void)
{
	INSTRUCTION("CPUID", NONE, "movl $0xffffffff, %%eax\n\tcpuid");
	INSTRUCTION("INVD", NONE, "movl $0x1234, memory(%%rip)\n\tinvd");
	expect("INVD loses nothing", *(volatile uint32_t *)memory, 0x1234);
	INSTRUCTION("WBINVD", NONE, "wbinvd");
	INSTRUCTION("WBNOINVD", NONE, ".byte 0xf3, 0x0f, 0x09");
	INSTRUCTION("PAUSE", NONE, "pause");
	INSTRUCTION("INVLPG", NONE, "invlpg memory(%%rip)");
	INSTRUCTION("RDTSC", NONE, "rdtsc");
	INSTRUCTION("SGDT, SIDT, SLDT, STR", NONE, "sgdt memory(%%rip)\n\tsidt memory(%%rip)\n\tsldt %%ax\n\tstr %%ax");
	INSTRUCTION("VMCALL", NONE, "movl $0x7fffffff, %%eax\n\tvmcall\n\tmovq %%rax, observed(%%rip)");
	expect("VMCALL of an unknown number", observed[0], HYPERCALL_ENOSYS);
	INSTRUCTION("RDPMC", GP, "xorl %%ecx, %%ecx\n\trdpmc");
	INSTRUCTION("UD0", UD, ".byte 0x0f, 0xff, 0xc0");
	INSTRUCTION("UD1", UD, ".byte 0x0f, 0xb9, 0xc0");
	INSTRUCTION("UD2", UD, "ud2");
	INSTRUCTION("INT3", BP, "int3");
	INSTRUCTION("INT n", INTERRUPT, "int $30");
	INSTRUCTION("INT1", DB, "leaq 2f(%%rip), %%rax\n\tmovq %%rax, observed(%%rip)\n\t.byte 0xf1\n2:");
	expect("INT1 is stepped over", flat_catch.rip, observed[0]);
}

static void shown_by_cpuid(const struct features *has)
{
	INSTRUCTION("RDTSCP", works_if(has->extended.edx, 27), "rdtscp");
	INSTRUCTION("RDPID", works_if(has->leaf7.ecx, 22), ".byte 0xf3, 0x0f, 0xc7, 0xf8");
	INSTRUCTION("RDRAND", works_if(has->leaf1.ecx, 30), "rdrand %%rax");
	INSTRUCTION("RDSEED", works_if(has->leaf7.ebx, 18), "rdseed %%rax");
	INSTRUCTION("INVPCID", works_if(has->leaf7.ebx, 10),
		    "movq $0, memory(%%rip)\n\tmovq $0, memory+8(%%rip)\n\tmovl $2, %%eax\n\tinvpcid memory(%%rip), %%rax");
	INSTRUCTION("CLAC, STAC", works_if(has->leaf7.ebx, 20), "stac\n\tclac");
	INSTRUCTION("CR4.OSXSAVE", (has->leaf1.ecx >> 26 & 1) != 0 ? NONE : GP, CR4_SET(0x40000));
	if ((has->leaf1.ecx >> 26 & 1) == 0)
		return;
	INSTRUCTION("XSETBV", NONE, "xorl %%ecx, %%ecx\n\tmovl $3, %%eax\n\txorl %%edx, %%edx\n\txsetbv");
	INSTRUCTION("XGETBV", NONE, "xorl %%ecx, %%ecx\n\txgetbv\n\tmovq %%rax, observed(%%rip)");
	expect("XCR0", observed[0], 3);
	INSTRUCTION("XSETBV without x87", GP, "xorl %%ecx, %%ecx\n\tmovl $2, %%eax\n\txorl %%edx, %%edx\n\txsetbv");
	INSTRUCTION("XSETBV of PKRU", (cpuid(0x0d, 0).eax >> 9 & 1) != 0 ? NONE : GP,
		    "xorl %%ecx, %%ecx\n\tmovl $0x203, %%eax\n\txorl %%edx, %%edx\n\txsetbv");
	INSTRUCTION("XSETBV of AMX", GP, "xorl %%ecx, %%ecx\n\tmovl $0x60003, %%eax\n\txorl %%edx, %%edx\n\txsetbv");
	INSTRUCTION("XSETBV of register 1", GP, "movl $1, %%ecx\n\tmovl $3, %%eax\n\txorl %%edx, %%edx\n\txsetbv");
	INSTRUCTION("XSAVEC", works_if(has->leafd1.eax, 1), "xorl %%eax, %%eax\n\txorl %%edx, %%edx\n\txsavec memory(%%rip)");
	INSTRUCTION("XSAVES with OSXSAVE", works_if(has->leafd1.eax, 3),
		    "xorl %%eax, %%eax\n\txorl %%edx, %%edx\n\txsaves memory(%%rip)");
	INSTRUCTION("XRSTORS with OSXSAVE", works_if(has->leafd1.eax, 3),
		    "xorl %%eax, %%eax\n\txorl %%edx, %%edx\n\txrstors memory(%%rip)");
}

static void control_registers(const struct features *has)
{
	INSTRUCTION("CLTS, LMSW, SMSW", NONE, "clts\n\tsmsw %%rax\n\tlmsw %%ax");
	INSTRUCTION("MOV CR0 as it is", NONE, "movq %%cr0, %%rax\n\tmovq %%rax, %%cr0");
	INSTRUCTION("MOV CR3 as it is", NONE, "movq %%cr3, %%rax\n\tmovq %%rax, %%cr3");
	INSTRUCTION("CR0.NW without CD", GP, CR0_SET(0x20000000));
	INSTRUCTION("CR0.CD", NONE, CR0_SET(0x40000000) "\n\tmovq %%cr0, %%rax\n\tmovq %%rax, observed(%%rip)");
	expect("CR0.CD reads back", observed[0] >> 30 & 1, 1);
	INSTRUCTION("CR0 without PG", GP, "movq %%cr0, %%rax\n\tbtrq $31, %%rax\n\tmovq %%rax, %%cr0");
	INSTRUCTION("CR0 bit 32", GP, "movq %%cr0, %%rax\n\tbtsq $32, %%rax\n\tmovq %%rax, %%cr0");
	INSTRUCTION("CR4.VMXE", GP, CR4_SET(0x2000));
	INSTRUCTION("CR4.SMXE", GP, CR4_SET(0x4000));
	INSTRUCTION("CR4 bit 15", GP, CR4_SET(0x8000));
	INSTRUCTION("CR4.PKE", (has->leaf7.ecx >> 3 & 1) != 0 ? NONE : GP, CR4_SET(0x400000));
	INSTRUCTION("RDPKRU with PKE", works_if(has->leaf7.ecx, 3), "xorl %%ecx, %%ecx\n\t.byte 0x0f, 0x01, 0xee");
	expect("OSPKE is PKE", cpuid(7, 0).ecx >> 4 & 1, has->leaf7.ecx >> 3 & 1);
	INSTRUCTION("CR4.CET without WP", GP, "movq %%cr0, %%rbx\n\tandq $~0x10000, %%rbx\n\tmovq %%rbx, %%cr0\n\t"
					      CR4_SET(0x800000));
	INSTRUCTION("CR4.CET", ((has->leaf7.ecx >> 7 | has->leaf7.edx >> 20) & 1) != 0 ? NONE : GP,
		    CR0_SET(0x10000) "\n\t" CR4_SET(0x800000) "\n\tbtrq $23, %%rbx\n\tmovq %%rbx, %%cr4");
	INSTRUCTION("CR4.PKS", GP, CR4_SET(0x1000000));
	INSTRUCTION("CR4.LA57 in long mode", GP, CR4_SET(0x1000));
	INSTRUCTION("CR4.LAM_SUP", GP, CR4_SET(0x10000000));
	INSTRUCTION("CR3 bit 60", GP, "movq %%cr3, %%rax\n\tbtsq $60, %%rax\n\tmovq %%rax, %%cr3");
	INSTRUCTION("CR3 bit 63 without PCIDE", GP, "movq %%cr3, %%rax\n\tbtsq $63, %%rax\n\tmovq %%rax, %%cr3");
	INSTRUCTION("CR4.UMIP", (has->leaf7.ecx >> 2 & 1) != 0 ? NONE : GP, CR4_SET(0x800));
	INSTRUCTION("CR4.FSGSBASE", (has->leaf7.ebx & 1) != 0 ? NONE : GP, CR4_SET(0x10000));
	INSTRUCTION("CR4 without PAE", GP, "movq %%cr4, %%rax\n\tbtrq $5, %%rax\n\tmovq %%rax, %%cr4");
	INSTRUCTION("CR4 reads back", NONE, "movq %%cr4, %%rax\n\tmovq %%rax, observed(%%rip)");
	expect("CR4.VMXE reads 0", observed[0] & 0x6000, 0);
	INSTRUCTION("MOV CR8", NONE, "movl $5, %%eax\n\tmovq %%rax, %%cr8\n\tmovq %%cr8, %%rbx\n\tmovq %%rbx, observed(%%rip)\n\t"
				     "xorl %%eax, %%eax\n\tmovq %%rax, %%cr8");
	expect("CR8 reads back", observed[0], 5);
	INSTRUCTION("MOV CR8 beyond 15", GP, "movl $16, %%eax\n\tmovq %%rax, %%cr8");
}

static void model_specific_registers(void)
{
	INSTRUCTION("RDMSR of nothing", GP, MSR_READ(0x12345));
	INSTRUCTION("WRMSR of nothing", GP, MSR_WRITE(0x12345, 0, 0));
	INSTRUCTION("RDMSR IA32_VMX_BASIC", GP, MSR_READ(0x480));
	INSTRUCTION("WRMSR IA32_FEATURE_CONTROL", GP, MSR_WRITE(0x3a, 5, 0));
	INSTRUCTION("RDMSR IA32_DEBUGCTL", NONE, MSR_READ(0x1d9));
	INSTRUCTION("WRMSR IA32_DEBUGCTL.LBR", GP, MSR_WRITE(0x1d9, 1, 0));
	INSTRUCTION("RDMSR IA32_PAT", NONE, MSR_READ(0x277) "\n\tmovl %%eax, observed(%%rip)\n\tmovl %%edx, observed+4(%%rip)");
	expect("IA32_PAT after reset", observed[0], 0x0007040600070406ULL);
	INSTRUCTION("WRMSR IA32_PAT with type 2", GP, MSR_WRITE(0x277, 2, 0));
	INSTRUCTION("WRMSR IA32_PAT", NONE, MSR_WRITE(0x277, 0x00070106, 0x00070406));
	INSTRUCTION("WRMSR IA32_EFER.SVME", GP, MSR_WRITE(0xc0000080, 0x1500, 0));
	INSTRUCTION("WRMSR IA32_EFER without LME", GP, MSR_WRITE(0xc0000080, 0x400, 0));
	INSTRUCTION("WRMSR IA32_EFER.NXE, SCE", NONE, MSR_WRITE(0xc0000080, 0xd01, 0));
	INSTRUCTION("RDMSR IA32_EFER", NONE, MSR_READ(0xc0000080) "\n\tmovq %%rax, observed(%%rip)");
	expect("IA32_EFER reads back", observed[0], 0xd01);
	INSTRUCTION("WRMSR IA32_LSTAR not canonical", GP, MSR_WRITE(0xc0000082, 0, 0x80000000));
	INSTRUCTION("WRMSR IA32_SYSENTER_EIP", NONE, MSR_WRITE(0x176, 0x1234, 0));
	INSTRUCTION("WRMSR IA32_SYSENTER_EIP not canonical", GP, MSR_WRITE(0x176, 0, 0x80000000));
	INSTRUCTION("WRMSR IA32_KERNEL_GS_BASE not canonical", GP, MSR_WRITE(0xc0000102, 0, 0x80000000));
	INSTRUCTION("WRMSR IA32_TSC_ADJUST", NONE, MSR_WRITE(0x3b, 0x1234, 0) "\n\trdmsr\n\tmovq %%rax, observed(%%rip)");
	expect("IA32_TSC_ADJUST reads back", observed[0], 0x1234);
	INSTRUCTION("WRMSR IA32_MISC_ENABLE", NONE, MSR_WRITE(0x1a0, 0x00c50009, 4) "\n\trdmsr\n\tmovl %%eax, observed(%%rip)\n\t"
						    "movl %%edx, observed+4(%%rip)");
	expect("IA32_MISC_ENABLE reads back", observed[0], 0x400c51809ULL);
	INSTRUCTION("WRMSR IA32_MISC_ENABLE bit 1", GP, MSR_WRITE(0x1a0, 2, 0));
	INSTRUCTION("RDMSR IA32_SPEC_CTRL", GP, MSR_READ(0x48));
	INSTRUCTION("WRMSR IA32_PRED_CMD", GP, MSR_WRITE(0x49, 1, 0));
	INSTRUCTION("RDMSR IA32_ARCH_CAPABILITIES", GP, MSR_READ(0x10a));
	INSTRUCTION("RDMSR IA32_MC0_CTL", GP, MSR_READ(0x400));
	INSTRUCTION("WRMSR IA32_MCG_STATUS", GP, MSR_WRITE(0x17a, 1, 0));
	INSTRUCTION("RDMSR IA32_PMC0", GP, MSR_READ(0xc1));
	INSTRUCTION("RDMSR IA32_XSS", (cpuid(0x0d, 1).eax >> 3 & 1) != 0 ? NONE : GP, MSR_READ(0xda0));
	INSTRUCTION("WRMSR IA32_XSS of processor trace", GP, MSR_WRITE(0xda0, 0x100, 0));
	expect("a fault leaves RF in the flags to return to", flat_catch.rflags >> 16 & 1, 1);
}

static void debug_registers(void)
{
	INSTRUCTION("MOV DR", NONE, "movl $0x1234, %%eax\n\tmovq %%rax, %%dr1\n\tmovq %%dr1, %%rbx\n\tmovq %%rbx, observed(%%rip)"
				    "\n\tmovq %%dr7, %%rbx\n\tmovq %%rbx, observed+8(%%rip)");
	expect("DR1 reads back", observed[0], 0x1234);
	expect("DR7 after reset", observed[1], 0x400);
	INSTRUCTION("DR7.GD", DB, "movl $0x2400, %%eax\n\tmovq %%rax, %%dr7\n\tmovq %%dr0, %%rax");
	INSTRUCTION("DR6 and DR7", NONE, "movq %%dr6, %%rax\n\tmovq %%rax, observed(%%rip)\n\tmovq %%dr7, %%rax\n\t"
					 "movq %%rax, observed+8(%%rip)");
	expect("DR6.BD", observed[0] >> 13 & 1, 1);
	expect("DR7.GD is clear in the handler", observed[1], 0x400);
	INSTRUCTION("MOV to DR6", NONE, "xorl %%eax, %%eax\n\tmovq %%rax, %%dr6");
	INSTRUCTION("MOV to DR6 beyond 32 bits", GP, "btsq $32, %%rax\n\tmovq %%rax, %%dr6");
	INSTRUCTION("MOV to DR7 beyond 32 bits", GP, "btsq $32, %%rax\n\tmovq %%rax, %%dr7");
	INSTRUCTION("DR4 is DR6", NONE, "movq %%cr4, %%rax\n\tandq $~8, %%rax\n\tmovq %%rax, %%cr4\n\t.byte 0x0f, 0x21, 0xe0\n\t"
					"movq %%rax, observed(%%rip)");
	expect("DR6 as it was cleared", observed[0], 0xffff0ff0);
	INSTRUCTION("DR4 with CR4.DE", UD, CR4_SET(8) "\n\t.byte 0x0f, 0x21, 0xe0");
	INSTRUCTION("a data breakpoint", DB, "leaq memory(%%rip), %%rax\n\tmovq %%rax, %%dr1\n\tmovl $0x4001, %%eax\n\t"
					     "movq %%rax, %%dr6\n\tmovl $0xd00408, %%eax\n\tmovq %%rax, %%dr7\n\t"
					     "movl $1, memory(%%rip)\n\tnop");
	INSTRUCTION("DR6 behind it", NONE, "movq %%dr6, %%rax\n\tmovq %%rax, observed(%%rip)\n\tmovl $0x400, %%eax\n\t"
					   "movq %%rax, %%dr7\n\txorl %%eax, %%eax\n\tmovq %%rax, %%dr6");
	expect("breakpoints are set and cleared, DR6.BS stays", observed[0], 0xffff4ff2);
}

/* What follows an emulated instruction: the trap of TF comes behind it, once. */
/* An EPT violation saves RF set; the instruction that the hypervisor then carries out has used it up. SDM Vol. 3C, "Saving RIP,
 * RSP, RFLAGS, and SSP". */
static void resume_flag(void)
{
	INSTRUCTION("a breakpoint behind an access to a device", DB,
		    "leaq 3f(%%rip), %%rax\n\tmovq %%rax, %%dr0\n\tmovl $0x402, %%eax\n\tmovq %%rax, %%dr7\n\t"
		    "movl $0xfec00000, %%ebx\n\tmovl (%%rbx), %%eax\n3:\tnop");
	INSTRUCTION("DR7 as it was", NONE, "movl $0x400, %%eax\n\tmovq %%rax, %%dr7\n\txorl %%eax, %%eax\n\tmovq %%rax, %%dr6");
}

static void single_step(void)
{
	INSTRUCTION("TF over CPUID", DB, "leaq 2f(%%rip), %%rax\n\tmovq %%rax, observed(%%rip)\n\tpushfq\n\torq $0x100, (%%rsp)\n\t"
					 "xorl %%eax, %%eax\n\tpopfq\n\tcpuid\n2:\tnop\n\tnop");
	expect("TF traps behind CPUID", flat_catch.rip, observed[0]);
	INSTRUCTION("DR6.BS", NONE, "movq %%dr6, %%rax\n\tmovq %%rax, observed(%%rip)");
	expect("DR6.BS is set", observed[0] >> 14 & 1, 1);
	INSTRUCTION("TF over MOV SS and CPUID", DB, "leaq 2f(%%rip), %%rax\n\tmovq %%rax, observed(%%rip)\n\tpushfq\n\t"
						    "orq $0x100, (%%rsp)\n\tmovl %%ss, %%ebx\n\txorl %%eax, %%eax\n\tpopfq\n\t"
						    "movl %%ebx, %%ss\n\tcpuid\n2:\tnop\n\tnop");
	expect("MOV SS holds TF back for one instruction", flat_catch.rip, observed[0]);
	INSTRUCTION("TF over IN", DB, "leaq 2f(%%rip), %%rax\n\tmovq %%rax, observed(%%rip)\n\tmovl $0x3fd, %%edx\n\tpushfq\n\t"
				      "orq $0x100, (%%rsp)\n\tpopfq\n\tinb %%dx, %%al\n2:\tnop\n\tnop");
	expect("TF traps behind IN", flat_catch.rip, observed[0]);
	INSTRUCTION("TF over STI and CPUID", DB, "leaq 2f(%%rip), %%rax\n\tmovq %%rax, observed(%%rip)\n\txorl %%eax, %%eax\n\t"
						 "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tsti\n2:\tcpuid\n\tnop");
	expect("STI does not hold TF back", flat_catch.rip, observed[0]);
	INSTRUCTION("TF over HLT", DB, "leaq 2f(%%rip), %%rax\n\tmovq %%rax, observed(%%rip)\n\tpushfq\n\torq $0x100, (%%rsp)\n\t"
				       "popfq\n\thlt\n2:\tnop\n\tnop");
	expect("TF ends HLT", flat_catch.rip, observed[0]);
	INSTRUCTION("INT1 behind MOV SS", DB, "leaq 2f(%%rip), %%rax\n\tmovq %%rax, observed(%%rip)\n\txorl %%eax, %%eax\n\t"
					      "movq %%rax, %%dr6\n\tpushfq\n\torq $0x100, (%%rsp)\n\tmovl %%ss, %%ebx\n\tpopfq\n\t"
					      "movl %%ebx, %%ss\n\t.byte 0xf1\n2:\tnop\n\tnop");
	expect("INT1 comes once, behind itself", flat_catch.rip, observed[0]);
	INSTRUCTION("DR6 behind INT1", NONE, "movq %%dr6, %%rax\n\tmovq %%rax, observed(%%rip)");
	expect("INT1 sets nothing in DR6", observed[0], 0xffff0ff0);
}

/* Vector 30 to itself: STI, and MOV to SS, hold it back for one instruction, an emulated one too. */
static void interrupt_shadow(void)
{
	timer_init(false);
	INSTRUCTION("STI and CPUID", INTERRUPT, "cli\n\tleaq 2f(%%rip), %%rax\n\tmovq %%rax, observed(%%rip)\n\t"
						MSR_WRITE(0x83f, 30, 0) "\n\txorl %%eax, %%eax\n\tsti\n\tcpuid\n2:\tnop\n\tnop");
	expect("STI holds interrupts back for one instruction", flat_catch.rip, observed[0]);
	INSTRUCTION("EOI", NONE, MSR_WRITE(0x80b, 0, 0));
	INSTRUCTION("CR8 holds an interrupt back", NONE, "movl $1, %%eax\n\tmovq %%rax, %%cr8\n\t" MSR_WRITE(0x83f, 30, 0)
							 "\n\tsti\n\tnop\n\tcpuid\n\tnop\n\tcli");
	INSTRUCTION("CR8 lets it through", INTERRUPT, "cli\n\txorl %%eax, %%eax\n\tmovq %%rax, %%cr8\n\tsti\n\tnop\n\tnop\n\tcli");
	INSTRUCTION("EOI again", NONE, MSR_WRITE(0x80b, 0, 0));
}

/* "Error Handling": vectors below 16 are not sent, and the ESR says so when it was written. */
static void illegal_vector(void)
{
	INSTRUCTION("ESR is cleared", NONE, MSR_WRITE(0x828, 0, 0));
	INSTRUCTION("self-IPI of vector 15", NONE, MSR_WRITE(0x83f, 15, 0) "\n\t" MSR_WRITE(0x828, 0, 0));
	INSTRUCTION("ESR", NONE, "movl $0x828, %%ecx\n\trdmsr\n\tmovq %%rax, observed(%%rip)");
	expect("send illegal vector", observed[0] & 0xff, 0x20);
	INSTRUCTION("self-IPI with reserved bits", GP, MSR_WRITE(0x83f, 0x11e, 0));
}

/* Until IRET a second NMI waits. */
static void nmi_blocking(void)
{
	flat_catch.without_iret = 1;
	INSTRUCTION("NMI", NMI, MSR_WRITE(0x830, 0x400, 0) "\n\tnop\n\tnop");
	flat_catch.without_iret = 0;
	INSTRUCTION("a second NMI waits", NONE, MSR_WRITE(0x830, 0x400, 0) "\n\txorl %%eax, %%eax\n\tcpuid\n\tnop");
	INSTRUCTION("IRET lets it through", NMI, "movq %%rsp, %%rbx\n\tmovl %%ss, %%eax\n\tpushq %%rax\n\tpushq %%rbx\n\tpushfq\n\t"
						 "movl %%cs, %%eax\n\tpushq %%rax\n\tleaq 2f(%%rip), %%rax\n\tpushq %%rax\n\t"
						 "iretq\n2:\tnop\n\tnop");
}

/* A terminal that is shown begins with the last lines of what came before, and the test counts all. */
static void wait_until_shown(void)
{
	for (uint64_t end = read_tsc() + SHOWN_TICKS; read_tsc() < end;)
		;
}

void guest_main(const struct guest_flat_info *info)
{
	struct features has = read_features();

	(void)info;
	exceptions_install();
	wait_until_shown();
	not_shown();
	always_there();
	control_registers(&has);
	shown_by_cpuid(&has);
	model_specific_registers();
	debug_registers();
	resume_flag();
	single_step();
	interrupt_shadow();
	illegal_vector();
	nmi_blocking();
	print("instructions: done\n");
}
