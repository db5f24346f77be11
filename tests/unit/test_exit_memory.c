/* What the VMM answers to accesses of instructions: vmm/exit_memory.c, exit_execute.c, exit_local_apic.c, exit_port_string.c. What
 * the instructions do is tested by test_emulate.c and test_execute.c. Code lies at 1000h, without paging; memory ends at 8000h. */
#include "tests/unit/unit.h"

#include "lib/base/format.h"
#include "user/calls.h"
#include "user/log.h"
#include "vmm/exit_decode.h"
#include "vmm/exit_event.h"
#include "vmm/firmware.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

#define CODE         0x1000U
#define MEMORY_BYTES 0x8000U
#define DEVICE       0xd0000000ULL
#define APIC         0xfee00000ULL
#define LONG_CODE    0xa09bU
#define DATA         0xc093U
#define RFLAGS_TF    0x100ULL

static struct machine machine;
static struct vmm_spec spec = {.name = "test"};
static struct vcpu_state state;
static struct vcpu_reply reply;
static struct machine_vcpu vcpu;
static struct vcpu_registers registers, set;
static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(4096)));
static uint64_t device, port;
static unsigned reads, writes, sets, lines;

enum status sys_vcpu_get_state(handle_t handle, uint32_t groups, struct vcpu_registers *out)
{
	assert_int_equal(handle, 5);
	assert_int_equal(groups, VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS);
	*out = registers;
	return OK;
}

enum status sys_vcpu_set_state(handle_t handle, uint32_t groups, const struct vcpu_registers *in)
{
	assert_int_equal(handle, 5);
	assert_int_equal(groups, VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS);
	set = *in;
	sets++;
	return OK;
}

enum status sys_vcpu_get_vectors(handle_t handle, struct vcpu_vectors *out)
{
	assert_int_equal(handle, 5);
	memset(out, 0x77, sizeof(*out));
	return OK;
}

enum status sys_vcpu_set_vectors(handle_t handle, const struct vcpu_vectors *in)
{
	assert_int_equal(handle, 5);
	assert_memory_equal(in->area + 160, &device, 8);
	sets++;
	return OK;
}

void log_print(const char *format, ...)
{
	assert_non_null(format);
	lines++;
}

void exit_table(struct machine_vcpu *which)
{
	fail_msg("%p is no access to a table", (void *)which);
}

bool exit_return(struct machine_vcpu *which, const struct fetched_code *code)
{
	assert_ptr_equal(which, &vcpu);
	assert_true(code->count > 0);
	return false;
}

bool firmware_settles(struct machine_vcpu *which)
{
	assert_ptr_equal(which, &vcpu);
	return false;
}

void vcpu_answer_stop(struct machine_vcpu *which, enum vcpu_stop_reason reason, const char *format, ...)
{
	assert_non_null(format);
	which->reply->action = VCPU_REPLY_STOP;
	which->reply->value = reason;
}

uint64_t machine_read(struct machine *which, struct bus *bus, uint64_t address, unsigned width)
{
	assert_true(bus == &which->memory ? address >= DEVICE && address + width <= DEVICE + 0x1000 : address == 0x300);
	reads++;
	return device;
}

void machine_write(struct machine *which, struct bus *bus, uint64_t address, unsigned width, uint64_t value)
{
	assert_true(bus == &which->memory ? address >= DEVICE && address + width <= DEVICE + 0x1000 : address == 0x300);
	writes++;
	*(bus == &which->memory ? &device : &port) = value;
}

static int build(void **unused)
{
	const struct vcpu_segment flat = {.limit = UINT32_MAX, .attributes = DATA};

	(void)unused;
	memset(&machine, 0, sizeof(machine));
	memset(memory, 0, sizeof(memory));
	machine.spec = &spec;
	assert_int_equal(gmem_add_slot(&machine.gmem, gpa(0), MEMORY_BYTES, memory), OK);
	registers = (struct vcpu_registers){.cs = flat, .ss = flat, .ds = flat, .es = flat, .rip = CODE};
	state = (struct vcpu_state){.exit = {.kind = VCPU_EXIT_MEMORY, .gpa = DEVICE, .rip = CODE, .rflags = 2, .cr0 = 1,
					     .efer = 0x500, .cs_attributes = LONG_CODE, .access = VCPU_ACCESS_READ}};
	state.gpr[GPR_RBX] = DEVICE;
	state.gpr[GPR_RSP] = 0x7000;
	reply = (struct vcpu_reply){.action = VCPU_REPLY_NONE};
	vcpu = (struct machine_vcpu){.machine = &machine, .handle = 5, .state = &state, .reply = &reply, .retried_rip = UINT64_MAX};
	reads = writes = sets = lines = 0;
	device = 0x1122334455667788;
	return 0;
}

