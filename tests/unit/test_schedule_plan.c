/* From manifest and CPUs to a plan: who runs where, who is refused and in which words, and what ring 0 is told. One file because
 * all of it reads manifests, and looks at plans, in one way. */
#include "lib/base/format.h"
#include "lib/schedule/orders.h"
#include "lib/schedule/plan.h"
#include "lib/schedule/share.h"
#include "tests/unit/unit.h"

#define VM(name)        "[[vm]]\nname = \"" name "\"\nkernel = \"k\"\n"
#define RESERVE(b, p)   "reserve = { budget = \"" b "\", period = \"" p "\" }\n"
#define DEDICATED       "dedicated = true\n"
#define WINDOWS         "[schedule]\nframe = \"10ms\"\nwindows = [\n"
#define WINDOW(s, l, vms, cpus) "{ start = \"" s "\", length = \"" l "\", vms = [" vms "], cpus = [" cpus "] },\n"
#define GHZ             UINT64_C(1000000000)

static struct manifest manifest;
static struct manifest_workspace workspace;
static struct schedule_plan plan;

static void make_plan(const char *text, uint32_t cpu_count)
{
	const struct schedule_pc pc = {.cpu_count = cpu_count};

	manifest_read(&manifest, &workspace, MANIFEST_FILE_NAME, text, strlen(text));
	if (manifest.message_count > 0)
		print_message("%s\n", manifest.messages[0].text);
	assert_int_equal(manifest.message_count, 0);
	schedule_plan_make(&plan, &manifest, &pc);
}

static void make_good_plan(const char *text, uint32_t cpu_count)
{
	make_plan(text, cpu_count);
	if (manifest.message_count > 0)
		print_message("%s\n", manifest.messages[0].text);
	assert_int_equal(manifest.message_count, 0);
}

/* Just that VM is refused, by that message. */
static void expect_refused(const char *text, uint32_t cpu_count, uint32_t vm, const char *expected)
{
	char line[MANIFEST_LINE_BYTES];

	make_plan(text, cpu_count);
	assert_int_not_equal(manifest.message_count, 0);
	manifest_message_format(&manifest, &manifest.messages[0], line, sizeof(line));
	assert_string_equal(line, expected);
	assert_int_equal(manifest.message_count, 1);
	for (uint32_t i = 0; i < manifest.vm_count; i++)
		assert_int_equal(manifest.vms[i].refused, i == vm);
}

static void expect_words(uint32_t cpu, const char *expected)
{
	char line[SCHEDULE_LINE_BYTES];

	assert_int_equal(schedule_plan_cpu_words(&plan, cpu, line), strlen(expected));
	assert_string_equal(line, expected);
}

static void test_schedule_plan_of_plain_vms_shares_all(void **state)
{
	struct schedule_space space;
	struct schedule_cpu cpu;
	char line[SCHEDULE_LINE_BYTES];

	(void)state;
	make_good_plan(VM("a") VM("b") "vcpus = 3\ncpus = [1]\nweight = 300\ncap = 50\n", 2);
	assert_true(plan.vms[0].cpus[0] == 3 && plan.vms[1].cpus[0] == 2 && plan.host_cpus[0] == 3);
	expect_words(0, "");
	assert_int_equal(schedule_plan_host_words(&plan, line), 0);
	schedule_order_cpu(&plan, 1, GHZ, 77, &cpu);
	assert_int_equal(cpu.mode, SCHEDULE_FAIR);
	assert_true(cpu.host_budget_ticks == 500000 && cpu.host_period_ticks == 10000000);
	schedule_order_space(&plan, 1, GHZ, &space);
	assert_true(space.weight == 300 && space.cap_percent == 50 && space.windows == 0);
	for (uint32_t i = 0; i < SCHEDULE_VCPUS_MAX; i++)
		assert_true(space.vcpus[i].cpu == SCHEDULE_CPU_ANY && space.vcpus[i].budget_ticks == 0);
}

