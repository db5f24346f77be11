/* kernel/shootdown.c: which CPUs a shootdown disturbs, what they forget, and CPUs that change their page tables meanwhile. The
 * test's stack has a head as kernel stacks do; an interrupt sent to a CPU runs its handler at once, or when the sender waits. */
#include "tests/unit/unit.h"

#include "kernel/interrupt.h"
#include "kernel/percpu.h"
#include "kernel/shootdown.h"
#include "kernel/tlb.h"
#include "tests/fake/kernel_cpu_stack.h"

#define CPUS     5U
#define SPACE_A  0x1000U
#define SPACE_B  0x2000U
#define NO_SPACE 0x9000U

struct percpu *percpus[CPUS_MAX];
uint32_t percpu_count;

static struct percpu cpus[CPUS];
static unsigned interrupts[CPUS], user_flushes[CPUS], all_flushes[CPUS];
static struct percpu *slow_cpu; /* answers only when somebody polls */
static uint64_t seen_while_loading;
static void (*while_loading)(void);

static void as_cpu(struct percpu *cpu, void (*what)(void))
{
	struct percpu *before = fake_stack_head->cpu;

	fake_stack_head->cpu = cpu;
	what();
	fake_stack_head->cpu = before;
}

void interrupt_send(uint32_t apic_id, uint32_t vector)
{
	struct percpu *cpu = &cpus[apic_id - 100];

	assert_int_equal(vector, VECTOR_SHOOTDOWN);
	assert_ptr_not_equal(cpu, fake_stack_head->cpu);
	interrupts[cpu->index]++;
	if (cpu != slow_cpu)
		as_cpu(cpu, shootdown_poll);
}

void tlb_flush_user(void)
{
	user_flushes[fake_stack_head->cpu->index]++;
}

void tlb_flush_all(void)
{
	all_flushes[fake_stack_head->cpu->index]++;
}

void tlb_load(uint64_t cr3)
{
	assert_int_equal(fake_stack_head->cpu->cr3_loading, cr3);
	seen_while_loading = fake_stack_head->cpu->cr3_loaded;
	if (while_loading != NULL)
		while_loading();
}

static void reset(void)
{
	memset(cpus, 0, sizeof(cpus));
	memset(interrupts, 0, sizeof(interrupts));
	memset(user_flushes, 0, sizeof(user_flushes));
	memset(all_flushes, 0, sizeof(all_flushes));
	slow_cpu = NULL;
	while_loading = NULL;
	percpu_count = CPUS;
	for (uint32_t i = 0; i < CPUS; i++) {
		percpus[i] = &cpus[i];
		cpus[i].index = i;
		cpus[i].apic_id = 100 + i;
		cpus[i].online = true;
		cpus[i].cr3_loaded = NO_SPACE;
		cpus[i].cr3_loading = NO_SPACE;
	}
	fake_stack_head->cpu = &cpus[0];
}

static void assert_interrupted(const unsigned expected[CPUS])
{
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(interrupts[i], expected[i]);
}

static void body_space_disturbs_only_its_cpus(void)
{
	reset();
	shootdown_load_cr3(&cpus[0], SPACE_A);
	cpus[2].cr3_loaded = cpus[2].cr3_loading = SPACE_A;
	cpus[3].cr3_loaded = cpus[3].cr3_loading = SPACE_B;
	cpus[4].cr3_loaded = cpus[4].cr3_loading = SPACE_A;
	cpus[4].online = false;
	shootdown_space(SPACE_A);
	assert_interrupted((const unsigned[CPUS]){0, 0, 1, 0, 0});
	assert_int_equal(user_flushes[0], 1);
	assert_int_equal(user_flushes[2], 1);
	assert_int_equal(user_flushes[3], 0);
	assert_int_equal(cpus[2].shootdown_done, cpus[2].shootdown_request);
	/* Nobody has it: nobody is asked. */
	shootdown_space(0x5000);
	assert_interrupted((const unsigned[CPUS]){0, 0, 1, 0, 0});
}

static void shoot_a(void)
{
	shootdown_space(SPACE_A);
}

static void from_cpu_1(void)
{
	as_cpu(&cpus[1], shoot_a);
}

/* In the middle of a switch a CPU counts for the tables that it leaves and for those that it is about to load. */
static void body_space_meets_a_switch(void)
{
	reset();
	while_loading = from_cpu_1;
	shootdown_load_cr3(&cpus[0], SPACE_A);
	assert_int_equal(seen_while_loading, NO_SPACE);
	assert_int_equal(interrupts[0], 1);
	shootdown_load_cr3(&cpus[0], SPACE_B);
	assert_int_equal(seen_while_loading, SPACE_A);
	assert_int_equal(interrupts[0], 2);
	while_loading = NULL;
	from_cpu_1();
	assert_int_equal(interrupts[0], 2);
}

static void body_all_means_all(void)
{
	reset();
	cpus[3].online = false;
	shootdown_all();
	assert_interrupted((const unsigned[CPUS]){0, 1, 1, 0, 1});
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(all_flushes[i], i != 3);
}

/* They leave the guest; what they forget is virt/'s business, and ring 0's own translations stay. */
static void body_guests_by_mask(void)
{
	const uint64_t mask[CPUS_MAX / 64] = {1U << 1 | 1U << 4};

	reset();
	shootdown_guests(mask);
	assert_interrupted((const unsigned[CPUS]){0, 1, 0, 0, 1});
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(user_flushes[i] + all_flushes[i], 0);
}

static void shoot_all(void)
{
	shootdown_all();
}

/* Two requests before the answer: one answer serves both, and forgets what the stronger one wants. */
static void body_one_answer_serves_all(void)
{
	reset();
	cpus[2].cr3_loaded = SPACE_A;
	cpus[2].shootdown_what = 1; /* a first request for SPACE_A is on its way */
	cpus[2].shootdown_request = 1;
	as_cpu(&cpus[1], shoot_all);
	assert_int_equal(all_flushes[2], 1);
	assert_int_equal(user_flushes[2], 0);
	assert_int_equal(cpus[2].shootdown_done, 2);
	as_cpu(&cpus[2], shootdown_poll);
	assert_int_equal(all_flushes[2], 1);
}

#define STACK_TEST(name)                                      \
	static void test_kernel_shootdown_##name(void **state) \
	{                                                     \
		(void)state;                                  \
		fake_cpu_stack_run(&cpus[0], body_##name);    \
	}
STACK_TEST(space_disturbs_only_its_cpus)
STACK_TEST(space_meets_a_switch)
STACK_TEST(all_means_all)
STACK_TEST(guests_by_mask)
STACK_TEST(one_answer_serves_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_shootdown_space_disturbs_only_its_cpus),
		cmocka_unit_test(test_kernel_shootdown_space_meets_a_switch),
		cmocka_unit_test(test_kernel_shootdown_all_means_all),
		cmocka_unit_test(test_kernel_shootdown_guests_by_mask),
		cmocka_unit_test(test_kernel_shootdown_one_answer_serves_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
