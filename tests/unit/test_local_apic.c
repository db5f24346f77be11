/* The virtual local APIC against tables from SDM Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)". One file because
 * registers, priorities, modes and timer are one device's. */
#include "tests/unit/unit.h"
#include "virt/local_apic.h"

#define TSC_HZ 2000000000ULL /* two ticks a nanosecond */

static struct local_apic fresh(void)
{
	struct local_apic apic;
	struct apic_effects effects = {.flags = 0};

	local_apic_create(&apic, 3, true, true, 39, apic_clock_make(TSC_HZ));
	local_apic_write(&apic, APIC_SVR, 0x1ff, 0, &effects);
	return apic;
}

static unsigned put(struct local_apic *apic, uint32_t offset, uint32_t value)
{
	struct apic_effects effects = {.flags = 0};

	local_apic_write(apic, offset, value, 0, &effects);
	return effects.flags;
}

static bool put_base(struct local_apic *apic, uint64_t value)
{
	struct apic_effects effects = {.flags = 0};

	return local_apic_base_write(apic, value, &effects);
}

static bool put_msr(struct local_apic *apic, uint32_t msr, uint64_t value)
{
	struct apic_effects effects = {.flags = 0};

	return local_apic_msr_write(apic, msr, value, 0, &effects);
}

/* "Local APIC State After Power-Up or Reset". */
static void test_local_apic_state_after_reset(void **state)
{
	struct local_apic apic;

	(void)state;
	local_apic_create(&apic, 3, true, true, 39, apic_clock_make(TSC_HZ));
	assert_int_equal(apic.base, 0xfee00900);
	assert_int_equal(local_apic_read(&apic, APIC_ID, 0), 3U << 24);
	assert_int_equal(local_apic_read(&apic, APIC_SVR, 0), 0xff);
	assert_int_equal(local_apic_read(&apic, APIC_DFR, 0), UINT32_MAX);
	assert_int_equal(local_apic_read(&apic, APIC_LDR, 0), 0);
	for (uint32_t offset = APIC_LVT_TIMER; offset <= APIC_LVT_ERROR; offset += 16)
		assert_int_equal(local_apic_read(&apic, offset, 0), 0x10000);
	for (uint32_t offset = APIC_ISR; offset < APIC_ESR; offset += 16)
		assert_int_equal(local_apic_read(&apic, offset, 0), 0);
	assert_int_equal(local_apic_read(&apic, APIC_CURRENT, 0), 0);
}

/* "Task and Processor Priorities": PPR is TPR or the class in service, whichever is higher. */
static void test_local_apic_priority_rules(void **state)
{
	static const struct { uint32_t tpr; int in_service; uint8_t ppr; } cases[] = {
		{0x00, -1, 0x00}, {0x2f, -1, 0x2f}, {0x20, 0x31, 0x30}, {0x30, 0x31, 0x30}, {0x3f, 0x31, 0x3f}, {0x40, 0x31, 0x40},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct local_apic apic = fresh();

		if (cases[i].in_service >= 0) {
			local_apic_post(&apic, (uint8_t)cases[i].in_service);
			local_apic_accept(&apic, (uint8_t)cases[i].in_service);
		}
		put(&apic, APIC_TPR, cases[i].tpr);
		assert_int_equal(local_apic_read(&apic, APIC_PPR, 0), cases[i].ppr);
	}
}

static void test_local_apic_delivers_highest_class_above_priority(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	assert_int_equal(local_apic_pending(&apic), -1);
	local_apic_post(&apic, 0x31);
	local_apic_post(&apic, 0xef);
	assert_int_equal(local_apic_pending(&apic), 0xef);
	local_apic_accept(&apic, 0xef);
	assert_int_equal(local_apic_pending(&apic), -1);
	local_apic_post(&apic, 0xe1); /* the same class waits for EOI */
	assert_int_equal(local_apic_pending(&apic), -1);
	local_apic_post(&apic, 0xf0);
	assert_int_equal(local_apic_pending(&apic), 0xf0);
}

