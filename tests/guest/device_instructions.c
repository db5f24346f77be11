/* Do all kinds of instructions work with operands in device memory, aligned or not, across a page border, or half in memory? QEMU's
 * test device has memory that is reached as a device's. SDM Vol. 2, "Operation" of each; Vol. 1, "Procedure Stack". */
#include "guests/flat/apic.h"
#include "tests/guest/lib/paging.h"
#include "tests/guest/lib/question.h"

#define DEVICE  0xff000000ULL
#define APIC    0xfee00000ULL
#define RIGHTS  (PAGE_PRESENT | PAGE_WRITABLE)
#define FIRST   0x8877665544332211ULL
#define SECOND  0x0123456789abcdefULL
#define CR4_OSFXSR 0x200ULL
#define VECTOR_DE 0U

static volatile uint64_t *const device = (volatile uint64_t *)DEVICE;
static uint8_t page[4096] __attribute__((aligned(4096)));

static void fill(volatile uint64_t *to, uint64_t first, uint64_t second)
{
	to[0] = first;
	to[1] = second;
}

static void strings(void)
{
	uint64_t rcx = 4, rsi = DEVICE, rdi = DEVICE + 64, rax;

	fill(device, FIRST, SECOND);
	__asm__ volatile("rep movsl" : "+c"(rcx), "+S"(rsi), "+D"(rdi) : : "memory");
	expect("rep movs from device to device", device[8] == FIRST && device[9] == SECOND, true);
	expect("rep movs counts", rcx == 0 && rsi == DEVICE + 16 && rdi == DEVICE + 80, true);
	rcx = 16;
	rsi = DEVICE;
	rdi = (uint64_t)(uintptr_t)page;
	__asm__ volatile("rep movsb" : "+c"(rcx), "+S"(rsi), "+D"(rdi) : : "memory");
	expect("rep movs to memory", *(uint64_t *)(uintptr_t)(page + 8), SECOND);
	rcx = 16;
	rsi = DEVICE;
	rdi = DEVICE + 64;
	((volatile uint8_t *)device)[64 + 11] = 0;
	__asm__ volatile("repe cmpsb" : "+c"(rcx), "+S"(rsi), "+D"(rdi) : : "memory", "cc");
	expect("repe cmps ends where they differ", rcx == 4 && rsi == DEVICE + 12, true);
	rcx = 100;
	rdi = DEVICE + 15;
	rax = 0x66;
	__asm__ volatile("std; repne scasb; cld" : "+c"(rcx), "+D"(rdi) : "a"(rax) : "memory", "cc");
	expect("repne scas downwards", rdi, DEVICE + 4);
	rsi = DEVICE + 3;
	__asm__ volatile("lodsw" : "=a"(rax), "+S"(rsi) : "0"(0ULL) : "memory");
	expect("lods, not aligned", rax, 0x5544);
	rcx = 3000;
	rdi = DEVICE + 0x1001;
	__asm__ volatile("rep stosb" : "+c"(rcx), "+D"(rdi) : "a"(0x5aULL) : "memory");
	expect("rep stos over two pages", ((volatile uint8_t *)device)[0x1001 + 2999], 0x5a);
	expect("and no further", rdi, DEVICE + 0x1001 + 3000);
}

