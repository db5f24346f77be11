/* The manager: the first program. It reads the manifest, starts the console and a VMM for each VM, and then serves: requests
 * from the prompt, VMs that end, the power button. It parses nothing that a guest wrote. */
#include <stddef.h>

#include "lib/base/string.h"
#include "manager/manager.h"
#include "manager/vm_command.h"
#include "manager/vm_disks.h"
#include "manager/vm_ports.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"
#include "user/program.h"

#define LINE_BYTES         (MANIFEST_LINE_BYTES + 128)
#define REQUESTS_PER_TURN  16U
#define STORM_MAX          1000U /* SCIs that are nobody's, in all: then the line stays masked */

/* The longest answer, to "list", is in the channel as a whole, so that nothing of it is dropped. */
#define ANSWER_BYTES(lines, line_bytes) ((lines) * ((line_bytes) + sizeof(struct console_message)))
_Static_assert(ANSWER_BYTES(MANIFEST_CPUS_MAX + 2, SCHEDULE_LINE_BYTES) + ANSWER_BYTES(2 * MANIFEST_VMS_MAX + 1, LINE_BYTES) +
		       ANSWER_BYTES(MANIFEST_SWITCHES_MAX, SWITCH_LINE_BYTES) +
		       ANSWER_BYTES(MANIFEST_VMS_MAX, VM_DISKS_WORDS_BYTES + 18U) +
		       sizeof(struct console_message) <= CONSOLE_TO_BYTES - CHANNEL_HEADER_BYTES,
	       "an answer that is dropped in part");

/* The program is its state; large, so not on the stack. */
static struct manager manager;

static void send_line(uint32_t request, const char *line)
{
	console_send(&manager.console, CONSOLE_ANSWER_TEXT, request, line, strlen(line));
}

static void send_answer(void *context, const char *line)
{
	send_line(*(const uint32_t *)context, line);
}

static void answer_list(uint32_t request)
{
	char line[LINE_BYTES];

	send_line(request, manager.vm_count == 0 ? "no VMs\n" : VM_LIST_HEAD);
	for (uint32_t i = 0; i < manager.vm_count; i++) {
		vm_list_line(&manager.vms[i], line, sizeof(line));
		send_line(request, line);
		if (vm_list_ports(manager.vms[i].wanted, line, sizeof(line)) > 0)
			send_line(request, line);
		if (vm_list_disks(manager.vms[i].wanted, line, sizeof(line)) > 0)
			send_line(request, line);
	}
	for (uint32_t i = 0; i < manager.switches.count; i++) {
		switch_list_line(&manager.switches, i, line, SWITCH_LINE_BYTES);
		send_line(request, line);
	}
	schedule_print(&manager.schedule, send_answer, &request);
}

static struct top_view top_view(void)
{
	return (struct top_view){
		.vms = manager.vms, .vm_count = manager.vm_count, .write = send_answer, .context = &manager.top.request};
}

static void serve_top(void)
{
	const struct top_view view = top_view();

	if (top_turn(&manager.top, &view))
		console_send(&manager.console, CONSOLE_ANSWER_END, manager.top.request, "", 0);
}

static void begin_top(const struct console_message *request)
{
	const struct top_view view = top_view();

	top_begin(&manager.top, &view, request->request, request->argument);
}

static struct vm_entry *find_vm(const char *name)
{
	for (uint32_t i = 0; i < manager.vm_count; i++) {
		if (strcmp(manager.vms[i].wanted->name, name) == 0)
			return &manager.vms[i];
	}
	return NULL;
}

static void serve_vm_command(const struct console_request *request)
{
	struct vm_entry *vm = find_vm(request->name.text);
	char answer[LINE_BYTES];

	if (vm == NULL) {
		send_line(request->header.request, "E612 prompt: no VM of that name; type list for those there are\n");
		return;
	}
	if (request->header.kind == CONSOLE_REQUEST_START)
		vm_command_start(vm, &manager.around, answer, sizeof(answer));
	else if (request->header.kind == CONSOLE_REQUEST_BALLOON)
		vm_command_balloon(vm, request->header.argument, answer, sizeof(answer));
	else
		vm_command_stop(vm, &manager.around, answer, sizeof(answer));
	manager.has_shown_vm = true; /* who types commands stays at the prompt */
	send_line(request->header.request, answer);
}

