/* The virtual local APIC step by step: tables of (operation, register, value) from SDM Vol. 3A, "Advanced Programmable Interrupt
 * Controller (APIC)"; each test names its sections. A step's operation says what is compared with its value. */
#include "tests/unit/unit.h"
#include "virt/local_apic.h"

#define TSC_HZ     1000000000ULL /* a tick a nanosecond, as the timer's clock with divide-by-1 */
#define GP         UINT64_MAX    /* an MSR access that raises #GP */
#define BY_1       0xbU          /* divide configuration: 1011b */
#define TIMER(bits) ((bits) | 0x40U)
#define PERIODIC   0x20000U
#define DEADLINE   0x40000U

enum operation {
	WRITE,    /* xAPIC register := value */
	READ,     /* xAPIC register == value */
	WRMSR,    /* MSR at := value */
	WRMSR_GP, /* the same raises #GP */
	RDMSR,    /* MSR at == value, or GP */
	BASE,     /* IA32_APIC_BASE := value */
	BASE_GP,  /* the same raises #GP */
	BASE_IS,  /* IA32_APIC_BASE == value */
	POST,     /* a message with vector value arrives */
	PENDING,  /* vector value can be delivered; 0: none */
	ACCEPT,   /* vector value is delivered */
	EOI,      /* EOI names vector value; 0: nothing was in service */
	SENT,     /* writing value to register `at` sends `value`; see SILENT */
	SILENT,   /* writing value to register `at` sends nothing */
	DEADLINE_MSR,    /* IA32_TSC_DEADLINE := value */
	DEADLINE_MSR_IS, /* IA32_TSC_DEADLINE == value */
	TIME,     /* it is value; what is due expires */
	INIT,     /* INIT arrives */
};

struct step {
	enum operation operation;
	uint32_t at;
	uint64_t value;
};

static struct local_apic apic;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	now = 1000;
	local_apic_create(&apic, 0x25, false, true, 39, apic_clock_make(TSC_HZ));
	return 0;
}

static struct apic_effects write_register(uint32_t offset, uint64_t value)
{
	struct apic_effects effects = {.flags = 0};

	local_apic_write(&apic, offset, (uint32_t)value, now, &effects);
	return effects;
}

static bool write_msr(uint32_t msr, uint64_t value)
{
	struct apic_effects effects = {.flags = 0};

	return local_apic_msr_write(&apic, msr, value, now, &effects);
}

static uint64_t read_msr(uint32_t msr)
{
	uint64_t value;

	return local_apic_msr_read(&apic, msr, now, &value) ? value : GP;
}

static bool write_base(uint64_t value)
{
	struct apic_effects effects = {.flags = 0};

	return local_apic_base_write(&apic, value, &effects);
}

static void check_eoi(uint64_t vector)
{
	struct apic_effects effects = write_register(APIC_EOI, 0);

	assert_int_equal((effects.flags & APIC_EFFECT_EOI) != 0, vector != 0);
	assert_int_equal(effects.eoi_vector, vector);
}

static void expire(uint64_t time)
{
	now = time;
	while (local_apic_timer_expire(&apic, now, 0))
		;
}

static void carry_out(const struct step *step)
{
	int pending = local_apic_pending(&apic);

	switch (step->operation) {
	case WRITE: write_register(step->at, step->value); break;
	case READ: assert_int_equal(local_apic_read(&apic, step->at, now), step->value); break;
	case WRMSR: assert_true(write_msr(step->at, step->value)); break;
	case WRMSR_GP: assert_false(write_msr(step->at, step->value)); break;
	case RDMSR: assert_int_equal(read_msr(step->at), step->value); break;
	case BASE: assert_true(write_base(step->value)); break;
	case BASE_GP: assert_false(write_base(step->value)); break;
	case BASE_IS: assert_int_equal(apic.base, step->value); break;
	case POST: local_apic_post(&apic, (uint8_t)step->value); break;
	case PENDING: assert_int_equal(pending, step->value == 0 ? -1 : (int)step->value); break;
	case ACCEPT: local_apic_accept(&apic, (uint8_t)step->value); break;
	case EOI: check_eoi(step->value); break;
	case SENT: assert_true((write_register(step->at, step->value).flags & APIC_EFFECT_SEND) != 0); break;
	case SILENT: assert_false((write_register(step->at, step->value).flags & APIC_EFFECT_SEND) != 0); break;
	case DEADLINE_MSR: local_apic_set_tsc_deadline(&apic, step->value); break;
	case DEADLINE_MSR_IS: assert_int_equal(apic.tsc_deadline, step->value); break;
	case TIME: expire(step->value); break;
	case INIT: local_apic_init(&apic); break;
	}
}

