/* Task switches between TSSs of 32 and 16 bits by JMP, CALL, IRET, task gates, exceptions, INT n and NMI, under both kinds of
 * paging that 32-bit code has; and events delivered onto a stack that is nobody's memory, and page tables there.
 * guests/tasks/tasks.asm holds the 32-bit code. SDM Vol. 3A, "Task Management". */
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

/* guests/tasks/tasks.asm */
#define CODE_64          0x10U
#define DATA_64          0x18U
#define CODE_32          0x20U
#define DATA_32          0x28U
#define TSS_MAIN         0x30U
#define TSS_TASK         0x38U
#define TSS_TASK_16      0x40U
#define CODE_TASK_16     0x48U
#define STACK_TASK_16    0x50U
#define CODE_CONFORMING  0x58U
#define DATA_USER        0x60U
#define TASK_GATE        0x68U
#define DATA_ABSENT      0x70U
#define TSS_8086         0x78U
#define GDT_ENTRIES      18U
#define IDT_ENTRIES      0x90U
#define STACK_BYTES      1024U
#define CODE_REAL        0x80U
#define DATA_REAL        0x88U
#define CODE_8086        0x9000U /* an address that its segments reach */
#define REAL_STACK       0x1000U
#define DEVICE_STACK     0xd0000800U
#define TESTDEV_STACK    0xff008000U

#define CR0_TS           0x8U
#define CR4_PSE          0x10U
#define CR4_PAE          0x20U
#define FLAGS_NT         0x4000U
#define FLAGS_VM         0x20000U
#define FLAGS_IOPL_3     0x3000U
#define DR6_BT           0x8000U
#define PAGE_LARGE_USER  0x87U
#define TASK_EAX         0xabcd1234U
/* docs/guest-flat.md: the page-directory-pointer table, and an address of its ninth GiB. */
#define POINTER_TABLE    0x2000UL
#define NOBODY           0xd0000000UL
#define FAR_ADDRESS      0x200000000UL
#define PAGE_FAULT_RESERVED_WRITE 0xbU
#define PAGE_TABLES      0x3000UL /* of the first 4 GiB, in pages of 2 MiB: docs/guest-flat.md */

struct tss {
	uint32_t link, inner[6], cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi, es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, bitmap;
};

struct tss_16 {
	uint16_t link, inner[6], ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};

struct tasks_seen {
	uint32_t count, hook, eax, esp, flags, cr0, tr, ds, cs, count_16, eax_16, esp_16, ebx_16;
	uint32_t error_code, count_at_nmi, dr6, eip;
	uint32_t ebx_after, flags_after, cr0_after, tr_after;
};

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern struct tasks_seen tasks_seen;
extern struct table_register tasks_gdt_register, tasks_idt_register;
extern uint32_t tasks_cr3, tasks_cr4, tasks_absent_entry, tasks_absent_value, tasks_main_tss;
extern const uint8_t tasks_real[], tasks_real_end[];
void tasks_run(void (*scenario)(void));
void tasks_event_64(void), tasks_return_64(void);
void task_kernel(void), task_user(void), task_16(void);
void hook_none(void), hook_jump_back(void), hook_map_page(void), hook_skip_fault(void), hook_second_nmi(void);
void hook_end_of_interrupt(void);
void scenario_jmp(void), scenario_call(void), scenario_call_gate(void), scenario_call_16(void), scenario_int(void);
void scenario_into(void), scenario_fault(void), scenario_page_fault(void), scenario_8086(void), scenario_nmi(void);
void scenario_interrupt(void), scenario_device_stack(void), scenario_device_return(void);
void scenario_real(void);
void handler_debug(void), handler_not_present(void), handler_new_stack(void), handler_new_stack_64(void);
void handler_return(void), handler_return_64(void);

static uint64_t gdt[GDT_ENTRIES], idt[IDT_ENTRIES];
static struct tss main_tss, task_tss, tss_8086;
static struct tss_16 task_tss_16;
static uint8_t task_stack[STACK_BYTES], task_stack_16[STACK_BYTES];
static _Alignas(4096) uint32_t directory[1024];
static _Alignas(32) uint64_t pointers[4];
static const char *paging;
static unsigned checks, passes;

static uint32_t low(const volatile void *address)
{
	return (uint32_t)(uintptr_t)address;
}

static uint32_t code(void (*function)(void))
{
	return (uint32_t)(uintptr_t)function;
}

