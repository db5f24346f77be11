/* Any registers, tables and TSSs of a guest, as differences to some that work: a delivery, an IRET and a task switch always end,
 * and what they leave is a state that a VM entry takes where segments are concerned. SDM Vol. 3C, "Checks on Guest Segment
 * Registers". */
#include <stdlib.h>
#include <string.h>

#include "vmm/event/deliver.h"
#include "vmm/event/return.h"
#include "vmm/event/segment.h"
#include "vmm/event/task_switch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_BYTES 0x4000U

static _Alignas(4096) uint8_t memory[MEMORY_BYTES];
static unsigned accesses;

/* Each walk is at most five reads, each delivery some dozens of accesses. */
static uint64_t device_read(void *ctx, uint64_t gpa, unsigned width)
{
	(void)ctx;
	if (++accesses > 2000 || (width != 1 && width != 2 && width != 4 && width != 8))
		abort();
	return gpa * 0x9e3779b97f4a7c15ULL;
}

static void device_write(void *ctx, uint64_t gpa, unsigned width, uint64_t value)
{
	(void)value;
	(void)device_read(ctx, gpa, width);
}

/* What the CPU guarantees of the registers at an exit. */
static void make_possible(struct vcpu_registers *r)
{
	r->rflags |= 2;
	if ((r->efer & EFER_LMA) != 0) {
		r->cr0 |= CR0_PE | CR0_PG;
		r->cr4 |= CR4_PAE;
		r->rflags &= ~RFLAGS_VM;
	} else {
		r->cr3 = (uint32_t)r->cr3;
		r->tr.base = (uint32_t)r->tr.base;
	}
	if ((r->cr0 & CR0_PE) == 0)
		r->rflags &= ~RFLAGS_VM;
	if ((r->rflags & RFLAGS_VM) != 0)
		r->cs = segment_8086((uint16_t)r->cs.selector);
	r->gdtr.limit &= 0xffff;
	r->idtr.limit &= 0xffff;
	r->gdtr.base &= 0x3fff;
	r->idtr.base &= 0x3fff;
	r->tr.base &= 0x3fff;
}

static void check(const struct vcpu_registers *r)
{
	uint32_t cs = r->cs.attributes, ss = r->ss.attributes;

	if ((r->rflags & 2) == 0 || ((r->cr0 & CR0_PE) != 0 && (cs & SEGMENT_NONE) != 0))
		abort();
	if ((r->cr0 & CR0_PE) == 0)
		return;
	if ((r->rflags & RFLAGS_VM) != 0) {
		if (cs != 0xf3 || r->cs.base != r->cs.selector << 4)
			abort();
		return;
	}
	if (!segment_is_code(cs) || (cs & SEGMENT_PRESENT) == 0 || (cs & SEGMENT_ACCESSED) == 0)
		abort();
	if (!segment_is_conforming(cs) && SEGMENT_DPL(cs) != SEGMENT_DPL(ss))
		abort();
}

#define GDT     0x1000U
#define IDT     0x1400U
#define OLD_TSS 0x2000U
#define NEW_TSS 0x2100U
#define LDT     0x2200U

static void put32(uint32_t address, uint32_t value)
{
	memcpy(memory + address, &value, 4);
}

static void describe(uint32_t table, unsigned selector, uint32_t base, uint32_t limit, uint32_t attributes)
{
	put32(table + selector, base << 16 | (limit & 0xffff));
	put32(table + selector + 4, (attributes & 0xf000U) << 8 | (attributes & 0xff) << 8 | (limit & 0xf0000U) |
					    (base >> 16 & 0xff));
}

struct input {
	struct vcpu_registers registers;
	struct task_switch request;
	struct event event;
	uint8_t switches;
};