static const struct step *now_at; /* for the message where one fails */

static void follow(const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		now_at = &steps[i];
		print_message("step %zu: operation %d at %x value %llx\n", i, now_at->operation, now_at->at,
			      (unsigned long long)now_at->value);
		carry_out(now_at);
	}
}

#define FOLLOW(...)                                              \
	do {                                                     \
		static const struct step steps[] = {__VA_ARGS__}; \
		(void)state;                                     \
		follow(steps, sizeof(steps) / sizeof(steps[0])); \
	} while (0)

/* "Local APIC State After It Has Been Software Disabled": LVT entries are masked and stay so; what waits is held; IPIs go out. */
static void test_tables_software_disable(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {WRITE, APIC_LVT_TIMER, 0x40}, {READ, APIC_LVT_TIMER, 0x40}, {POST, 0, 0x51},
	       {WRITE, APIC_SVR, 0x0ff}, {READ, APIC_LVT_TIMER, 0x10040}, {WRITE, APIC_LVT_TIMER, 0x41},
	       {READ, APIC_LVT_TIMER, 0x10041}, {PENDING, 0, 0x51}, {SENT, APIC_ICR_LOW, 0x4045}, {ACCEPT, 0, 0x51},
	       {EOI, 0, 0x51}, {WRITE, APIC_SVR, 0x1ff}, {READ, APIC_LVT_TIMER, 0x10041}, {READ, APIC_SVR, 0x1ff});
}

/* "Task and Processor Priorities", "Interrupt Acceptance for Fixed Interrupts", "Signaling Interrupt Servicing Completion". */
static void test_tables_priorities_and_eoi(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {EOI, 0, 0}, {POST, 0, 0x31}, {POST, 0, 0x3f}, {POST, 0, 0x3f},
	       {READ, APIC_IRR + 0x10, 0x80020000}, {PENDING, 0, 0x3f}, {WRITE, APIC_TPR, 0x30}, {PENDING, 0, 0},
	       {READ, APIC_PPR, 0x30}, {WRITE, APIC_TPR, 0x2f}, {PENDING, 0, 0x3f}, {ACCEPT, 0, 0x3f}, {READ, APIC_PPR, 0x30},
	       {READ, APIC_ISR + 0x10, 0x80000000}, {READ, APIC_IRR + 0x10, 0x00020000}, {PENDING, 0, 0}, {POST, 0, 0xf0},
	       {PENDING, 0, 0xf0}, {ACCEPT, 0, 0xf0}, {READ, APIC_PPR, 0xf0}, {EOI, 0, 0xf0}, {EOI, 0, 0x3f},
	       {READ, APIC_PPR, 0x2f}, {PENDING, 0, 0x31}, {WRITE, APIC_TPR, 0x1ff}, {READ, APIC_TPR, 0xff},
	       {READ, APIC_PPR, 0xff}, {PENDING, 0, 0});
}