static void test_schedule_plan_gives_dedicated_cpus_to_nobody_else(void **state)
{
	struct schedule_space space;
	struct schedule_cpu cpu;

	(void)state;
	make_good_plan(VM("a") VM("motor") "vcpus = 2\ncpus = [3, 1]\nservice_cpu = 2\n" DEDICATED VM("b") "cpus = [1, 2]\n"
		       VM("c") RESERVE("2ms", "10ms") VM("d") "cpus = [65]\n" DEDICATED, 66);
	assert_true(plan.vms[0].cpus[0] == ~UINT64_C(0xa) && plan.vms[0].cpus[1] == 1);
	assert_true(plan.vms[1].cpus[0] == 4 && plan.vms[2].cpus[0] == 4);
	assert_true(plan.host_cpus[0] == ~UINT64_C(0xa) && plan.host_cpus[1] == 1);
	assert_true(plan.vms[4].cpus[0] == 1 && plan.vms[4].places[0] == 65);
	schedule_order_space(&plan, 1, GHZ, &space);
	assert_true(space.vcpus[0].cpu == 1 && space.vcpus[1].cpu == 3 && space.vcpus[2].cpu == SCHEDULE_CPU_ANY);
	schedule_order_cpu(&plan, 3, GHZ, 77, &cpu);
	assert_true(cpu.mode == SCHEDULE_DEDICATED && cpu.host_budget_ticks == 0 && cpu.window_count == 0);
	assert_false(schedule_plan_has_host(&plan, 3));
	assert_int_equal(plan.vms[3].places[0], 0);
	expect_words(1, "CPU 1: dedicated to motor, vCPU 0");
	expect_words(3, "CPU 3: dedicated to motor, vCPU 1");
	expect_words(2, "");
}

static void test_schedule_plan_orders_windows(void **state)
{
	struct schedule_space space;
	struct schedule_cpu cpu;
	char line[SCHEDULE_LINE_BYTES];

	(void)state;
	make_good_plan(WINDOWS WINDOW("4ms", "6ms", "\"web\", \"db\"", "1, 2") WINDOW("0ms", "4ms", "\"control\"", "1")
		       "]\n" VM("control") VM("web") "cpus = [1, 2, 3]\n" VM("db") VM("other"), 4);
	assert_true(plan.vms[0].cpus[0] == 2 && plan.vms[1].cpus[0] == 6 && plan.vms[2].cpus[0] == 6 && plan.vms[3].cpus[0] == 9);
	assert_true(plan.host_cpus[0] == 9);
	schedule_order_cpu(&plan, 1, 3 * GHZ, 1234, &cpu);
	assert_int_equal(cpu.mode, SCHEDULE_WINDOWS);
	assert_true(cpu.frame_ticks == 30000000 && cpu.epoch_tsc == 1234 && cpu.slack == 0 && cpu.host_budget_ticks == 0);
	assert_int_equal(cpu.window_count, 2);
	assert_true(cpu.windows[0].start_ticks == 0 && cpu.windows[0].end_ticks == 12000000 && cpu.windows[0].index == 1);
	assert_true(cpu.windows[1].start_ticks == 12000000 && cpu.windows[1].end_ticks == 30000000 && cpu.windows[1].index == 0);
	schedule_order_cpu(&plan, 2, 3 * GHZ, 1234, &cpu);
	assert_true(cpu.window_count == 1 && cpu.windows[0].index == 0 && cpu.epoch_tsc == 1234);
	schedule_order_space(&plan, 0, 3 * GHZ, &space);
	assert_true(space.windows == 2);
	schedule_order_space(&plan, 2, 3 * GHZ, &space);
	assert_true(space.windows == 1 && space.vcpus[0].cpu == 1);
	schedule_order_space(&plan, 3, 3 * GHZ, &space);
	assert_true(space.windows == 0);
	expect_words(1, "CPU 1: windows in a frame of 10ms, slack unused; 4ms to 10ms web db; 0 to 4ms control");
	expect_words(2, "CPU 2: windows in a frame of 10ms, slack unused; 4ms to 10ms web db");
	schedule_plan_host_words(&plan, line);
	assert_string_equal(line, "host reserve: 5 % (500us of 10ms) of CPU 0 3");
}

