/* Routing of messages, priorities before an entry, wake-ups from HLT. SDM Vol. 3A, "Determining IPI Destination".
 * One file because all tests need the same four vCPUs. */
#include <stdlib.h>

#include "tests/fake/hv.h"
#include "tests/fake/vcpus.h"
#include "tests/unit/unit.h"
#include "kernel/thread.h"
#include "virt/interrupts.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define VCPUS 4U

static struct vm vm;
static struct vcpu *vcpus[VCPUS];
static uint64_t guest_deadline;

/* What virt/ calls in kernel/ and in vcpu.c. */
void timer_set_guest_deadline(uint64_t deadline_tsc)
{
	guest_deadline = deadline_tsc;
}

void vcpu_notify(struct vcpu *vcpu, uint32_t pending_bits)
{
	atomic_fetch_or(&vcpu->pending, pending_bits);
}

bool vcpu_notify_posted(struct vcpu *vcpu)
{
	return atomic_load(&vcpu->takes_posted);
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	fake_hv_reset();
	fake_vcpus_make(&vm, vcpus, VCPUS);
	for (uint32_t i = 0; i < VCPUS; i++) {
		struct apic_effects effects = {.flags = 0};

		local_apic_write(&vcpus[i]->apic, APIC_LDR, 1U << (24 + i), 0, &effects);
		interrupts_publish_route(vcpus[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_vcpus_free(vcpus, VCPUS);
	return 0;
}

/* Which vCPUs have the vector posted, as a bit each; takes it away. */
static unsigned take(uint8_t vector)
{
	unsigned who = 0;

	for (uint32_t i = 0; i < VCPUS; i++) {
		uint64_t posted[4] = {0};

		posted_take(&vcpus[i]->posted, posted);
		who |= (unsigned)(posted[vector / 64] >> vector % 64 & 1) << i;
	}
	return who;
}

static void test_interrupts_physical_destination(void **state)
{
	(void)state;
	assert_int_equal(interrupts_send(&vm, vcpus[0], 2ULL << 32 | 0x40, false), 1);
	assert_int_equal(take(0x40), 0x4);
	assert_int_equal(interrupts_send(&vm, vcpus[0], 9ULL << 32 | 0x40, false), 0);
	assert_int_equal(interrupts_send(&vm, vcpus[0], 0xffULL << 32 | 0x41, false), 4);
	assert_int_equal(take(0x41), 0xf);
}

static void test_interrupts_logical_flat(void **state)
{
	(void)state;
	assert_int_equal(interrupts_send(&vm, vcpus[0], 0x0aULL << 32 | ICR_LOGICAL | 0x40, false), 2);
	assert_int_equal(take(0x40), 0xa);
}

static void test_interrupts_logical_cluster(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < VCPUS; i++) {
		struct apic_effects effects = {.flags = 0};

		local_apic_write(&vcpus[i]->apic, APIC_DFR, 0, 0, &effects);
		local_apic_write(&vcpus[i]->apic, APIC_LDR, (i / 2) << 28 | 1U << (24 + i % 2), 0, &effects);
		interrupts_publish_route(vcpus[i]);
	}
	assert_int_equal(interrupts_send(&vm, vcpus[0], 0x13ULL << 32 | ICR_LOGICAL | 0x40, false), 2);
	assert_int_equal(take(0x40), 0xc);
}

static void test_interrupts_x2apic_logical(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < VCPUS; i++) {
		vcpus[i]->apic.base |= APIC_BASE_X2APIC;
		interrupts_publish_route(vcpus[i]);
	}
	assert_int_equal(interrupts_send(&vm, vcpus[0], 0x6ULL << 32 | ICR_LOGICAL | 0x40, true), 2);
	assert_int_equal(take(0x40), 0x6);
	assert_int_equal(interrupts_send(&vm, vcpus[0], 0x10006ULL << 32 | ICR_LOGICAL | 0x40, true), 0);
	assert_int_equal(interrupts_send(&vm, vcpus[0], 0xffffffffULL << 32 | 0x42, true), 4);
	assert_int_equal(take(0x42), 0xf);
}

static void test_interrupts_shorthands(void **state)
{
	(void)state;
	interrupts_send(&vm, vcpus[1], 1U << 18 | 0x40, false);
	assert_int_equal(take(0x40), 0x2);
	interrupts_send(&vm, vcpus[1], 2U << 18 | 0x40, false);
	assert_int_equal(take(0x40), 0xf);
	interrupts_send(&vm, vcpus[1], 3U << 18 | 0x40, false);
	assert_int_equal(take(0x40), 0xd);
}

static void test_interrupts_lowest_priority_goes_to_one(void **state)
{
	(void)state;
	assert_int_equal(interrupts_send(&vm, NULL, 0xfULL << 32 | ICR_LOGICAL | DELIVERY_LOWEST << 8 | 0x40, false), 1);
	assert_int_equal(__builtin_popcount(take(0x40)), 1);
}

static void test_interrupts_lowest_priority_goes_to_one_that_accepts(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	local_apic_write(&vcpus[0]->apic, APIC_SVR, 0xff, 0, &effects);
	interrupts_publish_route(vcpus[0]);
	assert_int_equal(interrupts_send(&vm, NULL, 0xfULL << 32 | ICR_LOGICAL | DELIVERY_LOWEST << 8 | 0x40, false), 1);
	assert_int_equal(take(0x40), 0x2);
}

#define TO_LOWEST (0xfULL << 32 | ICR_LOGICAL | DELIVERY_LOWEST << 8)

/* "Lowest Priority Delivery Mode": the least task priority; of equals each in turn. */
static void test_interrupts_lowest_priority_is_fair(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	atomic_store(&vm.lowest_start, 0);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(interrupts_send(&vm, NULL, TO_LOWEST | 0x40, false), 1);
		assert_int_equal(take(0x40), 1U << i % 4);
	}
	for (unsigned i = 0; i < 4; i++) {
		local_apic_write(&vcpus[i]->apic, APIC_TPR, i == 2 ? 0x1f : 0x20, 0, &effects);
		interrupts_apply(vcpus[i], &effects);
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(interrupts_send(&vm, NULL, TO_LOWEST | 0x50, false), 1);
		assert_int_equal(take(0x50), 0x4);
	}
}