static void arithmetic(void)
{
	uint64_t rax = 1000, rdx = 0, low = 5;

	fill(device, 7, 0);
	__asm__ volatile("divq (%2)" : "+a"(rax), "+d"(rdx) : "r"(device) : "cc", "memory");
	expect("div", rax == 142 && rdx == 6, true);
	__asm__ volatile("imulq $100, (%1), %0" : "=r"(low) : "r"(device) : "cc", "memory");
	expect("imul", low, 700);
	__asm__ volatile("rolq $60, (%0)" : : "r"(device) : "cc", "memory");
	expect("rol", *device, 0x7000000000000000);
	__asm__ volatile("bsrq (%1), %0" : "=r"(low) : "r"(device) : "cc", "memory");
	expect("bsr", low, 62);
	__asm__ volatile("shldq $8, %1, (%0)" : : "r"(device), "r"(FIRST) : "cc", "memory");
	expect("shld", *device, 0x88);
	__asm__ volatile("cmp %%eax, %%eax; setz (%0)" : : "r"(device) : "cc", "memory");
	expect("setcc", *device, 1);
	fill(device, FIRST, SECOND);
	__asm__ volatile("lock cmpxchg16b (%2)" : "=a"(rax), "=d"(rdx) : "r"(device), "0"(FIRST), "1"(SECOND), "b"(1ULL), "c"(2ULL)
			 : "cc", "memory");
	expect("cmpxchg16b", device[0] == 1 && device[1] == 2 && rax == FIRST, true);
	EXPECT_VECTOR("div by 0", VECTOR_DE, "xor %%eax, %%eax; divb (%0)", "r"(device + 20));
}

/* RSP is at the device, so no compiler's code may push. */
static void stacks(void)
{
	uint64_t top = DEVICE + 4096, end, popped, frame;

	device[0] = SECOND;
	__asm__ volatile("mov %%rsp, %%r15\n\tmov %[top], %%rsp\n\tpushq $-7\n\tpush %[top]\n\tpushq (%[device])\n\t"
			 "popq 16(%[device])\n\tpop %[popped]\n\tcall 1f\n\tjmp 2f\n1:\tpushfq\n\tadd $8, %%rsp\n\tret\n2:\t"
			 "mov %%rsp, %[end]\n\tmov %%r15, %%rsp"
			 : [popped] "=&r"(popped), [end] "=&r"(end)
			 : [top] "r"(top), [device] "r"(device)
			 : "r15", "memory", "cc");
	expect("push imm", device[511], UINT64_MAX - 6);
	expect("push and pop between devices", device[2], SECOND);
	expect("pop", popped, top);
	expect("RSP after call, ret, push, pop", end, top - 8);
	device[510] = 0x1234;
	__asm__ volatile("mov %%rsp, %%r15\n\tmov %%rbp, %%r14\n\tmov %[top], %%rbp\n\tleave\n\tmov %%rbp, %[frame]\n\t"
			 "mov %%rsp, %[end]\n\tenter $0x20, $0\n\tmov %%rsp, %[popped]\n\tmov %%r15, %%rsp\n\tmov %%r14, %%rbp"
			 : [popped] "=&r"(popped), [end] "=&r"(end), [frame] "=&r"(frame)
			 : [top] "r"(top - 16)
			 : "r14", "r15", "memory");
	expect("leave", frame == 0x1234 && end == top - 8, true);
	expect("enter", popped, top - 16 - 0x20);
}

static void jumps(void)
{
	uint64_t went = 0;

	__asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, (%1)\n\tjmp *(%1)\n\tud2\n1:\tmov $1, %0" : "=&r"(went) : "r"(device)
			 : "rax", "memory");
	expect("jmp through a device", went, 1);
	went = 0;
	__asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, (%1)\n\tmovw %%cs, 8(%1)\n\trex64 ljmp *(%1)\n\tud2\n1:\tmov $1, %0"
			 : "=&r"(went) : "r"(device) : "rax", "memory");
	expect("far jmp through a device", went, 1);
	device[0] = 0x1111111111111111;
	EXPECT_VECTOR("jmp to what is not canonical", VECTOR_GP, "jmp *(%0)", "r"(device));
}