/* "Error Handling", "Error Status Register (ESR)": bits 5, 6, 7; a write shows what came since the last one and arms again. */
static void test_tables_errors(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {WRITE, APIC_LVT_ERROR, 0xe1}, {READ, 0x010, 0}, {READ, APIC_ESR, 0},
	       {PENDING, 0, 0xe1}, {ACCEPT, 0, 0xe1}, {EOI, 0, 0xe1}, {READ, 0x0400, 0}, {PENDING, 0, 0},
	       {WRITE, APIC_ESR, 0x12345678}, {READ, APIC_ESR, 0x80}, {WRITE, APIC_ESR, 0}, {READ, APIC_ESR, 0},
	       {POST, 0, 0x0f}, {READ, APIC_IRR, 0}, {PENDING, 0, 0xe1}, {ACCEPT, 0, 0xe1}, {EOI, 0, 0xe1},
	       {SILENT, APIC_ICR_LOW, 0x400f}, {PENDING, 0, 0xe1}, {WRITE, APIC_ESR, 0}, {READ, APIC_ESR, 0x60},
	       {ACCEPT, 0, 0xe1}, {EOI, 0, 0xe1}, {WRITE, APIC_LVT_ERROR, 0x100e1}, {WRITE, APIC_SELF_IPI, 0x40},
	       {PENDING, 0, 0}, {WRITE, APIC_ESR, 0}, {READ, APIC_ESR, 0x80});
}

/* "Error Status Register (ESR)", receive illegal vector: also of what comes from the local vector table. */
static void test_tables_illegal_vectors_of_the_lvt(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {WRITE, APIC_DIVIDE, BY_1}, {WRITE, APIC_LVT_TIMER, 0x0f}, {WRITE, APIC_INITIAL, 100},
	       {TIME, 0, 1100}, {READ, APIC_IRR, 0}, {WRITE, APIC_ESR, 0}, {READ, APIC_ESR, 0x40},
	       {WRITE, APIC_LVT_ERROR, 0x05}, {READ, 0x040, 0}, {READ, APIC_IRR, 0}, {WRITE, APIC_ESR, 0},
	       {READ, APIC_ESR, 0xc0});
}

/* "Valid Combinations for the Pentium 4 and Intel Xeon Processors' Local xAPIC Interrupt Command Register". */
static void test_tables_icr_combinations(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {SENT, APIC_ICR_LOW, 0x04040}, {SENT, APIC_ICR_LOW, 0x0c040},
	       {SENT, APIC_ICR_LOW, 0x04140}, {SENT, APIC_ICR_LOW, 0x04200}, {SENT, APIC_ICR_LOW, 0x04400},
	       {SENT, APIC_ICR_LOW, 0x04500}, {SENT, APIC_ICR_LOW, 0x04610}, {SENT, APIC_ICR_LOW, 0x44040},
	       {SENT, APIC_ICR_LOW, 0x4c040}, {SILENT, APIC_ICR_LOW, 0x44140}, {SILENT, APIC_ICR_LOW, 0x44200},
	       {SILENT, APIC_ICR_LOW, 0x44400}, {SILENT, APIC_ICR_LOW, 0x44500}, {SILENT, APIC_ICR_LOW, 0x44610},
	       {SENT, APIC_ICR_LOW, 0x84040}, {SILENT, APIC_ICR_LOW, 0x84140}, {SILENT, APIC_ICR_LOW, 0x84200},
	       {SILENT, APIC_ICR_LOW, 0x84400}, {SILENT, APIC_ICR_LOW, 0x84500}, {SILENT, APIC_ICR_LOW, 0x84610},
	       {SENT, APIC_ICR_LOW, 0xc4040}, {SENT, APIC_ICR_LOW, 0xc4140}, {SENT, APIC_ICR_LOW, 0xc4400},
	       {SENT, APIC_ICR_LOW, 0xc4500}, {SENT, APIC_ICR_LOW, 0xc4610}, {WRITE, APIC_ESR, 0}, {READ, APIC_ESR, 0},
	       {WRITE, APIC_ICR_HIGH, 0x12345678}, {READ, APIC_ICR_HIGH, 0x12000000}, {WRITE, APIC_ICR_LOW, 0xfff3f7ff},
	       {READ, APIC_ICR_LOW, 0x000cc7ff & 0xfff3f7ff});
}

