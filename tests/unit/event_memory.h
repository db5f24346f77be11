/* A guest of 64 KiB for tests of vmm/event/: GDT, LDT, IDT, TSSs and stacks in it, a device that notes what is written to it, and
 * page tables that map it to itself. Layouts: SDM Vol. 3A, "Segment Descriptors", "Task-State Segment (TSS)". */
#pragma once
#include "tests/unit/unit.h"
#include "vmm/event/event_cpu.h"
#include "vmm/event/segment.h"

#define MEMORY_BYTES 0x10000U
#define GDT          0x1000U
#define IDT          0x1800U
#define OLD_TSS      0x2000U
#define NEW_TSS      0x3000U
#define TSS_16       0x3100U
#define LDT          0x3800U
#define DIRECTORY    0x5000U
#define TABLE        0x6000U
#define STACK        0x8000U /* ESP of the new task; grows down */
#define DEVICE       0xd0000000U

enum {
	CODE_0 = 0x08, DATA_0 = 0x10, TSS_OLD = 0x18, TSS_NEW = 0x20, TSS_NEW_16 = 0x28, LDT_SELECTOR = 0x30, CODE_3 = 0x38,
	DATA_3 = 0x40, CONFORMING_0 = 0x48, CODE_ABSENT = 0x50, DATA_ABSENT = 0x58, CODE_UNREADABLE = 0x60, DATA_READ_ONLY = 0x68,
	TSS_SHORT = 0x70, TSS_ABSENT = 0x78, LDT_ABSENT = 0x80, TINY = 0x88, CODE_SMALL = 0x90, TSS_LONG = 0x98, CODE_LONG = 0xa8,
	TSS_GATE = 0xb0, CONFORMING_3 = 0xb8, GDT_END = 0xc0
};

static _Alignas(4096) uint8_t memory[MEMORY_BYTES];
static struct gmem gm;
static struct event_cpu cpu;
static struct {
	uint64_t gpa[32], value[32];
	unsigned width[32], count;
} device;

static __attribute__((unused)) uint32_t get32(uint32_t address)
{
	uint32_t value;

	memcpy(&value, memory + address, 4);
	return value;
}

static __attribute__((unused)) uint16_t get16(uint32_t address)
{
	uint16_t value;

	memcpy(&value, memory + address, 2);
	return value;
}

static void put32(uint32_t address, uint32_t value)
{
	memcpy(memory + address, &value, 4);
}

static __attribute__((unused)) void put16(uint32_t address, unsigned value)
{
	uint16_t word = (uint16_t)value;

	memcpy(memory + address, &word, 2);
}

/* attributes: bits 7:0 type to P; bits 15:12 AVL, L, D/B, G. */
static void describe(uint32_t table, unsigned selector, uint32_t base, uint32_t limit, uint32_t attributes)
{
	uint32_t at = table + (selector & 0xfff8U);

	put32(at, base << 16 | (limit & 0xffff));
	put32(at + 4, (base & 0xff000000U) | (attributes & 0xf000U) << 8 | (limit & 0xf0000U) | (attributes & 0xff) << 8 |
			      (base >> 16 & 0xff));
}

static __attribute__((unused)) uint8_t attributes_of(unsigned selector)
{
	return memory[GDT + selector + 5];
}

static uint64_t device_read(void *ctx, uint64_t address, unsigned width)
{
	(void)ctx;
	(void)address;
	return width == 8 ? UINT64_MAX : (1ULL << width * 8) - 1;
}

static void device_write(void *ctx, uint64_t address, unsigned width, uint64_t value)
{
	(void)ctx;
	assert_true(device.count < 32);
	device.gpa[device.count] = address;
	device.width[device.count] = width;
	device.value[device.count++] = width == 8 ? value : value & ((1ULL << width * 8) - 1);
}

static void build_gdt(void)
{
	static const struct { unsigned selector; uint32_t base, limit, attributes; } rows[] = {
		{CODE_0, 0, 0xfffff, 0xc09a},       {DATA_0, 0, 0xfffff, 0xc092},       {TSS_OLD, OLD_TSS, 0x67, 0x8b},
		{TSS_NEW, NEW_TSS, 0x67, 0x89},     {TSS_NEW_16, TSS_16, 0x2b, 0x81},   {LDT_SELECTOR, LDT, 0x0f, 0x82},
		{CODE_3, 0, 0xfffff, 0xc0fa},       {DATA_3, 0, 0xfffff, 0xc0f2},       {CONFORMING_0, 0, 0xfffff, 0xc09e},
		{CODE_ABSENT, 0, 0xfffff, 0xc01a},  {DATA_ABSENT, 0, 0xfffff, 0xc012},  {CODE_UNREADABLE, 0, 0xfffff, 0xc098},
		{DATA_READ_ONLY, 0, 0xfffff, 0xc090}, {TSS_SHORT, NEW_TSS, 0x66, 0x89}, {TSS_ABSENT, NEW_TSS, 0x67, 0x09},
		{LDT_ABSENT, LDT, 0x0f, 0x02},      {TINY, 0, 0x1f, 0x4092},            {CODE_SMALL, 0, 0xffff, 0x009a},
		{CODE_LONG, 0, 0xfffff, 0xa09a},      {CONFORMING_3, 0, 0xfffff, 0xc0fe},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		describe(GDT, rows[i].selector, rows[i].base, rows[i].limit, rows[i].attributes);
}

/* Ring 0 of a 32-bit task without paging. */
static void build_cpu(void)
{
	struct vcpu_registers *r = &cpu.registers;

	memset(memory, 0, sizeof(memory));
	memset(&device, 0, sizeof(device));
	gm = (struct gmem){0};
	assert_int_equal(gmem_add_slot(&gm, gpa(0), MEMORY_BYTES, memory), OK);
	cpu = (struct event_cpu){.gmem = &gm, .devices = {.read = device_read, .write = device_write}};
	build_gdt();
	r->cr0 = CR0_PE;
	r->rip = 0x4000;
	r->rflags = 0x202;
	r->dr7 = 0x7ff;
	r->gdtr = (struct vcpu_segment){.base = GDT, .limit = GDT_END - 1};
	r->idtr = (struct vcpu_segment){.base = IDT, .limit = 0x7ff};
	r->tr = (struct vcpu_segment){.base = OLD_TSS, .limit = 0x67, .attributes = 0x8b, .selector = TSS_OLD};
	r->ldtr = (struct vcpu_segment){.attributes = 0x10000};
	r->cs = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc09b, .selector = CODE_0};
	r->ss = r->ds = r->es = r->fs = r->gs =
		(struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc093, .selector = DATA_0};
	for (unsigned i = 0; i < 8; i++)
		r->gpr[i] = 0x11110000 * (i + 1) + i;
	r->gpr[GPR_RSP] = 0x9000;
}

/* 4 KiB pages of 32-bit paging, each to itself, for the first 128 KiB. */
static __attribute__((unused)) void build_paging(void)
{
	put32(DIRECTORY, TABLE | 7);
	for (uint32_t i = 0; i < 32; i++)
		put32(TABLE + i * 4, i << 12 | 7);
	cpu.registers.cr3 = DIRECTORY;
	cpu.registers.cr0 |= CR0_PG | 0x10000;
}
