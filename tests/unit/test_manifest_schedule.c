/* Scheduling in bulkhead.toml: durations, reservations, dedicated CPUs and windows; each mistake with its code, line and remedy.
 * One file because each mistake is one row of the same cases. */
#include "lib/base/format.h"
#include "tests/unit/manifest_text.h"

#define GOOD_VM     "[[vm]]\nname = \"good\"\nkernel = \"k\"\n"
#define VM(name)    "[[vm]]\nname = \"" name "\"\nkernel = \"k\"\n"
#define VM_LINES    VM("a")
#define DEDICATED   "dedicated = true\n"
#define RESERVE     "reserve = { budget = \"2ms\", period = \"10ms\" }\n"
/* Lines 1 to 3 of a file with windows on CPU 1; the list ends with WINDOWS_END. */
#define WINDOWS     "[schedule]\nframe = \"10ms\"\nwindows = [\n"
#define WINDOWS_END "]\n"
#define WINDOW_OF_A "{ start = \"0ms\", length = \"4ms\", vms = [\"a\"], cpus = [1] },\n"
#define MS          UINT64_C(1000000)

/* The file gives just that message; the first VM is refused by it, the one named "good" is not. */
static void expect_refused(const char *text, const char *expected)
{
	static char whole[8192];

	format_text(whole, sizeof(whole), "%s" GOOD_VM, text);
	read_text(whole);
	expect_message(0, expected);
	assert_int_equal(manifest.message_count, 1);
	for (uint32_t i = 0; i < manifest.vm_count; i++)
		assert_int_equal(manifest.vms[i].refused, (int32_t)i == manifest.messages[0].vm_index);
	assert_false(manifest.vms[manifest.vm_count - 1].refused);
}

/* The lines below a VM's name and kernel, from line 4 on. */
static void expect_lines_refused(const char *lines, const char *expected)
{
	char text[1024];

	format_text(text, sizeof(text), VM_LINES "%s\n", lines);
	expect_refused(text, expected);
}

/* A mistake in [schedule]: the VM "a", which a window of the file names, is refused, and "good" is not. */
static void expect_schedule_refused(const char *schedule, const char *expected, const char *also)
{
	static char whole[8192];

	format_text(whole, sizeof(whole), "%s" VM_LINES GOOD_VM, schedule);
	read_text(whole);
	expect_message(0, expected);
	expect_message(1, also);
	assert_int_equal(manifest.message_count, 2);
	assert_true(manifest.vms[0].refused);
	assert_false(manifest.vms[1].refused);
	assert_int_equal(manifest.schedule.window_count, 0);
}

static const struct manifest_vm *expect_good(const char *text)
{
	read_text(text);
	for (uint32_t i = 0; i < manifest.message_count; i++)
		print_message("line %u: %s\n", manifest.messages[i].line, manifest.messages[i].text);
	assert_int_equal(manifest.message_count, 0);
	return &manifest.vms[0];
}

static void test_manifest_schedule_reads_every_key(void **state)
{
	const struct manifest_vm *vms;

	(void)state;
	vms = expect_good("[schedule]\nframe = \"10ms\"\nslack = true\n"
			  "windows = [ { start = \"0ms\", length = \"4ms\", vms = [\"web\", \"db\"], cpus = [1, 2] },\n"
			  "            { start = \"4000us\", length = \"6ms\", vms = [\"db\"], cpus = [2] } ]\n"
			  "[host]\nsmt = \"share\"\n" VM("web") "weight = 10000\ncap = 150\n" VM("db") "cpus = [2, 1, 4]\n"
			  VM("audio") "vcpus = 3\ncap = 60\n" RESERVE
			  VM("motor") "vcpus = 2\ncpus = [3, 5]\nservice_cpu = 4\n" DEDICATED);
	assert_int_equal(manifest.host.smt, MANIFEST_SMT_SHARE);
	assert_true(manifest.schedule.frame_ns == 10 * MS && manifest.schedule.slack);
	assert_int_equal(manifest.schedule.window_count, 2);
	assert_true(manifest.schedule.windows[0].start_ns == 0 && manifest.schedule.windows[0].length_ns == 4 * MS);
	assert_true(manifest.schedule.windows[1].start_ns == 4 * MS && manifest.schedule.windows[1].length_ns == 6 * MS);
	assert_true(manifest.schedule.windows[0].vms == 3 && manifest.schedule.windows[1].vms == 2);
	assert_true(manifest.schedule.windows[0].cpus[0] == 6 && manifest.schedule.windows[1].cpus[0] == 4);
	assert_int_equal(manifest.schedule.windows[1].line, 5);
	assert_int_equal(vms[0].weight, 10000);
	assert_int_equal(vms[0].cap_percent, 150);
	assert_true(vms[2].reserve.budget_ns == 2 * MS && vms[2].reserve.period_ns == 10 * MS);
	assert_true(vms[3].dedicated && vms[3].service_cpu == 4);
}

