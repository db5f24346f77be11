/* A debug exception whose delivery is a debug exception: the frame is pushed over a data breakpoint, on a stack of the interrupt
 * stack table, so that each delivery starts at the same address. A CPU delivers for ever and takes no interrupt between, as traps
 * come first: it must exit, and the exit must let the host's interrupts in. SDM Vol. 3B, "Debug Exception (#DB)"; a hypervisor
 * that lets it pass hangs with its guest (CVE-2015-8104). */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define CODE_SELECTOR 0x10U
#define TSS_SELECTOR  0x20U
#define VECTOR_DEBUG  1U
#define CODE_64       0x00af9b000000ffffULL
#define DATA          0x00cf93000000ffffULL
#define TSS_PRESENT   0x890000000000ULL
#define GATE_PRESENT  0x8e00U
/* Breakpoint 0: local, a write of 8 bytes. */
#define DR7_WRITE_8   0x90401ULL

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7];
	uint8_t rest[16];
} __attribute__((packed));

static uint64_t stack[64] __attribute__((aligned(16)));
static struct tss tss;
static uint64_t gdt[6];
static uint64_t idt[4];

static void load_tables(void)
{
	const struct table_register gdtr = {.limit = sizeof(gdt) - 1, .base = (uint64_t)(uintptr_t)gdt};
	const struct table_register idtr = {.limit = sizeof(idt) - 1, .base = (uint64_t)(uintptr_t)idt};
	uint64_t address = (uint64_t)(uintptr_t)&tss;

	tss.ist[0] = (uint64_t)(uintptr_t)&stack[64];
	gdt[CODE_SELECTOR / 8] = CODE_64;
	gdt[CODE_SELECTOR / 8 + 1] = DATA;
	gdt[TSS_SELECTOR / 8] = TSS_PRESENT | (sizeof(tss) - 1) | (address & 0xffffff) << 16;
	gdt[TSS_SELECTOR / 8 + 1] = 0;
	/* The handler is never reached; any address does. */
	address = (uint64_t)(uintptr_t)load_tables;
	idt[2 * VECTOR_DEBUG] = (address & 0xffff) | CODE_SELECTOR << 16 | 1ULL << 32 | (uint64_t)GATE_PRESENT << 32 |
				(address >> 16 & 0xffff) << 48;
	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("lidt %0" : : "m"(idtr));
	__asm__ volatile("ltr %0" : : "r"((uint16_t)TSS_SELECTOR));
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	load_tables();
	print("endless_debug: now\n");
	__asm__ volatile("movq %0, %%dr0" : : "r"(&stack[63]));
	__asm__ volatile("movq %0, %%dr7" : : "r"(DR7_WRITE_8));
	*(volatile uint64_t *)&stack[63] = 0;
	print("TEST-FAIL no debug exception\n");
}
