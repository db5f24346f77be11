/* manager/main.c: what the manager says when it cannot begin, and when its console ends. */
#include "tests/unit/unit.h"

#include "lib/base/format.h"
#include "manager/manager.h"
#include "manager/vm_disks.h"
#include "manager/vm_ports.h"
#include "manager/vm_command.h"
#include "tests/fake/console_link.h"
#include "tests/fake/program.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/program.h"

static enum status boot_status;
static unsigned console_starts, turns, requests;
static const struct manifest_vm web = {.name = "web"};
static uint32_t vm_count;
static struct console_request next_request;
static struct space_status console_end;
static jmp_buf stop;

enum status manager_boot(struct manager *manager)
{
	if (boot_status != OK)
		return boot_status;
	manager->console.running = true;
	manager->vms[0] = (struct vm_entry){.wanted = &web};
	manager->vm_count = vm_count;
	return boot_status;
}

void manager_start_console(struct manager *manager)
{
	console_starts++;
	manager->console.running = true;
}

void manager_shut_down(struct manager *manager)
{
	(void)manager;
}

void console_ended(struct console_link *link)
{
	link->running = false;
}

void console_show(struct console_link *link, const char *name)
{
	(void)link;
	(void)name;
}

bool console_next_request(struct console_link *link, struct console_request *request)
{
	(void)link;
	if (requests == 0)
		return false;
	requests--;
	*request = next_request;
	request->header.request = 7 + requests;
	return true;
}

void vm_command_start(struct vm_entry *vm, const struct vm_surroundings *around, char *answer, size_t size_bytes)
{
	(void)around;
	format_text(answer, size_bytes, "start %s\n", vm->wanted->name);
}

void vm_command_balloon(struct vm_entry *vm, uint32_t megabytes, char *answer, size_t size_bytes)
{
	format_text(answer, size_bytes, "balloon %s %u\n", vm->wanted->name, megabytes);
}

void vm_command_stop(struct vm_entry *vm, const struct vm_surroundings *around, char *answer, size_t size_bytes)
{
	(void)around;
	format_text(answer, size_bytes, "stop %s\n", vm->wanted->name);
}

bool vm_is_alive(const struct vm_entry *entry)
{
	(void)entry;
	return false;
}

enum status sys_vcpu_status(handle_t vm, uint32_t index, struct vcpu_status *status)
{
	(void)vm;
	(void)index;
	(void)status;
	return ERR_NOT_FOUND;
}

enum status sys_host_report(enum host_report report, char *out, size_t size_bytes, size_t *written_bytes)
{
	(void)report;
	(void)out;
	(void)size_bytes;
	(void)written_bytes;
	return ERR_INVALID;
}

bool console_has_read_all(const struct console_link *link)
{
	(void)link;
	return true;
}

void console_wake(const struct console_link *link)
{
	(void)link;
}

bool power_take_button(struct power *power)
{
	(void)power;
	return false;
}

void vm_start(struct vm_entry *entry, const struct vm_surroundings *around)
{
	(void)entry;
	(void)around;
}

bool vm_look(struct vm_entry *entry, const struct vm_surroundings *around)
{
	(void)entry;
	(void)around;
	return false;
}

bool switches_look(struct switches *switches)
{
	(void)switches;
	return false;
}

size_t switch_list_line(const struct switches *switches, uint32_t index, char *out, size_t size_bytes)
{
	(void)switches;
	return format_text(out, size_bytes, "switch %u\n", index);
}

size_t vm_list_line(const struct vm_entry *entry, char *out, size_t size_bytes)
{
	(void)entry;
	(void)out;
	(void)size_bytes;
	return 0;
}

size_t vm_list_ports(const struct manifest_vm *wanted, char *out, size_t size_bytes)
{
	(void)wanted;
	(void)out;
	(void)size_bytes;
	return 0;
}

size_t vm_list_disks(const struct manifest_vm *wanted, char *out, size_t size_bytes)
{
	(void)wanted;
	(void)out;
	(void)size_bytes;
	return 0;
}

void schedule_print(const struct schedule *schedule, void (*write)(void *context, const char *line), void *context)
{
	(void)schedule;
	(void)write;
	(void)context;
}

void sys_irq_ack(handle_t irq)
{
	(void)irq;
}