/* "Initialization Time of the Local APIC", "Local APIC Status and Location", "x2APIC State Transitions". */
static void test_tables_base_address_and_states(void **state)
{
	FOLLOW({BASE_IS, 0, 0xfee00800}, {BASE, 0, 0xfee00000}, {BASE_GP, 0, 0xfee00c00}, {BASE_GP, 0, 0xfee00400},
	       {BASE, 0, 0xfee00000}, {BASE, 0, 0xfec00800}, {BASE_IS, 0, 0xfec00800}, {BASE, 0, 0xfee00900},
	       {BASE_IS, 0, 0xfee00900}, {BASE, 0, 0xfee00800}, {BASE_GP, 0, 0xfee00801}, {BASE_GP, 0, 0xfee00a00},
	       {BASE_GP, 0, 1ULL << 39 | 0x800}, {BASE, 0, 0xfee00c00}, {BASE_GP, 0, 0xfee00800}, {BASE_GP, 0, 0xfee00400},
	       {BASE, 0, 0xfee00c00}, {BASE, 0, 0xfee00000}, {BASE_GP, 0, 0xfee00c00}, {BASE, 0, 0xfee00800},
	       {BASE, 0, 0xfee00c00}, {BASE_IS, 0, 0xfee00c00});
}

/* "x2APIC State Transitions": from xAPIC on registers stay, but the ID is the initial one; switched off, nothing stays. */
static void test_tables_what_a_transition_keeps(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {WRITE, APIC_ID, 0x7f000000}, {READ, APIC_ID, 0x7f000000}, {WRITE, APIC_TPR, 0x20},
	       {WRITE, APIC_LVT_LINT0, 0x700}, {WRITE, APIC_LDR, 0x80000000}, {POST, 0, 0x61}, {BASE, 0, 0xfee00c00},
	       {RDMSR, 0x802, 0x25}, {RDMSR, 0x808, 0x20}, {RDMSR, 0x80f, 0x1ff}, {RDMSR, 0x835, 0x700},
	       {RDMSR, 0x80d, 0x20020}, {PENDING, 0, 0x61}, {BASE, 0, 0xfee00000}, {PENDING, 0, 0}, {RDMSR, 0x802, GP},
	       {BASE, 0, 0xfee00800}, {READ, APIC_ID, 0x25000000}, {READ, APIC_TPR, 0}, {READ, APIC_SVR, 0xff},
	       {READ, APIC_LDR, 0}, {READ, APIC_LVT_LINT0, 0x10000}, {PENDING, 0, 0});
}

/* "Local APIC State After It Receives an INIT-Deassert IPI": as after power-up, but the ID stays; x2APIC mode stays too. */
static void test_tables_init(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {WRITE, APIC_ID, 0x7f000000}, {WRITE, APIC_LDR, 0x80000000}, {WRITE, APIC_DFR, 0},
	       {WRITE, APIC_TPR, 0x20}, {WRITE, APIC_LVT_TIMER, 0x40}, {WRITE, APIC_INITIAL, 9}, {WRITE, APIC_DIVIDE, 0xa},
	       {POST, 0, 0x61}, {INIT, 0, 0}, {READ, APIC_ID, 0x7f000000}, {READ, APIC_LDR, 0}, {READ, APIC_DFR, UINT32_MAX},
	       {READ, APIC_TPR, 0}, {READ, APIC_SVR, 0xff}, {READ, APIC_LVT_TIMER, 0x10000}, {READ, APIC_INITIAL, 0},
	       {READ, APIC_CURRENT, 0}, {READ, APIC_DIVIDE, 0}, {PENDING, 0, 0}, {READ, APIC_ICR_LOW, 0},
	       {BASE_IS, 0, 0xfee00800}, {BASE, 0, 0xfee00c00}, {WRMSR, 0x808, 0x30}, {INIT, 0, 0}, {BASE_IS, 0, 0xfee00c00},
	       {RDMSR, 0x808, 0}, {RDMSR, 0x802, 0x25});
}