static void describe(unsigned selector, uint32_t base, uint32_t limit, uint32_t attributes)
{
	uint64_t upper = (base & 0xff000000U) | (attributes & 0xf000) << 8 | (limit & 0xf0000) | (attributes & 0xff) << 8 |
			 (base >> 16 & 0xff);

	gdt[selector / 8] = upper << 32 | (uint64_t)(base & 0xffff) << 16 | (limit & 0xffff);
}

static void gate(unsigned vector, uint32_t offset, unsigned selector, unsigned attributes)
{
	idt[vector] = (uint64_t)(offset >> 16) << 48 | (uint64_t)attributes << 40 | (uint64_t)selector << 16 | (offset & 0xffff);
}

static void make_tables(void)
{
	describe(CODE_64, 0, 0xfffff, 0xa09a);
	describe(DATA_64, 0, 0xfffff, 0xc092);
	describe(CODE_32, 0, 0xfffff, 0xc09a);
	describe(DATA_32, 0, 0xfffff, 0xc092);
	describe(TSS_MAIN, low(&main_tss), sizeof(main_tss) - 1, 0x89);
	describe(TSS_TASK, low(&task_tss), sizeof(task_tss) - 1, 0x89);
	describe(TSS_TASK_16, low(&task_tss_16), sizeof(task_tss_16) - 1, 0x81);
	describe(CODE_TASK_16, code(task_16), 0xff, 0x409a);
	describe(STACK_TASK_16, low(task_stack_16), STACK_BYTES - 1, 0x0092);
	describe(CODE_CONFORMING, 0, 0xfffff, 0xc09e);
	describe(DATA_USER, 0, 0xfffff, 0xc0f2);
	describe(DATA_ABSENT, 0, 0xfffff, 0xc012);
	describe(CODE_REAL, 0, 0xffff, 0x009a);
	describe(DATA_REAL, 0, 0xffff, 0x0092);
	describe(TSS_8086, low(&tss_8086), sizeof(tss_8086) - 1, 0x8b);
	gdt[TASK_GATE / 8] = (uint64_t)0x85 << 40 | TSS_TASK << 16;
	gate(1, code(handler_debug), CODE_32, 0x8e);
	gate(11, code(handler_not_present), CODE_32, 0x8e);
	gate(0x81, code(handler_new_stack), CODE_32, 0x8e);
	gate(0x83, code(handler_return), CODE_32, 0x8e);
	gate(2, 0, TSS_TASK, 0x85);
	gate(4, 0, TSS_TASK, 0x85);
	gate(6, 0, TSS_TASK, 0x85);
	gate(14, 0, TSS_TASK, 0x85);
	gate(0x80, 0, TSS_TASK, 0x85);
	gate(0x82, 0, TSS_TASK, 0x85);
	tasks_gdt_register = (struct table_register){.limit = sizeof(gdt) - 1, .base = (uintptr_t)gdt};
	tasks_idt_register = (struct table_register){.limit = sizeof(idt) - 1, .base = (uintptr_t)idt};
}

static void make_tasks(void)
{
	main_tss = (struct tss){.cr3 = tasks_cr3, .bitmap = sizeof(main_tss)};
	task_tss = (struct tss){.cr3 = tasks_cr3, .eip = code(task_kernel), .eflags = 2, .eax = TASK_EAX, .es = DATA_32,
				.esp = low(task_stack + STACK_BYTES), .cs = CODE_32, .ss = DATA_32, .ds = DATA_32, .fs = DATA_32,
				.gs = DATA_32, .bitmap = sizeof(task_tss)};
	task_tss_16 = (struct tss_16){.flags = 2, .ax = (uint16_t)TASK_EAX, .sp = STACK_BYTES, .bx = 0x4321, .es = DATA_32,
				      .cs = CODE_TASK_16, .ss = STACK_TASK_16, .ds = DATA_32};
	tss_8086 = (struct tss){.cr3 = tasks_cr3, .eflags = FLAGS_VM | 2, .cs = CODE_8086 >> 4, .ds = 0x1234};
	tasks_main_tss = low(&main_tss);
}

/* Everything anew, so that each scenario is a test of its own. */
static void prepare(void (*hook)(void))
{
	make_tables();
	make_tasks();
	tasks_seen = (struct tasks_seen){.hook = code(hook)};
}

