/* A vCPU and what is around it, for tests of vmm/decode/execute.h: a page of memory, two of a device and one of memory again lie
 * one behind the other, by physical address. */
#pragma once
#include "tests/unit/unit.h"
#include "vmm/decode/execute.h"

#define BASE       0x100000ULL /* page 0: memory; 1, 2: the device; 3: memory; tables behind that */
#define DEVICE     (BASE + 0x1000)
#define BEHIND     (BASE + 0x3000)
#define TABLES     0x200000ULL
#define CR0_PE     0x1ULL
#define CR0_AM     0x40000ULL
#define CR0_WP     0x10000ULL
#define CR0_PG     0x80000000ULL
#define CR4_SMAP   0x200000ULL
#define EFER_LONG  0xd00ULL
#define RFLAGS_VM  0x20000ULL
#define RFLAGS_AC  0x40000ULL
#define DATA       0xc093U /* present, writable, big, granular */
#define CODE       0xc09bU
#define UNUSABLE   0x10000U
#define P          1ULL
#define W          2ULL
#define U          4ULL
#define ACCESSED   0x20ULL
#define DIRTY      0x40ULL

static uint8_t memory[2][4096] __attribute__((aligned(4096)));
static uint64_t tables[5][512] __attribute__((aligned(4096)));
static uint8_t device[0x2000];
static struct gmem gm;
static struct vcpu_state vcpu;
static struct vcpu_registers registers;
static struct instruction instruction;
static struct execution x;
static unsigned accesses, widths;
static bool device_is_busy;

static enum status read_device(void *context, uint64_t address, unsigned width, uint64_t *value)
{
	(void)context;
	assert_int_equal(address % width, 0);
	assert_true(address >= DEVICE && address + width <= BEHIND);
	accesses++;
	widths = widths * 16 + width;
	*value = 0;
	memcpy(value, device + (address - DEVICE), width);
	return device_is_busy ? ERR_BUSY : OK;
}

static enum status write_device(void *context, uint64_t address, unsigned width, uint64_t value)
{
	(void)context;
	assert_int_equal(address % width, 0);
	assert_true(address >= DEVICE && address + width <= BEHIND);
	accesses++;
	widths = widths * 16 + width;
	memcpy(device + (address - DEVICE), &value, width);
	return OK;
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
	memset(out, 0, sizeof(*out));
	out->xcr0 = 7;
	return OK;
}

static const struct execution_environment environment = {
	.gmem = &gm,
	.read_device = read_device,
	.write_device = write_device,
	.get_registers = get_registers,
	.get_vectors = get_vectors,
};

static int build(void **state)
{
	const struct vcpu_segment flat = {.limit = UINT32_MAX, .attributes = DATA};

	(void)state;
	memset(&gm, 0, sizeof(gm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(memory, 0x11, sizeof(memory));
	memset(device, 0x22, sizeof(device));
	memset(tables, 0, sizeof(tables));
	assert_int_equal(gmem_add_slot(&gm, gpa(BASE), 4096, memory[0]), OK);
	assert_int_equal(gmem_add_slot(&gm, gpa(BEHIND), 4096, memory[1]), OK);
	assert_int_equal(gmem_add_slot(&gm, gpa(TABLES), sizeof(tables), tables), OK);
	registers = (struct vcpu_registers){.cs = flat, .ss = flat, .ds = flat, .es = flat, .fs = flat, .gs = flat};
	registers.cs.attributes = CODE;
	vcpu.exit.cr0 = CR0_PE;
	vcpu.exit.rflags = 2;
	vcpu.exit.ss_attributes = DATA;
	vcpu.exit.rip = 0x1000;
	vcpu.gpr[GPR_RBX] = DEVICE;
	accesses = widths = 0;
	device_is_busy = false;
	return 0;
}

static enum status execute(enum code_size code_size, const char *bytes, size_t count)
{
	assert_int_equal(decode_instruction((const uint8_t *)bytes, count, code_size, &instruction), OK);
	assert_int_equal(instruction.length_bytes, count);
	x.environment = &environment;
	x.instruction = &instruction;
	x.state = &vcpu;
	return execute_instruction(&x);
}

#define EXECUTE(mode, bytes) execute(mode, bytes, sizeof(bytes) - 1)

static void expect_fault(enum status status, enum exception vector, uint32_t error_code)
{
	assert_int_equal(status, ERR_FAULT);
	assert_int_equal(x.fault.vector, vector);
	assert_int_equal(x.fault.error_code, error_code);
}
