/* Hypercalls: who may, what is offered, which vCPUs a kick and a message reach. docs/paravirtual.md. */
#include <stdlib.h>

#include "tests/fake/hv.h"
#include "tests/fake/vcpus.h"
#include "tests/unit/unit.h"
#include "kernel/timer.h"
#include "virt/hypercall.h"
#include "virt/interrupts.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define VCPUS  40U
#define ALL    (PARAVIRTUAL_UNHALT | PARAVIRTUAL_IPI)
#define NMI    (DELIVERY_NMI << 8)
#define EINVAL_ANSWER (-22)

static struct vm vm;
static struct vcpu *vcpus[VCPUS];

void timer_set_guest_deadline(uint64_t deadline_tsc)
{
	(void)deadline_tsc;
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
	vm.paravirtual = ALL;
	fake_vcpus_make(&vm, vcpus, VCPUS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_vcpus_free(vcpus, VCPUS);
	return 0;
}

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const struct hypercall wanted = {.number = number, .arguments = {a, b, c, d}, .is_64_bit = true};

	return hypercall(vcpus[0], &wanted);
}

/* Which vCPUs have these bits of `pending`, as a bit each; takes them away. */
static uint64_t pending(uint32_t bits)
{
	uint64_t who = 0;

	for (uint32_t i = 0; i < VCPUS; i++) {
		uint64_t posted[4] = {0};

		who |= (uint64_t)(atomic_exchange(&vcpus[i]->pending, 0) == bits) << i;
		posted_take(&vcpus[i]->posted, posted);
	}
	return who;
}

static void test_hypercall_from_a_program_is_denied(void **state)
{
	static const uint64_t numbers[] = {HYPERCALL_VERSION, HYPERCALL_KICK_CPU, HYPERCALL_SEND_IPI, 77};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		for (unsigned cpl = 1; cpl <= 3; cpl++) {
			const struct hypercall wanted = {.number = numbers[i], .arguments = {2, 1, 0, 0x40}, .cpl = cpl,
							 .is_64_bit = true};

			assert_int_equal(hypercall(vcpus[0], &wanted), -1);
		}
	}
	for (uint32_t i = 0; i < VCPUS; i++)
		assert_int_equal(atomic_load(&vcpus[i]->pending), 0);
}

static void test_hypercall_numbers_that_are_not_offered_do_not_exist(void **state)
{
	static const uint64_t unknown[] = {0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 0x42480001,
					   1ULL << 32 | HYPERCALL_KICK_CPU, UINT64_MAX};

	(void)state;
	assert_int_equal(call(HYPERCALL_VERSION, 0, 0, 0, 0), 1);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(call(unknown[i], 0, 1, 0, 0), -1000);
	vm.paravirtual = ALL & ~PARAVIRTUAL_UNHALT;
	assert_int_equal(call(HYPERCALL_KICK_CPU, 0, 1, 0, 0), -1000);
	vm.paravirtual = ALL & ~PARAVIRTUAL_IPI;
	assert_int_equal(call(HYPERCALL_SEND_IPI, 2, 0, 0, 0x40), -1000);
	for (uint32_t i = 0; i < VCPUS; i++)
		assert_int_equal(atomic_load(&vcpus[i]->pending), 0);
}

static void test_hypercall_kick_reaches_the_one_named(void **state)
{
	(void)state;
	assert_int_equal(call(HYPERCALL_KICK_CPU, 0, 3, 0, 0), 0);
	assert_int_equal(pending(PENDING_KICK), 1ULL << 3);
	assert_int_equal(call(HYPERCALL_KICK_CPU, 0, VCPUS, 0, 0), 0);
	assert_int_equal(call(HYPERCALL_KICK_CPU, 0, 64, 0, 0), 0);
	assert_int_equal(call(HYPERCALL_KICK_CPU, 0, UINT32_MAX, 0, 0), 0);
	assert_int_equal(pending(PENDING_KICK), 0);
}

static void test_hypercall_ipi_set_and_count(void **state)
{
	(void)state;
	assert_int_equal(call(HYPERCALL_SEND_IPI, 0x8000000005, 0, 0, 0x40), 3);
	assert_int_equal(pending(PENDING_INTERRUPT), 0x8000000005);
	assert_int_equal(call(HYPERCALL_SEND_IPI, 0x3, 0, 30, ICR_ASSERT | 0xff), 2);
	assert_int_equal(pending(PENDING_INTERRUPT), 3ULL << 30);
	assert_int_equal(call(HYPERCALL_SEND_IPI, 0, 0, 0, 0x40), 0);
	assert_int_equal(pending(PENDING_INTERRUPT), 0);
}

