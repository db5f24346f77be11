/* Brings one CPU's registers into the state ring 0 runs with. SDM Vol. 3A, "Protected-Mode Memory Management", "Interrupt and
 * Exception Handling"; Vol. 2B, "SYSENTER". */
#include "kernel/cpu.h"

#include "abi/status.h"
#include "kernel/cpu_insn.h"
#include "kernel/gdt.h"
#include "kernel/kernel_map.h"
#include "kernel/msr.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/trap.h"
#include "lib/base/string.h"

#define CR0_PE (1ULL << 0)
#define CR0_MP (1ULL << 1)
#define CR0_TS (1ULL << 3)
#define CR0_ET (1ULL << 4)
#define CR0_NE (1ULL << 5)
#define CR0_WP (1ULL << 16)
#define CR0_PG (1ULL << 31)

#define CR4_PAE        (1ULL << 5)
#define CR4_MCE        (1ULL << 6)
#define CR4_PGE        (1ULL << 7)
#define CR4_OSFXSR     (1ULL << 9)
#define CR4_OSXMMEXCPT (1ULL << 10)
#define CR4_UMIP       (1ULL << 11)
#define CR4_OSXSAVE    (1ULL << 18)
#define CR4_SMEP       (1ULL << 20)
#define CR4_SMAP       (1ULL << 21)

#define IST_DB  1U
#define IST_NMI 2U
#define IST_DF  3U
#define IST_MC  4U
#define IST_COUNT 4U

struct cpu_features cpu_features;

/* Hardware layout: SDM Vol. 3A, "64-Bit IDT Gate Descriptors". */
struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

static struct idt_gate idt[256];

extern const uint8_t exception_stubs[], interrupt_stubs[];
extern const uint8_t sysenter_entry[], syscall_entry[];

static bool bit(uint32_t value, unsigned number)
{
	return value >> number & 1;
}

static bool vendor_is(const char *name)
{
	struct cpuid id = cpuid(0, 0);

	return memcmp(&id.ebx, name, 4) == 0 && memcmp(&id.edx, name + 4, 4) == 0 && memcmp(&id.ecx, name + 8, 4) == 0;
}

static struct cpu_features read_features(void)
{
	struct cpuid basic = cpuid(1, 0);
	struct cpuid structured = cpuid(0, 0).eax >= 7 ? cpuid(7, 0) : (struct cpuid){0};
	struct cpu_features found = {
		.smep = bit(structured.ebx, 7),
		.smap = bit(structured.ebx, 20),
		.umip = bit(structured.ecx, 2),
		.x2apic = bit(basic.ecx, 21),
		.tsc_deadline = bit(basic.ecx, 24),
		.xsave = bit(basic.ecx, 26),
		.sysenter = !vendor_is("AuthenticAMD") && !vendor_is("HygonGenuine"),
		.physical_address_bits = cpuid(0x80000000, 0).eax >= 0x80000008 ? cpuid(0x80000008, 0).eax & 0xff : 36,
	};

	return found;
}

void cpu_features_read(void)
{
	cpu_features = read_features();
}

const char *cpu_features_lacking(void)
{
	struct cpu_features here = read_features();

	return cpu_features.smep && !here.smep		       ? "SMEP"
	       : cpu_features.smap && !here.smap	       ? "SMAP"
	       : cpu_features.umip && !here.umip	       ? "UMIP"
	       : cpu_features.x2apic && !here.x2apic	       ? "x2APIC"
	       : cpu_features.tsc_deadline && !here.tsc_deadline ? "TSC deadline"
	       : cpu_features.xsave && !here.xsave	       ? "XSAVE"
							       : NULL;
}

static void set_gate(unsigned vector, const void *stub, unsigned ist, unsigned dpl)
{
	uint64_t offset = (uintptr_t)stub;

	idt[vector] = (struct idt_gate){
		.offset_low = (uint16_t)offset,
		.selector = SELECTOR_KERNEL_CODE,
		.ist = (uint8_t)ist,
		.type = (uint8_t)(0x8e | dpl << 5),
		.offset_middle = (uint16_t)(offset >> 16),
		.offset_high = (uint32_t)(offset >> 32),
	};
}

static unsigned ist_of(unsigned vector)
{
	switch (vector) {
	case EXCEPTION_DB:
		return IST_DB;
	case EXCEPTION_NMI:
		return IST_NMI;
	case EXCEPTION_DF:
		return IST_DF;
	case EXCEPTION_MC:
		return IST_MC;
	default:
		return 0;
	}
}

static void fill_idt(void)
{
	for (unsigned vector = 0; vector < 32; vector++)
		set_gate(vector, exception_stubs + vector * 16, ist_of(vector), 0);
	for (unsigned vector = 32; vector < 256; vector++)
		set_gate(vector, interrupt_stubs + (vector - 32) * 16, 0, 0);
}