static void check(const char *name, bool passed)
{
	const uint32_t *word = (const uint32_t *)(const void *)&tasks_seen;

	checks++;
	passes += passed;
	print(passed ? "TEST-PASS " : "TEST-FAIL ");
	print(paging);
	print(name);
	for (unsigned i = 0; !passed && i < sizeof(tasks_seen) / sizeof(*word); i++) {
		print(" ");
		print_hex(word[i]);
	}
	print("\n");
}

/* Back in the main task, behind the instruction. */
static bool is_back(uint32_t ebx)
{
	return tasks_seen.ebx_after == ebx && tasks_seen.tr_after == TSS_MAIN && (tasks_seen.cr0_after & CR0_TS) != 0;
}

static bool task_ran(uint32_t times, uint32_t pushed_bytes)
{
	return tasks_seen.count == times && tasks_seen.esp == low(task_stack + STACK_BYTES) - pushed_bytes &&
	       tasks_seen.tr == TSS_TASK && (tasks_seen.cr0 & CR0_TS) != 0;
}

static bool is_busy(unsigned selector)
{
	return (gdt[selector / 8] >> 41 & 1) != 0;
}

static void by_instruction(void)
{
	prepare(hook_jump_back);
	tasks_run(scenario_jmp);
	check("jmp", task_ran(1, 0) && is_back(0x12345678) && tasks_seen.eax == TASK_EAX && (tasks_seen.flags & FLAGS_NT) == 0 &&
			     !is_busy(TSS_TASK) && main_tss.ebx == 0x12345678 && main_tss.cs == CODE_32);
	prepare(hook_none);
	tasks_run(scenario_call);
	check("call, twice", task_ran(2, 0) && is_back(0x23456789) && (tasks_seen.flags & FLAGS_NT) != 0 && !is_busy(TSS_TASK) &&
				     task_tss.link == TSS_MAIN && (tasks_seen.flags_after & FLAGS_NT) == 0 &&
				     (task_tss.eflags & FLAGS_NT) == 0);
	prepare(hook_none);
	tasks_run(scenario_call_gate);
	check("call by a task gate", task_ran(1, 0) && is_back(0x3456789a) && is_busy(TSS_MAIN));
	prepare(hook_none);
	tasks_run(scenario_call_16);
	check("call to 16 bits and on to 32", task_ran(1, 0) && is_back(0x456789ab) && tasks_seen.count_16 == 1 &&
						      (uint16_t)tasks_seen.eax_16 == (uint16_t)TASK_EAX &&
						      (uint16_t)tasks_seen.esp_16 == STACK_BYTES &&
						      (uint16_t)tasks_seen.ebx_16 == 0x4321 && task_tss.link == TSS_TASK_16);
}

static void by_event(void)
{
	prepare(hook_none);
	tasks_run(scenario_int);
	check("int", task_ran(1, 0) && is_back(0x56789abc));
	prepare(hook_none);
	tasks_run(scenario_into);
	check("into of two bytes", task_ran(1, 0) && is_back(0x6789abcd));
	prepare(hook_skip_fault);
	tasks_run(scenario_fault);
	check("invalid opcode", task_ran(1, 0) && is_back(0x789abcde));
	prepare(hook_map_page);
	*(volatile uint32_t *)(uintptr_t)tasks_absent_entry = 0;
	tasks_run(scenario_page_fault);
	check("page fault with its error code", task_ran(1, 4) && is_back(0x89abcdef) && tasks_seen.error_code == 2);
	prepare(hook_end_of_interrupt);
	tasks_run(scenario_interrupt);
	check("external interrupt", task_ran(1, 0) && is_back(0xbcdef012));
	prepare(hook_second_nmi);
	tasks_run(scenario_nmi);
	check("NMIs are blocked until IRET", task_ran(2, 0) && is_back(0xabcdef01) && tasks_seen.count_at_nmi == 1);
}

