/* vmx/apicv.c on a VMCS and a virtual-APIC page in memory: nothing is lost when the hardware takes over the local APIC's interrupts
 * and gives them back. SDM Vol. 3C, "APIC Virtualization and Virtual Interrupts". */
#include "tests/fake/vmx_insn.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "abi/features.h"
#include "kernel/config.h"
#include "kernel/pool.h"
#include "virt/interrupts.h"
#include "virt/msr_policy.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/apicv.h"
#include "vmx/exit.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_vcpu.h"

#define FIELD(name) fake_vmx.fields[VMCS_##name.encoding]
#define BITMAP_PLAIN 0x1000U
#define BITMAP_APICV 0x2000U
#define CR8_EXITS    (PRIMARY_PROC_CR8_LOAD | PRIMARY_PROC_CR8_STORE)

struct vmx_capabilities vmx_capabilities;
static struct vm vm;
static struct vmx_vcpu backend;
static struct vcpu vcpu;
static uint32_t page[1024];

uint64_t direct_physical(const void *pointer)
{
	return (uintptr_t)pointer;
}

uint64_t vmx_msr_bitmap_physical(bool with_apicv)
{
	return with_apicv ? BITMAP_APICV : BITMAP_PLAIN;
}

_Noreturn void vmcs_access_failed(uint32_t encoding)
{
	fail_msg("field %x", encoding);
	abort();
}

static uint64_t written_msr, written_value;
bool msr_policy_write(struct vcpu *which, uint32_t msr, uint64_t value)
{
	assert_ptr_equal(which, &vcpu);
	written_msr = msr;
	written_value = value;
	return true;
}

static uint32_t accepted[8];
void interrupts_note_level(struct vcpu *which, unsigned i, uint32_t bits)
{
	assert_ptr_equal(which, &vcpu);
	accepted[i] = bits;
}

static unsigned ended;
void interrupts_end(struct vcpu *which, uint8_t vector)
{
	assert_ptr_equal(which, &vcpu);
	ended = vector;
}

enum exit_verdict exit_unexpected(struct vcpu *which, const struct exit_info *info)
{
	(void)which, (void)info;
	return EXIT_STOP;
}

enum exit_verdict exit_inject_gp(struct vcpu *which)
{
	(void)which;
	fail();
	return EXIT_STOP;
}

static uint32_t *in_page(uint32_t offset, uint8_t vector)
{
	return &page[(offset + vector / 32 * 16) / 4];
}

static bool has(uint32_t offset, uint8_t vector)
{
	return (*in_page(offset, vector) >> vector % 32 & 1) != 0;
}

/* A CPU that can do all of it, a guest in x2APIC mode. */
static int setup(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	memset(&fake_vmx, 0, sizeof(fake_vmx));
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(page, 0, sizeof(page));
	backend = (struct vmx_vcpu){
		.controls = {.primary = CR8_EXITS | PRIMARY_PROC_HLT,
			     .secondary = SECONDARY_PROC_EPT | SECONDARY_PROC_APIC_ACCESSES,
			     .pin = 1}};
	for (unsigned i = 0; i < VMX_CONTROL_WORDS; i++)
		vmx_capabilities.controls[i] = (struct vmx_allowed){.may_be_1 = UINT32_MAX};
	vcpu.vm = &vm;
	vcpu.backend = &backend;
	vcpu.virtual_apic = page;
	vcpu.virtual_apic_physical = 0x5000;
	local_apic_create(&vcpu.apic, 3, false, true, 39, apic_clock_make(1000000000));
	assert_true(local_apic_base_write(&vcpu.apic, vcpu.apic.base | APIC_BASE_X2APIC, &effects));
	apicv_setup(&vcpu);
	return 0;
}

static void test_apicv_needs_all_its_parts(void **state)
{
	static const struct {
		enum vmx_control_word word;
		uint32_t bit;
	} parts[] = {{VMX_PRIMARY, PRIMARY_PROC_TPR_SHADOW}, {VMX_SECONDARY, SECONDARY_PROC_X2APIC},
		     {VMX_SECONDARY, SECONDARY_PROC_VIRTUAL_INTERRUPTS}};
	static const enum feature features[] = {FEATURE_TPR_SHADOW, FEATURE_APICV, FEATURE_X2APIC};

	(void)state;
	assert_true(apicv_in_use(&vm) && apicv_posts(&vm));
	for (unsigned i = 0; i < 3; i++) {
		vmx_capabilities.controls[parts[i].word].may_be_1 = ~parts[i].bit;
		assert_false(apicv_in_use(&vm) || apicv_posts(&vm));
		vmx_capabilities.controls[parts[i].word].may_be_1 = UINT32_MAX;
		vm.disabled_features = FEATURE_BIT(features[i]);
		assert_false(apicv_in_use(&vm) || apicv_posts(&vm));
		vm.disabled_features = 0;
	}
	vmx_capabilities.controls[VMX_PRIMARY].must_be_1 = PRIMARY_PROC_CR8_LOAD;
	assert_false(apicv_in_use(&vm));
	vmx_capabilities.controls[VMX_PRIMARY].must_be_1 = 0;
	vm.disabled_features = FEATURE_BIT(FEATURE_POSTED_INTERRUPTS);
	assert_true(apicv_in_use(&vm));
	assert_false(apicv_posts(&vm));
	vmx_capabilities.controls[VMX_PIN].may_be_1 = 0;
	vm.disabled_features = 0;
	assert_false(apicv_posts(&vm));
}

