/* manager/vm_command: "start" and "stop" in each part of a VM's life. */
#include "manager/vm_command.h"

#include "tests/unit/unit.h"

static struct manifest_vm wanted = {.name = "web"};
static struct vm_entry vm;
static struct vm_surroundings around;
static unsigned starts, stops, kills, closed;
static char answer[128];

void vm_start(struct vm_entry *entry, const struct vm_surroundings *surroundings)
{
	assert_ptr_equal(entry, &vm);
	assert_ptr_equal(surroundings, &around);
	entry->life = VM_STARTING;
	starts++;
}

bool vm_is_alive(const struct vm_entry *entry)
{
	return entry->life == VM_STARTING || entry->life == VM_RUNNING;
}

void vm_stop(struct vm_entry *entry)
{
	assert_ptr_equal(entry, &vm);
	stops++;
}

void vm_kill(struct vm_entry *entry)
{
	assert_ptr_equal(entry, &vm);
	kills++;
}

static uint64_t target_bytes;
void vm_set_memory_target(struct vm_entry *entry, uint64_t bytes)
{
	assert_ptr_equal(entry, &vm);
	target_bytes = bytes;
}

void console_close_terminal(struct console_link *link, const char *name)
{
	(void)link;
	assert_string_equal(name, "web");
	closed++;
}

static int setup(void **state)
{
	(void)state;
	vm = (struct vm_entry){.wanted = &wanted, .life = VM_NOT_STARTED};
	starts = stops = kills = closed = 0;
	return 0;
}

static const char *command(void (*carry_out)(struct vm_entry *, const struct vm_surroundings *, char *, size_t))
{
	carry_out(&vm, &around, answer, sizeof(answer));
	return answer;
}

static void test_vm_command_starts_what_does_not_run(void **state)
{
	static const enum vm_life lives[] = {VM_NOT_STARTED, VM_ENDED, VM_PAUSES};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		vm.life = lives[i];
		vm.failures_in_row = 3;
		assert_string_equal(command(vm_command_start), "");
		assert_int_equal(starts, i + 1);
		assert_int_equal(vm.failures_in_row, 0);
	}
	assert_string_equal(command(vm_command_start), "web: runs already\n");
	assert_int_equal(starts, 3);
}

static void test_vm_command_starts_nothing_that_was_refused(void **state)
{
	(void)state;
	vm.refused = true;
	strcpy(vm.why, "E401; `log` says why");
	assert_string_equal(command(vm_command_start), "web: cannot be started: E401; `log` says why\n");
	assert_int_equal(starts, 0);
}

static void test_vm_command_stops_at_once_and_then_with_its_vmm(void **state)
{
	(void)state;
	vm.life = VM_RUNNING;
	assert_string_equal(command(vm_command_stop), "");
	assert_int_equal(stops, 1);
	assert_int_equal(kills, 0);
	assert_string_equal(command(vm_command_stop), "");
	assert_int_equal(stops, 1);
	assert_int_equal(kills, 1);
}

static void test_vm_command_ends_restarts(void **state)
{
	(void)state;
	vm.life = VM_PAUSES;
	assert_string_equal(command(vm_command_stop), "web: does not start again\n");
	assert_int_equal(vm.life, VM_ENDED);
	assert_int_equal(closed, 1);
	assert_string_equal(command(vm_command_stop), "web: does not run\n");
	assert_int_equal(stops + kills, 0);
}

static const char *balloon(uint32_t megabytes)
{
	target_bytes = 0;
	vm_command_balloon(&vm, megabytes, answer, sizeof(answer));
	return answer;
}

static void test_vm_command_sets_a_target(void **state)
{
	struct manifest_vm with_balloon = {.name = "web", .memory_bytes = 256 << 20, .balloon = true};

	(void)state;
	assert_string_equal(balloon(100), "web: does not run\n");
	vm.life = VM_RUNNING;
	assert_string_equal(balloon(100), "web: has no balloon; write balloon = true in bulkhead.toml\n");
	vm.wanted = &with_balloon;
	assert_string_equal(balloon(257), "web: has 256M; ask for that or less\n");
	assert_int_equal(target_bytes, 0);
	assert_string_equal(balloon(256), "web: is asked to keep 256M; `list` shows what it has\n");
	assert_int_equal(target_bytes, 256 << 20);
	balloon(100);
	assert_int_equal(target_bytes, 100 << 20);
	vm.wanted = &wanted;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vm_command_starts_what_does_not_run, setup),
		cmocka_unit_test_setup(test_vm_command_starts_nothing_that_was_refused, setup),
		cmocka_unit_test_setup(test_vm_command_stops_at_once_and_then_with_its_vmm, setup),
		cmocka_unit_test_setup(test_vm_command_ends_restarts, setup),
		cmocka_unit_test_setup(test_vm_command_sets_a_target, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
