/* virt/vcpu_run.c around a fake guest: a stop is never missed, and INIT leaves nothing of the life before. One file because all
 * tests need that guest and its thread. */
#include "tests/unit/unit.h"

#include "kernel/percpu.h"
#include "kernel/thread_internal.h"
#include "kernel/timer.h"
#include "tests/fake/cpu_insn.h"
#include "tests/fake/hv.h"
#include "virt/fpu.h"
#include "virt/interrupts.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

uint64_t fake_cr2, fake_dr6;
struct percpu fake_percpu;

static struct vm vm;
static struct vcpu vcpu, sibling; /* the other one is awake, unless a test says otherwise */
static struct vcpu_state vcpu_state;
static struct vcpu_reply vcpu_reply;
static struct hv_cpu hv_cpu;
static struct thread thread;
static unsigned entries, yields_left, blocks, debug_resets, arms, flushes_at_entry, arrivals, record_resets,
	live_resets;
static uint32_t while_blocked; /* bits of `pending` that others set meanwhile; 0: they stop the VM */

/* Another vCPU of the VM asks for it. */
void vm_stop(struct vm *which, enum vcpu_stop_reason reason)
{
	atomic_store(&which->stop_reason, (uint32_t)reason);
	atomic_fetch_or(&vcpu.pending, PENDING_STOP);
}

struct thread *thread_current(void)
{
	return &thread;
}

bool thread_should_yield(void)
{
	return yields_left != 0;
}

void thread_yield(void)
{
	yields_left--;
	if (yields_left == 0)
		vm_stop(&vm, VCPU_STOP_POWER_OFF);
}

void thread_block(uint64_t deadline_tsc)
{
	(void)deadline_tsc;
	assert_int_equal(vcpu.place, VCPU_BLOCKED);
	blocks++;
	if (while_blocked == 0)
		vm_stop(&vm, VCPU_STOP_POWER_OFF);
	atomic_fetch_or(&vcpu.pending, while_blocked);
	while_blocked = 0;
}

void timer_set_guest_deadline(uint64_t deadline_tsc)
{
	fake_percpu.guest_deadline_tsc = deadline_tsc;
	arms++;
}

void fpu_take(struct hv_cpu *cpu, struct vcpu *owner)
{
	cpu->fpu_owner = owner;
}

void fpu_init_debug_registers(struct vcpu *owner)
{
	assert_ptr_equal(hv_cpu.fpu_owner, owner);
	debug_resets++;
}

void steal_time_arrive(struct vcpu *which)
{
	assert_ptr_equal(which, &vcpu);
	arrivals++;
}

void steal_time_reset(struct vcpu *which)
{
	assert_ptr_equal(which, &vcpu);
	record_resets++;
}

void live_msrs_take(struct hv_cpu *cpu, struct vcpu *owner)
{
	cpu->msr_owner = owner;
}

void live_msrs_init(struct vcpu *owner)
{
	assert_ptr_equal(hv_cpu.msr_owner, owner);
	live_resets++;
}

void vcpu_reset(struct vcpu *which, uint64_t cr0)
{
	which->registers_waiting = true;
	which->registers.cr0 = cr0;
}

void vcpu_notify(struct vcpu *which, uint32_t pending_bits)
{
	atomic_fetch_or(&which->pending, pending_bits);
}

bool vcpu_notify_posted(struct vcpu *which)
{
	return atomic_load(&which->takes_posted);
}

