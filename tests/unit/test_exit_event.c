/* vmm/exit_event.c: what the VMM answers after a task switch or a delivery, and to accesses that it leaves alone. The work itself
 * is tested by test_task_switch.c and test_event_deliver.c. SDM Vol. 3A, "Interrupt 8--Double Fault Exception (#DF)". */
#include "tests/unit/event_memory.h"

#include "user/calls.h"
#include "vmm/decode/fetch.h"
#include "vmm/decode/walk.h"
#include "vmm/exit_event.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

static struct machine machine;
static struct vcpu_state vcpu_state;
static struct vcpu_reply vcpu_reply;
static struct machine_vcpu vcpu;
static struct vcpu_registers set;
static unsigned sets;
static enum status set_status;

enum status sys_vcpu_get_state(handle_t handle, uint32_t groups, struct vcpu_registers *registers)
{
	assert_int_equal(handle, 5);
	assert_int_equal(groups, VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS);
	*registers = cpu.registers;
	return OK;
}

enum status sys_vcpu_set_state(handle_t handle, uint32_t groups, const struct vcpu_registers *registers)
{
	assert_int_equal(handle, 5);
	assert_int_equal(groups, VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS);
	set = *registers;
	sets++;
	return set_status;
}

void vcpu_answer_stop(struct machine_vcpu *which, enum vcpu_stop_reason reason, const char *format, ...)
{
	assert_non_null(format);
	which->reply->action = VCPU_REPLY_STOP;
	which->reply->value = reason;
}

uint64_t machine_read(struct machine *which, struct bus *bus, uint64_t address, unsigned width)
{
	assert_ptr_equal(bus, &which->memory);
	return device_read(NULL, address, width);
}

void machine_write(struct machine *which, struct bus *bus, uint64_t address, unsigned width, uint64_t value)
{
	assert_ptr_equal(bus, &which->memory);
	device_write(NULL, address, width, value);
}

static int build(void **state)
{
	(void)state;
	build_cpu();
	put32(NEW_TSS + 0x20, 0x4444);
	put32(NEW_TSS + 0x38, STACK);
	put32(NEW_TSS + 0x4c, CODE_0);
	put32(NEW_TSS + 0x50, DATA_0);
	machine.gmem = gm;
	vcpu_reply = (struct vcpu_reply){.action = VCPU_REPLY_NONE};
	vcpu_state = (struct vcpu_state){.exit = {.value = (uint64_t)VCPU_TASK_GATE << 30 | TSS_NEW}};
	vcpu = (struct machine_vcpu){.machine = &machine, .handle = 5, .state = &vcpu_state, .reply = &vcpu_reply,
				     .retried_rip = UINT64_MAX};
	sets = 0;
	set_status = OK;
	return 0;
}

static void raise(uint32_t vector, enum vcpu_event_type type)
{
	vcpu_state.exit.event = VCPU_EVENT_VALID | (uint32_t)type << 8 | vector;
}

static void expect_injection(unsigned vector, uint32_t error_code, unsigned wanted_sets)
{
	assert_int_equal(vcpu_reply.action, VCPU_REPLY_INJECT);
	assert_int_equal(vcpu_reply.vector, vector);
	assert_int_equal(vcpu_reply.error_code, error_code);
	assert_int_equal(vcpu_reply.error_code_valid, vector != VECTOR_DB);
	assert_int_equal(sets, wanted_sets);
}

static void expect_stop(enum vcpu_stop_reason reason)
{
	assert_int_equal(vcpu_reply.action, VCPU_REPLY_STOP);
	assert_int_equal(vcpu_reply.value, reason);
}

static void test_exit_event_sets_what_a_task_switch_left(void **state)
{
	(void)state;
	raise(0x20, VCPU_EVENT_INTERRUPT);
	exit_task_switch(&vcpu);
	assert_int_equal(vcpu_reply.action, VCPU_REPLY_NONE);
	assert_int_equal(sets, 1);
	assert_int_equal(set.rip, 0x4444);
	assert_int_equal(set.tr.selector, TSS_NEW);
}