static void test_interrupts_msi_address(void **state)
{
	(void)state;
	assert_int_equal(interrupts_send_msi(&vm, 0xfee03000, 0x45), 1);
	assert_int_equal(take(0x45), 0x8);
	assert_int_equal(interrupts_send_msi(&vm, 0xfee0100c, 0x45), 1); /* logical: vCPU 0 */
	assert_int_equal(take(0x45), 0x1);
	assert_int_equal(interrupts_send_msi(&vm, 0xfed03000, 0x45), 0);
	assert_int_equal(interrupts_send_msi(&vm, 0x1fee03000, 0x45), 0);
}

static void test_interrupts_disabled_apic_takes_only_nmi(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	local_apic_write(&vcpus[1]->apic, APIC_SVR, 0xff, 0, &effects);
	interrupts_publish_route(vcpus[1]);
	interrupts_send(&vm, NULL, 1ULL << 32 | 0x40, false);
	assert_int_equal(take(0x40), 0);
	interrupts_send(&vm, NULL, 1ULL << 32 | DELIVERY_NMI << 8, false);
	assert_int_equal(atomic_load(&vcpus[1]->pending), PENDING_NMI);
}

/* "Handling Multiple NMIs": one is delivered, one more waits; while one is handled, or about to be, one waits. */
static void test_interrupts_nmis_beyond_two_are_lost(void **state)
{
	static const struct { unsigned sent, waiting, wanted; bool open, event; } cases[] = {
		{0, 0, 0, true, false}, {1, 0, 1, true, false},  {2, 0, 2, true, false},
		{3, 0, 2, true, false}, {1, 1, 2, true, false},  {2, 0, 1, false, false},
		{2, 0, 1, true, true},  {5, 1, 1, false, false}, {0, 1, 1, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_hv.nmi_open = cases[i].open;
		fake_hv.event_pending = cases[i].event;
		vcpus[1]->nmis_waiting = (uint8_t)cases[i].waiting;
		for (unsigned n = 0; n < cases[i].sent; n++)
			interrupts_send(&vm, NULL, 1ULL << 32 | DELIVERY_NMI << 8, false);
		interrupts_take_nmis(vcpus[1]);
		assert_int_equal(vcpus[1]->nmis_waiting, cases[i].wanted);
	}
}

/* "Error Status Register (ESR)": the receiver notes it. */
static void test_interrupts_vectors_below_16_are_the_receivers_error(void **state)
{
	struct apic_effects effects = {.flags = 0};
	struct local_apic *apic = &vcpus[0]->apic;

	(void)state;
	interrupts_send_msi(&vm, 0xfee00000, 0x0f);
	interrupts_send_msi(&vm, 0xfee00000, 0x31);
	assert_false(interrupts_before_entry(vcpus[0]));
	assert_int_equal(fake_hv.injected_vector, 0x31);
	assert_int_equal(local_apic_read(apic, APIC_IRR, 0), 0);
	local_apic_write(apic, APIC_ESR, 0, 0, &effects);
	assert_int_equal(local_apic_read(apic, APIC_ESR, 0), APIC_ESR_RECEIVE_ILLEGAL);
}

/* "Enabling or Disabling the Local APIC": nothing reaches a processor whose IA32_APIC_BASE says off, and what was under way when
 * it was switched off is lost. */
static void test_interrupts_apic_that_is_off_gets_nothing(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	interrupts_send(&vm, NULL, 1ULL << 32 | 0x41, false);
	assert_true(local_apic_base_write(&vcpus[1]->apic, 0xfee00000, &effects));
	interrupts_apply(vcpus[1], &effects);
	atomic_store(&vcpus[1]->pending, 0);
	interrupts_send(&vm, NULL, 1ULL << 32 | DELIVERY_NMI << 8, false);
	interrupts_send(&vm, NULL, 1ULL << 32 | DELIVERY_INIT << 8 | ICR_ASSERT, false);
	interrupts_send(&vm, vcpus[0], (uint64_t)SHORTHAND_OTHERS << 18 | 0x42, false);
	assert_int_equal(atomic_load(&vcpus[1]->pending), 0);
	assert_false(interrupts_before_entry(vcpus[1]));
	assert_true(local_apic_base_write(&vcpus[1]->apic, 0xfee00800, &effects));
	assert_int_equal(local_apic_read(&vcpus[1]->apic, APIC_IRR + 0x20, 0), 0);
	assert_int_equal(fake_hv.injected_vector, -1);
}

static void test_interrupts_init_and_sipi(void **state)
{
	(void)state;
	interrupts_send(&vm, vcpus[0], 1ULL << 32 | DELIVERY_INIT << 8 | ICR_ASSERT, false);
	interrupts_send(&vm, vcpus[0], 1ULL << 32 | DELIVERY_STARTUP << 8 | 0x9a, false);
	assert_int_equal(atomic_load(&vcpus[1]->pending), PENDING_INIT | PENDING_SIPI);
	assert_int_equal(atomic_load(&vcpus[1]->sipi_vector), 0x9a);
	interrupts_send(&vm, vcpus[0], 2ULL << 32 | DELIVERY_INIT << 8 | ICR_LEVEL, false); /* de-assert */
	assert_int_equal(atomic_load(&vcpus[2]->pending), 0);
}

static void send_to_1(uint64_t icr)
{
	interrupts_send(&vm, vcpus[0], 1ULL << 32 | ICR_ASSERT | icr, false);
}

/* SDM Vol. 3A, "MP Initialization Protocol Algorithm": only a processor that waits for a SIPI takes one. */
static void test_interrupts_init_forgets_the_sipi_before(void **state)
{
	(void)state;
	send_to_1(DELIVERY_STARTUP << 8 | 0x10);
	send_to_1(DELIVERY_INIT << 8);
	assert_int_equal(atomic_load(&vcpus[1]->pending), PENDING_INIT);
	send_to_1(DELIVERY_STARTUP << 8 | 0x9a);
	send_to_1(DELIVERY_STARTUP << 8 | 0x9b); /* by then it runs */
	assert_int_equal(atomic_load(&vcpus[1]->pending), PENDING_INIT | PENDING_SIPI);
	assert_int_equal(atomic_load(&vcpus[1]->sipi_vector), 0x9a);
}

static void test_interrupts_before_entry_injects_by_priority(void **state)
{
	struct vcpu *vcpu = vcpus[0];

	(void)state;
	interrupts_send_msi(&vm, 0xfee00000, 0x31);
	interrupts_send_msi(&vm, 0xfee00000, 0x81);
	vcpu->nmis_waiting = true;
	assert_false(interrupts_before_entry(vcpu));
	assert_true(fake_hv.injected_nmi && fake_hv.interrupt_window && !fake_hv.nmi_window);
	assert_int_equal(fake_hv.injected_vector, -1);
	fake_hv.event_pending = false;
	assert_false(interrupts_before_entry(vcpu));
	assert_int_equal(fake_hv.injected_vector, 0x81);
	assert_false(fake_hv.interrupt_window); /* 31h is of a lower class than what is in service */
	assert_int_equal(vcpu->apic.isr[4] >> 1 & 1, 1);
}

static void test_interrupts_before_entry_opens_window_when_closed(void **state)
{
	(void)state;
	interrupts_send_msi(&vm, 0xfee00000, 0x31);
	fake_hv.interrupt_open = false;
	fake_hv.nmi_open = false;
	vcpus[0]->nmis_waiting = true;
	assert_false(interrupts_before_entry(vcpus[0]));
	assert_int_equal(fake_hv.injected_vector, -1);
	assert_true(fake_hv.interrupt_window && fake_hv.nmi_window && vcpus[0]->nmis_waiting);
}

static void test_interrupts_event_in_flight_comes_first(void **state)
{
	(void)state;
	interrupts_send_msi(&vm, 0xfee00000, 0x31);
	fake_hv.event_pending = true;
	assert_false(interrupts_before_entry(vcpus[0]));
	assert_int_equal(fake_hv.injected_vector, -1);
	assert_true(fake_hv.interrupt_window);
}

static void test_interrupts_extint_is_a_level(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	atomic_store(&vcpus[0]->extint_level, 1);
	assert_false(interrupts_before_entry(vcpus[0])); /* LINT0 is masked */
	local_apic_write(&vcpus[0]->apic, APIC_LVT_LINT0, 0x700, 0, &effects);
	assert_true(interrupts_before_entry(vcpus[0]));
	fake_hv.interrupt_open = false;
	assert_false(interrupts_before_entry(vcpus[0]));
	assert_true(fake_hv.interrupt_window);
}

/* The 8259 has given its vector: the local APIC, which nobody would tell of its end, has no part in it. */
static void test_interrupts_extint_vector_waits_beside_the_local_apic(void **state)
{
	struct vcpu *vcpu = vcpus[0];

	(void)state;
	vcpu->extint_taken = true;
	vcpu->extint_vector = 0x30;
	fake_hv.interrupt_open = false;
	assert_false(interrupts_before_entry(vcpu));
	assert_true(fake_hv.interrupt_window && vcpu->extint_taken && fake_hv.injected_vector == -1);
	assert_false(interrupts_wake(vcpu));
	fake_hv.interrupt_open = true;
	assert_true(interrupts_wake(vcpu));
	assert_false(interrupts_before_entry(vcpu));
	assert_int_equal(fake_hv.injected_vector, 0x30);
	assert_true(!vcpu->extint_taken && !fake_hv.interrupt_window);
	assert_int_equal(vcpu->apic.irr[1] | vcpu->apic.isr[1], 0);
}

static void test_interrupts_eoi_comes_back_for_level_vectors(void **state)
{
	struct apic_effects effects = {.flags = APIC_EFFECT_EOI, .eoi_vector = 0x51};

	(void)state;
	interrupts_apply(vcpus[0], &effects);
	assert_true(vcpus[0]->eoi_vector == NO_EOI);
	atomic_store(&vm.eoi_exits[1], 1ULL << 0x11);
	interrupts_apply(vcpus[0], &effects);
	assert_int_equal(vcpus[0]->eoi_vector, 0x51);
	interrupts_send_msi(&vm, 0xfee00000, 0x51);
	assert_false(interrupts_before_entry(vcpus[0]));
	assert_int_equal(vcpus[0]->apic.tmr[2] >> 0x11 & 1, 1);
}

/* What a vCPU sends to itself: into IRR, with TMR as for all, and not where it is switched off by software. */
static void test_interrupts_self_ipi(void **state)
{
	struct vcpu *vcpu = vcpus[2];
	struct apic_effects effects = {.flags = APIC_EFFECT_SEND, .icr = (uint64_t)SHORTHAND_SELF << 18 | 0x91};

	(void)state;
	vcpu->apic.tmr[4] = 1U << 0x11;
	atomic_store(&vcpu->pending, 0);
	interrupts_apply(vcpu, &effects);
	assert_int_equal(vcpu->apic.irr[4], 1U << 0x11);
	assert_int_equal(vcpu->apic.tmr[4], 0);
	assert_int_equal(atomic_load(&vcpu->pending), PENDING_INTERRUPT);
	assert_int_equal(take(0x91), 0);
	assert_false(interrupts_before_entry(vcpu));
	assert_int_equal(fake_hv.injected_vector, 0x91);
	assert_int_equal(vcpu->apic.isr[4], 1U << 0x11);
	atomic_store(&vm.eoi_exits[2], 1ULL << 0x11);
	interrupts_apply(vcpu, &effects);
	assert_int_equal(vcpu->apic.tmr[4], 1U << 0x11);
	local_apic_write(&vcpu->apic, APIC_SVR, 0xff, 0, &effects);
	vcpu->apic.irr[4] = 0;
	interrupts_apply(vcpu, &effects);
	assert_int_equal(vcpu->apic.irr[4], 0);
}

/* Of two vectors of one class the second waits for the first one's EOI, and needs no window meanwhile. */
static void test_interrupts_same_class_needs_no_window(void **state)
{
	(void)state;
	interrupts_send(&vm, NULL, 0x45, false);
	interrupts_send(&vm, NULL, 0x41, false);
	assert_false(interrupts_before_entry(vcpus[0]));
	assert_int_equal(fake_hv.injected_vector, 0x45);
	assert_false(fake_hv.interrupt_window);
	assert_int_equal(local_apic_pending(&vcpus[0]->apic), -1);
}

static void test_interrupts_x2apic_physical(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < VCPUS; i++) {
		vcpus[i]->apic.base |= APIC_BASE_X2APIC;
		interrupts_publish_route(vcpus[i]);
	}
	assert_int_equal(interrupts_send(&vm, vcpus[0], 3ULL << 32 | 0x40, true), 1);
	assert_int_equal(take(0x40), 0x8);
	assert_int_equal(interrupts_send(&vm, vcpus[0], 4ULL << 32 | 0x40, true), 0);
	assert_int_equal(interrupts_send(&vm, vcpus[0], 0xffULL << 32 | 0x40, true), 0);
	assert_int_equal(interrupts_send(&vm, vcpus[0], 0xffffffffULL << 32 | 0x40, true), 4);
	assert_int_equal(take(0x40), 0xf);
}

