/* Accesses to the local APIC's page that exit as such: what is carried out at once, and what the VMM gets to decode. SDM Vol. 3C,
 * "Exit Qualification for APIC-Access VM Exits from Linear Accesses". */
#include <stdlib.h>

#include "kernel/thread.h"
#include "tests/fake/vmx_insn.h"
#include "tests/unit/unit.h"
#include "virt/interrupts.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/access_decode.h"
#include "vmx/apic_access.h"
#include "vmx/exit.h"
#include "vmx/inject.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_vcpu.h"

#define VECTOR       0x45U
#define EOI_WRITE    0x10b0U
#define EOI_READ     0x00b0U
#define FETCH        0x20b0U
#define GUEST_TABLE  0xf000U

static struct {
	unsigned decode_groups, eois, events, rings;
} seen;

static enum status fill_status;
static uint64_t filled_gpa;
enum status guest_map_fill(struct vm *vm, uint64_t gpa)
{
	assert_true(vm->map.has_gaps);
	filled_gpa = gpa;
	return fill_status;
}

void vmx_fill_decode_group(struct vcpu *vcpu)
{
	(void)vcpu;
	seen.decode_groups++;
}

void vmx_tell_event(struct vcpu_exit *exit)
{
	exit->event = VCPU_EVENT_VALID;
	seen.events++;
}

void interrupts_apply(struct vcpu *vcpu, const struct apic_effects *effects)
{
	(void)vcpu;
	seen.eois += (effects->flags & APIC_EFFECT_EOI) != 0 && effects->eoi_vector == VECTOR ? 1 : 0;
}

_Noreturn void vmcs_access_failed(uint32_t encoding)
{
	fail_msg("VMCS field %x", encoding);
	abort();
}

/* One doorbell, at port C000h. */
static bool should_yield;

bool doorbells_ring(struct doorbells *doorbells, uint16_t port)
{
	assert_non_null(doorbells);
	seen.rings += port == 0xc000 ? 1 : 0;
	return port == 0xc000;
}

bool thread_should_yield(void)
{
	return should_yield;
}

struct machine {
	struct vm vm;
	struct vcpu vcpu;
	struct vcpu_state state;
};

/* A guest in xAPIC mode with an interrupt in service. */
static void start(struct machine *machine)
{
	*machine = (struct machine){.vcpu = {.vm = &machine->vm, .state = &machine->state}};
	local_apic_create(&machine->vcpu.apic, 0, true, true, 39, apic_clock_make(1000000000));
	local_apic_post(&machine->vcpu.apic, VECTOR);
	local_apic_accept(&machine->vcpu.apic, VECTOR);
	seen.decode_groups = seen.eois = seen.events = 0;
}

static enum exit_verdict access_page(struct machine *machine, uint64_t qualification, uint32_t length)
{
	const struct exit_info info = {
		.reason = EXIT_REASON_APIC_ACCESS, .qualification = qualification, .instruction_bytes = length};

	return exit_apic_access(&machine->vcpu, &info);
}

static void test_eoi_ends_the_interrupt_without_the_vmm(void **state)
{
	struct machine machine;

	(void)state;
	for (uint32_t length = 1; length <= 15; length++) {
		start(&machine);
		assert_int_equal(access_page(&machine, EOI_WRITE, length), EXIT_ADVANCE);
		assert_int_equal(seen.eois, 1);
		assert_int_equal(seen.decode_groups, 0);
	}
}

static void expect_decode(struct machine *machine, enum vcpu_exit_kind kind, uint64_t gpa, unsigned access)
{
	assert_int_equal(seen.eois, 0);
	assert_int_equal(seen.decode_groups, 1);
	assert_int_equal(machine->state.exit.kind, kind);
	assert_true(machine->state.exit.gpa == gpa);
	assert_int_equal(machine->state.exit.access, access);
	assert_int_equal(machine->state.exit.instruction_bytes, 0);
	assert_int_equal(machine->state.exit.gla_valid, 0);
}

static void test_a_length_that_no_instruction_has_is_decoded(void **state)
{
	static const uint32_t lengths[] = {0, 16, 0x100, 0x80000000, UINT32_MAX};
	struct machine machine;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		start(&machine);
		assert_int_equal(access_page(&machine, EOI_WRITE, lengths[i]), EXIT_TO_VMM);
		expect_decode(&machine, VCPU_EXIT_LOCAL_APIC, 0xfee000b0, VCPU_ACCESS_WRITE);
	}
}

static void test_other_accesses_are_decoded(void **state)
{
	static const struct {
		uint64_t qualification, gpa;
		unsigned access;
	} others[] = {
		{EOI_READ, 0xfee000b0, VCPU_ACCESS_READ},  {0x10a0, 0xfee000a0, VCPU_ACCESS_WRITE},
		{0x1ff4, 0xfee00ff4, VCPU_ACCESS_WRITE},   {FETCH, 0xfee000b0, VCPU_ACCESS_EXECUTE},
		{0x30b0, 0xfee000b0, VCPU_ACCESS_TABLE},   {GUEST_TABLE, 0xfee00000, VCPU_ACCESS_TABLE},
		{0xa000, 0xfee00000, VCPU_ACCESS_TABLE},
	};
	struct machine machine;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		start(&machine);
		assert_int_equal(access_page(&machine, others[i].qualification, 3), EXIT_TO_VMM);
		expect_decode(&machine, VCPU_EXIT_LOCAL_APIC, others[i].gpa, others[i].access);
	}
}