static void serve_request(const struct console_request *request)
{
	const struct console_message *header = &request->header;

	switch (header->kind) {
	case CONSOLE_REQUEST_LIST:
		answer_list(header->request);
		break;
	case CONSOLE_REQUEST_START:
	case CONSOLE_REQUEST_STOP:
	case CONSOLE_REQUEST_BALLOON:
		serve_vm_command(request);
		break;
	case CONSOLE_REQUEST_TOP:
		begin_top(header); /* serve_top() answers */
		return;
	case CONSOLE_REQUEST_POWER_OFF:
		console_send(&manager.console, CONSOLE_ANSWER_END, header->request, "", 0);
		manager_shut_down(&manager);
		return;
	default: /* a later console's request: answered by nothing */
		break;
	}
	console_send(&manager.console, CONSOLE_ANSWER_END, header->request, "", 0);
}

static void serve_console(void)
{
	struct console_request request;

	for (unsigned i = 0; i < REQUESTS_PER_TURN && console_next_request(&manager.console, &request); i++)
		serve_request(&request);
}

/* A console that fails is started again, a few times; VMs go on. */
static void look_at_console(void)
{
	struct space_status status;

	if (!manager.console.running || sys_space_status(manager.console.space, &status) != OK ||
	    status.state == SPACE_RUNNING)
		return;
	console_ended(&manager.console);
	manager.top.active = false; /* nobody waits for it any more */
	if (status.state == SPACE_FAULTED)
		log_print("E632 console: stopped by exception %u at 0x%lx, address 0x%lx; VMs go on", status.exception, status.rip,
			  status.fault_address);
	else /* its own last words are in the log, which nobody shows now */
		log_print("E632 console: ended by itself, exit code %lu; is it of another release? Copy the folder system from the "
			  "release again. VMs go on", status.exit_code);
	if (manager.console_restart_count++ < CONSOLE_RESTARTS_MAX)
		manager_start_console(&manager);
}

/* Once: the user finds himself at the first VM of the manifest that runs. */
static void show_first_vm(void)
{
	const struct vm_entry *vm = manager.vms;

	while (vm < manager.vms + manager.vm_count && vm->life != VM_STARTING && vm->life != VM_RUNNING)
		vm++;
	if (vm == manager.vms + manager.vm_count || vm->life == VM_STARTING)
		return;
	console_show(&manager.console, vm->wanted->name);
	manager.has_shown_vm = true;
}

static void look_at_vms(void)
{
	bool changed = true;

	/* Twice: a VM that has already ended is first said to run. */
	for (unsigned pass = 0; pass < 2 && changed; pass++) {
		changed = false;
		for (uint32_t i = 0; i < manager.vm_count; i++)
			changed |= vm_look(&manager.vms[i], &manager.around);
		if (changed)
			console_wake(&manager.console);
		if (!manager.has_shown_vm)
			show_first_vm();
	}
}

static void restart_vms(void)
{
	for (uint32_t i = 0; i < manager.vm_count; i++) {
		struct vm_entry *vm = &manager.vms[i];

		if (vm->life == VM_PAUSES && clock_now_ticks() >= vm->restart_tsc)
			vm_start(vm, &manager.around);
	}
}

static void serve_power_button(void)
{
	static uint32_t strangers;

	if (power_take_button(&manager.power)) {
		log_print("power button: stopping all VMs");
		console_wake(&manager.console);
		manager_shut_down(&manager);
	} else if (++strangers > STORM_MAX) {
		return;
	}
	sys_irq_ack(manager.sci);
}

static uint64_t next_deadline(void)
{
	uint64_t deadline = top_deadline(&manager.top);

	for (uint32_t i = 0; i < manager.vm_count; i++) {
		const struct vm_entry *vm = &manager.vms[i];

		if (vm->life == VM_PAUSES && vm->restart_tsc < deadline)
			deadline = vm->restart_tsc;
	}
	return deadline;
}

/* Event bits say only where to look first; all but the SCI are looked at in every turn. */
static void serve(void)
{
	for (;;) {
		uint64_t bits = 0;
		/* One that was pressed while VMs were stopped is looked at now: its interrupt is masked until then. */
		uint64_t deadline = manager.unserved_bits != 0 ? clock_now_ticks() : next_deadline();
		enum status status = sys_event_wait(manager.event, deadline, &bits);

		bits = (status == OK ? bits : 0) | manager.unserved_bits;
		manager.unserved_bits = 0;
		if ((bits & MANAGER_EVENT_POWER_BUTTON) != 0)
			serve_power_button();
		look_at_console();
		if (switches_look(&manager.switches))
			console_wake(&manager.console);
		look_at_vms();
		restart_vms();
		serve_console();
		serve_top();
	}
}

int program_main(uint64_t argument)
{
	enum status status;

	(void)argument;
	status = manager_boot(&manager);
	if (status != OK) {
		log_print("E636 manager: %s: kernel and manager do not match; copy the folder bulkhead/system from one release",
			  status_words(status));
		return 1;
	}
	serve();
	return 0;
}
