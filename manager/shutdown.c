/* The end: VMs, then the PC. */
#include "manager/manager.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"

#define ASK_WAIT_MS     10000U /* for all guests that listen to their power button, together */
#define STOP_WAIT_MS    2000U
#define KILL_WAIT_MS    1000U
#define OUTPUT_WAIT_MS  200U /* the console's last lines on a slow serial port */
#define LOOK_STEP_MS    50U
#define REQUESTS_PER_LOOK 16U

/* Only the count ones from the number first on. */
static bool any_is_alive(struct manager *manager, uint32_t first, uint32_t count)
{
	bool alive = false;

	for (uint32_t i = first; i < first + count; i++) {
		vm_look(&manager->vms[i], &manager->around);
		alive |= vm_is_alive(&manager->vms[i]);
	}
	return alive;
}

/* Nobody at the prompt waits for an answer that does not come. */
static void answer_requests(struct manager *manager)
{
	static const char words[] = "the VMs are being stopped\n";
	struct console_request request;

	for (unsigned i = 0; i < REQUESTS_PER_LOOK && console_next_request(&manager->console, &request); i++) {
		console_send(&manager->console, CONSOLE_ANSWER_TEXT, request.header.request, words, sizeof(words) - 1);
		console_send(&manager->console, CONSOLE_ANSWER_END, request.header.request, "", 0);
	}
}

static void end_top(struct manager *manager)
{
	if (manager->top.active)
		console_send(&manager->console, CONSOLE_ANSWER_END, manager->top.request, "", 0);
	manager->top.active = false;
}

/* True: the count ones from the number first on have ended in time. */
static bool wait_for_ends(struct manager *manager, uint32_t first, uint32_t count, uint64_t ms)
{
	uint64_t deadline = clock_deadline_in_ms(ms);

	while (any_is_alive(manager, first, count)) {
		uint64_t bits = 0;

		if (clock_now_ticks() >= deadline)
			return false;
		if (sys_event_wait(manager->event, clock_deadline_in_ms(LOOK_STEP_MS), &bits) == ERR_BAD_HANDLE)
			return false;
		manager->unserved_bits |= bits;
		answer_requests(manager);
		console_wake(&manager->console);
	}
	return true;
}

static void stop_vm(struct manager *manager, uint32_t index)
{
	struct vm_entry *vm = &manager->vms[index];

	vm_stop(vm);
	if (wait_for_ends(manager, index, 1, STOP_WAIT_MS))
		return;
	vm_kill(vm);
	if (!wait_for_ends(manager, index, 1, KILL_WAIT_MS))
		log_print("E635 %s: does not stop; the PC is switched off all the same", vm->wanted->name);
}

/* Guests that listen shut down by themselves; their VMMs stop the others at once. Then, what is left is stopped, the last
 * one of the manifest first. */
static void stop_all(struct manager *manager)
{
	for (uint32_t i = manager->vm_count; i > 0; i--)
		vm_press_power_button(&manager->vms[i - 1]);
	if (!wait_for_ends(manager, 0, manager->vm_count, ASK_WAIT_MS)) {
		for (uint32_t i = manager->vm_count; i > 0; i--)
			stop_vm(manager, i - 1);
	}
	for (uint32_t i = 0; i < manager->vm_count; i++) {
		if (manager->vms[i].life != VM_PAUSES)
			continue;
		manager->vms[i].life = VM_ENDED;
		console_close_terminal(&manager->console, manager->vms[i].wanted->name);
	}
}

void manager_shut_down(struct manager *manager)
{
	enum status by_acpi, by_firmware;

	end_top(manager);
	stop_all(manager);
	log_print("switching the PC off");
	console_wake(&manager->console);
	manager_sleep_ms(manager, OUTPUT_WAIT_MS);
	by_acpi = power_off_by_acpi(&manager->power);
	by_firmware = sys_host_power(MANAGER_HANDLE_HOST, HOST_POWER_UEFI_OFF);
	log_print("E633 this PC cannot be switched off from here (ACPI: %s; firmware: %s). All VMs are stopped: you may switch "
		  "it off by hand now",
		  status_words(by_acpi), status_words(by_firmware));
}
