/* manager/top.c: the command "top" from two samples, without waiting; bounded rows; VMs that come and go meanwhile. */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "lib/base/format.h"
#include "manager/top.h"
#include "tests/fake/program.h"
#include "user/calls.h"
#include "user/clock.h"

#define HEAD "VM               vCPU CPU state     run%  wait% steal%  halt%  switches  moves\n"

static struct manifest_vm wanted[MANIFEST_VMS_MAX];
static struct vm_entry vms[MANIFEST_VMS_MAX];
static struct vcpu_status status_of[MANIFEST_VMS_MAX][MANIFEST_VCPUS_MAX];
static struct top top;
static char written[65536];
static unsigned empty_lines;
static uint64_t wakes[MANIFEST_CPUS_MAX];
static size_t cpu_count;

bool vm_is_alive(const struct vm_entry *entry)
{
	return entry->life == VM_RUNNING;
}

/* Handles are numbers of VMs from 100 on; the last vCPU of each is never made. */
enum status sys_vcpu_status(handle_t vm, uint32_t index, struct vcpu_status *status)
{
	if (index + 1 == wanted[vm - 100].vcpu_count && index > 0)
		return ERR_NOT_FOUND;
	*status = status_of[vm - 100][index];
	return OK;
}

enum status sys_host_report(enum host_report report, char *out, size_t size_bytes, size_t *written_bytes)
{
	assert_int_equal(report, HOST_REPORT_WAKES);
	assert_int_equal(size_bytes, sizeof(wakes));
	*written_bytes = cpu_count * sizeof(wakes[0]);
	memcpy(out, wakes, *written_bytes);
	return cpu_count > 0 ? OK : ERR_INVALID;
}

static void write_line(void *context, const char *line)
{
	assert_ptr_equal(context, written);
	assert_true(strlen(written) + strlen(line) < sizeof(written));
	strcat(written, line);
	empty_lines += *line == '\0';
}

static struct top_view view_of(uint32_t vm_count)
{
	return (struct top_view){.vms = vms, .vm_count = vm_count, .write = write_line, .context = written};
}

static int start(void **state)
{
	(void)state;
	fake_program_start();
	memset(status_of, 0, sizeof(status_of));
	memset(&top, 0, sizeof(top));
	for (uint32_t i = 0; i < MANIFEST_VMS_MAX; i++) {
		wanted[i] = (struct manifest_vm){.vcpu_count = 1};
		format_text(wanted[i].name, sizeof(wanted[i].name), "vm%u", i);
		vms[i] = (struct vm_entry){.wanted = &wanted[i], .vm = 100 + i, .life = VM_RUNNING, .started_tsc = 1};
	}
	written[0] = '\0';
	empty_lines = 0;
	cpu_count = 0;
	return 0;
}

/* The second sample comes after so many ticks, however long the host was away. */
static void finish(const struct top_view *view, uint64_t ticks)
{
	top.end_tsc = clock_now_ticks() - 1;
	top.begin_tsc = clock_now_ticks() - ticks;
	assert_true(top_turn(&top, view));
	assert_false(top.active);
	assert_true(top_deadline(&top) == DEADLINE_NEVER);
}

#define INTERVAL (UINT64_C(1) << 40) /* so long that the test's own time does not count */

static uint64_t percent(uint64_t value)
{
	return INTERVAL / 100 * value;
}

static void test_manager_top_shows_what_changed_busiest_first(void **state)
{
	const struct top_view view = view_of(2);

	(void)state;
	wanted[1].vcpu_count = 3;
	status_of[0][0] = (struct vcpu_status){.run_ticks = 7777, .switches = 5, .migrations = 2};
	status_of[1][0].steal_ticks = 99;
	top_begin(&top, &view, 3, 1);
	assert_true(top.active && top.request == 3);
	status_of[0][0] = (struct vcpu_status){.run_ticks = 7777 + percent(25), .wait_ticks = percent(50), .switches = 15,
					       .migrations = 2, .cpu = 3, .state = VCPU_STATE_READY};
	status_of[1][0] = (struct vcpu_status){.run_ticks = percent(90), .steal_ticks = 99 + percent(10), .switches = 4000000,
					       .migrations = 12, .cpu = 1, .state = VCPU_STATE_RUNNING};
	status_of[1][1] = (struct vcpu_status){.halted_ticks = percent(100), .state = VCPU_STATE_WAITS_FOR_SIPI};
	finish(&view, INTERVAL);
	assert_string_equal(written,
			    HEAD "vm1                 0   1 running   90.0    0.0   10.0    0.0   4000000     12\n"
				 "vm0                 0   3 ready     25.0   50.0    0.0    0.0        10      0\n"
				 "vm1                 1   0 no SIPI    0.0    0.0    0.0  100.0         0      0\n");
}