enum status cpu_tables_create(struct percpu *cpu)
{
	uint8_t *page = pool_page_alloc(root_pool);

	if (page == NULL)
		return ERR_NO_MEMORY;
	/* One page: TSS at 0, entry word at 1024. */
	cpu->tss = (struct tss64 *)(uintptr_t)page;
	cpu->entry_stack_word = (uint64_t *)(uintptr_t)(page + 1024);
	for (unsigned i = 0; i < IST_COUNT; i++) {
		uint64_t top = kernel_stack_alloc(root_pool);

		if (top == 0)
			return ERR_NO_MEMORY;
		*(struct stack_head *)(uintptr_t)top = (struct stack_head){.cpu = cpu};
		cpu->tss->ist[i] = top;
	}
	cpu->tss->io_map_base = sizeof(struct tss64);
	return gdt_create(cpu);
}

void cpu_set_entry_stack(struct percpu *cpu, uint64_t stack_top)
{
	cpu->tss->rsp[0] = stack_top;
	*cpu->entry_stack_word = stack_top;
}

/* SYSCALL loads no stack: this CPU's trampoline, an executable page of its own, does.
 *   mov rsp, [rip + 16 - 7]; jmp [rip + 24 - 13]; data at 16: address of the entry word; data at 24: syscall_entry */
static void load_syscall(struct percpu *cpu)
{
	static const uint8_t code[] = {0x48, 0x8b, 0x25, 9, 0, 0, 0, 0xff, 0x25, 11, 0, 0, 0};
	uint8_t *page = pool_page_alloc(root_pool);
	uint64_t entry_word = (uintptr_t)cpu->entry_stack_word;
	uint64_t entry = (uintptr_t)syscall_entry;
	void *executable;

	ASSERT(page != NULL);
	memcpy(page, code, sizeof(code));
	memcpy(page + 16, &entry_word, 8);
	memcpy(page + 24, &entry, 8);
	executable = kernel_map_code(direct_physical(page));
	ASSERT(executable != NULL);
	wrmsr(MSR_IA32_STAR, 0x18ULL << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	wrmsr(MSR_IA32_LSTAR, (uintptr_t)executable);
	wrmsr(MSR_IA32_FMASK, 0x47fd5ULL & ~0x2ULL);
	wrmsr(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) | EFER_SCE);
}

/* Entries 0 - 3 as after reset (WB, WT, UC-, UC), entry 4 (PAT bit alone) write-combining. INIT leaves the register as it was.
 * SDM Vol. 3A, "Programming the PAT". */
#define PAT_VALUE 0x0007040100070406ULL

void cpu_load_page_attributes(void)
{
	wrmsr(MSR_IA32_PAT, PAT_VALUE);
	write_cr3(read_cr3());
}

static void load_control_registers(void)
{
	uint64_t cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr4 |= cpu_features.xsave ? CR4_OSXSAVE : 0;
	cr4 |= cpu_features.smep ? CR4_SMEP : 0;
	cr4 |= cpu_features.smap ? CR4_SMAP : 0;
	cr4 |= cpu_features.umip ? CR4_UMIP : 0;
	write_cr4(cr4);
	cpu_load_page_attributes();
	/* TS: the FPU is a guest's; a program that touches it faults. */
	write_cr0(CR0_PE | CR0_MP | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	wrmsr(MSR_IA32_EFER, (rdmsr(MSR_IA32_EFER) | EFER_NXE) & ~EFER_SCE);
}

extern void cpu_reload_segments(void);

/* LTR marks the TSS busy, so it needs the table where it can be written. */
static void load_gdt(const struct percpu *cpu)
{
	struct descriptor_table_register gdtr = {.limit = GDT_ENTRIES * 8 - 1, .base = (uintptr_t)cpu->gdt};

	lgdt(&gdtr);
	cpu_reload_segments();
	ltr(SELECTOR_TSS);
	gdtr.base = cpu->gdtr_base;
	lgdt(&gdtr);
}

void cpu_load_tables(struct percpu *cpu)
{
	struct descriptor_table_register idtr = {.limit = sizeof(idt) - 1, .base = (uintptr_t)idt};

	if (cpu->index == 0)
		fill_idt();
	load_gdt(cpu);
	lidt(&idtr);
}

void cpu_load_registers(struct percpu *cpu)
{
	load_control_registers();
	if (cpu_features.sysenter) {
		wrmsr(MSR_IA32_SYSENTER_CS, SELECTOR_KERNEL_CODE);
		wrmsr(MSR_IA32_SYSENTER_ESP, (uintptr_t)cpu->entry_stack_word);
		wrmsr(MSR_IA32_SYSENTER_EIP, (uintptr_t)sysenter_entry);
	} else {
		load_syscall(cpu);
	}
}