static void new_tasks(void)
{
	prepare(hook_none);
	main_tss.link = TSS_8086;
	gate(6, 0, TSS_MAIN, 0x85);
	tasks_run(scenario_8086);
	check("virtual-8086 mode", is_back(0x9abcdef0) && (tss_8086.eflags & FLAGS_VM) != 0 && tss_8086.cs == CODE_8086 >> 4 &&
					   tss_8086.eip == 0 && tss_8086.ds == 0x1234);
	prepare(hook_none);
	task_tss.trap = 1;
	tasks_run(scenario_call_gate);
	check("T flag", task_ran(1, 0) && is_back(0x3456789a) && (tasks_seen.dr6 & DR6_BT) != 0 &&
				tasks_seen.eip == code(task_kernel));
	prepare(hook_none);
	task_tss.ds = DATA_ABSENT;
	tasks_run(scenario_call_gate);
	check("absent data segment", task_ran(1, 0) && is_back(0x3456789a) && tasks_seen.error_code == DATA_ABSENT &&
					     tasks_seen.eip == code(task_kernel));
	prepare(hook_none);
	task_tss.eip = code(task_user);
	task_tss.cs = CODE_CONFORMING | 3;
	task_tss.ss = task_tss.ds = task_tss.es = task_tss.fs = task_tss.gs = DATA_USER | 3;
	task_tss.eflags |= FLAGS_IOPL_3;
	tasks_run(scenario_call_gate);
	check("conforming code", tasks_seen.count == 1 && is_back(0x3456789a) && tasks_seen.cs == (CODE_CONFORMING | 3));
}

static void events_on_devices(void)
{
	prepare(hook_none);
	tasks_run(scenario_device_stack);
	check("int onto nobody's memory", tasks_seen.ebx_after != 0 && tasks_seen.esp == DEVICE_STACK - 12);
	prepare(hook_none);
	tasks_run(scenario_device_return);
	check("int onto a device's memory and back", tasks_seen.count == 1 && tasks_seen.esp == TESTDEV_STACK);
}

static void events_in_real_mode(void)
{
	prepare(hook_none);
	tasks_run(scenario_real);
	check("real mode's int onto nobody's memory", tasks_seen.ebx_after == 0x1234 && tasks_seen.esp == REAL_STACK - 6);
}

static void run_all(void)
{
	by_instruction();
	by_event();
	new_tasks();
	events_on_devices();
	events_in_real_mode();
}

static void in_32_bit_paging(void)
{
	for (uint32_t i = 0; i < 1024; i++)
		directory[i] = i << 22 | PAGE_LARGE_USER;
	tasks_cr3 = low(directory);
	tasks_cr4 = CR4_PSE;
	tasks_absent_entry = low(&directory[0x100]);
	tasks_absent_value = directory[0];
	paging = "32-bit paging: ";
	run_all();
}

static void in_pae_paging(void)
{
	volatile uint64_t *tables = (volatile uint64_t *)PAGE_TABLES;

	for (unsigned i = 0; i < 4; i++)
		pointers[i] = (PAGE_TABLES + i * 0x1000) | 1;
	for (unsigned i = 0; i < 4 * 512; i++)
		tables[i] |= 4;
	tasks_cr3 = low(pointers);
	tasks_cr4 = CR4_PAE;
	tasks_absent_entry = low(&tables[512]);
	tasks_absent_value = (uint32_t)tables[0];
	paging = "PAE paging: ";
	run_all();
}

static __attribute__((noinline)) void write_and_catch(uint64_t address)
{
	flat_catch.vector = NO_EXCEPTION;
	__asm__ volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; movl $1, (%1); 1: movq $0, %0"
			 : "=m"(flat_catch.go_on_at) : "r"(address) : "rax", "memory");
}

static void in_long_mode(void)
{
	paging = "long mode: ";
	exceptions_install();
	interrupt_handle(3, (interrupt_handler *)handler_new_stack_64);
	tasks_seen.esp = 0;
	tasks_event_64();
	check("int3 onto nobody's memory", tasks_seen.esp == DEVICE_STACK - 40);
	interrupt_handle(3, (interrupt_handler *)handler_return_64);
	tasks_seen = (struct tasks_seen){.count = 0};
	tasks_return_64();
	check("int3 onto a device's memory and back", tasks_seen.count == 1 && tasks_seen.esp == TESTDEV_STACK);
	((volatile uint64_t *)POINTER_TABLE)[8] = NOBODY | 3;
	write_and_catch(FAR_ADDRESS);
	check("page table in nobody's memory", flat_catch.vector == 14 && flat_catch.error_code == PAGE_FAULT_RESERVED_WRITE);
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	for (unsigned i = 0; tasks_real + i < tasks_real_end; i++)
		((volatile uint8_t *)CODE_8086)[i] = tasks_real[i];
	in_32_bit_paging();
	in_pae_paging();
	in_long_mode();
	print("task_switch: ");
	print_number(passes);
	print(" of ");
	print_number(checks);
	print(" passed\n");
}
