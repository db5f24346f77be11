/* One writer at a time: the first thread before vCPUs run, then the vCPU thread that is first to explain and to stop. */
#include "vmm/report.h"

#include <stdarg.h>

#include "lib/base/format.h"
#include "user/calls.h"
#include "vmm/machine.h"

static void set_state(struct machine *machine, enum vmm_state state)
{
	atomic_thread_fence(memory_order_release);
	*(volatile uint32_t *)&machine->report->state = state;
	sys_event_signal(machine->spec->handles.manager_event, UINT64_MAX >> 1);
}

void report_running(struct machine *machine)
{
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

_Noreturn void report_stopped(struct machine *machine, const struct vcpu_exit *exit)
{
	if (atomic_exchange(&machine->has_reported, true))
		sys_thread_exit(0, false);
	lock_acquire(&machine->locks[LOCK_UART]);
	uart16550_drain(&machine->uart);
	terminal_tick(&machine->terminal, UINT64_MAX - 1);
	lock_release(&machine->locks[LOCK_UART]);
	machine->report->stop_reason = exit->stop_reason;
	machine->report->rip = exit->rip;
	for (unsigned i = 0; i < sizeof(exit->detail) / sizeof(exit->detail[0]); i++)
		machine->report->detail[i] = exit->detail[i];
	set_state(machine, VMM_STOPPED);
	sys_thread_exit(0, true);
}