static void test_schedule_plan_deals_vcpus_out_to_windows(void **state)
{
	static const uint32_t expected[] = {0, 2, 3, 0, 2, SCHEDULE_CPU_ANY};
	struct schedule_space space;

	(void)state;
	make_good_plan(WINDOWS WINDOW("0ms", "5ms", "\"a\"", "3, 0") WINDOW("5ms", "5ms", "\"a\"", "2") "]\n"
		       VM("a") "vcpus = 5\n", 4);
	schedule_order_space(&plan, 0, GHZ, &space);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(space.vcpus[i].cpu, expected[i]);
}

/* Slack is for VMs without windows and without reservations. */
static void test_schedule_plan_lets_fair_vms_use_slack(void **state)
{
	struct schedule_cpu cpu;

	(void)state;
	make_good_plan("[schedule]\nframe = \"10ms\"\nslack = true\nwindows = [\n" WINDOW("0ms", "4ms", "\"a\"", "1") "]\n"
		       VM("a") VM("fair") VM("audio") RESERVE("5ms", "10ms"), 2);
	assert_true(plan.vms[0].cpus[0] == 2 && plan.vms[1].cpus[0] == 3 && plan.vms[2].cpus[0] == 1);
	schedule_order_cpu(&plan, 1, GHZ, 0, &cpu);
	assert_true(cpu.slack == 1);
	expect_words(1, "CPU 1: windows in a frame of 10ms, slack to VMs without windows; 0 to 4ms a");
}

static void test_schedule_plan_keeps_the_manager_where_all_cpus_have_windows(void **state)
{
	struct schedule_cpu cpu;

	(void)state;
	make_good_plan(WINDOWS WINDOW("0ms", "10ms", "\"a\"", "0, 1") "]\n" VM("a"), 2);
	assert_true(plan.host_cpus[0] == 1);
	schedule_order_cpu(&plan, 0, GHZ, 0, &cpu);
	assert_true(cpu.mode == SCHEDULE_WINDOWS && cpu.host_budget_ticks == 500000);
	schedule_order_cpu(&plan, 1, GHZ, 0, &cpu);
	assert_true(cpu.mode == SCHEDULE_WINDOWS && cpu.host_budget_ticks == 0);
}

/* Windows of VMs that do not start take no CPU from others. */
static void test_schedule_plan_drops_windows_of_refused_vms(void **state)
{
	const struct schedule_pc pc = {.cpu_count = 2};

	(void)state;
	make_good_plan(WINDOWS WINDOW("0ms", "4ms", "\"a\"", "1") "]\n" VM("a") VM("b"), 2);
	manifest.vms[0].refused = true;
	schedule_plan_make(&plan, &manifest, &pc);
	assert_true(plan.vms[1].cpus[0] == 3 && plan.window_cpus[0] == 0 && plan.host_cpus[0] == 3);
}

static void test_schedule_plan_places_reservations(void **state)
{
	struct schedule_space space;

	(void)state;
	make_good_plan(VM("a") "vcpus = 2\n" RESERVE("9500us", "10ms") VM("b") RESERVE("333333us", "1s"), 3);
	schedule_order_space(&plan, 0, 2999999999, &space);
	assert_true(space.vcpus[0].cpu == 0 && space.vcpus[1].cpu == 1 && space.vcpus[2].cpu == SCHEDULE_CPU_ANY);
	/* 28499999.99 and 29999999.99 ticks: down and up. */
	assert_true(space.vcpus[1].budget_ticks == 28499999 && space.vcpus[1].period_ticks == 30000000);
	assert_true(space.vcpus[2].budget_ticks == 0);
	schedule_order_space(&plan, 1, 2999999999, &space);
	assert_true(space.vcpus[0].cpu == 2);
	expect_words(0, "CPU 0: reserved, 0 % left; a 95 %");
	expect_words(2, "CPU 2: reserved, 61.6667 % left; b 33.3333 %");
}