/* The guest runs once, then the VM is stopped. */
static enum hv_leave guest(struct vcpu *which)
{
	assert_ptr_equal(which, &vcpu);
	assert_int_equal(atomic_load(&vm.stop_reason), VCPU_STOP_NONE);
	entries++;
	flushes_at_entry = fake_hv.flushes;
	vm_stop(&vm, VCPU_STOP_POWER_OFF);
	return HV_LEAVE_ATTENTION;
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&sibling, 0, sizeof(sibling));
	memset(&thread, 0, sizeof(thread));
	memset(&hv_cpu, 0, sizeof(hv_cpu));
	fake_hv_reset();
	fake_hv.run = guest;
	fake_percpu.hypervisor = &hv_cpu;
	vm.vcpu_limit = 2;
	atomic_store(&vm.vcpus[0], &vcpu);
	atomic_store(&vm.vcpus[1], &sibling);
	vcpu.sipi_vector = NO_SIPI;
	vcpu.vm = &vm;
	vcpu.state = &vcpu_state;
	vcpu.reply = &vcpu_reply;
	vcpu.timer_deadline_tsc = UINT64_MAX;
	vcpu.eoi_vector = NO_EOI;
	local_apic_create(&vcpu.apic, 0, true, true, 39, apic_clock_make(1000000000));
	entries = yields_left = blocks = debug_resets = arms = flushes_at_entry = arrivals = record_resets = live_resets = 0;
	while_blocked = 0;
	fake_percpu.guest_deadline_tsc = UINT64_MAX;
	return 0;
}

/* After a task switch by the VMM: a fault in the new task, whose registers must be there first. DR6 tells of the T flag. */
static void test_vcpu_run_exception_in_a_state_that_was_just_set(void **state)
{
	(void)state;
	vcpu.registers_waiting = true;
	vcpu.registers.cr2 = 0x1234;
	fake_dr6 = 0xffff0ff0;
	vcpu_reply = (struct vcpu_reply){.action = VCPU_REPLY_INJECT, .vector = 1, .value = UINT64_MAX};
	vcpu_run(&vcpu);
	assert_int_equal(entries, 1);
	assert_int_equal(fake_hv.exception, 1);
	assert_int_equal(fake_hv.register_loads_at_exception, 1);
	assert_int_equal(fake_hv.register_loads, 1);
	assert_true(fake_hv.event_pending);
	assert_int_equal(fake_dr6, 0xffffefff);
	assert_int_equal(fake_cr2, 0x1234);
}

/* Memory was taken from the VM while this vCPU was elsewhere: SDM Vol. 3C, "Guidelines for Use of the INVEPT Instruction". */
static void test_vcpu_run_forgets_translations_before_it_enters(void **state)
{
	(void)state;
	atomic_store(&vcpu.pending, PENDING_FLUSH);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 1);
	assert_int_equal(flushes_at_entry, 1);
}

static void run_again(void)
{
	atomic_store(&vm.stop_reason, (uint32_t)VCPU_STOP_NONE);
	atomic_store(&vcpu.pending, 0);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
}

static void test_vcpu_run_takes_the_cpu_once_until_another_had_it(void **state)
{
	struct vcpu other;

	(void)state;
	run_again();
	run_again();
	assert_int_equal(fake_hv.takes, 1);
	assert_int_equal(arrivals, 1);
	hv_cpu.settled = NULL; /* as hypervisor_switch_out() leaves it */
	hv_cpu.fpu_owner = hv_cpu.msr_owner = &other;
	run_again();
	assert_int_equal(fake_hv.takes, 2);
	assert_int_equal(arrivals, 2); /* the record of stolen time follows */
	assert_ptr_equal(hv_cpu.fpu_owner, &vcpu);
	assert_ptr_equal(hv_cpu.msr_owner, &vcpu);
}

static void test_vcpu_run_arms_a_timer_once_until_it_was_reached(void **state)
{
	(void)state;
	vcpu.timer_deadline_tsc = UINT64_MAX - 1;
	run_again();
	run_again();
	assert_int_equal(arms, 1);
	fake_percpu.guest_deadline_tsc = UINT64_MAX; /* reached, or another thread ran */
	run_again();
	assert_int_equal(arms, 2);
}

static void test_vcpu_run_sees_a_stop_after_an_entry(void **state)
{
	(void)state;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 1);
}

