/* Any bytes as a guest's registers, tables and TSSs: a delivery and a task switch always end, and what they leave is a state that a
 * VM entry takes where the segments are concerned. SDM Vol. 3C, "Checks on Guest Segment Registers". */
#include <stdlib.h>
#include <string.h>

#include "vmm/event/deliver.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct {
		struct vcpu_registers registers;
		struct task_switch request;
		struct event event;
		uint8_t switches;
	} input;
	struct gmem gm = {0};
	struct event_cpu cpu;
	enum status status;

	memset(&input, 0, sizeof(input));
	memset(memory, 0, sizeof(memory));
	memcpy(&input, data, size < sizeof(input) ? size : sizeof(input));
	if (size > sizeof(input))
		memcpy(memory, data + sizeof(input), size - sizeof(input) < sizeof(memory) ? size - sizeof(input) : sizeof(memory));
	if (gmem_add_slot(&gm, gpa(0), sizeof(memory), memory) != OK)
		abort();
	make_possible(&input.registers);
	input.request.source &= 3;
	input.event.info |= VCPU_EVENT_VALID;
	accesses = 0;
	cpu = (struct event_cpu){.gmem = &gm, .registers = input.registers};
	cpu.devices = (struct event_devices){.read = device_read, .write = device_write};
	status = (input.switches & 1) != 0 ? task_switch(&cpu, &input.request) : event_deliver(&cpu, &input.event);
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