static void test_exit_event_fault_before_the_commit_point_sets_nothing(void **state)
{
	(void)state;
	raise(0x20, VCPU_EVENT_INTERRUPT);
	vcpu_state.exit.value = (uint64_t)VCPU_TASK_GATE << 30 | TSS_ABSENT;
	exit_task_switch(&vcpu);
	expect_injection(VECTOR_NP, TSS_ABSENT | 1, 0);
}

/* Behind it the kernel has no event left to combine the fault with. */
static void test_exit_event_fault_in_the_new_task(void **state)
{
	put32(NEW_TSS + 0x50, 0);
	raise(2, VCPU_EVENT_NMI);
	exit_task_switch(&vcpu);
	expect_injection(VECTOR_TS, 1, 1);
	build(state);
	put32(NEW_TSS + 0x50, 0);
	raise(13, VCPU_EVENT_EXCEPTION);
	exit_task_switch(&vcpu);
	expect_injection(VECTOR_DF, 0, 1);
	build(state);
	put32(NEW_TSS + 0x50, 0);
	raise(8, VCPU_EVENT_EXCEPTION);
	exit_task_switch(&vcpu);
	expect_stop(VCPU_STOP_TRIPLE_FAULT);
	build(state);
	put16(NEW_TSS + 0x64, 1);
	raise(13, VCPU_EVENT_EXCEPTION);
	exit_task_switch(&vcpu);
	expect_injection(VECTOR_DB, 0, 1); /* the T flag */
	assert_int_equal(vcpu_reply.value, DR6_BT);
}

static void test_exit_event_stops_where_it_cannot(void **state)
{
	cpu.registers.efer = EFER_LMA;
	exit_task_switch(&vcpu);
	expect_stop(VCPU_STOP_EVENT_NOT_EMULATED);
	build(state);
	set_status = ERR_INVALID;
	exit_task_switch(&vcpu);
	expect_stop(VCPU_STOP_EVENT_NOT_EMULATED);
}

static void test_exit_event_delivers_onto_a_device(void **state)
{
	(void)state;
	raise(3, VCPU_EVENT_SOFTWARE_EXCEPTION);
	vcpu_state.exit.instruction_bytes = 1;
	vcpu_state.exit.access = VCPU_ACCESS_WRITE | VCPU_ACCESS_EVENT;
	cpu.registers.gpr[GPR_RSP] = DEVICE;
	put32(IDT + 3 * 8, CODE_0 << 16 | 0x4800);
	put32(IDT + 3 * 8 + 4, 0xee00);
	exit_table(&vcpu);
	assert_int_equal(vcpu_reply.action, VCPU_REPLY_NONE);
	assert_int_equal(set.rip, 0x4800);
	assert_int_equal(device.value[2], 0x4001);
}

static void test_exit_event_leaves_the_local_apic_and_fetches_alone(void **state)
{
	vcpu_state.exit.access = VCPU_ACCESS_TABLE | VCPU_ACCESS_EVENT;
	vcpu_state.exit.kind = VCPU_EXIT_LOCAL_APIC;
	exit_table(&vcpu);
	expect_stop(VCPU_STOP_TABLE_OUTSIDE_MEMORY);
	build(state);
	vcpu_state.exit.access = VCPU_ACCESS_EXECUTE;
	exit_table(&vcpu);
	expect_stop(VCPU_STOP_FETCH_OUTSIDE_MEMORY);
	build(state);
	vcpu_state.exit.access = VCPU_ACCESS_TABLE; /* a walk that met the local APIC's page */
	exit_table(&vcpu);
	expect_stop(VCPU_STOP_TABLE_OUTSIDE_MEMORY);
}

static void walk_exit(uint64_t linear, uint32_t directory_entry)
{
	build_paging();
	put32(DIRECTORY + 4, directory_entry);
	vcpu_state.exit = (struct vcpu_exit){.access = VCPU_ACCESS_TABLE | VCPU_ACCESS_READ, .gla = linear, .gla_valid = 1,
					     .rip = 0x4000, .cr0 = CR0_PE | CR0_PG, .cr3 = DIRECTORY, .cr4 = 0x10,
					     .cs_attributes = 0xc09b};
}