static void test_local_apic_eoi_retires_highest_and_names_it(void **state)
{
	struct local_apic apic = fresh();
	struct apic_effects effects = {.flags = 0};

	(void)state;
	local_apic_write(&apic, APIC_EOI, 0, 0, &effects);
	assert_int_equal(effects.flags & APIC_EFFECT_EOI, 0); /* nothing in service: no effect */
	local_apic_post(&apic, 0x40);
	local_apic_accept(&apic, 0x40);
	local_apic_post(&apic, 0x80);
	local_apic_accept(&apic, 0x80);
	local_apic_write(&apic, APIC_EOI, 0, 0, &effects);
	assert_int_equal(effects.eoi_vector, 0x80);
	local_apic_write(&apic, APIC_EOI, 0, 0, &effects);
	assert_int_equal(effects.eoi_vector, 0x40);
}

/* "Local Vector Table": read-only and reserved bits stay 0; software-disabled APICs keep their masks. */
static void test_local_apic_lvt_masks(void **state)
{
	static const struct { uint32_t offset, kept; } cases[] = {
		{APIC_LVT_TIMER, 0x700ff}, {APIC_LVT_THERMAL, 0x107ff}, {APIC_LVT_PERF, 0x107ff},
		{APIC_LVT_LINT0, 0x1a7ff}, {APIC_LVT_LINT1, 0x1a7ff},   {APIC_LVT_ERROR, 0x100ff},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct local_apic apic = fresh();

		put(&apic, cases[i].offset, UINT32_MAX);
		assert_int_equal(local_apic_read(&apic, cases[i].offset, 0), cases[i].kept);
		put(&apic, cases[i].offset, 0x40);
		put(&apic, APIC_SVR, 0xff);
		assert_int_equal(local_apic_read(&apic, cases[i].offset, 0), 0x10040);
		put(&apic, cases[i].offset, 0x41);
		assert_int_equal(local_apic_read(&apic, cases[i].offset, 0), 0x10041);
	}
}

/* "Error Handling". */
static void test_local_apic_errors_are_latched_by_a_write(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	put(&apic, APIC_LVT_ERROR, 0xfe);
	(void)local_apic_read(&apic, 0x3c0, 0); /* no such register */
	assert_int_equal(local_apic_read(&apic, APIC_ESR, 0), 0);
	put(&apic, APIC_ESR, 0);
	assert_int_equal(local_apic_read(&apic, APIC_ESR, 0), APIC_ESR_REGISTER);
	put(&apic, APIC_ESR, 0);
	assert_int_equal(local_apic_read(&apic, APIC_ESR, 0), 0);
	assert_int_equal(local_apic_pending(&apic), 0xfe);
	assert_int_equal(put(&apic, APIC_ICR_LOW, 0x0f) & APIC_EFFECT_SEND, 0); /* vectors below 16 */
	local_apic_post(&apic, 15);
	put(&apic, APIC_ESR, 0);
	assert_int_equal(local_apic_read(&apic, APIC_ESR, 0), APIC_ESR_SEND_ILLEGAL | APIC_ESR_RECEIVE_ILLEGAL);
}

static void test_local_apic_icr_carries_destination(void **state)
{
	struct local_apic apic = fresh();
	struct apic_effects effects = {.flags = 0};

	(void)state;
	local_apic_write(&apic, APIC_ICR_HIGH, 0x05ffffff, 0, &effects);
	local_apic_write(&apic, APIC_ICR_LOW, 0x000c4540, 0, &effects);
	assert_int_equal(effects.flags & APIC_EFFECT_SEND, APIC_EFFECT_SEND);
	assert_true(effects.icr == 0x5000c4540ULL);
	assert_int_equal(ICR_DELIVERY(effects.icr), DELIVERY_INIT);
	assert_int_equal(ICR_SHORTHAND(effects.icr), SHORTHAND_OTHERS);
	assert_true(put_base(&apic, 0xfee00c00));
	assert_true(local_apic_msr_write(&apic, 0x830, 0x1234567800000041ULL, 0, &effects));
	assert_true(effects.icr == 0x1234567800000041ULL);
}