static void test_schedule_plan_refuses_one_tick_too_many(void **state)
{
	(void)state;
	make_good_plan(VM("a") RESERVE("2ms", "10ms") VM("b") RESERVE("750ms", "1s"), 1);
	expect_refused(VM("a") RESERVE("2ms", "10ms") VM("b") RESERVE("750001us", "1s"), 1, 1,
		       "E207 bulkhead.toml line 8: VM \"b\" reserves 750001us of 1s = 75.0001 %, but left beside the host's 5 % "
				"is: "
		       "CPU 0 75 %; lower reserve");
	expect_refused(VM("a") RESERVE("1s", "1s") VM("b"), 2, 0,
		       "E207 bulkhead.toml line 4: VM \"a\" reserves 1s of 1s = 100 %: so much is left in sum (CPU 0 95 %, CPU 1 "
		       "95 %), but no way to place whole vCPUs exists; lower reserve");
}

static void test_schedule_plan_tells_the_arithmetic(void **state)
{
	(void)state;
	expect_refused(VM("a") RESERVE("8ms", "10ms") VM("b") RESERVE("75ms", "100ms")
		       VM("web") "vcpus = 3\n" RESERVE("2ms", "10ms") VM("small") RESERVE("1ms", "10ms"), 2, 2,
		       "E207 bulkhead.toml line 13: VM \"web\" reserves 2ms of 10ms for each of 3 vCPUs = 60 %, but left beside "
				"the "
		       "host's 5 % is: CPU 0 15 %, CPU 1 20 %; lower reserve");
	expect_refused(VM("a") "vcpus = 4\n" RESERVE("6ms", "10ms") VM("b") "vcpus = 3\n" RESERVE("5ms", "10ms"), 5, 1,
		       "E207 bulkhead.toml line 10: VM \"b\" reserves 5ms of 10ms for each of 3 vCPUs = 150 %: so much is left in "
				"sum "
		       "(CPU 0 35 %, CPU 1 35 %, CPU 2 35 %, 2 more 130 %), but no way to place whole vCPUs exists; lower reserve");
}

static void test_schedule_plan_says_when_only_the_packing_fails(void **state)
{
	(void)state;
	expect_refused(VM("a") "vcpus = 2\n" RESERVE("6ms", "10ms") VM("b") RESERVE("5ms", "10ms"), 2, 1,
		       "E207 bulkhead.toml line 9: VM \"b\" reserves 5ms of 10ms = 50 %: so much is left in sum (CPU 0 35 %, CPU 1 "
		       "35 %), but no way to place whole vCPUs exists; lower reserve");
	expect_refused(VM("a") "vcpus = 63\n" RESERVE("48ms", "100ms") VM("b") "vcpus = 2\n" RESERVE("50ms", "100ms"), 32, 0,
		       "E207 bulkhead.toml line 5: VM \"a\" reserves 48ms of 100ms for each of 63 vCPUs = 3024 %: so much is left "
				"in sum "
		       "(CPU 0 95 %, CPU 1 95 %, CPU 2 95 %, 29 more 2755 %), but no way to place whole vCPUs was found; lower "
				"reserve");
}

/* VMs further up have precedence, but are moved to other CPUs where that makes room. */
static void test_schedule_plan_moves_earlier_vms_to_make_room(void **state)
{
	(void)state;
	make_good_plan(VM("a") RESERVE("6ms", "10ms") VM("b") "cpus = [0]\n" RESERVE("5ms", "10ms"), 2);
	assert_int_equal(plan.vms[0].places[0], 1);
	assert_int_equal(plan.vms[1].places[0], 0);
}