/* "x2APIC Register Address Space", "Reserved Bit Checking". */
static void test_tables_x2apic_reserved_bits(void **state)
{
	FOLLOW({RDMSR, 0x808, GP}, {WRMSR_GP, 0x808, 0}, {BASE, 0, 0xfee00c00}, {WRMSR, 0x808, 0xff}, {WRMSR_GP, 0x808, 0x100},
	       {WRMSR_GP, 0x808, 1ULL << 32}, {WRMSR_GP, 0x80b, 1}, {WRMSR, 0x80b, 0}, {RDMSR, 0x80b, GP},
	       {WRMSR_GP, 0x828, 1}, {WRMSR, 0x828, 0}, {WRMSR_GP, 0x80f, 0x1000}, {WRMSR, 0x80f, 0x1ff},
	       {WRMSR_GP, 0x802, 0x25}, {WRMSR_GP, 0x803, 0}, {WRMSR_GP, 0x80a, 0}, {WRMSR_GP, 0x80d, 0}, {RDMSR, 0x80e, GP},
	       {WRMSR_GP, 0x80e, 0}, {WRMSR_GP, 0x830, 0x1000}, {WRMSR, 0x830, 0x2500004045}, {RDMSR, 0x830, 0x2500004045},
	       {RDMSR, 0x831, GP}, {WRMSR_GP, 0x831, 0}, {WRMSR_GP, 0x832, 0x80040}, {WRMSR, 0x832, 0x60040},
	       {WRMSR_GP, 0x832, 0x100}, {WRMSR_GP, 0x833, 0x800}, {WRMSR, 0x835, 0x1a7ff}, {WRMSR_GP, 0x837, 0x700},
	       {WRMSR_GP, 0x838, 1ULL << 32}, {WRMSR_GP, 0x839, 0}, {WRMSR_GP, 0x83e, 4}, {WRMSR, 0x83e, 0xb},
	       {RDMSR, 0x83f, GP}, {WRMSR_GP, 0x83f, 0x100}, {WRMSR, 0x83f, 0x40}, {RDMSR, 0x840, GP}, {RDMSR, 0x82f, GP},
	       {WRMSR, 0x828, 0}, {RDMSR, 0x828, 0}, {WRMSR, 0x83f, 0x0f}, {WRMSR, 0x828, 0}, {RDMSR, 0x828, 0x20});
}

static void test_tables_tsc_deadline_mode_is_reserved_where_not_offered(void **state)
{
	apic.deadline_offered = false;
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {WRITE, APIC_LVT_TIMER, TIMER(DEADLINE)}, {READ, APIC_LVT_TIMER, TIMER(0)},
	       {BASE, 0, 0xfee00c00}, {WRMSR_GP, 0x832, TIMER(DEADLINE)}, {WRMSR, 0x832, TIMER(PERIODIC)},
	       {RDMSR, 0x832, TIMER(PERIODIC)});
}

/* "APIC Timer": one-shot and periodic; writing 0 stops; a masked one counts on and says nothing. */
static void test_tables_timer_counts(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {WRITE, APIC_DIVIDE, BY_1}, {WRITE, APIC_LVT_TIMER, TIMER(0)},
	       {WRITE, APIC_INITIAL, 50000}, {TIME, 0, 11000}, {READ, APIC_CURRENT, 40000}, {READ, APIC_INITIAL, 50000},
	       {PENDING, 0, 0}, {TIME, 0, 51000}, {READ, APIC_CURRENT, 0}, {PENDING, 0, 0x40}, {ACCEPT, 0, 0x40},
	       {EOI, 0, 0x40}, {TIME, 0, 200000}, {PENDING, 0, 0}, {WRITE, APIC_LVT_TIMER, TIMER(PERIODIC)}, {PENDING, 0, 0},
	       {READ, APIC_CURRENT, 0}, {WRITE, APIC_INITIAL, 50000}, {TIME, 0, 250000}, {PENDING, 0, 0x40},
	       {READ, APIC_CURRENT, 50000}, {ACCEPT, 0, 0x40}, {EOI, 0, 0x40}, {TIME, 0, 310000}, {PENDING, 0, 0x40},
	       {READ, APIC_CURRENT, 40000}, {ACCEPT, 0, 0x40}, {EOI, 0, 0x40}, {WRITE, APIC_LVT_TIMER, TIMER(0x30000)},
	       {TIME, 0, 350000}, {PENDING, 0, 0}, {TIME, 0, 360000}, {READ, APIC_CURRENT, 40000}, {WRITE, APIC_INITIAL, 0},
	       {READ, APIC_CURRENT, 0}, {WRITE, APIC_LVT_TIMER, TIMER(PERIODIC)}, {TIME, 0, 999999}, {PENDING, 0, 0});
}