/* The console has always just ended. */
enum status sys_space_status(handle_t space, struct space_status *space_status)
{
	(void)space;
	*space_status = console_end;
	return OK;
}

enum status sys_event_wait(handle_t event, uint64_t deadline_tsc, uint64_t *bits)
{
	(void)event;
	while (deadline_tsc != DEADLINE_NEVER && clock_now_ticks() < deadline_tsc)
		;
	*bits = 0;
	if (turns++ == 10)
		longjmp(stop, 1);
	return OK;
}

static int start(void **state)
{
	(void)state;
	fake_program_start();
	console_starts = turns = requests = 0;
	vm_count = 0;
	fake_console_answers[0] = '\0';
	next_request = (struct console_request){.header = {.kind = CONSOLE_REQUEST_TOP, .argument = 1}};
	return 0;
}

static void test_manager_main_says_when_the_kernel_does_not_match(void **state)
{
	(void)state;
	boot_status = ERR_BAD_FORMAT;
	assert_int_equal(program_main(0), 1);
	assert_string_equal(fake_program_log, "E636 manager: damaged data: kernel and manager do not match; copy the folder "
					      "bulkhead/system from one release\n");
}

static void test_manager_main_starts_a_console_that_fails_a_few_times(void **state)
{
	(void)state;
	boot_status = OK;
	console_end = (struct space_status){.state = SPACE_FAULTED, .exception = 14, .rip = 0x400123, .fault_address = 8};
	if (setjmp(stop) == 0)
		program_main(0);
	assert_int_equal(console_starts, CONSOLE_RESTARTS_MAX);
	assert_non_null(strstr(fake_program_log, "E632 console: stopped by exception 14 at 0x400123, address 0x8; VMs go on\n"));
}

static void test_manager_main_says_when_the_console_ends_by_itself(void **state)
{
	(void)state;
	boot_status = OK;
	console_end = (struct space_status){.state = SPACE_EXITED, .exit_code = 1};
	if (setjmp(stop) == 0)
		program_main(0);
	assert_non_null(strstr(fake_program_log, "E632 console: ended by itself, exit code 1; is it of another release? Copy the "
						 "folder system from the release again. VMs go on\n"));
}

/* A second is over at once here. The second request takes the place of the first, which nobody waits for. */
static void test_manager_main_answers_top_when_its_time_is_over(void **state)
{
	(void)state;
	boot_status = OK;
	console_end = (struct space_status){.state = SPACE_RUNNING};
	requests = 2;
	if (setjmp(stop) == 0)
		program_main(0);
	assert_string_equal(fake_console_answers, "16 7 no VM runs\n|17 7 |");
	assert_int_equal(console_starts, 0);
}

static const char *answer_to(enum console_message_kind kind, const char *name)
{
	fake_console_answers[0] = '\0';
	boot_status = OK;
	vm_count = 1;
	console_end = (struct space_status){.state = SPACE_RUNNING};
	turns = 0;
	requests = 1;
	next_request = (struct console_request){.header = {.kind = kind}};
	strcpy(next_request.name.text, name);
	if (setjmp(stop) == 0)
		program_main(0);
	return fake_console_answers;
}

static void test_manager_main_finds_the_vm_of_a_command(void **state)
{
	(void)state;
	assert_string_equal(answer_to(CONSOLE_REQUEST_START, "web"), "16 7 start web\n|17 7 |");
	assert_string_equal(answer_to(CONSOLE_REQUEST_STOP, "web"), "16 7 stop web\n|17 7 |");
	assert_string_equal(answer_to(CONSOLE_REQUEST_STOP, "we"),
			    "16 7 E612 prompt: no VM of that name; type list for those there are\n|17 7 |");
	assert_string_equal(answer_to(CONSOLE_REQUEST_START, ""),
			    "16 7 E612 prompt: no VM of that name; type list for those there are\n|17 7 |");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_manager_main_says_when_the_kernel_does_not_match, start),
		cmocka_unit_test_setup(test_manager_main_answers_top_when_its_time_is_over, start),
		cmocka_unit_test_setup(test_manager_main_finds_the_vm_of_a_command, start),
		cmocka_unit_test_setup(test_manager_main_starts_a_console_that_fails_a_few_times, start),
		cmocka_unit_test_setup(test_manager_main_says_when_the_console_ends_by_itself, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