static void test_manifest_schedule_fills_defaults(void **state)
{
	const struct manifest_vm *vm = expect_good(VM_LINES);

	(void)state;
	assert_int_equal(manifest.host.smt, MANIFEST_SMT_SEPARATE);
	assert_int_equal(manifest.schedule.line, 0);
	assert_int_equal(manifest.schedule.window_count, 0);
	assert_int_equal(vm->cap_percent, 0);
	assert_true(vm->reserve.budget_ns == 0);
	assert_false(vm->dedicated);
	assert_true(vm->service_cpu == 0 && vm->lines.service_cpu == 0);
}

static void test_manifest_schedule_reads_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} durations[] = {{"1ms", MS}, {"1000us", MS}, {"1500us", 1500000}, {"10s", 10000 * MS}, {"007ms", 7 * MS}};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		format_text(text, sizeof(text), "[schedule]\nframe = \"%s\"\nwindows = [\n"
						"{ start = \"0s\", length = \"50us\", vms = [\"a\"], cpus = [1] } ]\n" VM_LINES,
			    durations[i].text);
		expect_good(text);
		assert_true(manifest.schedule.frame_ns == durations[i].ns);
	}
}

static void test_manifest_schedule_refuses_malformed_durations(void **state)
{
	static const char *const durations[] = {"", "ms", "10", "10 ms", "1.5ms", "-1ms", "10MS", "10m", "10ns", "10msx"};
	char lines[128], expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		format_text(lines, sizeof(lines), "reserve = { budget = \"%s\", period = \"10ms\" }", durations[i]);
		format_text(expected, sizeof(expected),
			    "E122 bulkhead.toml line 4: budget \"%s\" is no duration; write a whole number and us, ms or s, like "
			    "\"10ms\"", durations[i]);
		expect_lines_refused(lines, expected);
	}
	expect_lines_refused("reserve = { budget = 2, period = \"10ms\" }",
			     "E106 bulkhead.toml line 4: budget is an integer; write a duration, like \"10ms\"");
}

static void test_manifest_schedule_refuses_durations_out_of_range(void **state)
{
	(void)state;
	expect_lines_refused("reserve = { budget = \"49us\", period = \"10ms\" }",
			     "E107 bulkhead.toml line 4: budget is 49us; write 50us to 1s");
	expect_lines_refused("reserve = { budget = \"0ms\", period = \"10ms\" }",
			     "E107 bulkhead.toml line 4: budget is 0ms; write 50us to 1s");
	expect_lines_refused("reserve = { budget = \"50us\", period = \"999us\" }",
			     "E107 bulkhead.toml line 4: period is 999us; write 1ms to 1s");
	expect_lines_refused("reserve = { budget = \"50us\", period = \"1001ms\" }",
			     "E107 bulkhead.toml line 4: period is 1001ms; write 1ms to 1s");
	/* 2^64 nanoseconds and a microsecond; a number of many digits. */
	expect_lines_refused("reserve = { budget = \"50us\", period = \"18446744073709552us\" }",
			     "E107 bulkhead.toml line 4: period is 18446744073709552us; write 1ms to 1s");
	expect_lines_refused("reserve = { budget = \"50us\", period = \"99999999999999999999999999999999999s\" }",
			     "E107 bulkhead.toml line 4: period is 99999999999999999999999999999999999s; write 1ms to 1s");
}

