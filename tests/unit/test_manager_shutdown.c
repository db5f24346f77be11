/* manager/shutdown.c: VMs that do not stop, and a PC that cannot be switched off. */
#include "tests/unit/unit.h"

#include "lib/base/format.h"
#include "manager/manager.h"
#include "tests/fake/console_link.h"
#include "tests/fake/program.h"
#include "user/calls.h"

static struct manager manager;
static const struct manifest_vm wanted[2] = {{.name = "web"}, {.name = "deaf"}};
static unsigned stopped, killed; /* bits: VMs */
static const char *closed;        /* the last terminal */
static uint64_t pressed_bits;     /* of the manager's event, once */
static unsigned requests;         /* that the console still has */

bool vm_look(struct vm_entry *entry, const struct vm_surroundings *around)
{
	(void)entry;
	(void)around;
	return false;
}

/* "web" stops when it is told, "deaf" never does. */
bool vm_is_alive(const struct vm_entry *entry)
{
	return entry->slot == 1 || (stopped & 1) == 0;
}

void vm_press_power_button(struct vm_entry *entry)
{
	(void)entry;
}

void vm_stop(struct vm_entry *entry)
{
	stopped |= 1U << entry->slot;
}

void vm_kill(struct vm_entry *entry)
{
	killed |= 1U << entry->slot;
}

void console_close_terminal(struct console_link *link, const char *name)
{
	(void)link;
	closed = name;
}

bool console_next_request(struct console_link *link, struct console_request *request)
{
	(void)link;
	if (requests == 0)
		return false;
	*request = (struct console_request){.header = {.kind = CONSOLE_REQUEST_LIST, .request = 10 + requests--}};
	return true;
}

void console_wake(const struct console_link *link)
{
	(void)link;
}

void manager_sleep_ms(struct manager *unused, uint64_t ms)
{
	(void)unused;
	(void)ms;
}

enum status power_off_by_acpi(struct power *power)
{
	(void)power;
	return ERR_NOT_FOUND;
}

enum status sys_host_power(handle_t host, enum host_power action)
{
	(void)host;
	(void)action;
	return ERR_UNSUPPORTED;
}

enum status sys_event_wait(handle_t event, uint64_t deadline_tsc, uint64_t *bits)
{
	(void)event;
	(void)deadline_tsc;
	*bits = pressed_bits;
	pressed_bits = 0;
	return *bits != 0 ? OK : ERR_TIMED_OUT;
}

static int start(void **state)
{
	(void)state;
	fake_program_start();
	stopped = killed = 0;
	closed = NULL;
	pressed_bits = 0;
	requests = 0;
	fake_console_answers[0] = '\0';
	manager = (struct manager){.vm_count = 2};
	for (uint32_t i = 0; i < 2; i++)
		manager.vms[i] = (struct vm_entry){.wanted = &wanted[i], .slot = i, .life = VM_RUNNING};
	return 0;
}

static void test_manager_shutdown_names_the_vm_that_does_not_stop(void **state)
{
	(void)state;
	manager_shut_down(&manager);
	assert_int_equal(stopped, 3);
	assert_int_equal(killed, 2);
	assert_non_null(strstr(fake_program_log, "E635 deaf: does not stop; the PC is switched off all the same\n"));
	assert_null(strstr(fake_program_log, "E635 web"));
}

static void test_manager_shutdown_keeps_what_it_cannot_serve(void **state)
{
	(void)state;
	pressed_bits = MANAGER_EVENT_POWER_BUTTON;
	manager_shut_down(&manager);
	assert_int_equal(manager.unserved_bits, MANAGER_EVENT_POWER_BUTTON);
}

/* A VM that waits for its restart does not start again: whoever looks at its terminal must hear of it. */
static void test_manager_shutdown_closes_the_terminal_of_a_pausing_vm(void **state)
{
	(void)state;
	manager.vms[0].life = VM_PAUSES;
	manager_shut_down(&manager);
	assert_int_equal(manager.vms[0].life, VM_ENDED);
	assert_string_equal(closed, "web");
}

static void test_manager_shutdown_leaves_nobody_waiting_at_the_prompt(void **state)
{
	(void)state;
	manager.top.active = true;
	manager.top.request = 9;
	requests = 2;
	manager_shut_down(&manager);
	assert_false(manager.top.active);
	assert_string_equal(fake_console_answers,
			    "17 9 |16 12 the VMs are being stopped\n|17 12 |16 11 the VMs are being stopped\n|17 11 |");
}

static void test_manager_shutdown_says_when_the_pc_stays_on(void **state)
{
	(void)state;
	manager_shut_down(&manager);
	assert_non_null(strstr(fake_program_log, "E633 this PC cannot be switched off from here (ACPI: not found; "
		"firmware: this PC "
						 "cannot do it). All VMs are stopped: you may switch it off by hand now\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_manager_shutdown_names_the_vm_that_does_not_stop, start),
		cmocka_unit_test_setup(test_manager_shutdown_keeps_what_it_cannot_serve, start),
		cmocka_unit_test_setup(test_manager_shutdown_closes_the_terminal_of_a_pausing_vm, start),
		cmocka_unit_test_setup(test_manager_shutdown_leaves_nobody_waiting_at_the_prompt, start),
		cmocka_unit_test_setup(test_manager_shutdown_says_when_the_pc_stays_on, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