/* Before the end it only says that it is still there, once a second. */
static void test_manager_top_does_not_wait(void **state)
{
	const struct top_view view = view_of(1);
	uint64_t first_word;

	(void)state;
	((struct program_info *)PROGRAM_INFO)->tsc_hz = UINT64_C(1) << 50;
	top_begin(&top, &view, 1, 10);
	first_word = top.word_tsc;
	assert_true(top_deadline(&top) == first_word && first_word < top.end_tsc);
	assert_false(top_turn(&top, &view));
	assert_int_equal(empty_lines, 0);
	top.word_tsc = clock_now_ticks() - 1;
	assert_false(top_turn(&top, &view));
	assert_int_equal(empty_lines, 1);
	assert_true(top.word_tsc > clock_now_ticks());
	assert_string_equal(written, "");
	assert_true(top.end_tsc - top.begin_tsc == UINT64_C(10) << 50);
	top_begin(&top, &view, 1, 0);
	assert_true(top.end_tsc - top.begin_tsc == UINT64_C(1) << 50);
	top_begin(&top, &view, 1, 4000000000);
	assert_true(top.end_tsc - top.begin_tsc == UINT64_C(60) << 50);
	((struct program_info *)PROGRAM_INFO)->tsc_hz = 1000;
}

static void test_manager_top_shows_the_busiest_of_4096(void **state)
{
	const struct top_view view = view_of(MANIFEST_VMS_MAX);
	const char *line = written;
	unsigned lines = 0;

	(void)state;
	for (uint32_t i = 0; i < MANIFEST_VMS_MAX; i++)
		wanted[i].vcpu_count = MANIFEST_VCPUS_MAX;
	top_begin(&top, &view, 1, 1);
	for (uint32_t i = 0; i < MANIFEST_VMS_MAX; i++) {
		for (uint32_t v = 0; v < MANIFEST_VCPUS_MAX; v++)
			status_of[i][v].run_ticks = percent((i * 37 + v * 11) % 97);
	}
	finish(&view, INTERVAL);
	for (; *line != '\0'; line = strchr(line, '\n') + 1)
		lines++;
	assert_int_equal(lines, 1 + TOP_ROWS_MAX + 1);
	assert_non_null(strstr(written, "\n... 3992 more\n")); /* 64 * 63 - 40 */
	assert_non_null(strstr(written, " 96.0 "));
	assert_null(strstr(written, " 95.0 ")); /* 41 or 42 have 96 */
}

static void test_manager_top_follows_vms_that_come_and_go(void **state)
{
	const struct top_view view = view_of(4);

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		status_of[i][0].run_ticks = percent(60);
	vms[0].life = VM_ENDED;
	top_begin(&top, &view, 1, 1);
	vms[0].life = VM_RUNNING; /* started meanwhile: all of its time */
	vms[0].started_tsc = 2;
	status_of[0][0].run_ticks = percent(30);
	vms[1].started_tsc = 2; /* started anew: the old times do not count */
	status_of[1][0].run_ticks = percent(80);
	vms[2].life = VM_PAUSES;
	status_of[3][0].run_ticks = percent(60) - 1; /* a time that seems to go back is none */
	finish(&view, INTERVAL);
	assert_string_equal(written, HEAD "vm1                 0   0 ready     80.0    0.0    0.0    0.0         0      0\n"
					  "vm0                 0   0 ready     30.0    0.0    0.0    0.0         0      0\n"
					  "vm3                 0   0 ready      0.0    0.0    0.0    0.0         0      0\n");
}

static void test_manager_top_says_when_nothing_runs(void **state)
{
	const struct top_view view = view_of(0);

	(void)state;
	assert_false(top_turn(&top, &view));
	top_begin(&top, &view, 1, 1);
	finish(&view, 1000);
	assert_string_equal(written, "no VM runs\n");
}

static void test_manager_top_shows_wake_ups_of_idle_cpus(void **state)
{
	const struct top_view view = view_of(0);

	(void)state;
	cpu_count = 2;
	wakes[0] = 100;
	wakes[1] = 5;
	top_begin(&top, &view, 1, 1);
	wakes[0] = 112;
	finish(&view, 1000);
	assert_string_equal(written, "no VM runs\nwake-ups of idle CPUs: CPU 0 12, CPU 1 0\n");
	start(state);
	cpu_count = MANIFEST_CPUS_MAX;
	top_begin(&top, &view, 1, 1);
	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX; cpu++)
		wakes[cpu] += UINT32_MAX;
	finish(&view, 1000);
	assert_non_null(strstr(written, "CPUs: CPU 0 4294967295, CPU 1 4294967295, CPU 2 4294967295, CPU 3 4294967295, CPU 4 "
					"4294967295, CPU 5 4294967295, CPU 6 4294967295, CPU 7 4294967295, 248 others "));
	assert_int_equal(written[strlen(written) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_manager_top_shows_what_changed_busiest_first, start),
		cmocka_unit_test_setup(test_manager_top_does_not_wait, start),
		cmocka_unit_test_setup(test_manager_top_shows_the_busiest_of_4096, start),
		cmocka_unit_test_setup(test_manager_top_follows_vms_that_come_and_go, start),
		cmocka_unit_test_setup(test_manager_top_says_when_nothing_runs, start),
		cmocka_unit_test_setup(test_manager_top_shows_wake_ups_of_idle_cpus, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
