/* manager/schedule.c: what ring 0 is told of CPUs and programs, and which VMs cannot start where it does not take an order. */
#include "tests/unit/unit.h"

#include "lib/base/format.h"
#include "manager/schedule.h"
#include "tests/fake/program.h"
#include "user/calls.h"

#define VM(name) "[[vm]]\nname = \"" name "\"\nkernel = \"k\"\n"

static struct manifest manifest;
static struct manifest_workspace workspace;
static struct schedule schedule;
static uint32_t refused_cpu;          /* by ring 0 */
static struct schedule_cpu cpu_orders[4];
static struct schedule_space space_order;
static unsigned space_calls;
static enum status space_status;
static size_t cores_told;
static enum status cores_status;
static char lines[2048];

enum status sys_schedule_cpu(handle_t host, uint32_t cpu, const struct schedule_cpu *order)
{
	assert_int_equal(host, MANAGER_HANDLE_HOST);
	assert_true(cpu < 4);
	cpu_orders[cpu] = *order;
	return cpu == refused_cpu ? ERR_UNSUPPORTED : OK;
}

enum status sys_schedule_space(handle_t host, handle_t space, const struct schedule_space *order)
{
	assert_int_equal(host, MANAGER_HANDLE_HOST);
	assert_int_equal(space, 9);
	space_order = *order;
	space_calls++;
	return space_status;
}

enum status sys_host_report(enum host_report report, char *out, size_t size_bytes, size_t *written_bytes)
{
	static const uint32_t cores[4] = {5, 5, 6, 6};

	assert_int_equal(report, HOST_REPORT_CORES);
	*written_bytes = cores_told * sizeof(cores[0]);
	assert_true(*written_bytes <= size_bytes && *written_bytes <= sizeof(cores));
	memcpy(out, cores, *written_bytes);
	return cores_status;
}

/* VMs 0 to 5 on four CPUs: 2 is dedicated, 3 has windows. */
static int start(void **state)
{
	static const char text[] =
		VM("plain") VM("heavy") "weight = 200\ncpus = [1]\n" VM("audio") "reserve = { budget = \"2ms\", period = \"10ms\" "
				"}\n"
		VM("motor") "cpus = [2]\ndedicated = true\n" VM("control") VM("capped") "cap = 50\n"
		"[schedule]\nframe = \"10ms\"\nwindows = [ { start = \"0ms\", length = \"4ms\", vms = [\"control\"], cpus = [3] } "
				"]\n";

	(void)state;
	fake_program_start();
	manifest_read(&manifest, &workspace, MANIFEST_FILE_NAME, text, strlen(text));
	memset(&schedule, 0, sizeof(schedule));
	schedule_plan_make(&schedule.plan, &manifest, &(struct schedule_pc){.cpu_count = 4});
	assert_int_equal(manifest.message_count, 0);
	refused_cpu = UINT32_MAX;
	space_calls = 0;
	space_status = OK;
	lines[0] = '\0';
	return 0;
}

static void test_manager_schedule_orders_every_cpu_with_one_epoch(void **state)
{
	(void)state;
	schedule_apply_cpus(&schedule);
	assert_int_equal(cpu_orders[0].mode, SCHEDULE_FAIR);
	assert_int_equal(cpu_orders[2].mode, SCHEDULE_DEDICATED);
	assert_int_equal(cpu_orders[3].mode, SCHEDULE_WINDOWS);
	assert_true(cpu_orders[3].epoch_tsc != 0 && cpu_orders[3].window_count == 1);
}

static void test_manager_schedule_orders_what_a_vm_gets(void **state)
{
	(void)state;
	for (uint32_t vm = 0; vm < 6; vm++) {
		assert_int_equal(schedule_apply_space(&schedule, vm, 9), OK);
		assert_int_equal(space_calls, vm + 1);
		assert_int_equal(space_order.weight, vm == 1 ? 200 : 100);
		assert_int_equal(space_order.cap_percent, vm == 5 ? 50 : 0);
		assert_true(space_order.windows == (vm == 4 ? 1 : 0));
		assert_true(space_order.vcpus[0].cpu == (vm == 2 ? 0 : vm == 3 ? 2 : vm == 4 ? 3 : SCHEDULE_CPU_ANY));
		assert_true(space_order.vcpus[0].period_ticks == (vm == 2 ? 10 : 0)); /* a tick is a millisecond here */
	}
}

