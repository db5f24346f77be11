/* The commands "start" and "stop" of the prompt: what each does in which part of a VM's life. */
#include "manager/vm_command.h"

#include "lib/base/format.h"

void vm_command_start(struct vm_entry *vm, const struct vm_surroundings *around, char *answer, size_t size_bytes)
{
	const char *name = vm->wanted->name;

	answer[0] = '\0';
	if (vm_is_alive(vm)) {
		format_text(answer, size_bytes, "%s: runs already\n", name);
	} else if (vm->refused) {
		format_text(answer, size_bytes, "%s: cannot be started: %s\n", name, vm->why);
	} else {
		vm->failures_in_row = 0;
		vm_start(vm, around);
	}
}

void vm_command_stop(struct vm_entry *vm, const struct vm_surroundings *around, char *answer, size_t size_bytes)
{
	const char *name = vm->wanted->name;

	answer[0] = '\0';
	if (vm->life == VM_PAUSES) {
		vm->life = VM_ENDED;
		console_close_terminal(around->console, name);
		format_text(answer, size_bytes, "%s: does not start again\n", name);
	} else if (!vm_is_alive(vm)) {
		format_text(answer, size_bytes, "%s: does not run\n", name);
	} else if (vm->stop_asked) {
		vm_kill(vm);
	} else {
		vm->stop_asked = true;
		vm_stop(vm);
	}
}

void vm_command_balloon(struct vm_entry *vm, uint32_t megabytes, char *answer, size_t size_bytes)
{
	uint64_t bytes = (uint64_t)megabytes << 20;
	const char *name = vm->wanted->name;

	if (!vm_is_alive(vm))
		format_text(answer, size_bytes, "%s: does not run\n", name);
	else if (!vm->wanted->balloon)
		format_text(answer, size_bytes, "%s: has no balloon; write balloon = true in bulkhead.toml\n", name);
	else if (bytes > vm->wanted->memory_bytes)
		format_text(answer, size_bytes, "%s: has %luM; ask for that or less\n", name, vm->wanted->memory_bytes >> 20);
	else {
		vm_set_memory_target(vm, bytes);
		format_text(answer, size_bytes, "%s: is asked to keep %uM; `list` shows what it has\n", name, megabytes);
	}
}
