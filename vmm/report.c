/* One writer at a time: the first thread before vCPUs run, then the vCPU thread that is first to explain and to stop. */
#include "vmm/report.h"

#include <stdarg.h>

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "user/calls.h"
#include "user/log.h"
#include "vmm/machine.h"

/* In a VM's command line: its TSC's offset goes into the log when it begins, its exits when it ends. */
#define LEDGER_WORD "bulkhead.ledger"

static void set_state(struct machine *machine, enum vmm_state state)
{
	atomic_thread_fence(memory_order_release);
	*(volatile uint32_t *)&machine->report->state = state;
	sys_event_signal(machine->spec->handles.manager_event, UINT64_MAX >> 1);
}

static bool contains(const char *text, const char *word)
{
	size_t word_bytes = strlen(word);

	for (; *text != '\0'; text++) {
		if (strncmp(text, word, word_bytes) == 0)
			return true;
	}
	return false;
}

/* The VM's TSC is the host's plus this, modulo 2^64: so measurements can compare the times of two VMs. */
static void log_tsc_offset(const struct machine *machine)
{
	struct vm_status status;

	if (contains(machine->spec->command_line, LEDGER_WORD) && sys_vm_status(machine->spec->handles.vm, &status) == OK)
		log_print("ledger %s: tsc-offset: %lu", machine->spec->name, status.tsc_offset);
}

void report_running(struct machine *machine)
{
	log_tsc_offset(machine);
	set_state(machine, VMM_RUNNING);
}

_Noreturn void report_refused(struct machine *machine, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)format_args(machine->report->text, sizeof(machine->report->text), format, args);
	va_end(args);
	set_state(machine, VMM_REFUSED);
	sys_thread_exit(1, true);
}

void report_explain(struct machine *machine, const char *format, ...)
{
	va_list args;

	if (atomic_exchange(&machine->has_explained, true))
		return;
	va_start(args, format);
	(void)format_args(machine->report->text, sizeof(machine->report->text), format, args);
	va_end(args);
}

/* For measurements: what the VM did, and when it began by its own TSC. */
static void log_ledger(const struct machine *machine)
{
	const char *name = machine->spec->name;
	struct vm_status ledger;
	uint64_t exits = 0;

	if (!contains(machine->spec->command_line, LEDGER_WORD) || sys_vm_status(machine->spec->handles.vm, &ledger) != OK)
		return;
	for (unsigned i = 0; i < VM_LEDGER_REASONS; i++) {
		exits += ledger.exits[i];
		if (ledger.exits[i] != 0)
			log_print("ledger %s: exit-reason %u: %lu", name, i, ledger.exits[i]);
	}
	log_print("ledger %s: exits: %lu", name, exits);
	log_print("ledger %s: exits-to-vmm: %lu", name, ledger.exits_to_vmm);
	log_print("ledger %s: entry-tsc: %lu", name, atomic_load(&machine->entry_tsc) + ledger.tsc_offset);
}

_Noreturn void report_stopped(struct machine *machine, const struct vcpu_exit *exit)
{
	if (atomic_exchange(&machine->has_reported, true))
		sys_thread_exit(0, false);
	lock_acquire(&machine->locks[LOCK_UART]);
	uart16550_drain(&machine->uart);
	terminal_tick(&machine->terminal, UINT64_MAX - 1);
	lock_release(&machine->locks[LOCK_UART]);
	log_ledger(machine);
	machine->report->stop_reason = exit->stop_reason;
	machine->report->rip = exit->rip;
	machine->report->exit_code = atomic_load(&machine->exit_code);
	for (unsigned i = 0; i < sizeof(exit->detail) / sizeof(exit->detail[0]); i++)
		machine->report->detail[i] = exit->detail[i];
	set_state(machine, VMM_STOPPED);
	sys_thread_exit(0, true);
}