static void test_manifest_schedule_refuses_bad_reservations(void **state)
{
	(void)state;
	expect_lines_refused("reserve = { budget = \"12ms\", period = \"10ms\" }",
			     "E123 bulkhead.toml line 4: reserve has a budget of 12ms in a period of 10ms; lower the budget");
	expect_good(VM_LINES "reserve = { budget = \"10ms\", period = \"10ms\" }\n");
	expect_lines_refused("reserve = { budget = \"2ms\" }",
			     "E110 bulkhead.toml line 4: reserve has no period; add a duration, like \"10ms\"");
	expect_lines_refused("reserve = { budget = \"2ms\", period = \"10ms\", burst = 1 }",
			     "E105 bulkhead.toml line 4: key \"burst\" is not known in reserve; remove it, or see "
			"docs/manifest.md");
	expect_lines_refused("reserve = \"2ms\"", "E106 bulkhead.toml line 4: reserve is text; write a table, like "
						  "{ budget = \"2ms\", period = \"10ms\" }");
	expect_lines_refused("vcpus = 3\ncap = 59\nreserve = { budget = \"2ms\", period = \"10ms\" }",
			     "E126 bulkhead.toml line 5: cap = 59 is less than reserve: 2ms of 10ms for 3 vCPUs need 60; raise "
			"cap, "
			     "or lower reserve");
	/* A third of a CPU is more than 33 percent. */
	expect_lines_refused("cap = 33\nreserve = { budget = \"1ms\", period = \"3ms\" }",
			     "E126 bulkhead.toml line 4: cap = 33 is less than reserve: 1ms of 3ms for 1 vCPU need 34; raise cap, "
			"or "
			     "lower reserve");
}

static void test_manifest_schedule_refuses_caps_out_of_range(void **state)
{
	(void)state;
	expect_lines_refused("cap = 0", "E107 bulkhead.toml line 4: cap is 0; write 1 to 25600");
	expect_lines_refused("cap = 25601", "E107 bulkhead.toml line 4: cap is 25601; write 1 to 25600");
	expect_lines_refused("cap = \"50%\"", "E106 bulkhead.toml line 4: cap is text; write an integer without quotes");
}

static void test_manifest_schedule_refuses_bad_dedicated_vms(void **state)
{
	(void)state;
	expect_lines_refused(DEDICATED, "E127 bulkhead.toml line 1: cpus has 0 CPUs for 1 dedicated vCPU; name one for each");
	expect_lines_refused("cpus = [1]\nvcpus = 2\n" DEDICATED,
			     "E127 bulkhead.toml line 4: cpus has 1 CPU for 2 dedicated vCPUs; name one for each");
	expect_lines_refused("cpus = [1, 2, 3]\nvcpus = 2\n" DEDICATED,
			     "E127 bulkhead.toml line 4: cpus has 3 CPUs for 2 dedicated vCPUs; name one for each");
	/* All CPUs of a PC with two of them. */
	expect_lines_refused("vcpus = 2\ncpus = [0, 1]\n" DEDICATED,
			     "E127 bulkhead.toml line 5: CPU 0 cannot be dedicated: Bulkhead's own programs need a CPU, and the "
			     "manager runs there; name another");
	expect_refused(VM("c") VM("b") "cpus = [2]\n" DEDICATED VM("a") "vcpus = 2\ncpus = [3, 2]\n" DEDICATED,
		       "E127 bulkhead.toml line 13: CPU 2 is dedicated to VM \"b\" (line 7) already; name another");
	expect_lines_refused("cpus = [1]\ncap = 50\n" DEDICATED,
			     "E126 bulkhead.toml line 5: cap beside dedicated = true: its CPUs are its own all the time; remove "
			"one of "
			     "the two");
	expect_lines_refused("cpus = [1]\n" DEDICATED RESERVE,
			     "E126 bulkhead.toml line 6: reserve beside dedicated = true: its CPUs are its own all the time; "
			"remove "
			     "one of the two");
	expect_refused(WINDOWS "{ start = \"0ms\", length = \"4ms\", vms = [\"good\"], cpus = [1, 2] }" WINDOWS_END
		       VM_LINES "cpus = [2]\n" DEDICATED,
		       "E127 bulkhead.toml line 8: CPU 2 cannot be dedicated: [schedule] has a window there (line 4); name "
				"another");
}