static void test_apicv_fields(void **state)
{
	(void)state;
	assert_int_equal(FIELD(VIRTUAL_APIC_ADDRESS), 0x5000);
	assert_int_equal(FIELD(POSTED_VECTOR), VECTOR_POSTED);
	assert_int_equal(FIELD(POSTED_DESCRIPTOR), (uintptr_t)&vcpu.posted);
	assert_true(vmx_lend_apic(&vcpu));
	assert_int_equal(FIELD(PRIMARY_PROC_CONTROLS), PRIMARY_PROC_HLT | PRIMARY_PROC_TPR_SHADOW);
	assert_int_equal(FIELD(SECONDARY_PROC_CONTROLS),
			 SECONDARY_PROC_EPT | SECONDARY_PROC_X2APIC | SECONDARY_PROC_VIRTUAL_INTERRUPTS);
	assert_int_equal(FIELD(PIN_CONTROLS), 1 | PIN_POSTED_INTERRUPTS);
	assert_int_equal(FIELD(MSR_BITMAP), BITMAP_APICV);
	assert_true(atomic_load(&vcpu.takes_posted));
	assert_int_equal(backend.primary_base, PRIMARY_PROC_HLT | PRIMARY_PROC_TPR_SHADOW);
}

static void test_apicv_hands_over_and_back(void **state)
{
	(void)state;
	vcpu.apic.tpr = 0x20;
	local_apic_post(&vcpu.apic, 0x31);
	local_apic_accept(&vcpu.apic, 0x31);
	local_apic_post(&vcpu.apic, 0x41);
	local_apic_post(&vcpu.apic, 0xef);
	*in_page(APIC_IRR, 0x99) = UINT32_MAX; /* left from before */
	assert_true(vmx_lend_apic(&vcpu));
	assert_true(vcpu.apic_is_lent);
	assert_int_equal(FIELD(GUEST_INTERRUPT_STATUS), 0x31 << 8 | 0xef);
	assert_true(has(APIC_IRR, 0x41) && has(APIC_IRR, 0xef) && has(APIC_ISR, 0x31));
	assert_false(has(APIC_IRR, 0x99));
	assert_int_equal(*in_page(APIC_TPR, 0), 0x20);
	assert_int_equal(local_apic_pending(&vcpu.apic), -1);
	/* The CPU delivers EFh, ends 31h, and the guest sets TPR. */
	*in_page(APIC_IRR, 0xef) &= ~(1U << 0xef % 32);
	*in_page(APIC_ISR, 0xef) |= 1U << 0xef % 32;
	*in_page(APIC_ISR, 0x31) &= ~(1U << 0x31 % 32);
	*in_page(APIC_TPR, 0) = 0x50;
	*in_page(APIC_PPR, 0) = 0xe0;
	FIELD(GUEST_INTERRUPT_STATUS) = 0xef << 8 | 0x41;
	assert_false(vmx_lent_apic_pending(&vcpu));
	/* More comes while the CPU has it: it is added. */
	local_apic_post(&vcpu.apic, 0x51);
	assert_true(vmx_lend_apic(&vcpu));
	assert_int_equal(FIELD(GUEST_INTERRUPT_STATUS), 0xef << 8 | 0x51);
	local_apic_post(&vcpu.apic, 0x45); /* does not reach what is there */
	assert_true(vmx_lend_apic(&vcpu));
	assert_int_equal(FIELD(GUEST_INTERRUPT_STATUS), 0xef << 8 | 0x51);
	assert_true(has(APIC_IRR, 0x45) && has(APIC_IRR, 0x51));
	local_apic_post(&vcpu.apic, 0x61);
	vmx_take_apic(&vcpu);
	assert_false(vcpu.apic_is_lent);
	assert_true((atomic_load(&vcpu.pending) & PENDING_INTERRUPT) != 0);
	assert_int_equal(vcpu.apic.tpr, 0x50);
	for (unsigned vector = 16; vector < 256; vector++) {
		bool requested = vector == 0x41 || vector == 0x45 || vector == 0x51 || vector == 0x61, in_service = vector == 0xef;

		assert_int_equal(vcpu.apic.irr[vector / 32] >> vector % 32 & 1, requested);
		assert_int_equal(vcpu.apic.isr[vector / 32] >> vector % 32 & 1, in_service);
	}
	assert_int_equal(accepted[0x41 / 32], 1U << 0x41 % 32 | 1U << 0x45 % 32 | 1U << 0x51 % 32);
	assert_int_equal(accepted[7], 1U << 0xef % 32);
	assert_int_equal(vcpu.apic.esr_pending, 0);
	vmx_take_apic(&vcpu); /* nothing more to take */
	assert_true(vmx_lend_apic(&vcpu));
	assert_int_equal(FIELD(GUEST_INTERRUPT_STATUS), 0xef << 8 | 0x61);
}