static void test_exit_event_page_tables_outside_memory(void **state)
{
	static const uint8_t store[] = {0xc7, 0x05, 0x00, 0x10, 0x40, 0x00, 0x01, 0x00, 0x00, 0x00}; /* MOV DWORD [401000h], 1 */

	(void)state;
	walk_exit(0x401000, UINT32_MAX);
	memcpy(memory + 0x4000, store, sizeof(store));
	exit_table(&vcpu);
	expect_injection(VECTOR_PF, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED | PAGE_FAULT_WRITE, 0);
	assert_int_equal(vcpu_reply.value, 0x401000);
	build(state);
	walk_exit(0x401000, 0x00600007); /* a table of 32-bit paging: all-ones, no bit of which is reserved */
	exit_table(&vcpu);
	assert_int_equal(vcpu_reply.action, VCPU_REPLY_NONE);
	for (unsigned i = 0; vcpu_reply.action == VCPU_REPLY_NONE && i < 5000; i++)
		exit_table(&vcpu);
	expect_stop(VCPU_STOP_TABLE_OUTSIDE_MEMORY);
	build(state);
	vcpu_state.exit.access = VCPU_ACCESS_TABLE | VCPU_ACCESS_READ; /* PDPTEs for a MOV to CR3 */
	exit_table(&vcpu);
	expect_injection(VECTOR_GP, 0, 0);
}

static bool returns(const char *bytes, size_t count, uint32_t cs_attributes)
{
	struct fetched_code code = {.count = INSTRUCTION_BYTES_MAX};

	memcpy(code.bytes, bytes, count);
	vcpu_state.exit.cr0 = CR0_PE;
	vcpu_state.exit.efer = cpu.registers.efer;
	vcpu_state.exit.cs_attributes = cs_attributes;
	return exit_return(&vcpu, &code);
}

static void test_exit_event_carries_out_iret_of_each_width(void **state)
{
	put32(0x9000, 0x4500);
	put32(0x9004, CODE_0);
	put32(0x9008, 2);
	assert_true(returns("\xcf", 1, 0xc09b));
	assert_int_equal(set.rip, 0x4500);
	assert_int_equal(set.gpr[GPR_RSP], 0x900c);
	assert_int_equal(vcpu_reply.action, VCPU_REPLY_NONE);
	vcpu_state.exit.rflags = RFLAGS_TF; /* traps behind it */
	assert_true(returns("\xcf", 1, 0xc09b));
	expect_injection(VECTOR_DB, 0, 2);
	assert_int_equal(vcpu_reply.value, DR6_BS);
	build(state);
	put32(0x9000, CODE_0 << 16 | 0x4500);
	assert_true(returns("\x2e\x66\xcf", 3, 0xc09b));
	assert_int_equal(set.gpr[GPR_RSP], 0x9006);
	assert_false(returns("\x48\xcf", 2, 0xc09b)); /* DEC EAX: no prefix here */
	assert_false(returns("\x0f\xcf", 2, 0xc09b));
	assert_false(returns("\x66\x66\x66\x66", 4, 0xc09b));
	build(state);
	cpu.registers.efer = EFER_LMA;
	cpu.registers.cs.attributes = 0xa09b;
	assert_true(returns("\x48\xcf", 2, 0xa09b)); /* to a null code segment */
	expect_injection(VECTOR_GP, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_exit_event_sets_what_a_task_switch_left, build),
		cmocka_unit_test_setup(test_exit_event_fault_before_the_commit_point_sets_nothing, build),
		cmocka_unit_test_setup(test_exit_event_fault_in_the_new_task, build),
		cmocka_unit_test_setup(test_exit_event_stops_where_it_cannot, build),
		cmocka_unit_test_setup(test_exit_event_delivers_onto_a_device, build),
		cmocka_unit_test_setup(test_exit_event_leaves_the_local_apic_and_fetches_alone, build),
		cmocka_unit_test_setup(test_exit_event_page_tables_outside_memory, build),
		cmocka_unit_test_setup(test_exit_event_carries_out_iret_of_each_width, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
