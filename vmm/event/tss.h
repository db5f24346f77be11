/* Task-state segments of 16 and 32 bits. SDM Vol. 3A, "Task-State Segment (TSS)", "16-Bit Task-State Segment (TSS)". */
#pragma once
#include "vmm/event/event_cpu.h"

#define TSS_LINK_BYTES 2U

/* What of a TSS a task switch saves and loads. The registers are in the order of their numbers. */
struct task_image {
	uint32_t cr3; /* 32-bit TSS only */
	uint32_t eip, eflags;
	uint32_t gpr[8];
	uint16_t segments[6]; /* enum segment of vmm/decode/instruction.h: ES, CS, SS, DS, FS, GS */
	uint16_t ldt;
	bool traps; /* the T flag */
};

/* By how a TSS is laid out. */
struct tss_layout {
	unsigned width;       /* of its registers: 2, 4 */
	unsigned eip, ldt;    /* offsets; what eip begins with ends before ldt */
	unsigned segment_count;
	unsigned limit_min;   /* of a TSS that is switched to */
	unsigned saved_last;  /* the last byte that is saved */
};

/* attributes: of its descriptor or of TR. */
const struct tss_layout *tss_layout_of(uint32_t attributes);

/* base: linear. Faults: #PF. */
MUST_CHECK enum status tss_save(struct event_cpu *cpu, const struct tss_layout *layout, uint64_t base,
				const struct task_image *image);
MUST_CHECK enum status tss_load(struct event_cpu *cpu, const struct tss_layout *layout, uint64_t base, struct task_image *image);

/* The stack for a more privileged level, 0 to 2, of the current TSS. Faults: #TS(TR) where it lies beyond the limit; #PF. */
MUST_CHECK enum status tss_inner_stack(struct event_cpu *cpu, unsigned level, uint16_t *selector, uint32_t *pointer);