/* "APIC Timer": the mode may change while it counts, one-shot to periodic and back. */
static void test_tables_timer_changes_mode_while_it_counts(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {WRITE, APIC_DIVIDE, BY_1}, {WRITE, APIC_LVT_TIMER, TIMER(PERIODIC)},
	       {WRITE, APIC_INITIAL, 50000}, {TIME, 0, 51000}, {WRITE, APIC_LVT_TIMER, TIMER(0)}, {READ, APIC_CURRENT, 50000},
	       {TIME, 0, 101000}, {READ, APIC_CURRENT, 0}, {TIME, 0, 151000}, {READ, APIC_CURRENT, 0});
}

/* "TSC-Deadline Mode". */
static void test_tables_tsc_deadline(void **state)
{
	FOLLOW({WRITE, APIC_SVR, 0x1ff}, {DEADLINE_MSR, 0, 5000}, {DEADLINE_MSR_IS, 0, 0}, {WRITE, APIC_DIVIDE, BY_1},
	       {WRITE, APIC_INITIAL, 50000}, {WRITE, APIC_LVT_TIMER, TIMER(DEADLINE)}, {READ, APIC_CURRENT, 0},
	       {WRITE, APIC_INITIAL, 70000}, {READ, APIC_CURRENT, 0}, {DEADLINE_MSR, 0, 5000}, {DEADLINE_MSR_IS, 0, 5000},
	       {TIME, 0, 4999}, {PENDING, 0, 0}, {TIME, 0, 5000}, {DEADLINE_MSR_IS, 0, 0}, {PENDING, 0, 0x40},
	       {ACCEPT, 0, 0x40}, {EOI, 0, 0x40}, {DEADLINE_MSR, 0, 4000}, {TIME, 0, 5001}, {PENDING, 0, 0x40},
	       {DEADLINE_MSR_IS, 0, 0}, {ACCEPT, 0, 0x40}, {EOI, 0, 0x40}, {DEADLINE_MSR, 0, 9000}, {DEADLINE_MSR, 0, 0},
	       {TIME, 0, 9000}, {PENDING, 0, 0}, {DEADLINE_MSR, 0, 10000}, {WRITE, APIC_LVT_TIMER, TIMER(0)},
	       {DEADLINE_MSR_IS, 0, 0}, {TIME, 0, 10000}, {PENDING, 0, 0}, {WRITE, APIC_LVT_TIMER, TIMER(DEADLINE)},
	       {TIME, 0, 10001}, {PENDING, 0, 0}, {WRITE, APIC_LVT_TIMER, TIMER(DEADLINE | APIC_LVT_MASKED)},
	       {DEADLINE_MSR, 0, 11000}, {TIME, 0, 11000}, {DEADLINE_MSR_IS, 0, 0}, {PENDING, 0, 0},
	       {WRITE, APIC_LVT_TIMER, TIMER(DEADLINE)}, {TIME, 0, 12000}, {PENDING, 0, 0});
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tables_software_disable),
		TEST(test_tables_priorities_and_eoi),
		TEST(test_tables_errors),
		TEST(test_tables_illegal_vectors_of_the_lvt),
		TEST(test_tables_icr_combinations),
		TEST(test_tables_base_address_and_states),
		TEST(test_tables_what_a_transition_keeps),
		TEST(test_tables_init),
		TEST(test_tables_x2apic_reserved_bits),
		TEST(test_tables_tsc_deadline_mode_is_reserved_where_not_offered),
		TEST(test_tables_timer_counts),
		TEST(test_tables_timer_changes_mode_while_it_counts),
		TEST(test_tables_tsc_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
