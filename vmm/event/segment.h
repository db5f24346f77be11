/* Segment descriptors: read from the guest's tables, checked, and as a vCPU's registers hold them.
 * SDM Vol. 3A, "Segment Descriptors", "System Descriptor Types"; attributes are in the format of VMCS access rights. */
#pragma once
#include "vmm/event/event_cpu.h"
#include "vmm/event/linear.h"

#define SELECTOR_RPL      0x3U
#define SELECTOR_TI       0x4U
#define SELECTOR_INDEX_TI 0xfffcU

#define SEGMENT_TYPE(attributes) ((attributes) & 0xfU)
#define SEGMENT_DPL(attributes)  ((attributes) >> 5 & 3U)
#define SEGMENT_ACCESSED  0x1U
#define SEGMENT_WRITABLE  0x2U /* data; of code: readable */
#define SEGMENT_DOWN      0x4U /* data that expands down; of code: conforming */
#define SEGMENT_CODE      0x8U
#define SEGMENT_S         0x10U
#define SEGMENT_PRESENT   0x80U
#define SEGMENT_L         0x2000U
#define SEGMENT_DB        0x4000U
#define SEGMENT_GRANULAR  0x8000U
#define SEGMENT_NONE      0x10000U /* unusable */
#define SEGMENT_OF_DPL(dpl) ((uint32_t)(dpl) << 5)

/* System descriptors. */
#define SYSTEM_LDT       2U
#define SYSTEM_TSS_16    1U
#define SYSTEM_TASK_GATE 5U
#define SYSTEM_TSS_BUSY  2U /* a bit */
#define SYSTEM_32        8U /* a bit */

struct descriptor {
	uint32_t base, limit;
	uint32_t attributes;
	uint64_t linear; /* where it lies */
};

/* The descriptor of a selector, fetched once. ERR_NOT_FOUND: null, or outside its table. Faults: #PF. */
MUST_CHECK enum status descriptor_read(struct event_cpu *cpu, uint16_t selector, struct descriptor *out);

/* Sets the accessed bit in the table and in *descriptor. Faults: #PF. */
MUST_CHECK enum status descriptor_mark(struct event_cpu *cpu, struct descriptor *descriptor);

/* A segment register as a load of that descriptor leaves it. */
struct vcpu_segment segment_of(uint16_t selector, const struct descriptor *descriptor);
/* ... with a null selector, or before it could be loaded. */
struct vcpu_segment segment_unusable(uint16_t selector, unsigned dpl);
/* ... in virtual-8086 mode, and in real mode the same but for the attributes. */
struct vcpu_segment segment_8086(uint16_t selector);

static inline bool segment_is_code(uint32_t attributes)
{
	return (attributes & (SEGMENT_S | SEGMENT_CODE)) == (SEGMENT_S | SEGMENT_CODE);
}

static inline bool segment_is_conforming(uint32_t attributes)
{
	return (attributes & (SEGMENT_S | SEGMENT_CODE | SEGMENT_DOWN)) == (SEGMENT_S | SEGMENT_CODE | SEGMENT_DOWN);
}

static inline bool segment_is_writable_data(uint32_t attributes)
{
	return (attributes & (SEGMENT_S | SEGMENT_CODE | SEGMENT_WRITABLE)) == (SEGMENT_S | SEGMENT_WRITABLE);
}

/* Whether [offset, offset + bytes) lies within the limit. */
bool segment_holds(const struct vcpu_segment *segment, uint32_t offset, unsigned bytes);

/* The stack that a CPU pushes on or pops from; SP moves, and the registers do not know yet. */
struct stack {
	struct vcpu_segment segment;
	uint64_t pointer;
	enum linear_kind kind;
	uint32_t error_code; /* of #SS where it is too small */
	bool is_64_bit;
};

/* The stack of the registers. */
struct stack stack_now(const struct event_cpu *cpu);
/* width: 2, 4, 8 bytes of value. Faults: #SS, #PF. */
MUST_CHECK enum status stack_push(struct event_cpu *cpu, struct stack *stack, unsigned width, uint64_t value);
MUST_CHECK enum status stack_pop(struct event_cpu *cpu, struct stack *stack, unsigned width, uint64_t *value);