/* What wakes from HLT: RVI, or what software adds, above PPR, which software knows until the CPU does. */
static void test_apicv_pending_is_above_the_priority(void **state)
{
	(void)state;
	vcpu.apic.tpr = 0x4f;
	assert_true(vmx_lend_apic(&vcpu));
	assert_int_equal(*in_page(APIC_PPR, 0), 0x4f);
	assert_false(vmx_lent_apic_pending(&vcpu));
	FIELD(GUEST_INTERRUPT_STATUS) = 0x4e;
	assert_false(vmx_lent_apic_pending(&vcpu));
	local_apic_post(&vcpu.apic, 0x50);
	assert_true(vmx_lent_apic_pending(&vcpu));
	vcpu.apic.irr[2] = 0;
	FIELD(GUEST_INTERRUPT_STATUS) = 0x51;
	assert_true(vmx_lent_apic_pending(&vcpu));
}

/* By a notification that came for another one. */
static void test_apicv_illegal_vector_is_an_error(void **state)
{
	(void)state;
	assert_true(vmx_lend_apic(&vcpu));
	*in_page(APIC_IRR, 5) |= 1U << 5;
	vmx_take_apic(&vcpu);
	assert_int_equal(vcpu.apic.irr[0], 0);
	assert_int_equal(vcpu.apic.esr_pending, APIC_ESR_RECEIVE_ILLEGAL);
}

static void test_apicv_only_in_x2apic_mode(void **state)
{
	struct apic_effects effects = {.flags = 0};

	(void)state;
	local_apic_post(&vcpu.apic, 0x41);
	assert_true(vmx_lend_apic(&vcpu));
	vmx_take_apic(&vcpu);
	assert_true(local_apic_base_write(&vcpu.apic, APIC_BASE_DEFAULT, &effects)); /* off, which resets it */
	assert_false(vmx_lend_apic(&vcpu));
	assert_int_equal(FIELD(PRIMARY_PROC_CONTROLS), CR8_EXITS | PRIMARY_PROC_HLT);
	assert_int_equal(FIELD(SECONDARY_PROC_CONTROLS), SECONDARY_PROC_EPT | SECONDARY_PROC_APIC_ACCESSES);
	assert_true((atomic_load(&vcpu.pending) & PENDING_FLUSH) != 0);
	assert_int_equal(FIELD(PIN_CONTROLS), 1);
	assert_int_equal(FIELD(MSR_BITMAP), BITMAP_PLAIN);
	assert_false(atomic_load(&vcpu.takes_posted));
	assert_int_equal(backend.primary_base, CR8_EXITS | PRIMARY_PROC_HLT);
	assert_int_equal(local_apic_pending(&vcpu.apic), -1);
}

static void test_apicv_eoi_exits_follow_the_vmm(void **state)
{
	(void)state;
	assert_true(vmx_lend_apic(&vcpu));
	atomic_store(&vm.eoi_exits[0], 1ULL << 0x21);
	atomic_store(&vm.eoi_exits[3], 1);
	assert_true(vmx_lend_apic(&vcpu));
	assert_int_equal(FIELD(EOI_EXIT_0), 1ULL << 0x21);
	assert_int_equal(FIELD(EOI_EXIT_3), 1);
	atomic_store(&vm.eoi_exits[0], 0);
	assert_true(vmx_lend_apic(&vcpu));
	assert_int_equal(FIELD(EOI_EXIT_0), 0);
}

/* Exits behind what the guest did: it does not do it twice. */
static void test_apicv_exits(void **state)
{
	struct exit_info info = {.qualification = 0x21};

	(void)state;
	assert_int_equal(exit_virtualized_eoi(&vcpu, &info), EXIT_REENTER);
	assert_int_equal(ended, 0x21);
	page[APIC_SELF_IPI / 4] = 15;
	info.qualification = APIC_SELF_IPI;
	assert_int_equal(exit_apic_write(&vcpu, &info), EXIT_REENTER);
	assert_int_equal(written_msr, 0x83f);
	assert_int_equal(written_value, 15);
	info.qualification = APIC_ICR_LOW; /* only with controls that are off */
	assert_int_equal(exit_apic_write(&vcpu, &info), EXIT_STOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_apicv_needs_all_its_parts, setup),
		cmocka_unit_test_setup(test_apicv_fields, setup),
		cmocka_unit_test_setup(test_apicv_hands_over_and_back, setup),
		cmocka_unit_test_setup(test_apicv_only_in_x2apic_mode, setup),
		cmocka_unit_test_setup(test_apicv_eoi_exits_follow_the_vmm, setup),
		cmocka_unit_test_setup(test_apicv_exits, setup),
		cmocka_unit_test_setup(test_apicv_pending_is_above_the_priority, setup),
		cmocka_unit_test_setup(test_apicv_illegal_vector_is_an_error, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
