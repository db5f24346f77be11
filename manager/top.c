/* The command "top". A sample is a call for each vCPU: some thousands at most, so a few milliseconds. */
#include "manager/top.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "user/calls.h"
#include "user/clock.h"

#define LINE_BYTES   240U
#define WORD_MS      1000U /* well below CONSOLE_ANSWER_TIMEOUT_MS */
#define PERMILLE     1000U
#define CPUS_LISTED  8U
#define HEAD         "VM               vCPU CPU state     run%  wait% steal%  halt%  switches  moves\n"

_Static_assert(WORD_MS < CONSOLE_ANSWER_TIMEOUT_MS, "the console gives up otherwise");

static bool read_status(const struct vm_entry *vm, uint32_t index, struct vcpu_status *status)
{
	return vm_is_alive(vm) && sys_vcpu_status(vm->vm, index, status) == OK;
}

/* How often each CPU was woken from idling; returns the count of CPUs, 0: not told. */
static size_t read_wakes(uint64_t wakes[MANIFEST_CPUS_MAX])
{
	size_t bytes = 0;

	return sys_host_report(HOST_REPORT_WAKES, (char *)wakes, MANIFEST_CPUS_MAX * sizeof(wakes[0]), &bytes) == OK
		       ? bytes / sizeof(wakes[0]) : 0;
}

static void sample(struct top *top, const struct top_view *view)
{
	top->cpu_count = read_wakes(top->wakes_before);
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct vm_entry *vm = &view->vms[i];

		top->started_tsc[i] = vm->started_tsc;
		for (uint32_t v = 0; v < vm->wanted->vcpu_count; v++)
			top->before[i][v].known = read_status(vm, v, &top->before[i][v].status);
	}
}

void top_begin(struct top *top, const struct top_view *view, uint32_t request, uint32_t seconds)
{
	uint64_t s = seconds < 1 ? 1 : seconds > TOP_SECONDS_MAX ? TOP_SECONDS_MAX : seconds;

	top->active = true;
	top->request = request;
	top->begin_tsc = clock_now_ticks(); /* no later than what the counters begin with: no part exceeds the whole */
	sample(top, view);
	top->end_tsc = top->begin_tsc + s * program_info()->tsc_hz;
	top->word_tsc = clock_deadline_in_ms(WORD_MS);
}

uint64_t top_deadline(const struct top *top)
{
	if (!top->active)
		return DEADLINE_NEVER;
	return top->word_tsc < top->end_tsc ? top->word_tsc : top->end_tsc;
}

/* Ring 0 reads times that are changing: one may seem to go back a little. */
static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

/* A VM that started anew began at 0. */
static void subtract(struct vcpu_status *now, const struct top_times *before, bool same_run)
{
	const struct vcpu_status *then = &before->status;

	if (!before->known || !same_run)
		return;
	now->run_ticks = since(now->run_ticks, then->run_ticks);
	now->wait_ticks = since(now->wait_ticks, then->wait_ticks);
	now->steal_ticks = since(now->steal_ticks, then->steal_ticks);
	now->halted_ticks = since(now->halted_ticks, then->halted_ticks);
	now->switches = since(now->switches, then->switches);
	now->migrations = since(now->migrations, then->migrations);
}

static void add_row(struct top_table *table, const struct top_row *row)
{
	uint32_t at = table->row_count;

	if (table->row_count == TOP_ROWS_MAX) {
		table->left_out++;
		if (table->rows[TOP_ROWS_MAX - 1].now.run_ticks >= row->now.run_ticks)
			return;
		at--;
	} else {
		table->row_count++;
	}
	for (; at > 0 && table->rows[at - 1].now.run_ticks < row->now.run_ticks; at--)
		table->rows[at] = table->rows[at - 1];
	table->rows[at] = *row;
}