static void segments(void)
{
	uint64_t ss;

	device[0] = 0;
	__asm__ volatile("mov %%ss, 2(%1)\n\tmovw (%1), %%ss\n\tmov %%ss, %0\n\tmovw 2(%1), %%ss" : "=&r"(ss) : "r"(device)
			 : "memory");
	expect("a null SS from a device", ss & 0xffff, 0);
	expect("SS to a device", *device >> 16 & 0xffff, 0x18);
	device[0] = 3;
	EXPECT_VECTOR("a null SS of another level", VECTOR_GP, "movw (%0), %%ss", "r"(device));
	device[0] = 0x7ff8;
	EXPECT_VECTOR("a selector beyond the GDT", VECTOR_GP, "movw (%0), %%fs", "r"(device));
	expect("its error code", flat_catch.error_code, 0x7ff8);
	__asm__ volatile("smsw (%0)" : : "r"(device) : "memory");
	expect("smsw", *device, 0x33);
}

/* A GDT of its own, with an LDT and a TSS in the format of 64-bit mode. */
static void system_segments(void)
{
	static uint64_t gdt[8] __attribute__((aligned(16))) = {
		0, 0, 0x00209b0000000000, 0x00cf93000000ffff, 0x00008200000000ff, 0x1234, 0x0000890000000067, 0};
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) old, new = {sizeof(gdt) - 1, (uint64_t)(uintptr_t)gdt};
	uint16_t tr, ldtr;

	device[0] = 0x300020;
	__asm__ volatile("sgdt %0\n\tlgdt %1\n\tlldt (%4)\n\tltr 2(%4)\n\tstr %2\n\tsldt %3\n\tstr 8(%4)\n\tsldt 10(%4)"
			 : "=m"(old), "+m"(new), "=&r"(tr), "=&r"(ldtr) : "r"(device) : "memory");
	expect("ltr and lldt from a device", tr == 0x30 && ldtr == 0x20, true);
	expect("str and sldt to a device", device[1] & 0xffffffff, 0x200030);
	expect("the TSS is busy", gdt[6], 0x00008b0000000067);
	EXPECT_VECTOR("ltr of a busy TSS", VECTOR_GP, "ltr 2(%0)", "r"(device));
	expect("its selector", flat_catch.error_code, 0x30);
	__asm__ volatile("lgdt %0" : : "m"(old));
}

static void vectors(void)
{
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0\n\tor %1, %0\n\tmov %0, %%cr4" : "=&r"(cr4) : "r"(CR4_OSFXSR));
	fill(device, FIRST, SECOND);
	__asm__ volatile("movdqa (%0), %%xmm1\n\tmovups %%xmm1, 33(%0)\n\tmovq %%xmm1, 64(%0)\n\tmovhps (%0), %%xmm1\n\t"
			 "movaps %%xmm1, 80(%0)\n\tmovss 4(%0), %%xmm9\n\tmovntdq %%xmm9, 96(%0)" : : "r"(device) : "memory");
	expect("movups, not aligned", *(volatile uint64_t *)(DEVICE + 41), SECOND);
	expect("movq", device[8], FIRST);
	expect("movhps", device[10] == FIRST && device[11] == FIRST, true);
	expect("movss", device[12] == FIRST >> 32 && device[13] == 0, true);
	__asm__ volatile("movdqa %%xmm9, %%xmm2\n\tmovdqu %%xmm2, (%0)" : : "r"(page) : "memory");
	expect("registers of the CPU itself have it", *(volatile uint64_t *)(uintptr_t)page, FIRST >> 32);
	__asm__ volatile("fninit\n\tfld1\n\tmovq (%0), %%mm3\n\tmovq %%mm3, 128(%0)\n\tmovq %%mm3, (%1)\n\temms"
			 : : "r"(device), "r"(page)
			 : "memory");
	expect("movq of MMX", device[16] == FIRST && *(volatile uint64_t *)(uintptr_t)page == FIRST, true);
	EXPECT_VECTOR("movaps, not aligned", VECTOR_GP, "movaps 8(%0), %%xmm0", "r"(device));
}

