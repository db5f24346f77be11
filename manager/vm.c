/* The life of one VM. */
#include "manager/vm.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "manager/restart.h"
#include "manager/vm_disks.h"
#include "manager/vm_ports.h"
#include "manager/vm_start.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"

void vm_init(struct vm_entry *entry, const struct manifest_vm *wanted, uint32_t slot, bool quiet)
{
	*entry = (struct vm_entry){.wanted = wanted, .slot = slot, .quiet = quiet, .life = VM_NOT_STARTED};
}

void vm_start(struct vm_entry *entry, const struct vm_surroundings *around)
{
	char message[MANIFEST_LINE_BYTES];

	entry->started_tsc = clock_now_ticks();
	entry->stop_asked = false;
	if (vm_assemble(entry, around, message, sizeof(message)) != OK) {
		entry->life = entry->life == VM_NOT_STARTED ? VM_NOT_STARTED : VM_ENDED;
		format_text(entry->why, sizeof(entry->why), "%.4s; `log` says why", message);
		log_print("%s", message);
		console_close_terminal(around->console, entry->wanted->name);
		return;
	}
	entry->life = VM_STARTING;
	entry->why[0] = '\0';
	if (!entry->has_terminal)
		vm_open_terminal(entry, around);
}

bool vm_is_alive(const struct vm_entry *entry)
{
	return entry->life == VM_STARTING || entry->life == VM_RUNNING;
}

static uint64_t ran_ms(const struct vm_entry *entry)
{
	return time_ns(clock_now_ticks() - entry->started_tsc, program_info()->tsc_hz) / NS_PER_MS;
}

static void note_start(struct vm_entry *entry)
{
	char memory[24], disks[VM_DISKS_WORDS_BYTES];
	bool has_disks;

	entry->life = VM_RUNNING;
	if (entry->quiet)
		return;
	manifest_size_format(entry->wanted->memory_bytes, memory, sizeof(memory));
	has_disks = vm_disks_words(entry->wanted, disks, sizeof(disks)) > 0;
	log_print("%s: runs: %s, %s, %u CPU%s%s%s", entry->wanted->name,
		  entry->wanted->firmware[0] != '\0' ? entry->wanted->firmware : entry->wanted->kernel, memory,
		  entry->wanted->vcpu_count, entry->wanted->vcpu_count == 1 ? "" : "s", has_disks ? ", " : "", disks);
}

/* Notes how it ended, tells, and decides about a restart. */
static void note_end(struct vm_entry *entry, const struct space_status *space, const struct vmm_report *report)
{
	struct restart_decision decision = {.again = false};
	struct vm_end end = vm_end_from(space, report);
	char line[MANIFEST_LINE_BYTES];

	vm_end_line(entry->wanted->name, &end, line, sizeof(line));
	if (!entry->quiet || end.refused || !stop_was_wished(end.reason))
		log_print("%s", line);
	vm_end_brief(&end, entry->why, sizeof(entry->why));
	if (!end.refused)
		decision = restart_decide(entry->wanted->restart, end.reason, ran_ms(entry), entry->failures_in_row);
	entry->failures_in_row = decision.failures_in_row;
	entry->life = decision.again ? VM_PAUSES : end.refused ? VM_NOT_STARTED : VM_ENDED;
	if (!decision.again)
		return;
	entry->restart_tsc = clock_deadline_in_ms(decision.delay_ms);
	if (decision.delay_ms > 0)
		log_print("%s: starts again in %lu s", entry->wanted->name, decision.delay_ms / 1000);
}

bool vm_look(struct vm_entry *entry, const struct vm_surroundings *around)
{
	struct vmm_report report;
	struct space_status space;

	if (!vm_is_alive(entry) || sys_space_status(entry->space, &space) != OK)
		return false;
	vm_report_copy(entry->report, &report);
	/* One that has ended before anyone looked ran, too: its last words are worth showing. */
	if (entry->life == VM_STARTING && (report.state == VMM_RUNNING || report.state == VMM_STOPPED)) {
		note_start(entry);
		return true;
	}
	if (space.state != SPACE_RUNNING) {
		note_end(entry, &space, &report);
		vm_dismantle(entry);
		if (entry->life != VM_PAUSES)
			console_close_terminal(around->console, entry->wanted->name);
		return true;
	}
	return false;
}