static void test_manifest_schedule_refuses_bad_service_cpus(void **state)
{
	(void)state;
	expect_lines_refused("service_cpu = 1", "E126 bulkhead.toml line 4: service_cpu is for VMs with dedicated = true; add "
			"that, or "
						"remove service_cpu");
	expect_lines_refused("service_cpu = 256", "E107 bulkhead.toml line 4: service_cpu is 256; write 0 to 255");
	expect_lines_refused("cpus = [1]\nservice_cpu = 1\n" DEDICATED,
			     "E127 bulkhead.toml line 5: service_cpu 1 is dedicated to VM \"a\" (line 4); name a CPU that is "
			"shared, "
			     "like 0");
	/* The other VM stands further below. */
	expect_refused(VM_LINES "cpus = [1]\nservice_cpu = 2\n" DEDICATED VM("b") "cpus = [2]\n" DEDICATED,
		       "E127 bulkhead.toml line 5: service_cpu 2 is dedicated to VM \"b\" (line 10); name a CPU that is shared, "
				"like 0");
	expect_refused(WINDOWS "{ start = \"0ms\", length = \"4ms\", vms = [\"good\"], cpus = [0] }" WINDOWS_END
		       VM_LINES "cpus = [2]\n" DEDICATED,
		       "E127 bulkhead.toml line 5: service_cpu 0 is in a window of [schedule] (line 4); name a CPU without "
				"windows");
}

static void test_manifest_schedule_refuses_vms_that_do_not_fit_their_windows(void **state)
{
	(void)state;
	expect_refused(WINDOWS WINDOW_OF_A WINDOWS_END VM_LINES RESERVE,
		       "E126 bulkhead.toml line 9: reserve, but VM \"a\" is in a window of [schedule] (line 4); remove one of the "
				"two");
	expect_refused(WINDOWS WINDOW_OF_A WINDOWS_END VM_LINES "cpus = [2]\n" DEDICATED,
		       "E126 bulkhead.toml line 10: dedicated = true, but VM \"a\" is in a window of [schedule] (line 4); remove "
				"one of "
		       "the two");
	expect_refused(WINDOWS WINDOW_OF_A WINDOWS_END VM_LINES "cpus = [0, 2]\n",
		       "E124 bulkhead.toml line 9: VM \"a\" has a window (line 4) on CPU 1, which is not in its cpus; add it, or "
				"remove "
		       "cpus");
}

#define ALSO(line) "E128 bulkhead.toml line " line ": VM \"a\" is in a window, but [schedule] is wrong; correct it first"

static void test_manifest_schedule_refuses_bad_windows(void **state)
{
	(void)state;
	expect_schedule_refused(WINDOWS "{ start = \"7ms\", length = \"3001us\", vms = [\"a\"], cpus = [1] }" WINDOWS_END,
				"E124 bulkhead.toml line 4: the window ends at 10001us, but the frame has 10ms; shorten the "
				"window, or "
				"lengthen the frame", ALSO("4"));
	expect_schedule_refused(WINDOWS WINDOW_OF_A "{ start = \"3999us\", length = \"1ms\", vms = [\"a\"], cpus = [2, 1] }"
			WINDOWS_END,
				"E124 bulkhead.toml line 5: the window overlaps the one on line 4, on CPU 1; move one, or name "
				"both VMs "
				"in one window", ALSO("4"));
	expect_schedule_refused(WINDOWS WINDOW_OF_A "{ start = \"4ms\", length = \"49us\", vms = [\"a\"], cpus = [1] }" WINDOWS_END,
				"E107 bulkhead.toml line 5: length is 49us; write 50us to 10s", ALSO("4"));
	expect_schedule_refused("[schedule]\nframe = \"11s\"\nwindows = [\n" WINDOW_OF_A WINDOWS_END,
				"E107 bulkhead.toml line 2: frame is 11s; write 1ms to 10s", ALSO("4"));
	expect_schedule_refused("[schedule]\nwindows = [\n" WINDOW_OF_A WINDOWS_END,
				"E110 bulkhead.toml line 1: [schedule] has no frame; add a line frame = \"...\"", ALSO("3"));
	expect_schedule_refused(WINDOWS "{ start = \"0ms\", length = \"1ms\", vms = [\"a\"], cpus = [] }" WINDOWS_END,
				"E113 bulkhead.toml line 4: cpus is empty; name CPUs, like [0, 1]", ALSO("4"));
	expect_schedule_refused(WINDOWS "{ start = \"0ms\", length = \"1ms\", vms = [\"a\"] }" WINDOWS_END,
				"E110 bulkhead.toml line 4: windows has no cpus; add an array, like [0, 1]", ALSO("4"));
	expect_schedule_refused(WINDOWS "{ start = \"0ms\", length = \"1ms\", vms = [\"a\", \"goood\"], cpus = [1] }" WINDOWS_END,
				"E125 bulkhead.toml line 4: vms names VM \"goood\", which there is not; did you mean \"good\"?",
				ALSO("4"));
	expect_schedule_refused(WINDOWS "{ start = \"0ms\", length = \"1ms\", vms = [\"a\", \"a\"], cpus = [1] }" WINDOWS_END,
				"E125 bulkhead.toml line 4: vms names VM \"a\" twice; remove one", ALSO("4"));
	expect_schedule_refused(WINDOWS WINDOW_OF_A "7" WINDOWS_END,
				"E106 bulkhead.toml line 5: windows lists tables, but here is an integer; write { ... }",
				ALSO("4"));
	expect_schedule_refused("[schedule]\nfame = 1\nframe = \"10ms\"\nwindows = [\n" WINDOW_OF_A WINDOWS_END,
				"E105 bulkhead.toml line 2: key \"fame\" is not known in [schedule]; did you mean \"frame\"?",
				ALSO("5"));
}