/* An exit at these bytes; in the local APIC's page where the vCPU's registers say so. */
static void exit_at(const char *bytes, size_t count)
{
	memset(memory + CODE, 0, 16);
	memcpy(memory + CODE, bytes, count);
	if (state.exit.kind == VCPU_EXIT_LOCAL_APIC)
		exit_local_apic(&vcpu);
	else
		exit_memory(&vcpu);
}

#define EXIT_AT(bytes) exit_at(bytes, sizeof(bytes) - 1)

static void test_exit_memory_short_ways(void **unused)
{
	(void)unused;
	EXIT_AT("\x48\x8b\x03");
	assert_int_equal(reply.action, VCPU_REPLY_COMPLETE);
	assert_int_equal(reply.registers[0].value, device);
	assert_int_equal(reply.advance_bytes, 3);
	EXIT_AT("\x48\x01\x03"); /* add [rbx], rax */
	assert_int_equal(reply.action, VCPU_REPLY_COMPLETE);
	assert_true(reads == 2 && writes == 1);
	device = 0;
	EXIT_AT("\x48\xf7\x33"); /* div */
	assert_int_equal(reply.action, VCPU_REPLY_INJECT);
	assert_int_equal(reply.vector, 0);
	assert_int_equal(reply.error_code_valid, 0);
}

static void test_exit_memory_stack_pointer_needs_a_jump(void **unused)
{
	(void)unused;
	EXIT_AT("\xff\x33"); /* push [rbx] */
	assert_int_equal(reply.action, VCPU_REPLY_JUMP);
	assert_int_equal(reply.value, CODE + 2);
	assert_int_equal(reply.advance_bytes, 0);
	assert_int_equal(reply.register_count, 1);
	assert_int_equal(reply.registers[0].number, GPR_RSP);
	assert_int_equal(reply.registers[0].value, 0x6ff8);
	assert_memory_equal(memory + 0x6ff8, &device, 8);
	device = 0x2000;
	EXIT_AT("\xff\x23"); /* jmp [rbx] */
	assert_int_equal(reply.action, VCPU_REPLY_JUMP);
	assert_int_equal(reply.value, 0x2000);
}

static void test_exit_memory_registers_go_by_groups(void **unused)
{
	(void)unused;
	EXIT_AT("\x0f\x10\x03"); /* without CR4.OSFXSR */
	assert_int_equal(reply.vector, 6);
	state.exit.cr4 = 0x200;
	EXIT_AT("\x0f\x12\x03"); /* movlps xmm0 */
	assert_int_equal(reply.action, VCPU_REPLY_COMPLETE);
	assert_int_equal(sets, 1);
	device = 0;
	state.exit.rflags |= 0x10000; /* RF, which an EPT violation leaves set */
	EXIT_AT("\x8e\x1b"); /* mov ds */
	assert_int_equal(set.rflags & 0x10000, 0);
	assert_int_equal(reply.action, VCPU_REPLY_NONE);
	assert_int_equal(sets, 2);
	assert_int_equal(set.rip, CODE + 2);
	assert_int_equal(set.gpr[GPR_RBX], DEVICE);
}

static void test_exit_memory_strings_trap_by_element(void **unused)
{
	(void)unused;
	state.gpr[GPR_RSI] = DEVICE;
	state.gpr[GPR_RDI] = 0x2000;
	state.gpr[GPR_RCX] = 300;
	EXIT_AT("\xf3\xa4");
	assert_int_equal(reply.action, VCPU_REPLY_COMPLETE);
	assert_int_equal(reply.advance_bytes, 0);
	assert_int_equal(reply.register_count, 3);
	assert_int_equal(reads, 256);
	state.exit.rflags |= RFLAGS_TF;
	EXIT_AT("\xf3\xa4");
	assert_int_equal(reply.action, VCPU_REPLY_JUMP);
	assert_int_equal(reply.value, CODE);
	assert_int_equal(reads, 257);
}

/* Another vCPU may be writing the code; in the end the VM stops, and the registers are in the log. */
static void test_exit_memory_tries_again_then_stops(void **unused)
{
	unsigned tries = 0;

	(void)unused;
	for (reply.action = VCPU_REPLY_NONE; reply.action == VCPU_REPLY_NONE && tries < 5000; tries++)
		EXIT_AT("\x0f\xae\x03"); /* fxsave */
	assert_true(tries > 100 && tries < 5000);
	assert_int_equal(reply.action, VCPU_REPLY_STOP);
	assert_int_equal(reply.value, VCPU_STOP_UNKNOWN_INSTRUCTION);
	assert_true(lines >= 6);
	build(NULL);
	state.gpr[GPR_RBX] = 0x3000; /* memory */
	EXIT_AT("\xf0\x48\x0f\xc7\x0b");
	assert_int_equal(reply.action, VCPU_REPLY_NONE);
	assert_int_equal(reads + writes, 0);
}