/* "x2APIC State Transitions". */
static void test_local_apic_base_state_machine(void **state)
{
	static const struct { unsigned from, to; bool allowed; } cases[] = { /* bits 11:10: EN, EXTD */
		{0, 0, true}, {0, 1, false}, {0, 2, true}, {0, 3, false}, {2, 0, true},  {2, 1, false},
		{2, 2, true}, {2, 3, true},  {3, 0, true}, {3, 1, false}, {3, 2, false}, {3, 3, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct local_apic apic = fresh();

		apic.base = 0xfee00100 | (uint64_t)cases[i].from << 10;
		assert_int_equal(put_base(&apic, 0xfee00100 | (uint64_t)cases[i].to << 10), cases[i].allowed);
		assert_int_equal(apic.base >> 10 & 3, cases[i].allowed ? cases[i].to : cases[i].from);
	}
}

static void test_local_apic_base_rejects_reserved_bits(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	assert_false(put_base(&apic, 0xfee00801));
	assert_false(put_base(&apic, 0xfee00a00));
	assert_false(put_base(&apic, 1ULL << 39 | 0x800));
	assert_true(put_base(&apic, (1ULL << 38) | 0x800));
	assert_true((apic.base & APIC_BASE_BSP) == 0); /* SDM Vol. 4, "Architectural MSRs": R/W */
	apic.x2apic_offered = false;
	assert_false(put_base(&apic, 0xfee00c00));
}

static void test_local_apic_switching_off_resets(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	put(&apic, APIC_TPR, 0x50);
	local_apic_post(&apic, 0x60);
	assert_true(put_base(&apic, 0xfee00000));
	assert_true(put_base(&apic, 0xfee00800));
	assert_int_equal(local_apic_read(&apic, APIC_TPR, 0), 0);
	assert_int_equal(local_apic_pending(&apic), -1);
	assert_int_equal(local_apic_read(&apic, APIC_SVR, 0), 0xff);
}

/* "x2APIC Register Address Space": for each MSR, whether reading and writing 0 raises #GP. */
static void test_local_apic_x2apic_registers(void **state)
{
	struct local_apic apic = fresh();
	uint64_t value;

	(void)state;
	assert_false(local_apic_msr_read(&apic, 0x802, 0, &value)); /* not in x2APIC mode */
	assert_true(put_base(&apic, 0xfee00c00));
	for (uint32_t msr = 0x800; msr <= 0x8ff; msr++) {
		uint32_t n = msr - 0x800;
		bool readable = n == 2 || n == 3 || n == 8 || n == 0xa || n == 0xd || n == 0xf || (n >= 0x10 && n <= 0x28) ||
				n == 0x30 || (n >= 0x32 && n <= 0x39) || n == 0x3e;
		bool writable = n == 8 || n == 0xb || n == 0xf || n == 0x28 || n == 0x30 || (n >= 0x32 && n <= 0x38) || n == 0x3e ||
				n == 0x3f;

		assert_int_equal(local_apic_msr_read(&apic, msr, 0, &value), readable);
		assert_int_equal(put_msr(&apic, msr, 0), writable);
	}
	assert_true(local_apic_msr_read(&apic, 0x802, 0, &value));
	assert_int_equal(value, 3);
	assert_true(local_apic_msr_read(&apic, 0x80d, 0, &value));
	assert_int_equal(value, 1U << 3); /* cluster 0, bit 3 */
}

static void test_local_apic_x2apic_reserved_bits_fault(void **state)
{
	static const struct { uint32_t msr; uint64_t bad; } cases[] = {
		{0x808, 0x100},    {0x80b, 1},       {0x80f, 0x1000}, {0x828, 1},      {0x830, 0x1000},  {0x830, 0x2000},
		{0x830, 0x10000},  {0x830, 1U << 20}, {0x832, 0x80000}, {0x832, 0x100},  {0x833, 0x8000}, {0x835, 0x20000},
		{0x837, 0x400},    {0x838, 1ULL << 32}, {0x83e, 4},   {0x83f, 0x100},
	};
	struct local_apic apic = fresh();

	(void)state;
	assert_true(put_base(&apic, 0xfee00c00));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_false(put_msr(&apic, cases[i].msr, cases[i].bad));
}

static void test_local_apic_timer_one_shot(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	put(&apic, APIC_LVT_TIMER, 0x40);
	put(&apic, APIC_DIVIDE, 0xb); /* by 1 */
	local_apic_timer_start(&apic, 1000, 5000);
	assert_int_equal(local_apic_timer_deadline(&apic, 0), 5000 + 2000);
	assert_int_equal(local_apic_timer_count(&apic, 5000), 1000);
	assert_int_equal(local_apic_timer_count(&apic, 6000), 500);
	assert_false(local_apic_timer_expire(&apic, 6999, 0));
	assert_true(local_apic_timer_expire(&apic, 7000, 0));
	assert_int_equal(local_apic_pending(&apic), 0x40);
	assert_true(local_apic_timer_deadline(&apic, 0) == UINT64_MAX);
	assert_int_equal(local_apic_timer_count(&apic, 8000), 0);
}

/* "Divide Configuration Register". */
static void test_local_apic_timer_divides(void **state)
{
	static const uint32_t by[16] = {[0] = 2, [1] = 4, [2] = 8, [3] = 16, [8] = 32, [9] = 64, [10] = 128, [11] = 1};

	(void)state;
	for (uint32_t code = 0; code < 16; code++) {
		struct local_apic apic = fresh();

		put(&apic, APIC_DIVIDE, code);
		local_apic_timer_start(&apic, 100000, 0);
		if (by[code] != 0)
			assert_int_equal(local_apic_timer_deadline(&apic, 0), 200000ULL * by[code]);
	}
}

static void test_local_apic_timer_changes_rate_while_counting(void **state)
{
	struct local_apic apic = fresh();
	struct apic_effects effects = {.flags = 0};

	(void)state;
	put(&apic, APIC_DIVIDE, 0xb);
	local_apic_timer_start(&apic, 1000, 0);
	local_apic_write(&apic, APIC_DIVIDE, 0, 1000, &effects); /* half way: 500 left, now at half the rate */
	assert_int_equal(local_apic_timer_count(&apic, 1000), 500);
	assert_int_equal(local_apic_timer_deadline(&apic, 0), 1000 + 2000);
	assert_int_equal(local_apic_read(&apic, APIC_INITIAL, 1000), 1000);
}

static void test_local_apic_timer_periodic_does_not_drift(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	put(&apic, APIC_LVT_TIMER, 0x20040);
	put(&apic, APIC_DIVIDE, 0xb);
	local_apic_timer_start(&apic, 100000, 0);
	for (uint64_t i = 1; i <= 1000; i++) {
		assert_int_equal(local_apic_timer_deadline(&apic, 0), i * 200000);
		assert_true(local_apic_timer_expire(&apic, i * 200000 + 777, 0)); /* lateness does not add up */
	}
	assert_true(local_apic_timer_expire(&apic, 1010 * 200000, 0)); /* missed periods: once */
	assert_int_equal(local_apic_timer_deadline(&apic, 0), 1011 * 200000);
}

static void test_local_apic_timer_short_period_is_stretched(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	put(&apic, APIC_LVT_TIMER, 0x20040);
	put(&apic, APIC_DIVIDE, 0xb);
	local_apic_timer_start(&apic, 1, 0);
	assert_int_equal(local_apic_timer_deadline(&apic, 0), 20000);
}

/* "TSC-Deadline Mode": reads 0 once it fired; other modes read 0 and ignore writes; changing the mode disarms. */
static void test_local_apic_tsc_deadline(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	local_apic_set_tsc_deadline(&apic, 1000);
	assert_int_equal(apic.tsc_deadline, 0);
	put(&apic, APIC_LVT_TIMER, 0x40040);
	local_apic_set_tsc_deadline(&apic, 1000);
	assert_int_equal(apic.tsc_deadline, 1000);
	assert_int_equal(local_apic_timer_deadline(&apic, (uint64_t)-5000), 6000); /* the guest's clock is 5000 behind */
	assert_int_equal(local_apic_timer_deadline(&apic, 400), 600);
	assert_int_equal(local_apic_timer_deadline(&apic, 4000), 0);
	assert_true(local_apic_timer_expire(&apic, 6000, (uint64_t)-5000));
	assert_int_equal(apic.tsc_deadline, 0);
	assert_int_equal(local_apic_pending(&apic), 0x40);
	local_apic_set_tsc_deadline(&apic, UINT64_MAX);
	assert_true(local_apic_timer_deadline(&apic, (uint64_t)-5000) == UINT64_MAX);
	put(&apic, APIC_LVT_TIMER, 0x40);
	assert_int_equal(apic.tsc_deadline, 0);
	put(&apic, APIC_INITIAL, 10);
	put(&apic, APIC_LVT_TIMER, 0x40040);
	assert_int_equal(local_apic_read(&apic, APIC_CURRENT, 1), 0);
	put(&apic, APIC_INITIAL, 10); /* ignored in this mode */
	assert_int_equal(local_apic_read(&apic, APIC_INITIAL, 0), 0);
}

static void test_local_apic_masked_timer_expires_silently(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	put(&apic, APIC_LVT_TIMER, 0x10040);
	local_apic_timer_start(&apic, 10, 0);
	assert_true(local_apic_timer_expire(&apic, 1000000, 0));
	assert_int_equal(local_apic_pending(&apic), -1);
}

static void test_local_apic_extint_by_lint0(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	assert_false(local_apic_takes_extint(&apic));
	put(&apic, APIC_LVT_LINT0, 0x700);
	assert_true(local_apic_takes_extint(&apic));
	put(&apic, APIC_LVT_LINT0, 0x10700);
	assert_false(local_apic_takes_extint(&apic));
	assert_true(put_base(&apic, 0xfee00000));
	assert_true(local_apic_takes_extint(&apic));
}

/* What firmware leaves; INIT takes it back. */
static void test_local_apic_virtual_wire(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	local_apic_init(&apic);
	local_apic_set_virtual_wire(&apic);
	assert_true(local_apic_takes_extint(&apic));
	assert_int_equal(local_apic_read(&apic, APIC_SVR, 0), 0x1ff);
	assert_int_equal(local_apic_read(&apic, APIC_LVT_LINT0, 0), 0x700);
	assert_int_equal(local_apic_read(&apic, APIC_LVT_LINT1, 0), 0x400);
	assert_int_equal(local_apic_read(&apic, APIC_LVT_TIMER, 0), 0x10000);
	local_apic_init(&apic);
	assert_false(local_apic_takes_extint(&apic));
	assert_int_equal(local_apic_read(&apic, APIC_LVT_LINT1, 0), 0x10000);
}

/* No faster than the TSC, and 1 GHz at most: a whole number of TSC ticks each. */
static void test_local_apic_clock_divides_the_tsc(void **state)
{
	static const struct { uint64_t tsc_hz; uint32_t by; } cases[] = {
		{200000000, 1}, {1000000000, 1}, {1000000001, 2}, {2394454000, 3}, {3700000000, 4}, {4900000000, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(apic_clock_make(cases[i].tsc_hz).tsc_per_tick, cases[i].by);
}

/* Also with the longest count: divided by 128 it takes minutes. */
static void test_local_apic_timer_longest_count(void **state)
{
	struct local_apic apic = fresh();

	(void)state;
	put(&apic, APIC_DIVIDE, 0xa);
	local_apic_timer_start(&apic, UINT32_MAX, 0);
	assert_int_equal(local_apic_timer_deadline(&apic, 0), UINT32_MAX * 256ULL);
	assert_int_equal(local_apic_timer_count(&apic, UINT32_MAX * 256ULL - 1), 1);
	assert_int_equal(local_apic_timer_count(&apic, UINT32_MAX * 256ULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local_apic_state_after_reset),
		cmocka_unit_test(test_local_apic_priority_rules),
		cmocka_unit_test(test_local_apic_delivers_highest_class_above_priority),
		cmocka_unit_test(test_local_apic_eoi_retires_highest_and_names_it),
		cmocka_unit_test(test_local_apic_lvt_masks),
		cmocka_unit_test(test_local_apic_errors_are_latched_by_a_write),
		cmocka_unit_test(test_local_apic_icr_carries_destination),
		cmocka_unit_test(test_local_apic_base_state_machine),
		cmocka_unit_test(test_local_apic_base_rejects_reserved_bits),
		cmocka_unit_test(test_local_apic_switching_off_resets),
		cmocka_unit_test(test_local_apic_x2apic_registers),
		cmocka_unit_test(test_local_apic_x2apic_reserved_bits_fault),
		cmocka_unit_test(test_local_apic_timer_one_shot),
		cmocka_unit_test(test_local_apic_timer_divides),
		cmocka_unit_test(test_local_apic_timer_changes_rate_while_counting),
		cmocka_unit_test(test_local_apic_timer_periodic_does_not_drift),
		cmocka_unit_test(test_local_apic_timer_short_period_is_stretched),
		cmocka_unit_test(test_local_apic_tsc_deadline),
		cmocka_unit_test(test_local_apic_masked_timer_expires_silently),
		cmocka_unit_test(test_local_apic_extint_by_lint0),
		cmocka_unit_test(test_local_apic_virtual_wire),
		cmocka_unit_test(test_local_apic_clock_divides_the_tsc),
		cmocka_unit_test(test_local_apic_timer_longest_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