void vm_press_power_button(struct vm_entry *entry)
{
	if (vm_is_alive(entry))
		sys_event_signal(entry->event, VMM_EVENT_POWER_BUTTON);
}

void vm_stop(struct vm_entry *entry)
{
	if (vm_is_alive(entry) && sys_vm_stop(entry->vm, VCPU_STOP_STOPPED) != OK)
		sys_space_kill(entry->space);
}

void vm_kill(struct vm_entry *entry)
{
	if (vm_is_alive(entry))
		sys_space_kill(entry->space);
}

void vm_set_memory_target(struct vm_entry *entry, uint64_t bytes)
{
	if (!vm_is_alive(entry))
		return;
	__atomic_store_n(&entry->spec->memory_target_bytes, bytes, __ATOMIC_RELAXED);
	sys_event_signal(entry->event, VMM_EVENT_BALLOON);
}

/* What the guest has now: without what it gave up, as its VMM says, which is not trusted with more than this number. */
static uint64_t memory_now_bytes(const struct vm_entry *entry)
{
	uint64_t given_bytes = entry->wanted->balloon && vm_is_alive(entry)
				       ? __atomic_load_n(&entry->report->memory_given_bytes, __ATOMIC_RELAXED)
				       : 0;

	return given_bytes < entry->wanted->memory_bytes ? entry->wanted->memory_bytes - given_bytes : 0;
}

/* Once for each console: over restarts of the VM, channels and event stay the same. */
void vm_open_terminal(struct vm_entry *entry, const struct vm_surroundings *around)
{
	const struct console_vm_terminal terminal = {
		.name = entry->wanted->name,
		.slot = entry->slot,
		.to_console = entry->to_console,
		.to_vm = entry->to_vm,
		.vmm_event = entry->event,
		.vmm_event_bits = VMM_EVENT_CONSOLE,
	};

	if (entry->event == HANDLE_NONE)
		return;
	entry->has_terminal = console_open_terminal(around->console, &terminal) == OK;
	if (entry->has_terminal)
		entry->has_terminal = vm_ports_open(entry, around) == OK;
	if (!entry->has_terminal)
		log_print("E632 %s: has no terminal: the console has no memory for it", entry->wanted->name);
}

static const char *life_words(enum vm_life life)
{
	switch (life) {
	case VM_NOT_STARTED:
		return "not started";
	case VM_STARTING:
		return "starting";
	case VM_RUNNING:
		return "running";
	case VM_ENDED:
		return "stopped";
	case VM_PAUSES:
		return "pauses";
	}
	return "";
}

/* Exits and CPU time, or empty for a VM that has no vCPUs. */
static void format_ledger(const struct vm_entry *entry, char *out, size_t size_bytes)
{
	struct vm_status status;
	uint64_t exits = 0;
	uint64_t cpu_ms;

	out[0] = '\0';
	if (entry->life != VM_RUNNING || sys_vm_status(entry->vm, &status) != OK)
		return;
	for (unsigned i = 0; i < VM_LEDGER_REASONS; i++)
		exits += status.exits[i];
	cpu_ms = time_ns(status.run_ticks, program_info()->tsc_hz) / NS_PER_MS;
	format_text(out, size_bytes, "%-10lu  %lu.%03lu s", exits, cpu_ms / 1000, cpu_ms % 1000);
}

size_t vm_list_line(const struct vm_entry *entry, char *out, size_t size_bytes)
{
	char memory[24];
	char ledger[64];

	manifest_size_format(memory_now_bytes(entry), memory, sizeof(memory));
	format_ledger(entry, ledger, sizeof(ledger));
	return format_text(out, size_bytes, "%-16s %-11s  %-6s  %-4u  %s%s\n", entry->wanted->name,
			   life_words(entry->life), memory, entry->wanted->vcpu_count, ledger, entry->why);
}
