/* Any bytes as instruction, registers, page tables and segments, in every mode: devices see aligned accesses of 1, 2, 4 and 8 bytes
 * only, memory is touched where it is, an execution ends, and what it leaves is in its bounds. */
#include <stdlib.h>
#include <string.h>

#include "vmm/decode/execute.h"

#define MEMORY_PAGES 8U

static uint8_t memory[MEMORY_PAGES * 4096] __attribute__((aligned(4096)));
static struct vcpu_registers registers;
static uint64_t answers;
static unsigned accesses;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status access(uint64_t address, unsigned width)
{
	if ((width != 1 && width != 2 && width != 4 && width != 8) || address % width != 0)
		abort();
	if (address < sizeof(memory) || accesses++ > 4 * EXECUTE_ELEMENTS * 8)
		abort();
	return accesses % 64 == 63 ? ERR_BUSY : OK;
}

static enum status read_device(void *context, uint64_t address, unsigned width, uint64_t *value)
{
	(void)context;
	answers = answers * 6364136223846793005ULL + 1;
	*value = (answers & 16) != 0 ? answers >> 20 : answers >> 56;
	*value &= UINT64_MAX >> (64 - 8 * (width & 15));
	return access(address, width);
}

static enum status write_device(void *context, uint64_t address, unsigned width, uint64_t value)
{
	(void)context;
	(void)value;
	return access(address, width);
}

static enum status get_registers(void *context, struct vcpu_registers *out)
{
	(void)context;
	*out = registers;
	return OK;
}

static enum status get_vectors(void *context, struct vcpu_vectors *out)
{
	(void)context;
	memset(out, (int)(answers >> 30), sizeof(*out));
	return OK;
}

/* Some of the input to each of these, in turn. */
static void take(const uint8_t **data, size_t *size, void *to, size_t bytes)
{
	size_t count = *size < bytes ? *size : bytes;

	memset(to, 0, bytes);
	memcpy(to, *data, count);
	*data += count;
	*size -= count;
}

static void check(const struct execution *x, enum status status)
{
	if (status == ERR_FAULT && (x->fault.vector > 31 || x->fault.vector == 2))
		abort();
	if (status == OK && x->instruction->code_size != CODE_64 && !x->changes_segments && x->rip >> 32 != 0)
		abort();
	if (status == OK && (x->changes_vectors && !x->has_vectors))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum code_size sizes[] = {CODE_16, CODE_32, CODE_64};
	static struct vcpu_state state;
	static struct execution x;
	struct gmem gm = {.slot_count = 0};
	const struct execution_environment environment = {
		.gmem = &gm,
		.read_device = read_device,
		.write_device = write_device,
		.get_registers = get_registers,
		.get_vectors = get_vectors,
	};
	struct instruction instruction;
	uint8_t bytes[INSTRUCTION_BYTES_MAX], mode;

	take(&data, &size, &mode, 1);
	take(&data, &size, bytes, sizeof(bytes));
	if (decode_instruction(bytes, sizeof(bytes), sizes[mode % 3], &instruction) != OK)
		return 0;
	take(&data, &size, &state, sizeof(state));
	take(&data, &size, &registers, sizeof(registers));
	for (unsigned i = 0; i < MEMORY_PAGES; i++)
		take(&data, &size, memory + 4096 * i, 512);
	if ((mode & 8) != 0) /* most addresses lie somewhere */
		state.exit.cr0 &= ~0x80000000ULL;
	if (gmem_add_slot(&gm, gpa(0), sizeof(memory), memory) != OK)
		abort();
	for (unsigned i = 0; (mode & 16) != 0 && i < GPR_COUNT; i++)
		state.gpr[i] = sizeof(memory) - 64 + (state.gpr[i] & 127); /* near the border */
	if (instruction.code_size != CODE_64)
		state.exit.rip &= UINT32_MAX;
	answers = mode;
	accesses = 0;
	x.environment = &environment;
	x.instruction = &instruction;
	x.state = &state;
	check(&x, execute_instruction(&x));
	return 0;
}