/* What is wrong in one place does not hide the next. */
static void test_manifest_schedule_tells_all_mistakes_of_windows(void **state)
{
	(void)state;
	read_text("[schedule]\nframe = \"9\"\nwindows = [\n" WINDOW_OF_A WINDOW_OF_A
		  "{ start = \"0\", length = \"1us\", vms = [\"b\"], cpus = [1] }" WINDOWS_END VM_LINES);
	expect_message(0, "E122 bulkhead.toml line 2: frame \"9\" is no duration; write a whole number and us, ms or s, like "
			"\"10ms\"");
	expect_message(1, "E122 bulkhead.toml line 6: start \"0\" is no duration; write a whole number and us, ms or s, like "
			"\"10ms\"");
	expect_message(2, "E107 bulkhead.toml line 6: length is 1us; write 50us to 10s");
	expect_message(3, "E125 bulkhead.toml line 6: vms names VM \"b\", which there is not; write the name of a [[vm]]");
	expect_message(4, "E124 bulkhead.toml line 5: the window overlaps the one on line 4, on CPU 1; move one, or name both VMs "
			"in one "
			  "window");
	expect_message(5, ALSO("4"));
	assert_int_equal(manifest.message_count, 6);
}

/* A message of no VM: nobody is named. */
static void expect_of_no_vm(const char *schedule, const char *expected)
{
	char text[512];

	format_text(text, sizeof(text), "%s" GOOD_VM, schedule);
	read_text(text);
	expect_message(0, expected);
	assert_int_equal(manifest.message_count, 1);
	assert_false(manifest.vms[0].refused);
	assert_int_equal(manifest.schedule.window_count, 0);
}

static void test_manifest_schedule_reports_what_names_no_vm(void **state)
{
	(void)state;
	expect_of_no_vm("[schedule]\nframe = \"10ms\"\nwindows = []\n",
		    "E112 bulkhead.toml line 3: windows is empty; write an array of tables, like [ { start = \"0ms\", ... } ]");
	expect_of_no_vm("[schedule]\nframe = \"10ms\"\n",
		    "E110 bulkhead.toml line 1: [schedule] has no windows; add an array of tables, like [ { start = \"0ms\", ... "
				"} ]");
	expect_of_no_vm(WINDOWS "{ start = \"0ms\", length = \"1ms\", vms = [], cpus = [1] }" WINDOWS_END,
		    "E112 bulkhead.toml line 4: vms is empty; write an array of VMs' names, like [\"web\"]");
	expect_of_no_vm(WINDOWS "{ start = \"0ms\", length = \"1ms\", vms = [7], cpus = [1] }" WINDOWS_END,
		    "E106 bulkhead.toml line 4: vms lists VMs' names in \"quotes\", but here is an integer");
	expect_of_no_vm("[[schedule]]\nframe = \"10ms\"\n",
		    "E106 bulkhead.toml line 1: \"schedule\" is an array; write [schedule] on a line of its own");
}