static void fill_table(struct top *top, const struct top_view *view)
{
	struct top_table *table = &top->table;

	table->row_count = table->left_out = 0;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct vm_entry *vm = &view->vms[i];
		struct top_row row = {.name = vm->wanted->name};

		for (row.index = 0; row.index < vm->wanted->vcpu_count; row.index++) {
			if (!read_status(vm, row.index, &row.now))
				continue;
			subtract(&row.now, &top->before[i][row.index], top->started_tsc[i] == vm->started_tsc);
			add_row(table, &row);
		}
	}
}

static const char *state_words(uint32_t state)
{
	static const char *const words[] = {
		[VCPU_STATE_READY] = "ready",
		[VCPU_STATE_RUNNING] = "running",
		[VCPU_STATE_HALTED] = "halted",
		[VCPU_STATE_WAITS_FOR_SIPI] = "no SIPI",
		[VCPU_STATE_OFF] = "off",
	};

	return state < sizeof(words) / sizeof(words[0]) ? words[state] : "?";
}

/* "12.3" of 100 percent: ticks of a minute at 18 GHz, times 1000, fit 64 bits. */
static const char *percent(uint64_t ticks, uint64_t interval, char out[16])
{
	uint64_t permille = (ticks * PERMILLE + interval / 2) / interval;

	format_text(out, 16, "%lu.%lu", permille / 10, permille % 10);
	return out;
}

static void write_row(const struct top_row *row, uint64_t interval, const struct top_view *view)
{
	char line[LINE_BYTES], run[16], wait[16], steal[16], halted[16];

	format_text(line, sizeof(line), "%-16s %4u %3u %-8s%6s%7s%7s%7s%10lu%7lu\n", row->name, row->index, row->now.cpu,
		    state_words(row->now.state), percent(row->now.run_ticks, interval, run),
		    percent(row->now.wait_ticks, interval, wait), percent(row->now.steal_ticks, interval, steal),
		    percent(row->now.halted_ticks, interval, halted), row->now.switches, row->now.migrations);
	view->write(view->context, line);
}

static void write_table(const struct top_table *table, uint64_t interval, const struct top_view *view)
{
	char line[LINE_BYTES];

	view->write(view->context, table->row_count == 0 ? "no VM runs\n" : HEAD);
	for (uint32_t i = 0; i < table->row_count; i++)
		write_row(&table->rows[i], interval, view);
	if (table->left_out == 0)
		return;
	format_text(line, sizeof(line), "... %u more\n", table->left_out);
	view->write(view->context, line);
}

/* "wake-ups of idle CPUs: CPU 0 12, CPU 1 0": what a CPU does that has nothing to do. */
static void write_wakes(const struct top *top, const struct top_view *view)
{
	static uint64_t now[MANIFEST_CPUS_MAX];
	size_t count = read_wakes(now), used;
	char line[LINE_BYTES];
	uint64_t rest = 0;

	if (count == 0 || count != top->cpu_count)
		return;
	used = format_text(line, sizeof(line), "wake-ups of idle CPUs:");
	for (uint32_t cpu = 0; cpu < count; cpu++) {
		uint64_t wakes = now[cpu] - top->wakes_before[cpu];

		if (cpu < CPUS_LISTED)
			used += format_text(line + used, sizeof(line) - used, "%s CPU %u %lu", cpu > 0 ? "," : "", cpu, wakes);
		else
			rest += wakes;
	}
	if (count > CPUS_LISTED)
		used += format_text(line + used, sizeof(line) - used, ", %lu others %lu", count - CPUS_LISTED, rest);
	format_text(line + used, sizeof(line) - used, "\n");
	view->write(view->context, line);
}

bool top_turn(struct top *top, const struct top_view *view)
{
	uint64_t now = clock_now_ticks();

	if (!top->active || now < top_deadline(top))
		return false;
	if (now < top->end_tsc) {
		top->word_tsc = clock_deadline_in_ms(WORD_MS);
		view->write(view->context, "");
		return false;
	}
	fill_table(top, view);
	write_table(&top->table, now > top->begin_tsc ? now - top->begin_tsc : 1, view);
	write_wakes(top, view);
	top->active = false;
	return true;
}