/* Other bits wait too: they are dealt with, the stop is not lost with them. */
static void test_vcpu_run_sees_a_stop_that_came_while_it_yielded(void **state)
{
	(void)state;
	yields_left = 2;
	atomic_store(&vcpu.pending, PENDING_INTERRUPT | PENDING_NMI);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 0);
	assert_int_equal(vcpu.state->exit.stop_reason, VCPU_STOP_POWER_OFF);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
}

static void test_vcpu_run_does_not_sleep_on_a_stop(void **state)
{
	(void)state;
	vcpu.activity = VCPU_WAIT_FOR_SIPI;
	yields_left = 1;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 0);
	setup(state);
	vcpu.activity = VCPU_WAIT_FOR_SIPI;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 1);
}

static void test_vcpu_run_init_leaves_nothing_behind(void **state)
{
	(void)state;
	vcpu.nmis_waiting = vcpu.extint_taken = vcpu.is_kicked = true;
	fake_hv.cr0 = 0x80000011;
	posted_post(&vcpu.posted, 0x41);
	atomic_store(&vcpu.pending, PENDING_INIT);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 1);
	assert_int_equal(debug_resets, 1);
	assert_int_equal(live_resets, 1);
	assert_int_equal(vcpu.registers.cr0, 0x80000011); /* vcpu_reset() is told what CR0 was */
	assert_int_equal(fake_hv.switched_resets, 1);
	assert_int_equal(record_resets, 1);
	assert_false(vcpu.nmis_waiting || vcpu.extint_taken || vcpu.is_kicked);
	assert_int_equal(vcpu.apic.irr[2] | vcpu.apic.isr[2], 0);
	assert_int_equal(fake_hv.injected_vector, -1);
}

static uint32_t before_hlt; /* bits of `pending` that others set just before the guest's HLT */
static unsigned hlts_left;

static enum hv_leave guest_halts(struct vcpu *which)
{
	if (hlts_left == 0)
		return guest(which);
	hlts_left--;
	entries++;
	atomic_fetch_or(&which->pending, before_hlt);
	before_hlt = 0;
	return HV_LEAVE_BLOCK;
}

static void halt_with_interrupts_off(unsigned times)
{
	fake_hv.run = guest_halts;
	fake_hv.interrupt_open = false;
	hlts_left = times;
	before_hlt = 0;
}

static void test_vcpu_run_kick_ends_hlt_with_interrupts_off(void **state)
{
	(void)state;
	halt_with_interrupts_off(1);
	while_blocked = PENDING_KICK;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 1);
	assert_int_equal(entries, 2);
	assert_false(vcpu.is_kicked || fake_hv.injected_nmi);
	assert_int_equal(fake_hv.injected_vector, -1);
}

/* The kicker cannot know how far the other one has come; and one kick ends one HLT. */
static void test_vcpu_run_kick_just_before_hlt_is_not_lost(void **state)
{
	(void)state;
	halt_with_interrupts_off(2);
	before_hlt = PENDING_KICK;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 2);
	assert_int_equal(blocks, 1); /* in the second HLT */
}

/* Hardware would have taken it, had the notification not come while no guest ran: then no bit of `pending` tells of it. */
static void test_vcpu_run_sees_before_an_entry_what_was_posted(void **state)
{
	(void)state;
	posted_post(&vcpu.posted, 0x41);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 1);
	assert_int_equal(fake_hv.injected_vector, 0x41);
}

static enum hv_leave guest_halts_and_is_posted_to(struct vcpu *which)
{
	if (hlts_left == 0)
		return guest(which);
	hlts_left--;
	posted_post(&which->posted, 0x41);
	return HV_LEAVE_BLOCK;
}

static void test_vcpu_run_sees_before_it_sleeps_what_was_posted(void **state)
{
	(void)state;
	fake_hv.run = guest_halts_and_is_posted_to;
	hlts_left = 1;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 0);
	assert_int_equal(entries, 1);
	assert_int_equal(fake_hv.injected_vector, 0x41);
}

