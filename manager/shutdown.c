/* The end: VMs, then the PC. */
#include "manager/manager.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"

#define STOP_WAIT_MS    3000U
#define KILL_WAIT_MS    1000U
#define OUTPUT_WAIT_MS  200U /* the console's last lines on a slow serial port */
#define LOOK_STEP_MS    50U

static bool wait_for_end(struct manager *manager, struct vm_entry *vm, uint64_t ms)
{
	uint64_t deadline = clock_deadline_in_ms(ms);
	uint64_t bits;

	vm_look(vm);
	while (vm_is_alive(vm) && clock_now_ticks() < deadline) {
		if (sys_event_wait(manager->event, clock_deadline_in_ms(LOOK_STEP_MS), &bits) == ERR_BAD_HANDLE)
			return false;
		vm_look(vm);
	}
	return !vm_is_alive(vm);
}

static void stop_vm(struct manager *manager, struct vm_entry *vm)
{
	if (!vm_is_alive(vm))
		return;
	vm_stop(vm);
	if (wait_for_end(manager, vm, STOP_WAIT_MS))
		return;
	vm_kill(vm);
	if (!wait_for_end(manager, vm, KILL_WAIT_MS))
		log_print("E635 %s: does not stop; the PC is switched off all the same", vm->wanted->name);
}

void manager_shut_down(struct manager *manager)
{
	enum status by_acpi, by_firmware;

	for (uint32_t i = manager->vm_count; i > 0; i--) {
		stop_vm(manager, &manager->vms[i - 1]);
		if (manager->vms[i - 1].life == VM_PAUSES)
			manager->vms[i - 1].life = VM_ENDED;
	}
	log_print("switching the PC off");
	console_wake(&manager->console);
	manager_sleep_ms(manager, OUTPUT_WAIT_MS);
	by_acpi = power_off_by_acpi(&manager->power);
	by_firmware = sys_host_power(MANAGER_HANDLE_HOST, HOST_POWER_UEFI_OFF);
	log_print("E633 this PC cannot be switched off from here (ACPI: %s; firmware: %s). All VMs are stopped: you may switch "
		  "it off by hand now",
		  status_words(by_acpi), status_words(by_firmware));
}
