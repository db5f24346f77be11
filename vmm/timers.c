/* Waits on the VMM's event until the earliest device event; what the event's bits say is only where to look. */
#include "vmm/timers.h"

#include "user/calls.h"
#include "user/clock.h"
#include "vmm/machine.h"
#include "vmm/small_devices.h"

#define INPUT_BYTES 64U

/* Bytes that the user typed and the UART did not take yet. */
struct input {
	uint8_t bytes[INPUT_BYTES];
	size_t count, taken;
};

static bool give_input(struct machine *machine, struct input *input)
{
	if (console_device_has_input(machine)) {
		input->taken += console_device_type(input->bytes + input->taken, input->count - input->taken);
		return input->taken == input->count;
	}
	while (input->taken < input->count) {
		if (!uart16550_receive(&machine->uart, input->bytes[input->taken]))
			return false;
		input->taken++;
	}
	return true;
}

/* Both directions of the line, under its lock. Returns when to look again. */
static uint64_t serve_terminal(struct machine *machine, struct input *input)
{
	uint64_t next_ns;
	bool has_more;

	lock_acquire(&machine->locks[LOCK_UART]);
	terminal_tick(&machine->terminal, machine_now_ns(machine));
	uart16550_drain(&machine->uart);
	while (give_input(machine, input)) {
		input->taken = 0;
		input->count = terminal_receive(&machine->terminal, input->bytes, sizeof(input->bytes));
		if (input->count == 0)
			break;
	}
	has_more = console_device_serve(machine, machine_now_ns(machine));
	next_ns = has_more ? 0 : terminal_next_event_ns(&machine->terminal);
	lock_release(&machine->locks[LOCK_UART]);
	return next_ns;
}

static void press_power_button(struct machine *machine)
{
	bool heard;

	lock_acquire(&machine->locks[LOCK_PM]);
	heard = acpi_pm_press_power_button(&machine->pm);
	lock_release(&machine->locks[LOCK_PM]);
	if (!heard && sys_vm_stop(machine->spec->handles.vm, VCPU_STOP_STOPPED) != OK)
		return; /* it is going already */
}

static uint64_t deadline_of(const struct machine *machine, uint64_t due_ns)
{
	if (due_ns == NO_EVENT_NS)
		return DEADLINE_NEVER;
	return machine->start_tsc + time_ticks(due_ns, machine->tsc_hz) + 1;
}

_Noreturn void timers_serve(struct machine *machine)
{
	struct input input = {.count = 0};

	for (;;) {
		uint64_t due_ns, terminal_ns, bits = 0;

		atomic_store(&machine->wake_ns, NO_EVENT_NS);
		terminal_ns = serve_terminal(machine, &input);
		due_ns = machine_tick(machine);
		due_ns = terminal_ns < due_ns ? terminal_ns : due_ns;
		atomic_store(&machine->wake_ns, due_ns);
		if (sys_event_wait(machine->spec->handles.event, deadline_of(machine, due_ns), &bits) != OK)
			continue; /* the deadline passed */
		if ((bits & VMM_EVENT_CONSOLE) != 0)
			console_device_wake();
		if ((bits & VMM_EVENT_BALLOON) != 0)
			balloon_device_wake();
		if ((bits & VMM_EVENT_POWER_BUTTON) != 0)
			press_power_button(machine);
	}
}