static void test_schedule_plan_refuses_vms_without_a_cpu(void **state)
{
	(void)state;
	expect_refused(VM("motor") "cpus = [1]\n" DEDICATED VM("b") "cpus = [1]\n" VM("c"), 2, 1,
		       "E208 bulkhead.toml line 9: VM \"b\" has no CPU: all its cpus are dedicated to other VMs, have windows or "
				"are second threads of cores; "
				"name "
		       "others");
	expect_refused(WINDOWS WINDOW("0ms", "4ms", "\"a\"", "0, 1") "]\n" VM("a") VM("b"), 2, 1,
		       "E208 bulkhead.toml line 9: VM \"b\" has no CPU: all CPUs of this PC are dedicated to other VMs, have "
				"windows "
		       "or are second threads of cores; leave one free");
	expect_refused("[schedule]\nframe = \"10ms\"\nslack = true\nwindows = [\n" WINDOW("0ms", "4ms", "\"a\"", "1") "]\n"
		       VM("a") VM("b") "cpus = [1]\n" RESERVE("1ms", "10ms"), 2, 1,
		       "E208 bulkhead.toml line 13: VM \"b\" has no CPU: all its cpus are dedicated to other VMs, have windows or "
				"are second threads of cores; "
				"name "
		       "others");
}

/* Four cores with two threads each: CPUs 0 4, 1 5, 2 6, 3 7. */
static void make_smt_plan(const char *text)
{
	static const uint32_t cores[8] = {10, 20, 30, 40, 10, 20, 30, 40};
	const struct schedule_pc pc = {.cpu_count = 8, .cores = cores};

	manifest_read(&manifest, &workspace, MANIFEST_FILE_NAME, text, strlen(text));
	assert_int_equal(manifest.message_count, 0);
	schedule_plan_make(&plan, &manifest, &pc);
}

static void expect_smt_refused(const char *text, uint32_t vm, const char *expected)
{
	char line[MANIFEST_LINE_BYTES];

	make_smt_plan(text);
	assert_int_equal(manifest.message_count, 1);
	manifest_message_format(&manifest, &manifest.messages[0], line, sizeof(line));
	assert_string_equal(line, expected);
	for (uint32_t i = 0; i < manifest.vm_count; i++)
		assert_int_equal(manifest.vms[i].refused, i == vm);
}

static void test_schedule_plan_uses_first_threads_of_cores(void **state)
{
	char line[SCHEDULE_LINE_BYTES];

	(void)state;
	make_smt_plan(VM("a") VM("b") "cpus = [2, 6, 7]\n" VM("c") "vcpus = 4\n" RESERVE("9500us", "10ms"));
	assert_int_equal(manifest.message_count, 0);
	assert_true(plan.vms[0].cpus[0] == 0xf && plan.vms[1].cpus[0] == 4 && plan.vms[2].cpus[0] == 0xf);
	assert_true(plan.host_cpus[0] == 0xf && plan.unused_cpus[0] == 0xf0);
	schedule_plan_unused_words(&plan, line);
	assert_string_equal(line, "unused, as other threads of their cores run VMs (smt = \"share\" would use them): CPU 4-7");
	make_smt_plan("[host]\nsmt = \"share\"\n" VM("a") VM("b") "cpus = [6]\n" DEDICATED VM("c") "cpus = [2]\n" DEDICATED);
	assert_int_equal(manifest.message_count, 0);
	assert_true(plan.vms[0].cpus[0] == 0xbb && plan.unused_cpus[0] == 0);
	assert_int_equal(schedule_plan_unused_words(&plan, line), 0);
}

static void test_schedule_plan_gives_whole_cores_to_dedicated_vms(void **state)
{
	(void)state;
	make_smt_plan(VM("a") VM("pair") "vcpus = 2\ncpus = [1, 5]\n" DEDICATED VM("single") "cpus = [6]\nservice_cpu = 3\n"
			DEDICATED);
	assert_int_equal(manifest.message_count, 0);
	assert_true(plan.dedicated_cpus[0] == 0x62 && plan.unused_cpus[0] == 0x94);
	assert_true(plan.vms[0].cpus[0] == 9 && plan.host_cpus[0] == 9);
	assert_true(plan.vms[1].places[0] == 1 && plan.vms[1].places[1] == 5);
}

