/* Offsets of TSS fields, and the ways through them. Each field is read once. */
#include "vmm/event/tss.h"

#include "vmm/event/linear.h"
#include "vmm/event/segment.h"

#define TSS32_CR3      0x1cU
#define TSS32_TRAP     0x64U
#define SELECTOR_BYTES 2U

static const struct tss_layout layout_16 = {
	.width = 2, .eip = 0x0e, .ldt = 0x2a, .segment_count = 4, .limit_min = 0x2b, .saved_last = 0x29};
static const struct tss_layout layout_32 = {
	.width = 4, .eip = 0x20, .ldt = 0x60, .segment_count = 6, .limit_min = 0x67, .saved_last = 0x5f};

const struct tss_layout *tss_layout_of(uint32_t attributes)
{
	return (attributes & SYSTEM_32) != 0 ? &layout_32 : &layout_16;
}

/* EIP, EFLAGS and the general registers follow each other. */
static uint64_t word_at(const struct tss_layout *layout, uint64_t base, unsigned number)
{
	return (uint32_t)(base + layout->eip + number * layout->width);
}

static uint64_t segment_at(const struct tss_layout *layout, uint64_t base, unsigned number)
{
	return word_at(layout, base, 10 + number);
}

enum status tss_save(struct event_cpu *cpu, const struct tss_layout *layout, uint64_t base, const struct task_image *image)
{
	enum status status = linear_write(cpu, word_at(layout, base, 0), layout->width, LINEAR_TABLE, image->eip);

	if (status == OK)
		status = linear_write(cpu, word_at(layout, base, 1), layout->width, LINEAR_TABLE, image->eflags);
	for (unsigned i = 0; i < 8 && status == OK; i++)
		status = linear_write(cpu, word_at(layout, base, 2 + i), layout->width, LINEAR_TABLE, image->gpr[i]);
	for (unsigned i = 0; i < layout->segment_count && status == OK; i++)
		status = linear_write(cpu, segment_at(layout, base, i), SELECTOR_BYTES, LINEAR_TABLE, image->segments[i]);
	return status;
}

static enum status read32(struct event_cpu *cpu, uint64_t linear, unsigned width, uint32_t *out)
{
	uint64_t value;
	enum status status = linear_read(cpu, (uint32_t)linear, width, LINEAR_TABLE, &value);

	if (status == OK)
		*out = (uint32_t)value;
	return status;
}

static enum status read16(struct event_cpu *cpu, uint64_t linear, uint16_t *out)
{
	uint32_t value;
	enum status status = read32(cpu, linear, SELECTOR_BYTES, &value);

	if (status == OK)
		*out = (uint16_t)value;
	return status;
}

/* What only a TSS of 32 bits has. */
static enum status load_rest(struct event_cpu *cpu, uint64_t base, struct task_image *image)
{
	enum status status = read32(cpu, base + TSS32_CR3, 4, &image->cr3);
	uint16_t trap;

	if (status == OK)
		status = read16(cpu, base + TSS32_TRAP, &trap);
	if (status == OK)
		image->traps = (trap & 1) != 0;
	return status;
}

/* Of 16 bits, processors leave all-ones in the upper halves of the registers. */
enum status tss_load(struct event_cpu *cpu, const struct tss_layout *layout, uint64_t base, struct task_image *image)
{
	bool is_32 = layout->width == 4;
	enum status status;

	*image = (struct task_image){0};
	status = read32(cpu, word_at(layout, base, 0), layout->width, &image->eip);
	if (status == OK)
		status = read32(cpu, word_at(layout, base, 1), layout->width, &image->eflags);
	for (unsigned i = 0; i < 8 && status == OK; i++) {
		status = read32(cpu, word_at(layout, base, 2 + i), layout->width, &image->gpr[i]);
		image->gpr[i] |= is_32 ? 0 : 0xffff0000U;
	}
	for (unsigned i = 0; i < layout->segment_count && status == OK; i++)
		status = read16(cpu, segment_at(layout, base, i), &image->segments[i]);
	if (status == OK)
		status = read16(cpu, base + layout->ldt, &image->ldt);
	return status == OK && is_32 ? load_rest(cpu, base, image) : status;
}

enum status tss_inner_stack(struct event_cpu *cpu, unsigned level, uint16_t *selector, uint32_t *pointer)
{
	const struct vcpu_segment *tr = &cpu->registers.tr;
	unsigned width = tss_layout_of(tr->attributes)->width, offset = width + level * 2 * width;
	enum status status;

	if (offset + width + SELECTOR_BYTES - 1 > tr->limit)
		return event_raise_selector(cpu, VECTOR_TS, tr->selector);
	status = read32(cpu, tr->base + offset, width, pointer);
	return status == OK ? read16(cpu, tr->base + offset + width, selector) : status;
}
