/* One access at a time: translate, then memory or a device. */
#include "vmm/event/linear.h"

#include "abi/layout.h"
#include "vmm/decode/walk.h"

static bool is_long_mode(const struct event_cpu *cpu)
{
	return (cpu->registers.efer & EFER_LMA) != 0;
}

/* Outside IA-32e mode addresses wrap at 4 GiB. */
static uint64_t advanced(const struct event_cpu *cpu, uint64_t linear, uint64_t bytes)
{
	return is_long_mode(cpu) ? linear + bytes : (uint32_t)(linear + bytes);
}

static enum status translate(struct event_cpu *cpu, uint64_t linear, enum linear_kind kind, bool is_write, gpa_t *out)
{
	const struct vcpu_registers *r = &cpu->registers;
	const struct walk_access access = {.is_write = is_write, .is_user = kind == LINEAR_USER_STACK, .marks = true};
	const struct vcpu_exit state = {.cr0 = r->cr0,
					.cr3 = r->cr3,
					.cr4 = r->cr4,
					.efer = r->efer,
					.rflags = kind == LINEAR_TABLE ? r->rflags & ~RFLAGS_AC : r->rflags};
	uint32_t error_code;
	enum status status = walk_translate(cpu->gmem, &state, linear, access, out, &error_code, NULL);

	if (status == ERR_FAULT) {
		cpu->fault = (struct event_fault){.vector = VECTOR_PF, .error_code = error_code, .value = linear};
		return ERR_FAULT;
	}
	if (status == ERR_INVALID)
		return event_raise(cpu, kind == LINEAR_TABLE ? VECTOR_GP : VECTOR_SS, cpu->external);
	return status == OK ? OK : event_refuse(cpu, "the guest's page tables cannot be read");
}

static uint64_t read_physical(struct event_cpu *cpu, gpa_t at, unsigned width)
{
	uint64_t value = 0;
	enum status status;

	switch (width) {
	case 1: {
		uint8_t byte;

		status = gmem_read_u8(cpu->gmem, at, &byte);
		value = status == OK ? byte : 0;
		break;
	}
	case 2: {
		uint16_t word;

		status = gmem_read_u16(cpu->gmem, at, &word);
		value = status == OK ? word : 0;
		break;
	}
	case 4: {
		uint32_t doubleword;

		status = gmem_read_u32(cpu->gmem, at, &doubleword);
		value = status == OK ? doubleword : 0;
		break;
	}
	default: status = gmem_read_u64(cpu->gmem, at, &value); break;
	}
	return status == OK ? value : cpu->devices.read(cpu->devices.ctx, at.raw, width);
}

static void write_physical(struct event_cpu *cpu, gpa_t at, unsigned width, uint64_t value)
{
	enum status status;

	switch (width) {
	case 1: status = gmem_write_u8(cpu->gmem, at, (uint8_t)value); break;
	case 2: status = gmem_write_u16(cpu->gmem, at, (uint16_t)value); break;
	case 4: status = gmem_write_u32(cpu->gmem, at, (uint32_t)value); break;
	default: status = gmem_write_u64(cpu->gmem, at, value); break;
	}
	if (status != OK)
		cpu->devices.write(cpu->devices.ctx, at.raw, width, value);
}

static bool crosses_page(uint64_t linear, unsigned width)
{
	return (linear & (PAGE_SIZE_BYTES - 1)) > PAGE_SIZE_BYTES - width;
}

enum status linear_read(struct event_cpu *cpu, uint64_t linear, unsigned width, enum linear_kind kind, uint64_t *out)
{
	unsigned step = crosses_page(linear, width) ? 1 : width;
	uint64_t value = 0;

	for (unsigned i = 0; i < width; i += step) {
		gpa_t at;
		enum status status = translate(cpu, advanced(cpu, linear, i), kind, false, &at);

		if (status != OK)
			return status;
		value |= read_physical(cpu, at, step) << i * 8;
	}
	*out = value;
	return OK;
}

enum status linear_write(struct event_cpu *cpu, uint64_t linear, unsigned width, enum linear_kind kind, uint64_t value)
{
	unsigned step = crosses_page(linear, width) ? 1 : width;
	gpa_t at[8];

	for (unsigned i = 0; i < width; i += step) {
		enum status status = translate(cpu, advanced(cpu, linear, i), kind, true, &at[i]);

		if (status != OK)
			return status;
	}
	for (unsigned i = 0; i < width; i += step)
		write_physical(cpu, at[i], step, value >> i * 8);
	return OK;
}

enum status linear_probe(struct event_cpu *cpu, uint64_t linear, unsigned bytes, bool is_write)
{
	uint64_t last = advanced(cpu, linear, bytes - 1);
	gpa_t unused;
	enum status status = translate(cpu, linear, LINEAR_TABLE, is_write, &unused);

	if (status == OK && ((linear ^ last) & ~(PAGE_SIZE_BYTES - 1)) != 0)
		status = translate(cpu, last & ~(PAGE_SIZE_BYTES - 1), LINEAR_TABLE, is_write, &unused);
	return status;
}

enum status linear_change(struct event_cpu *cpu, uint64_t linear, uint8_t clear, uint8_t set)
{
	gpa_t at;
	enum status status = translate(cpu, linear, LINEAR_TABLE, true, &at);

	if (status != OK)
		return status;
	if (gmem_change_u8(cpu->gmem, at, clear, set) != OK)
		write_physical(cpu, at, 1, (read_physical(cpu, at, 1) & (uint8_t)~clear) | set);
	return OK;
}