/* A core where one VM only may run is used as a whole: nobody else is there to be spied on. */
static void test_schedule_plan_gives_whole_cores_to_vms_that_share_them_with_nobody(void **state)
{
	char line[SCHEDULE_LINE_BYTES];

	(void)state;
	/* Core 1 is web's, core 3 heavy's; core 2 is named by two, and CPU 0 is the manager's. */
	make_smt_plan(VM("web") "vcpus = 4\ncpus = [0, 1, 2, 5, 6]\n" VM("db") "cpus = [2]\n"
		      VM("heavy") "vcpus = 2\ncpus = [3, 7]\n" RESERVE("9ms", "10ms"));
	assert_int_equal(manifest.message_count, 0);
	assert_true(plan.vms[0].cpus[0] == 0x27 && plan.vms[1].cpus[0] == 4 && plan.vms[2].cpus[0] == 0x88);
	assert_true(plan.whole_core_cpus[0] == 0xaa && plan.unused_cpus[0] == 0x50 && plan.host_cpus[0] == 5);
	assert_true(plan.vms[2].places[0] == 3 && plan.vms[2].places[1] == 7);
	schedule_plan_whole_core_words(&plan, line);
	assert_string_equal(line, "all threads of a core are used, as no second VM may run there: CPU 1 3 5 7");
	schedule_plan_unused_words(&plan, line);
	assert_string_equal(line, "unused, as other threads of their cores run VMs (smt = \"share\" would use them): CPU 4 6");
	/* Alone on the PC: all but the second thread of CPU 0's core. */
	make_smt_plan(VM("web"));
	assert_true(plan.vms[0].cpus[0] == 0xef && plan.host_cpus[0] == 1);
	make_smt_plan("[host]\nsmt = \"share\"\n" VM("web"));
	assert_true(plan.vms[0].cpus[0] == 0xff && plan.host_cpus[0] == 0xff && plan.whole_core_cpus[0] == 0);
}

static void test_schedule_plan_shares_no_core_that_somebody_else_may_use(void **state)
{
	(void)state;
	/* A service CPU is a place where another VM runs. */
	make_smt_plan(VM("web") "cpus = [1, 2, 5, 6]\n" VM("motor") "cpus = [3]\nservice_cpu = 2\n" DEDICATED);
	assert_int_equal(manifest.message_count, 0);
	assert_true(plan.whole_core_cpus[0] == 0x22 && plan.vms[0].cpus[0] == 0x26);
	/* Windows run on first threads; their slack is for others. */
	make_smt_plan("[schedule]\nframe = \"10ms\"\nslack = true\nwindows = [\n" WINDOW("0ms", "4ms", "\"a\"", "1") "]\n"
		      VM("a") VM("web"));
	assert_int_equal(manifest.message_count, 0);
	assert_true(plan.whole_core_cpus[0] == 0xcc && plan.vms[0].cpus[0] == 2 && plan.vms[1].cpus[0] == 0xcf);
	/* One that names not all threads, and one that anybody may share. */
	make_smt_plan(VM("web") "cpus = [1, 2, 6]\n" VM("b") "cpus = [0, 3]\n" VM("c") "cpus = [3, 7]\n");
	assert_true(plan.whole_core_cpus[0] == 0x44 && plan.vms[0].cpus[0] == 0x46 && plan.host_cpus[0] == 0xb);
	make_smt_plan(VM("web") "cpus = [1, 5]\n" VM("b"));
	assert_true(plan.whole_core_cpus[0] == 0xcc && plan.vms[0].cpus[0] == 2 && plan.vms[1].cpus[0] == 0xcf);
}