/* The CPU has found the code as another vCPU left it, and come back in its loop: that is another instruction. */
static void test_exit_memory_tries_again_for_ever_where_the_guest_goes_on(void **unused)
{
	(void)unused;
	for (unsigned turn = 0; turn < 3000; turn++) {
		state.gpr[GPR_RCX] = turn;
		EXIT_AT("\x0f\xae\x03");
		assert_int_equal(reply.action, VCPU_REPLY_NONE);
	}
}

static void test_exit_memory_local_apic_is_asked_and_asked_again(void **unused)
{
	(void)unused;
	state.exit.kind = VCPU_EXIT_LOCAL_APIC;
	state.exit.gpa = state.gpr[GPR_RBX] = APIC + 0x80;
	EXIT_AT("\xff\x33");
	assert_int_equal(reply.action, VCPU_REPLY_APIC_READ);
	assert_int_equal(reply.apic_offset, 0x80);
	state.exit.kind = VCPU_EXIT_APIC_VALUE;
	state.exit.value = 0x30;
	exit_apic_value(&vcpu);
	assert_int_equal(reply.action, VCPU_REPLY_JUMP);
	assert_int_equal(memory[0x6ff8], 0x30);
	assert_int_equal(memory[0x6ff9], 0);
	state.exit.kind = VCPU_EXIT_LOCAL_APIC;
	EXIT_AT("\x8f\x03"); /* pop: its write, and RSP */
	assert_int_equal(reply.action, VCPU_REPLY_APIC_WRITE);
	assert_int_equal(reply.apic_offset, 0x80);
	assert_int_equal(reply.register_count, 0);
	assert_int_equal(reply.advance_bytes, 0);
	assert_int_equal(sets, 1);
	assert_int_equal(set.rip, CODE + 2);
	assert_int_equal(set.gpr[GPR_RSP], 0x7008);
}

/* Each register is written by itself: the instruction goes on with the next one. */
static void test_exit_memory_local_apic_takes_strings_by_register(void **unused)
{
	(void)unused;
	state.exit.kind = VCPU_EXIT_LOCAL_APIC;
	state.exit.gpa = state.gpr[GPR_RDI] = APIC + 0x320;
	state.gpr[GPR_RAX] = 0x10000;
	state.gpr[GPR_RCX] = 5;
	EXIT_AT("\xf3\xab");
	assert_int_equal(reply.action, VCPU_REPLY_APIC_WRITE);
	assert_int_equal(reply.apic_offset, 0x320);
	assert_int_equal(reply.advance_bytes, 0);
	assert_int_equal(reply.registers[0].value, APIC + 0x324);
	assert_int_equal(reply.registers[1].value, 4);
}

static void test_exit_memory_port_strings(void **unused)
{
	(void)unused;
	state.exit.kind = VCPU_EXIT_PORT_STRING;
	state.exit.port = 0x300;
	state.exit.port_width = 1;
	state.exit.port_has_rep = 1;
	state.gpr[GPR_RDI] = DEVICE;
	state.gpr[GPR_RCX] = 2;
	memcpy(memory + CODE, "\xf3\x6c", 2);
	exit_port_string(&vcpu);
	assert_int_equal(reply.action, VCPU_REPLY_COMPLETE);
	assert_int_equal(reply.advance_bytes, 2);
	assert_true(reads == 2 && writes == 2);
	state.gpr[GPR_RDI] = 0x800000000000;
	exit_port_string(&vcpu);
	assert_int_equal(reply.action, VCPU_REPLY_INJECT);
	assert_int_equal(reply.vector, 13);
	assert_int_equal(reads, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_exit_memory_short_ways, build),
		cmocka_unit_test_setup(test_exit_memory_stack_pointer_needs_a_jump, build),
		cmocka_unit_test_setup(test_exit_memory_registers_go_by_groups, build),
		cmocka_unit_test_setup(test_exit_memory_strings_trap_by_element, build),
		cmocka_unit_test_setup(test_exit_memory_tries_again_then_stops, build),
		cmocka_unit_test_setup(test_exit_memory_tries_again_for_ever_where_the_guest_goes_on, build),
		cmocka_unit_test_setup(test_exit_memory_local_apic_is_asked_and_asked_again, build),
		cmocka_unit_test_setup(test_exit_memory_local_apic_takes_strings_by_register, build),
		cmocka_unit_test_setup(test_exit_memory_port_strings, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