/* A set of 128: its bit 64 stands for the vCPU 64 places behind the first. */
static void test_hypercall_ipi_upper_half_and_ids_without_vcpu(void **state)
{
	(void)state;
	assert_int_equal(call(HYPERCALL_SEND_IPI, UINT64_MAX, UINT64_MAX, 0, 0x40), VCPUS);
	assert_int_equal(pending(PENDING_INTERRUPT), (1ULL << VCPUS) - 1);
	assert_int_equal(call(HYPERCALL_SEND_IPI, UINT64_MAX, UINT64_MAX, 38, 0x40), 2);
	assert_int_equal(pending(PENDING_INTERRUPT), 3ULL << 38);
	assert_int_equal(call(HYPERCALL_SEND_IPI, UINT64_MAX, UINT64_MAX, UINT32_MAX, 0x40), 0);
	assert_int_equal(call(HYPERCALL_SEND_IPI, UINT64_MAX, UINT64_MAX, UINT32_MAX - 64, 0x40), 0);
	assert_int_equal(call(HYPERCALL_SEND_IPI, UINT32_MAX, 0, UINT32_MAX, 0), 0); /* even of a vector that is none */
	assert_int_equal(call(HYPERCALL_SEND_IPI, 0, 1, 0, 0x40), 0); /* vCPU 64 */
	assert_int_equal(pending(PENDING_INTERRUPT), 0);
}

static void test_hypercall_ipi_of_a_32_bit_guest(void **state)
{
	const struct hypercall wanted = {.number = HYPERCALL_SEND_IPI, .arguments = {0x80000000, 0x81, 0, 0x40}};

	(void)state;
	assert_int_equal(hypercall(vcpus[0], &wanted), 3);
	assert_int_equal(pending(PENDING_INTERRUPT), 0x8180000000);
}

static void test_hypercall_ipi_nmi_reaches_also_disabled_apics(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	local_apic_write(&vcpus[1]->apic, APIC_SVR, 0xff, 0, &effects);
	interrupts_publish_route(vcpus[1]);
	assert_int_equal(call(HYPERCALL_SEND_IPI, 0x6, 0, 0, 0x40), 1);
	assert_int_equal(pending(PENDING_INTERRUPT), 0x4);
	assert_int_equal(call(HYPERCALL_SEND_IPI, 0x6, 0, 0, NMI), 2);
	assert_int_equal(pending(PENDING_NMI), 0x6);
}

static void test_hypercall_ipi_refuses_other_messages(void **state)
{
	static const uint64_t icrs[] = {
		0x0f, 0,                            /* vectors that a local APIC calls illegal */
		DELIVERY_LOWEST << 8 | 0x40,        DELIVERY_SMI << 8,     DELIVERY_RESERVED << 8 | 0x40, DELIVERY_INIT << 8,
		DELIVERY_STARTUP << 8 | 0x9a,       DELIVERY_EXTINT << 8,  ICR_LOGICAL | 0x40,            1U << 18 | 0x40,
		3U << 18 | NMI,                     ICR_LEVEL | 0x40,      1ULL << 32 | 0x40,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(icrs) / sizeof(icrs[0]); i++)
		assert_int_equal(call(HYPERCALL_SEND_IPI, UINT64_MAX, 0, 0, icrs[i]), EINVAL_ANSWER);
	for (uint32_t i = 0; i < VCPUS; i++)
		assert_int_equal(atomic_load(&vcpus[i]->pending), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hypercall_from_a_program_is_denied),
		TEST(test_hypercall_numbers_that_are_not_offered_do_not_exist),
		TEST(test_hypercall_kick_reaches_the_one_named),
		TEST(test_hypercall_ipi_set_and_count),
		TEST(test_hypercall_ipi_upper_half_and_ids_without_vcpu),
		TEST(test_hypercall_ipi_of_a_32_bit_guest),
		TEST(test_hypercall_ipi_nmi_reaches_also_disabled_apics),
		TEST(test_hypercall_ipi_refuses_other_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