static void test_vcpu_run_sees_what_the_hardware_has_before_it_sleeps(void **state)
{
	(void)state;
	fake_hv.run = guest_halts;
	fake_hv.lends = vcpu.apic_is_lent = true;
	fake_hv.lent_pending = true;
	hlts_left = 1;
	before_hlt = 0;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 0);
	assert_int_equal(entries, 2);
	setup(state);
	fake_hv.run = guest_halts;
	fake_hv.lends = vcpu.apic_is_lent = true;
	hlts_left = 1;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 1);
	assert_int_equal(fake_hv.apic_takes, 0);
}

static void test_vcpu_run_interrupt_does_not_end_hlt_with_interrupts_off(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	halt_with_interrupts_off(1);
	local_apic_write(&vcpu.apic, APIC_SVR, 0x1ff, 0, &effects);
	local_apic_post(&vcpu.apic, 0x40);
	while_blocked = PENDING_INTERRUPT;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 2);
	assert_int_equal(entries, 1);
}

/* A vCPU that waits for INIT-SIPI is in no HLT. */
static void test_vcpu_run_kick_does_not_start_a_processor(void **state)
{
	(void)state;
	vcpu.activity = VCPU_WAIT_FOR_SIPI;
	while_blocked = PENDING_KICK;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 2);
	assert_int_equal(entries, 0);
}

/* One vCPU alone has nobody to kick it, but itself: before. */
static void test_vcpu_run_lone_vcpu_kicks_itself(void **state)
{
	(void)state;
	vm.vcpu_limit = 1;
	halt_with_interrupts_off(2);
	before_hlt = PENDING_KICK;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(blocks, 0);
	assert_int_equal(entries, 2);
	assert_int_equal(vcpu.state->exit.stop_reason, VCPU_STOP_HALTED_FOREVER);
}

static void expect_dead(unsigned blocked)
{
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(vcpu.state->exit.stop_reason, blocked == 0 ? VCPU_STOP_HALTED_FOREVER : VCPU_STOP_POWER_OFF);
	assert_int_equal(blocks, blocked);
}

/* All halted with interrupts off, or waiting for a SIPI: nobody is left who could wake another. */
static void test_vcpu_run_last_one_to_halt_for_good_ends_the_vm(void **state)
{
	(void)state;
	halt_with_interrupts_off(1);
	atomic_store(&sibling.sleeps_for_good, true);
	expect_dead(0);
	setup(state);
	vcpu.activity = VCPU_WAIT_FOR_SIPI;
	atomic_store(&sibling.sleeps_for_good, true);
	expect_dead(0);
	setup(state);
	halt_with_interrupts_off(1);
	atomic_store(&sibling.sleeps_for_good, true);
	atomic_store(&sibling.pending, PENDING_NMI); /* it sleeps yet, but will send something */
	expect_dead(1);
	setup(state);
	halt_with_interrupts_off(1);
	fake_hv.interrupt_open = true;
	atomic_store(&sibling.sleeps_for_good, true);
	expect_dead(1);
}

static void test_vcpu_run_says_that_it_is_awake(void **state)
{
	(void)state;
	halt_with_interrupts_off(1);
	while_blocked = PENDING_KICK;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_false(atomic_load(&vcpu.sleeps_for_good));
	assert_int_equal(atomic_load(&vm.sleep_changes), 2);
}

