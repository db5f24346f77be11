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