static void test_interrupts_wake_needs_interrupts_on(void **state)
{
	(void)state;
	assert_false(interrupts_wake(vcpus[0]));
	interrupts_send_msi(&vm, 0xfee00000, 0x31);
	fake_hv.interrupt_open = false;
	assert_false(interrupts_wake(vcpus[0]));
	fake_hv.interrupt_open = true;
	assert_true(interrupts_wake(vcpus[0]));
	fake_hv.interrupt_open = false;
	vcpus[0]->nmis_waiting = true;
	assert_true(interrupts_wake(vcpus[0]));
}

static void test_interrupts_timer_due_at_once_is_pending(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	local_apic_write(&vcpus[0]->apic, APIC_LVT_TIMER, 0x40040, 0, &effects);
	local_apic_set_tsc_deadline(&vcpus[0]->apic, 1);
	interrupts_timer_changed(vcpus[0]);
	assert_int_equal(atomic_load(&vcpus[0]->pending), PENDING_TIMER);
	assert_true(interrupts_wake(vcpus[0]));
	local_apic_set_tsc_deadline(&vcpus[0]->apic, UINT64_MAX - 1);
	interrupts_timer_changed(vcpus[0]);
	assert_true(guest_deadline == UINT64_MAX - 1);
}

static void test_posted_notifies_once_until_taken(void **state)
{
	uint64_t posted[4] = {0};

	(void)state;
	assert_true(posted_post(&vcpus[0]->posted, 0x40));
	assert_false(posted_post(&vcpus[0]->posted, 0xff));
	posted_take(&vcpus[0]->posted, posted);
	assert_int_equal(posted[1], 1);
	assert_true(posted[3] == 1ULL << 63);
	assert_true(posted_post(&vcpus[0]->posted, 0x40));
}

