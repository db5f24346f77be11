/* What CPUID promises of protection: process-context identifiers, protection keys, shadow stacks and branch tracking do what the
 * manual says, each where it is shown; and an emulated instruction at the end of the canonical addresses. One line for each; ends
 * with exit code 1 when all is well and there are as many lines as "lines=" on the command line says, else with a higher one.
 * SDM Vol. 3A, "Protection Keys", "Process-Context Identifiers (PCIDs)"; Vol. 1, "Control-Flow Enforcement Technology (CET)". */
#include <stddef.h>

#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define DEBUG_EXIT_PORT 0xf4U
#define GP 13U
#define PF 14U
#define CP 21U
#define NONE NO_EXCEPTION

#define MSR_S_CET   0x6a2U
#define MSR_PL0_SSP 0x6a4U
#define CR4_PCIDE   0x20000ULL
#define CR4_PKE     0x400000ULL
#define CR4_CET     0x800000ULL

#define PAGE_PRESENT  0x1ULL
#define PAGE_WRITABLE 0x2ULL
#define PAGE_USER     0x4ULL
#define PAGE_DIRTY    0x40ULL
#define PAGE_KEY(key) ((uint64_t)(key) << 59)

/* Pages at the end of the lower canonical half. */
#define EDGE_END     0x800000000000ULL
#define EDGE_CODE    (EDGE_END - 0x1000)
#define EDGE_USER    (EDGE_END - 0x2000)
#define EDGE_SYSTEM  (EDGE_END - 0x3000)
#define EDGE_SHADOW  (EDGE_END - 0x4000)
#define REGISTERS "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory", "cc"

static uint64_t directory_pointers[512] __attribute__((aligned(4096))), directory[512] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096))), pages[4][512] __attribute__((aligned(4096)));
static uint64_t observed[4] __attribute__((used));

static unsigned lines, failures;