static void test_schedule_plan_refuses_two_vms_on_one_core(void **state)
{
	(void)state;
	expect_smt_refused(VM("a") "cpus = [1]\n" DEDICATED VM("b") "cpus = [5]\n" DEDICATED VM("c"), 1,
			   "E209 bulkhead.toml line 9: VM \"b\": cpus names CPU 5, which shares a core with CPU 1: a core runs "
			"one VM at a "
			   "time; name other CPUs, or write smt = \"share\" in [host]");
	assert_true(plan.vms[2].cpus[0] == 0xcd);
	expect_smt_refused(VM("a") "cpus = [4]\n" DEDICATED VM("c"), 0,
			   "E209 bulkhead.toml line 4: VM \"a\": cpus names CPU 4, which shares a core with CPU 0: a core runs "
			"one VM at a "
			   "time; name other CPUs, or write smt = \"share\" in [host]");
	expect_smt_refused(WINDOWS WINDOW("0ms", "4ms", "\"a\"", "1, 5") "]\n" VM("a") VM("b"), 0,
			   "E209 bulkhead.toml line 4: VM \"a\": a window names CPU 5, which shares a core with CPU 1: a core "
			"runs one VM "
			   "at a time; name other CPUs, or write smt = \"share\" in [host]");
	assert_true(plan.vms[1].cpus[0] == 0xef);
	expect_smt_refused(WINDOWS WINDOW("0ms", "4ms", "\"b\"", "1") "]\n" VM("a") "cpus = [5]\n" DEDICATED VM("b"), 0,
			   "E209 bulkhead.toml line 9: VM \"a\": cpus names CPU 5, which shares a core with CPU 1: a core runs "
			"one VM at a "
			   "time; name other CPUs, or write smt = \"share\" in [host]");
	/* The CPU of the refused VM is free again. */
	expect_smt_refused(VM("a") "cpus = [1]\nservice_cpu = 6\n" DEDICATED VM("b"), 0,
			   "E209 bulkhead.toml line 5: VM \"a\": service_cpu names CPU 6, which shares a core with CPU 2: a core "
			"runs one "
			   "VM at a time; name other CPUs, or write smt = \"share\" in [host]");
	assert_true(plan.vms[1].cpus[0] == 0xef && plan.dedicated_cpus[0] == 0);
	expect_smt_refused(VM("a") VM("b") "cpus = [4, 5]\n", 1,
			   "E208 bulkhead.toml line 7: VM \"b\" has no CPU: all its cpus are dedicated to other VMs, have windows "
			"or are "
			   "second threads of cores; name others");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule_plan_of_plain_vms_shares_all),
		cmocka_unit_test(test_schedule_plan_gives_dedicated_cpus_to_nobody_else),
		cmocka_unit_test(test_schedule_plan_orders_windows),
		cmocka_unit_test(test_schedule_plan_deals_vcpus_out_to_windows),
		cmocka_unit_test(test_schedule_plan_lets_fair_vms_use_slack),
		cmocka_unit_test(test_schedule_plan_keeps_the_manager_where_all_cpus_have_windows),
		cmocka_unit_test(test_schedule_plan_drops_windows_of_refused_vms),
		cmocka_unit_test(test_schedule_plan_places_reservations),
		cmocka_unit_test(test_schedule_plan_refuses_one_tick_too_many),
		cmocka_unit_test(test_schedule_plan_tells_the_arithmetic),
		cmocka_unit_test(test_schedule_plan_says_when_only_the_packing_fails),
		cmocka_unit_test(test_schedule_plan_moves_earlier_vms_to_make_room),
		cmocka_unit_test(test_schedule_plan_refuses_vms_without_a_cpu),
		cmocka_unit_test(test_schedule_plan_uses_first_threads_of_cores),
		cmocka_unit_test(test_schedule_plan_gives_whole_cores_to_dedicated_vms),
		cmocka_unit_test(test_schedule_plan_gives_whole_cores_to_vms_that_share_them_with_nobody),
		cmocka_unit_test(test_schedule_plan_shares_no_core_that_somebody_else_may_use),
		cmocka_unit_test(test_schedule_plan_refuses_two_vms_on_one_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