static void test_manager_schedule_refuses_vms_whose_guarantee_fails(void **state)
{
	static const uint32_t vm_of_cpu[] = {2, 1, 3, 4};

	for (refused_cpu = 0; refused_cpu < 4; refused_cpu++) {
		uint32_t cpu = refused_cpu;

		start(state);
		refused_cpu = cpu;
		schedule_apply_cpus(&schedule);
		for (uint32_t vm = 0; vm < 6; vm++)
			assert_int_equal(schedule_apply_space(&schedule, vm, 9),
			vm == vm_of_cpu[cpu] && cpu != 1 ? ERR_UNSUPPORTED : OK);
	}
	space_status = ERR_INVALID;
	assert_int_equal(schedule_apply_space(&schedule, 1, 9), ERR_INVALID);
}

/* Where that is not known, VMs must not share a core by accident. */
static void test_manager_schedule_takes_all_cpus_for_one_core_where_it_is_not_told(void **state)
{
	static uint32_t cores[MANIFEST_CPUS_MAX];
	const struct schedule_pc pc = {.cpu_count = 4, .cores = cores};

	cores_status = OK;
	cores_told = 4;
	schedule_read_cores(cores, 4, false);
	assert_true(cores[0] == 5 && cores[1] == 5 && cores[2] == 6 && cores[3] == 6);
	assert_string_equal(fake_program_log, "");
	for (unsigned i = 0; i < 2; i++) {
		start(state);
		cores_status = i == 0 ? ERR_INVALID : OK;
		cores_told = i == 0 ? 4 : 3;
		schedule_read_cores(cores, 4, false);
		assert_string_equal(fake_program_log,
				    "E637 manager: ring 0 does not tell which CPUs share a core: only CPU 0 is used, so that no VM "
				    "can spy on another; smt = \"share\" in [host] uses all\n");
		manifest_read(&manifest, &workspace, MANIFEST_FILE_NAME, VM("a"), strlen(VM("a")));
		schedule_plan_make(&schedule.plan, &manifest, &pc);
		assert_true(schedule.plan.vms[0].cpus[0] == 1);
	}
	start(state);
	schedule_read_cores(cores, 4, true);
	schedule_read_cores(cores, 1, false);
	assert_string_equal(fake_program_log, "");
}

static void append(void *context, const char *line)
{
	assert_ptr_equal(context, lines);
	strcat(lines, line);
}

static void test_manager_schedule_prints_what_is_not_the_usual(void **state)
{
	(void)state;
	schedule_print(&schedule, append, lines);
	assert_string_equal(lines, "CPU 0: reserved, 75 % left; audio 20 %\nCPU 2: dedicated to motor, vCPU 0\n"
				   "CPU 3: windows in a frame of 10ms, slack unused; 0 to 4ms control\n"
				   "host reserve: 5 % (500us of 10ms) of CPU 0 1\n");
}

/* A line that is as long as its buffer still ends with a newline. */
static void test_manager_schedule_cuts_long_lines(void **state)
{
	static char text[16384];
	size_t used = format_text(text, sizeof(text), "[schedule]\nframe = \"64ms\"\nwindows = [\n");

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		used += format_text(text + used, sizeof(text) - used,
				    "{ start = \"%ums\", length = \"1ms\", vms = [\"a\"], cpus = [1] },\n", i);
	format_text(text + used, sizeof(text) - used, "]\n" VM("a"));
	manifest_read(&manifest, &workspace, MANIFEST_FILE_NAME, text, strlen(text));
	memset(&schedule, 0, sizeof(schedule));
	schedule_plan_make(&schedule.plan, &manifest, &(struct schedule_pc){.cpu_count = 2});
	schedule_print(&schedule, append, lines);
	assert_int_equal(strchr(lines, '\n') - lines, SCHEDULE_LINE_BYTES - 2);
	assert_non_null(strstr(lines, "\nhost reserve"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_manager_schedule_orders_every_cpu_with_one_epoch, start),
		cmocka_unit_test_setup(test_manager_schedule_orders_what_a_vm_gets, start),
		cmocka_unit_test_setup(test_manager_schedule_refuses_vms_whose_guarantee_fails, start),
		cmocka_unit_test_setup(test_manager_schedule_takes_all_cpus_for_one_core_where_it_is_not_told, start),
		cmocka_unit_test_setup(test_manager_schedule_prints_what_is_not_the_usual, start),
		cmocka_unit_test_setup(test_manager_schedule_cuts_long_lines, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