/* Pages 1 and 2 of the window: one of the device, one of memory. */
static void borders(void)
{
	volatile uint64_t *across = (volatile uint64_t *)(PAGING_PAGE(2) - 4);

	paging_map(1, DEVICE, RIGHTS);
	paging_map(2, (uint64_t)(uintptr_t)page, RIGHTS);
	*across = FIRST;
	expect("half in memory", *(volatile uint32_t *)(uintptr_t)page, (uint32_t)(FIRST >> 32));
	expect("half at the device", *(volatile uint32_t *)(DEVICE + 4092), (uint32_t)FIRST);
	__asm__ volatile("lock xaddq %0, (%1)" : : "r"(1ULL), "r"(across) : "cc", "memory");
	expect("xadd across the border", *across, FIRST + 1);
	__asm__ volatile("movups %%xmm1, (%0)\n\tmovups (%0), %%xmm3\n\tmovups %%xmm3, (%1)" : : "r"(across), "r"(device)
			 : "memory");
	expect("movups across the border", device[0], *across);
	paging_map(2, 0, 0);
	EXPECT_VECTOR("the second page is not there", VECTOR_PF, "movq $-1, (%0)", "r"(across));
	expect("CR2 is its first byte", fault_address(), PAGING_PAGE(2));
	expect("error code", flat_catch.error_code, FAULT_WRITE);
	expect("and nothing was written", *(volatile uint32_t *)(DEVICE + 4092), (uint32_t)device[0]);
	paging_map(2, (uint64_t)(uintptr_t)page, PAGE_PRESENT);
	EXPECT_VECTOR("the second page is read-only", VECTOR_PF, "addq $1, (%0)", "r"(across));
	expect("error code of that", flat_catch.error_code, FAULT_PRESENT | FAULT_WRITE);
	paging_map(2, DEVICE + 4096, RIGHTS);
	*across = SECOND;
	expect("across two pages of the device", *(volatile uint64_t *)(DEVICE + 4092), SECOND);
}

/* Registers of the local APIC are ring 0's, what moves them is in the VMM. The task priority is at 80h. */
static void local_apic(void)
{
	volatile uint32_t *priority = (volatile uint32_t *)(APIC + 0x80);
	uint64_t rsi = DEVICE, rdi = APIC + 0x80, rcx = 2, popped = 0;

	apic_enable(true);
	fill(device, 0x0000002000000030, 0);
	__asm__ volatile("movsl" : "+S"(rsi), "+D"(rdi) : : "memory");
	expect("movs from a device to the local APIC", *priority, 0x30);
	rsi = APIC + 0x80;
	rdi = DEVICE + 64;
	__asm__ volatile("rep movsl" : "+S"(rsi), "+D"(rdi), "+c"(rcx) : : "memory");
	expect("rep movs from the local APIC to a device", device[8], 0x30);
	__asm__ volatile("mov %%rsp, %%r15\n\tmov %1, %%rsp\n\tpushq (%2)\n\tpopq %0\n\tmov %%r15, %%rsp"
			 : "=&r"(popped) : "r"(DEVICE + 256), "r"(priority) : "r15", "memory");
	expect("push of its register to a device", popped & 0xff, 0x30);
	__asm__ volatile("pushq $0x10\n\tpopq (%0)" : : "r"(priority) : "memory");
	expect("pop into its register", *priority, 0x10);
	*priority = 0;
}

static void traps(void)
{
	EXPECT_VECTOR("single step over a pop to a device", VECTOR_DB,
		      "pushq $5\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tpopq (%0)\n\tud2", "r"(device));
	expect("which was done", *device, 5);
	EXPECT_VECTOR("single step over a popf from a device", VECTOR_DB,
		      "mov %%rsp, %%rcx\n\tmov %0, %%rsp\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tmov %%rcx, %%rsp\n\tud2",
		      "r"(DEVICE + 512));
}

void question(const struct guest_flat_info *info)
{
	(void)info;
	strings();
	arithmetic();
	stacks();
	jumps();
	segments();
	system_segments();
	vectors();
	borders();
	local_apic();
	traps();
}