static void expect(const char *name, uint64_t value, uint64_t wanted)
{
	lines++;
	failures += value == wanted ? 0U : 1U;
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

/* Runs the code, which may leave values in `observed`; an exception ends it, and in the handler RAX is lost. */
#define RUN(code)                                                                     \
	do {                                                                          \
		flat_catch.vector = NO_EXCEPTION;                                     \
		flat_catch.error_code = 0;                                            \
		__asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, flat_catch(%%rip)\n\t" \
				 code "\n1:\tendbr64\n\tmovq $0, flat_catch(%%rip)"            \
				 : : : REGISTERS);                                    \
	} while (0)
#define INSTRUCTION(name, wanted_vector, code)              \
	do {                                                \
		RUN(code);                                  \
		expect(name, flat_catch.vector, wanted_vector); \
	} while (0)

static uint64_t read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr4, %0" : "=r"(value));
	return value;
}

static void write_cr4(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

/* RDPKRU and WRPKRU are one byte apart. */
static void write_pkru(uint32_t value)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xef" : : "a"(value), "c"(0), "d"(0) : "memory");
}

static void map_edge(uint64_t address, unsigned page, uint64_t flags)
{
	table[address >> 12 & 511] = (uint64_t)(uintptr_t)pages[page] | flags;
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static void map_pages(void)
{
	uint64_t *top;

	__asm__ volatile("movq %%cr3, %0" : "=r"(top));
	directory_pointers[511] = (uint64_t)(uintptr_t)directory | PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER;
	directory[511] = (uint64_t)(uintptr_t)table | PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER;
	top[255] = (uint64_t)(uintptr_t)directory_pointers | PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER;
	map_edge(EDGE_CODE, 0, PAGE_PRESENT | PAGE_WRITABLE);
	map_edge(EDGE_USER, 1, PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER | PAGE_KEY(2));
	map_edge(EDGE_SYSTEM, 2, PAGE_PRESENT | PAGE_WRITABLE);
	map_edge(EDGE_SHADOW, 3, PAGE_PRESENT | PAGE_DIRTY);
}

/* The step over an instruction that exits leads to the first address that is not canonical, where the fetch faults. */
static void end_of_addresses(void)
{
	static const struct { const char *name; uint8_t bytes[3], count; } cases[] = {
		{"VMCALL at the end of the canonical addresses", {0x0f, 0x01, 0xc1}, 3},
		{"CPUID at the end of the canonical addresses", {0x0f, 0xa2}, 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *code = (uint8_t *)pages[0] + 4096 - cases[i].count;

		for (unsigned byte = 0; byte < cases[i].count; byte++)
			code[byte] = cases[i].bytes[byte];
		observed[0] = EDGE_END - cases[i].count;
		INSTRUCTION(cases[i].name, GP, "movl $0x7fffffff, %%eax\n\tjmp *observed(%%rip)");
		expect("... RIP", flat_catch.rip, EDGE_END);
	}
}

static void process_contexts(void)
{
	INSTRUCTION("CR4.PCIDE with a PCID", GP, "movq %%cr3, %%rbx\n\tleaq 1(%%rbx), %%rax\n\tmovq %%rax, %%cr3\n\t"
						 "movq %%cr4, %%rax\n\tbtsq $17, %%rax\n\tmovq %%rax, %%cr4");
	INSTRUCTION("CR4.PCIDE", NONE, "movq %%cr3, %%rbx\n\tandq $~0xfff, %%rbx\n\tmovq %%rbx, %%cr3\n\tmovq %%cr4, %%rax\n\t"
				       "btsq $17, %%rax\n\tmovq %%rax, %%cr4");
	INSTRUCTION("CR0 without PG under PCIDE", GP, "movq %%cr0, %%rax\n\tbtrq $31, %%rax\n\tmovq %%rax, %%cr0");
	INSTRUCTION("MOV CR3 without a flush", NONE, "movq %%cr3, %%rbx\n\tleaq 5(%%rbx), %%rax\n\tbtsq $63, %%rax\n\t"
						     "movq %%rax, %%cr3\n\tmovq %%cr3, %%rax\n\tmovq %%rax, observed(%%rip)\n\t"
						     "movq %%rbx, %%cr3");
	expect("... CR3 has the PCID and not bit 63", observed[0] >> 63 << 12 | (observed[0] & 0xfff), 5);
	write_cr4(read_cr4() & ~CR4_PCIDE);
}

static void invalidation(void)
{
	observed[0] = 0;
	observed[1] = EDGE_END; /* not canonical */
	INSTRUCTION("INVPCID of an address that is not canonical", GP,
		    "xorl %%eax, %%eax\n\tleaq observed(%%rip), %%rbx\n\tinvpcid (%%rbx), %%rax");
	INSTRUCTION("INVPCID type 4", GP, "movl $4, %%eax\n\tleaq observed(%%rip), %%rbx\n\tinvpcid (%%rbx), %%rax");
}

static void user_keys(void)
{
	write_cr4(read_cr4() | CR4_PKE);
	expect("OSPKE", cpuid(7, 0).ecx >> 4 & 1, 1);
	write_pkru(0x10); /* no access by key 2 */
	INSTRUCTION("a read that PKRU forbids", PF, "movq $0x7fffffffe000, %%rbx\n\tmovq (%%rbx), %%rax");
	expect("... its error code", flat_catch.error_code, 0x21);
	INSTRUCTION("a read of a supervisor page", NONE, "movq $0x7fffffffd000, %%rbx\n\tmovq (%%rbx), %%rax");
	write_pkru(0x20); /* no writes */
	INSTRUCTION("a read that PKRU allows", NONE, "movq $0x7fffffffe000, %%rbx\n\tmovq (%%rbx), %%rax");
	RUN("xorl %%ecx, %%ecx\n\t.byte 0x0f, 0x01, 0xee\n\tmovq %%rax, observed(%%rip)\n\tmovq %%rdx, observed+8(%%rip)");
	expect("RDPKRU", observed[0] | observed[1] << 32, 0x20);
	write_pkru(0);
	write_cr4(read_cr4() & ~CR4_PKE);
	expect("OSPKE goes with PKE", cpuid(7, 0).ecx >> 4 & 1, 0);
}

static void branch_tracking(void)
{
	write_msr(MSR_S_CET, 0x4); /* ENDBR_EN */
	expect("IA32_S_CET reads back", read_msr(MSR_S_CET), 0x4);
	INSTRUCTION("a jump to ENDBR64", NONE, "leaq 2f(%%rip), %%rax\n\tjmp *%%rax\n2:\tendbr64");
	INSTRUCTION("... that then exits", NONE, "leaq 2f(%%rip), %%rax\n\tjmp *%%rax\n2:\tendbr64\n\txorl %%eax, %%eax\n\tcpuid");
	INSTRUCTION("a jump to another instruction", CP, "leaq 2f(%%rip), %%rax\n\tjmp *%%rax\n2:\tnop");
	expect("... its error code", flat_catch.error_code, 3);
	INSTRUCTION("a jump to CPUID", CP, "leaq 2f(%%rip), %%rbx\n\txorl %%eax, %%eax\n\tjmp *%%rbx\n2:\tcpuid");
	write_msr(MSR_S_CET, 0);
	INSTRUCTION("IA32_S_CET reserved bit 6", GP, "movl $0x6a2, %%ecx\n\tmovl $0x40, %%eax\n\txorl %%edx, %%edx\n\twrmsr");
}

/* Exceptions end without IRET: it would find the return address changed. */
static void shadow_stack(void)
{
	pages[3][511] = EDGE_SHADOW + 0xff8; /* the token of a free stack */
	flat_catch.without_iret = 1;
	write_msr(MSR_PL0_SSP, EDGE_SHADOW + 0xff8);
	expect("IA32_PL0_SSP reads back", read_msr(MSR_PL0_SSP), EDGE_SHADOW + 0xff8);
	INSTRUCTION("IA32_PL0_SSP not aligned", GP, "movl $0x6a4, %%ecx\n\tmovl $2, %%eax\n\txorl %%edx, %%edx\n\twrmsr");
	write_msr(MSR_S_CET, 0x1); /* SH_STK_EN */
	INSTRUCTION("SETSSBSY", NONE, "setssbsy\n\trdsspq %%rbx\n\tmovq %%rbx, observed(%%rip)\n\txorl %%eax, %%eax\n\tcpuid\n\t"
				      "rdsspq %%rbx\n\tmovq %%rbx, observed+8(%%rip)");
	expect("... SSP", observed[0], EDGE_SHADOW + 0xff8);
	expect("... outlives an exit", observed[1], EDGE_SHADOW + 0xff8);
	INSTRUCTION("CALL and RET", NONE, "call 2f\n\tjmp 3f\n2:\txorl %%eax, %%eax\n\tcpuid\n\tret\n3:");
	RUN("call 2f\n\tnop\n\tnop\n\tjmp 3f\n2:\tincq (%%rsp)\n\tret\n3:");
	__asm__ volatile("addq $8, %%rsp" : : : "cc", "memory"); /* what RET left */
	expect("RET to another address", flat_catch.vector, CP);
	expect("... its error code", flat_catch.error_code, 1);
	INSTRUCTION("a write to the shadow stack", PF, "movq $0x7fffffffc000, %%rbx\n\tmovq %%rax, (%%rbx)");
	write_msr(MSR_S_CET, 0);
	flat_catch.without_iret = 0;
}

void guest_main(const struct guest_flat_info *info)
{
	struct cpuid_answer leaf7 = cpuid(7, 0);

	exceptions_install();
	map_pages();
	end_of_addresses();
	if ((cpuid(1, 0).ecx >> 17 & 1) != 0)
		process_contexts();
	if ((leaf7.ebx >> 10 & 1) != 0)
		invalidation();
	if ((leaf7.ecx >> 3 & 1) != 0)
		user_keys();
	if (((leaf7.ecx >> 7 | leaf7.edx >> 20) & 1) != 0)
		write_cr4(read_cr4() | CR4_CET);
	if ((leaf7.edx >> 20 & 1) != 0)
		branch_tracking();
	if ((leaf7.ecx >> 7 & 1) != 0)
		shadow_stack();
	expect("lines", lines, flat_number((const char *)(uintptr_t)info->command_line_address, "lines=", 0));
	out8(DEBUG_EXIT_PORT, (uint8_t)failures);
}