/* The hardware takes what is posted, but an illegal vector is an error that it would not note. */
static void test_posted_illegal_vector_is_softwares(void **state)
{
	uint64_t fixed = (uint64_t)vcpus[1]->index << 32 | ICR_ASSERT;

	(void)state;
	atomic_store(&vcpus[1]->takes_posted, true);
	atomic_store(&vcpus[1]->pending, 0);
	assert_true(interrupts_deliver(vcpus[1], fixed | 0x40));
	assert_int_equal(vcpus[1]->pending, 0);
	assert_int_equal(take(0x40), 1U << 1);
	assert_true(interrupts_deliver(vcpus[1], fixed | 5));
	assert_int_equal(vcpus[1]->pending, PENDING_INTERRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_interrupts_physical_destination),
		TEST(test_interrupts_logical_flat),
		TEST(test_interrupts_logical_cluster),
		TEST(test_interrupts_x2apic_logical),
		TEST(test_interrupts_shorthands),
		TEST(test_interrupts_self_ipi),
		TEST(test_interrupts_same_class_needs_no_window),
		TEST(test_interrupts_x2apic_physical),
		TEST(test_interrupts_lowest_priority_goes_to_one),
		TEST(test_interrupts_lowest_priority_goes_to_one_that_accepts),
		TEST(test_interrupts_lowest_priority_is_fair),
		TEST(test_interrupts_msi_address),
		TEST(test_interrupts_disabled_apic_takes_only_nmi),
		TEST(test_interrupts_nmis_beyond_two_are_lost),
		TEST(test_interrupts_vectors_below_16_are_the_receivers_error),
		TEST(test_interrupts_apic_that_is_off_gets_nothing),
		TEST(test_interrupts_init_and_sipi),
		TEST(test_interrupts_init_forgets_the_sipi_before),
		TEST(test_interrupts_before_entry_injects_by_priority),
		TEST(test_interrupts_before_entry_opens_window_when_closed),
		TEST(test_interrupts_event_in_flight_comes_first),
		TEST(test_interrupts_extint_is_a_level),
		TEST(test_interrupts_extint_vector_waits_beside_the_local_apic),
		TEST(test_interrupts_eoi_comes_back_for_level_vectors),
		TEST(test_interrupts_wake_needs_interrupts_on),
		TEST(test_interrupts_timer_due_at_once_is_pending),
		TEST(test_posted_notifies_once_until_taken),
		TEST(test_posted_illegal_vector_is_softwares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