/* "one INIT followed at once by one SIPI": INIT comes first, whichever bit is seen; a waiting processor takes no NMI with it. */
static void test_vcpu_run_init_and_sipi_at_once(void **state)
{
	(void)state;
	vcpu.apic.base &= ~APIC_BASE_BSP;
	atomic_store(&vcpu.sipi_vector, 0x9aU);
	atomic_store(&vcpu.nmis_sent, 1U);
	atomic_store(&vcpu.pending, PENDING_INIT | PENDING_SIPI | PENDING_NMI);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 1);
	assert_int_equal(vcpu.registers.cs.selector, 0x9a00);
	assert_int_equal(vcpu.registers.cs.base, 0x9a000);
	assert_false(fake_hv.injected_nmi);
	assert_int_equal(vcpu.sipi_vector, NO_SIPI);
}

static void test_vcpu_run_sipi_to_a_running_processor_is_lost(void **state)
{
	(void)state;
	atomic_store(&vcpu.sipi_vector, 0x9aU);
	atomic_store(&vcpu.pending, PENDING_SIPI);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 1);
	assert_int_equal(vcpu.registers.cs.selector, 0);
	assert_int_equal(vcpu.activity, VCPU_ACTIVE);
}

static void test_vcpu_run_waiting_processor_loses_nmis(void **state)
{
	(void)state;
	vcpu.activity = VCPU_WAIT_FOR_SIPI;
	atomic_store(&vcpu.nmis_sent, 1U);
	atomic_store(&vcpu.pending, PENDING_NMI);
	while_blocked = PENDING_SIPI;
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 1);
	assert_false(fake_hv.injected_nmi || vcpu.nmis_waiting);
}

static void test_vcpu_run_says_whose_doing_a_stop_was(void **state)
{
	(void)state;
	atomic_store(&vm.stopper, 2U);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(vcpu.state->exit.value, 1);
}

static void test_vcpu_run_tells_the_vmm_of_the_steal_time_msr_once(void **state)
{
	(void)state;
	vcpu.steal.is_asked_for = true;
	vcpu.steal.msr = 0x1041;
	atomic_store(&vcpu.pending, PENDING_INTERRUPT);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STEAL_TIME);
	assert_int_equal(vcpu.state->exit.value, 0x1041);
	assert_int_equal(entries, 0);
	assert_int_equal(vcpu_run(&vcpu), VCPU_EXIT_STOPPED);
	assert_int_equal(entries, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_vcpu_run_exception_in_a_state_that_was_just_set),
		TEST(test_vcpu_run_forgets_translations_before_it_enters),
		TEST(test_vcpu_run_takes_the_cpu_once_until_another_had_it),
		TEST(test_vcpu_run_arms_a_timer_once_until_it_was_reached),
		TEST(test_vcpu_run_sees_a_stop_after_an_entry),
		TEST(test_vcpu_run_sees_a_stop_that_came_while_it_yielded),
		TEST(test_vcpu_run_does_not_sleep_on_a_stop),
		TEST(test_vcpu_run_init_leaves_nothing_behind),
		TEST(test_vcpu_run_kick_ends_hlt_with_interrupts_off),
		TEST(test_vcpu_run_kick_just_before_hlt_is_not_lost),
		TEST(test_vcpu_run_interrupt_does_not_end_hlt_with_interrupts_off),
		TEST(test_vcpu_run_sees_before_an_entry_what_was_posted),
		TEST(test_vcpu_run_sees_before_it_sleeps_what_was_posted),
		TEST(test_vcpu_run_sees_what_the_hardware_has_before_it_sleeps),
		TEST(test_vcpu_run_kick_does_not_start_a_processor),
		TEST(test_vcpu_run_lone_vcpu_kicks_itself),
		TEST(test_vcpu_run_last_one_to_halt_for_good_ends_the_vm),
		TEST(test_vcpu_run_says_that_it_is_awake),
		TEST(test_vcpu_run_init_and_sipi_at_once),
		TEST(test_vcpu_run_sipi_to_a_running_processor_is_lost),
		TEST(test_vcpu_run_waiting_processor_loses_nmis),
		TEST(test_vcpu_run_says_whose_doing_a_stop_was),
		TEST(test_vcpu_run_tells_the_vmm_of_the_steal_time_msr_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