static void test_manifest_schedule_takes_64_windows_and_no_more(void **state)
{
	static char text[16384];
	size_t used = 0;

	(void)state;
	for (unsigned count = 64; count <= 65; count++) {
		used = format_text(text, sizeof(text), "[schedule]\nframe = \"65ms\"\nwindows = [\n");
		for (unsigned i = 0; i < count; i++)
			used += format_text(text + used, sizeof(text) - used,
					    "{ start = \"%ums\", length = \"1ms\", vms = [\"a\"], cpus = [1] },\n", i);
		format_text(text + used, sizeof(text) - used, "]\n" VM_LINES);
		read_text(text);
		assert_int_equal(manifest.schedule.window_count, count == 64 ? 64 : 0);
	}
	expect_message(0, "E107 bulkhead.toml line 68: windows has more than 64 tables; leave some out");
	assert_true(manifest.vms[0].refused);
}

/* Neighbours in time, the whole frame, and the same time on different CPUs. */
static void test_manifest_schedule_takes_windows_side_by_side(void **state)
{
	(void)state;
	expect_good(WINDOWS "{ start = \"5ms\", length = \"5ms\", vms = [\"a\"], cpus = [1] },\n"
			    "{ start = \"0ms\", length = \"5ms\", vms = [\"b\"], cpus = [1] },\n"
			    "{ start = \"0ms\", length = \"10ms\", vms = [\"a\", \"b\"], cpus = [2] }\n" WINDOWS_END VM("a")
			VM("b"));
	assert_int_equal(manifest.schedule.window_count, 3);
}

/* A VM that is refused for something else takes no CPU, and stays in its windows without a further message. */
static void test_manifest_schedule_ignores_refused_vms(void **state)
{
	(void)state;
	expect_refused(VM_LINES "cpus = [1]\nmemroy = 1\n" DEDICATED VM("b") "cpus = [1]\n" DEDICATED,
		       "E105 bulkhead.toml line 5: key \"memroy\" is not known in [[vm]]; did you mean \"memory\"?");
	expect_refused(WINDOWS WINDOW_OF_A WINDOWS_END VM_LINES "memroy = 1\n",
		       "E105 bulkhead.toml line 9: key \"memroy\" is not known in [[vm]]; did you mean \"memory\"?");
	assert_int_equal(manifest.schedule.window_count, 1);
}

static void test_manifest_schedule_formats_durations(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {{2000 * MS, "2s"}, {1500 * MS, "1500ms"}, {2 * MS, "2ms"}, {50000, "50us"}, {1500000, "1500us"}, {7, "7ns"},
			{0, "0ms"}};
	char out[24];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		manifest_duration_format(cases[i].ns, out, sizeof(out));
		assert_string_equal(out, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_schedule_reads_every_key),
		cmocka_unit_test(test_manifest_schedule_fills_defaults),
		cmocka_unit_test(test_manifest_schedule_reads_durations),
		cmocka_unit_test(test_manifest_schedule_refuses_malformed_durations),
		cmocka_unit_test(test_manifest_schedule_refuses_durations_out_of_range),
		cmocka_unit_test(test_manifest_schedule_refuses_bad_reservations),
		cmocka_unit_test(test_manifest_schedule_refuses_caps_out_of_range),
		cmocka_unit_test(test_manifest_schedule_refuses_bad_dedicated_vms),
		cmocka_unit_test(test_manifest_schedule_refuses_bad_service_cpus),
		cmocka_unit_test(test_manifest_schedule_refuses_vms_that_do_not_fit_their_windows),
		cmocka_unit_test(test_manifest_schedule_refuses_bad_windows),
		cmocka_unit_test(test_manifest_schedule_tells_all_mistakes_of_windows),
		cmocka_unit_test(test_manifest_schedule_reports_what_names_no_vm),
		cmocka_unit_test(test_manifest_schedule_takes_64_windows_and_no_more),
		cmocka_unit_test(test_manifest_schedule_takes_windows_side_by_side),
		cmocka_unit_test(test_manifest_schedule_ignores_refused_vms),
		cmocka_unit_test(test_manifest_schedule_formats_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
