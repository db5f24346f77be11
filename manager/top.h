/* The command "top": what each vCPU did in the last seconds, by two samples of its times. It never waits: the manager calls
 * top_turn() when top_deadline() has come. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/schedule.h"
#include "lib/manifest/manifest.h"
#include "manager/vm.h"

#define TOP_SECONDS_MAX CONSOLE_TOP_SECONDS_MAX
#define TOP_ROWS_MAX    40U /* the busiest vCPUs; the others are counted */

/* What became of a vCPU's time, of which VM's run. */
struct top_times {
	bool known;
	struct vcpu_status status;
};

/* A vCPU between two samples. */
struct top_row {
	const char *name;
	uint32_t index;
	struct vcpu_status now; /* its counters: the differences */
};

struct top_table {
	struct top_row rows[TOP_ROWS_MAX]; /* the busiest first */
	uint32_t row_count;
	uint32_t left_out;
};

struct top {
	bool active;
	uint32_t request;
	uint64_t begin_tsc, end_tsc;
	uint64_t word_tsc; /* until then the console is told that the manager is still there */
	uint64_t started_tsc[MANIFEST_VMS_MAX]; /* of the run of the VM that was sampled */
	struct top_times before[MANIFEST_VMS_MAX][MANIFEST_VCPUS_MAX];
	struct top_table table;
	size_t cpu_count; /* 0: ring 0 does not tell */
	uint64_t wakes_before[MANIFEST_CPUS_MAX];
};

/* The VMs, and where the answer goes. */
struct top_view {
	const struct vm_entry *vms;
	uint32_t vm_count;
	void (*write)(void *context, const char *line);
	void *context;
};

/* Takes the first sample. seconds: cut to 1 .. TOP_SECONDS_MAX. One that is under way is given up. */
void top_begin(struct top *top, const struct top_view *view, uint32_t request, uint32_t seconds);

/* A TSC value; DEADLINE_NEVER: nothing is under way. */
uint64_t top_deadline(const struct top *top);

/* Does nothing before the deadline. Then it writes "", so that the console goes on waiting, or, at the end,
		the whole table. True: the
 * answer is complete, and nothing is under way any more. */
bool top_turn(struct top *top, const struct top_view *view);