/* A stack in the local APIC's page: the write is no instruction's operand. */
static void test_an_event_that_is_delivered_there_is_no_eoi(void **state)
{
	const struct exit_info info = {.qualification = EOI_WRITE, .instruction_bytes = 2, .in_delivery = true};
	struct machine machine;

	(void)state;
	start(&machine);
	assert_int_equal(exit_apic_access(&machine.vcpu, &info), EXIT_TO_VMM);
	expect_decode(&machine, VCPU_EXIT_LOCAL_APIC, 0xfee000b0, VCPU_ACCESS_TABLE | VCPU_ACCESS_EVENT);
	assert_int_equal(seen.events, 1);
}

/* In x2APIC mode, off, or moved away: nothing is at that address. */
static void test_without_a_page_it_is_an_address_without_memory(void **state)
{
	static const uint64_t bases[] = {0xfee00d00, 0xfee00100, 0xfed00900};
	struct machine machine;

	(void)state;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		start(&machine);
		machine.vcpu.apic.base = bases[i];
		assert_int_equal(access_page(&machine, EOI_WRITE, 3), EXIT_TO_VMM);
		expect_decode(&machine, VCPU_EXIT_MEMORY, 0xfee000b0, VCPU_ACCESS_WRITE);
	}
}

/* Memory that was taken out of the guest comes back without its VMM; devices and what may be read but not written go there. */
static void test_gaps_are_filled(void **state)
{
	struct exit_info info = {.reason = EXIT_REASON_EPT_VIOLATION, .qualification = EPT_VIOLATION_WRITE};
	struct machine machine;

	(void)state;
	start(&machine);
	fake_vmx.fields[VMCS_GUEST_PHYSICAL_ADDRESS.encoding] = 0x40200123;
	assert_int_equal(exit_ept_violation(&machine.vcpu, &info), EXIT_TO_VMM);
	machine.vm.map.has_gaps = true;
	fill_status = OK;
	filled_gpa = 0;
	assert_int_equal(exit_ept_violation(&machine.vcpu, &info), EXIT_REENTER);
	assert_int_equal(filled_gpa, 0x40200123);
	fill_status = ERR_NO_MEMORY;
	assert_int_equal(exit_ept_violation(&machine.vcpu, &info), EXIT_TO_VMM);
	assert_int_equal(machine.state.exit.kind, VCPU_EXIT_POOL_EMPTY);
	fill_status = ERR_NOT_FOUND;
	assert_int_equal(exit_ept_violation(&machine.vcpu, &info), EXIT_TO_VMM);
	assert_int_equal(machine.state.exit.kind, VCPU_EXIT_MEMORY);
	info.qualification = EPT_VIOLATION_WRITE | 0x8; /* it is there and may be read */
	fill_status = OK;
	assert_int_equal(exit_ept_violation(&machine.vcpu, &info), EXIT_TO_VMM);
}

#define IO(port, width, flags) ((uint64_t)(port) << 16 | (flags) | ((width) - 1))
#define IO_IN     0x08U
#define IO_STRING 0x10U

static enum exit_verdict port_exit(struct machine *machine, uint64_t qualification)
{
	const struct exit_info info = {.qualification = qualification, .instruction_bytes = 1};

	start(machine);
	seen.rings = 0;
	atomic_store(&machine->vm.doorbells.span, 0xc000U | 8U << 16);
	return exit_io(&machine->vcpu, &info);
}

static void test_an_out_to_a_doorbell_does_not_go_to_the_vmm(void **state)
{
	static const unsigned widths[] = {1, 2, 4};
	struct machine machine;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(port_exit(&machine, IO(0xc000, widths[i], 0)), EXIT_ADVANCE);
		assert_int_equal(seen.rings, 1);
		assert_int_equal(atomic_load(&machine.vcpu.pending), 0);
	}
	should_yield = true;
	assert_int_equal(port_exit(&machine, IO(0xc000, 2, 0)), EXIT_ADVANCE);
	should_yield = false;
	assert_int_equal(atomic_load(&machine.vcpu.pending), PENDING_YIELD);
}

static void test_other_port_accesses_go_to_the_vmm(void **state)
{
	static const uint64_t others[] = {
		IO(0xc000, 2, IO_IN), IO(0xc000, 2, IO_STRING), IO(0xc000, 2, IO_IN | IO_STRING),
		IO(0xc004, 2, 0), IO(0xc008, 2, 0), IO(0xbfff, 2, 0), IO(0x80, 1, 0),
	};
	struct machine machine;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(port_exit(&machine, others[i]), EXIT_TO_VMM);
		assert_int_equal(seen.rings, 0);
		assert_int_equal(machine.state.exit.port, others[i] >> 16);
		assert_int_equal(machine.state.exit.kind, (others[i] & IO_STRING) != 0 ? VCPU_EXIT_PORT_STRING : VCPU_EXIT_PORT);
		assert_int_equal(machine.state.exit.port_is_write, (others[i] & IO_IN) != 0 ? 0 : 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_out_to_a_doorbell_does_not_go_to_the_vmm),
		cmocka_unit_test(test_other_port_accesses_go_to_the_vmm),
		cmocka_unit_test(test_eoi_ends_the_interrupt_without_the_vmm),
		cmocka_unit_test(test_a_length_that_no_instruction_has_is_decoded),
		cmocka_unit_test(test_other_accesses_are_decoded),
		cmocka_unit_test(test_an_event_that_is_delivered_there_is_no_eoi),
		cmocka_unit_test(test_gaps_are_filled),
		cmocka_unit_test(test_without_a_page_it_is_an_address_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