/* A flat 32-bit task of ring 0 and another one, gates of each kind, page tables of each kind of paging. */
static void build(struct input *input)
{
	struct vcpu_registers *r = &input->registers;

	for (uint32_t i = 0; i < 8; i++) {
		describe(GDT, 0x08 + i * 0x10, 0, 0xfffff, (i & 1) != 0 ? 0xc0fa : 0xc09a);
		describe(GDT, 0x10 + i * 0x10, 0, 0xfffff, (i & 1) != 0 ? 0xc0f2 : 0xc092);
	}
	describe(GDT, 0x88, OLD_TSS, 0x67, 0x8b);
	describe(GDT, 0x90, NEW_TSS, 0x67, 0x89);
	describe(GDT, 0x98, LDT, 0xff, 0x82);
	describe(GDT, 0xa0, 0, 0xfffff, 0xa09a);
	describe(LDT, 0x00, 0, 0xfffff, 0xc092);
	for (uint32_t i = 0; i < 32; i++) {
		static const uint32_t types[] = {0x8e, 0x8f, 0x86, 0x85};

		put32(IDT + i * 8, (i % 4 == 3 ? 0x90U : 0x08U) << 16 | 0x800);
		put32(IDT + i * 8 + 4, types[i % 4] << 8);
	}
	put32(NEW_TSS + 0x24, 0x202);
	put32(NEW_TSS + 0x38, 0x3800);
	put32(NEW_TSS + 0x48, 0x10);
	put32(NEW_TSS + 0x4c, 0x08);
	put32(NEW_TSS + 0x50, 0x10);
	put32(NEW_TSS + 0x54, 0x04);
	put32(NEW_TSS + 0x60, 0x98);
	put32(OLD_TSS + 0x04, 0x3000);
	put32(OLD_TSS + 0x08, 0x10);
	r->cr0 = CR0_PE;
	r->rflags = 0x202;
	r->gpr[GPR_RSP] = 0x3400;
	r->cs = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc09b, .selector = 0x08};
	r->ss = r->ds = r->es = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc093, .selector = 0x10};
	r->gdtr = (struct vcpu_segment){.base = GDT, .limit = 0xa7};
	r->idtr = (struct vcpu_segment){.base = IDT, .limit = 0xff};
	r->tr = (struct vcpu_segment){.base = OLD_TSS, .limit = 0x67, .attributes = 0x8b, .selector = 0x88};
	r->ldtr = (struct vcpu_segment){.base = LDT, .limit = 0xff, .attributes = 0x82, .selector = 0x98};
	input->request.selector = 0x90;
	input->request.source = VCPU_TASK_CALL;
	input->event.info = VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION << 8;
}

static void mix(void *target, size_t target_bytes, const uint8_t *data, size_t size)
{
	uint8_t *bytes = target;

	for (size_t i = 0; i < size && i < target_bytes; i++)
		bytes[i] ^= data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input;
	struct gmem gm = {0};
	struct event_cpu cpu;
	enum status status;

	memset(&input, 0, sizeof(input));
	memset(memory, 0, sizeof(memory));
	build(&input);
	mix(&input, sizeof(input), data, size);
	if (size > sizeof(input))
		mix(memory + GDT, sizeof(memory) - GDT, data + sizeof(input), size - sizeof(input));
	if (gmem_add_slot(&gm, gpa(0), sizeof(memory), memory) != OK)
		abort();
	make_possible(&input.registers);
	input.request.source &= 3;
	input.event.info |= VCPU_EVENT_VALID;
	accesses = 0;
	cpu = (struct event_cpu){.gmem = &gm, .registers = input.registers};
	cpu.devices = (struct event_devices){.read = device_read, .write = device_write};
	switch (input.switches & 3) {
	case 0: status = event_deliver(&cpu, &input.event); break;
	case 1: status = event_return(&cpu, 2U << (input.switches >> 2 & 1)); break;
	case 2: status = event_return(&cpu, 8); break;
	default: status = task_switch(&cpu, &input.request); break;
	}
	if (status == ERR_FAULT ? cpu.fault.vector == 0 || cpu.fault.vector > 14 : status == ERR_UNSUPPORTED && cpu.refusal == NULL)
		abort();
	if (status != OK && status != ERR_FAULT && status != ERR_UNSUPPORTED)
		abort();
	if (!cpu.is_committed) {
		if (memcmp(&cpu.registers, &input.registers, sizeof(cpu.registers)) != 0 || status == OK)
			abort();
	} else if ((input.registers.cr0 & CR0_PE) != 0) {
		check(&cpu.registers);
	}
	return 0;
}
