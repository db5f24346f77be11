/* The table of system calls, made from the list in abi/syscall.h, and the handles that each call needs. */
#include "kernel/syscall.h"

#include <stddef.h>

#include "abi/syscall.h"
#include "kernel/hypervisor.h"
#include "kernel/object.h"
#include "kernel/scheduler.h"
#include "kernel/space_internal.h"
#include "kernel/syscall_table.h"
#include "kernel/thread.h"

/* An argument that must be a handle of this kind with these rights, and those that rights_argument names (0: none). */
struct need {
	uint8_t argument;
	uint8_t kind; /* enum object_kind; OBJECT_NONE ends the list */
	uint8_t rights;
	uint8_t rights_argument;
	bool optional; /* HANDLE_NONE is no object */
};

/* The list names calls in capitals, functions are in small letters: one line each, in any order. */
static const struct call {
	int64_t (*run)(const struct syscall_arguments *a);
	struct need needs[SYSCALL_OBJECTS_MAX];
} calls[SYSTEM_CALL_COUNT] = {
	[SYS_LOG_WRITE] = {sys_log_write, {}},
	[SYS_LOG_READ] = {sys_log_read, {}},
	[SYS_HANDLE_CLOSE] = {sys_handle_close, {}},
	[SYS_HANDLE_GRANT] = {sys_handle_grant, {{0, OBJECT_SPACE, RIGHT_MANAGE}}},
	[SYS_POOL_CREATE] = {sys_pool_create, {{0, OBJECT_POOL, RIGHT_MANAGE}}},
	[SYS_POOL_INFO] = {sys_pool_info, {{0, OBJECT_POOL}}},
	[SYS_MEMORY_CREATE] = {sys_memory_create, {{0, OBJECT_POOL, RIGHT_MANAGE}}},
	[SYS_MEMORY_GROW] = {sys_memory_grow, {{0, OBJECT_MEMORY, RIGHT_MANAGE}}},
	[SYS_MEMORY_DEVICE] = {sys_memory_device, {{0, OBJECT_HOST, RIGHT_MANAGE}, {1, OBJECT_POOL, RIGHT_MANAGE}}},
	[SYS_SPACE_CREATE] = {sys_space_create, {{0, OBJECT_POOL, RIGHT_MANAGE}, {1, OBJECT_VM, RIGHT_MANAGE, .optional = true},
						  {2, OBJECT_EVENT, RIGHT_SIGNAL, .optional = true}}},
	[SYS_SPACE_MAP] = {sys_space_map, {{0, OBJECT_SPACE, RIGHT_MANAGE}, {1, OBJECT_MEMORY, .rights_argument = 5}}},
	[SYS_SPACE_UNMAP] = {sys_space_unmap, {{0, OBJECT_SPACE, RIGHT_MANAGE}}},
	[SYS_SPACE_KILL] = {sys_space_kill, {{0, OBJECT_SPACE, RIGHT_MANAGE}}},
	[SYS_SPACE_STATUS] = {sys_space_status, {{0, OBJECT_SPACE, RIGHT_READ}}},
	[SYS_THREAD_CREATE] = {sys_thread_create, {{0, OBJECT_SPACE, RIGHT_MANAGE}, {1, OBJECT_POOL, RIGHT_MANAGE}}},
	[SYS_THREAD_EXIT] = {sys_thread_exit, {}},
	[SYS_THREAD_YIELD] = {sys_thread_yield, {}},
	[SYS_EVENT_CREATE] = {sys_event_create, {{0, OBJECT_POOL, RIGHT_MANAGE}}},
	[SYS_EVENT_SIGNAL] = {sys_event_signal, {{0, OBJECT_EVENT, RIGHT_SIGNAL}}},
	[SYS_EVENT_WAIT] = {sys_event_wait, {{0, OBJECT_EVENT, RIGHT_WAIT}}},
	[SYS_PORT_READ] = {sys_port_read, {{0, OBJECT_PORTS, RIGHT_WRITE}}},
	[SYS_PORT_WRITE] = {sys_port_write, {{0, OBJECT_PORTS, RIGHT_WRITE}}},
	[SYS_IRQ_CREATE] = {sys_irq_create, {{0, OBJECT_HOST, RIGHT_MANAGE}, {1, OBJECT_POOL, RIGHT_MANAGE},
					      {4, OBJECT_EVENT, RIGHT_SIGNAL}}},
	[SYS_IRQ_ACK] = {sys_irq_ack, {{0, OBJECT_IRQ, RIGHT_WRITE}}},
	[SYS_HOST_REPORT] = {sys_host_report, {}},
	[SYS_HOST_POWER] = {sys_host_power, {{0, OBJECT_HOST, RIGHT_MANAGE}}},
	[SYS_CONSOLE_TAKE] = {sys_console_take, {{0, OBJECT_HOST, RIGHT_MANAGE}}},
	[SYS_VM_CREATE] = {sys_vm_create, {{0, OBJECT_HOST, RIGHT_MANAGE}, {1, OBJECT_POOL, RIGHT_MANAGE}}},
	[SYS_VM_MAP] = {sys_vm_map, {{0, OBJECT_VM, RIGHT_WRITE}, {2, OBJECT_MEMORY, .rights_argument = 5}}},
	[SYS_VM_UNMAP] = {sys_vm_unmap, {{0, OBJECT_VM, RIGHT_WRITE}}},
	[SYS_VM_STOP] = {sys_vm_stop, {{0, OBJECT_VM, RIGHT_WRITE}}},
	[SYS_VM_MSI] = {sys_vm_msi, {{0, OBJECT_VM, RIGHT_WRITE}}},
	[SYS_VM_EOI_EXITS] = {sys_vm_eoi_exits, {{0, OBJECT_VM, RIGHT_WRITE}}},
	[SYS_VM_STATUS] = {sys_vm_status, {{0, OBJECT_VM, RIGHT_READ}}},
	[SYS_VCPU_CREATE] = {sys_vcpu_create, {{0, OBJECT_VM, RIGHT_WRITE}}},
	[SYS_VCPU_RUN] = {sys_vcpu_run, {{0, OBJECT_VCPU, RIGHT_MANAGE}}},
	[SYS_VCPU_GET_STATE] = {sys_vcpu_get_state, {{0, OBJECT_VCPU, RIGHT_MANAGE}}},
	[SYS_VCPU_SET_STATE] = {sys_vcpu_set_state, {{0, OBJECT_VCPU, RIGHT_MANAGE}}},
	[SYS_VCPU_EXTINT] = {sys_vcpu_extint, {{0, OBJECT_VCPU, RIGHT_MANAGE}}},
	[SYS_SCHEDULE_CPU] = {sys_schedule_cpu, {{0, OBJECT_HOST, RIGHT_MANAGE}}},
	[SYS_SCHEDULE_SPACE] = {sys_schedule_space, {{0, OBJECT_HOST, RIGHT_MANAGE}, {1, OBJECT_SPACE, RIGHT_MANAGE}}},
	[SYS_VCPU_STATUS] = {sys_vcpu_status, {{0, OBJECT_VM, RIGHT_READ}}},
	[SYS_VCPU_STEAL_RECORD] = {sys_vcpu_steal_record, {{0, OBJECT_VCPU, RIGHT_MANAGE},
							    {1, OBJECT_MEMORY, RIGHT_WRITE, .optional = true}}},
	[SYS_MEMORY_DISCARD] = {sys_memory_discard, {{0, OBJECT_MEMORY, RIGHT_WRITE}}},
	[SYS_VM_DOORBELL] = {sys_vm_doorbell, {{0, OBJECT_VM, RIGHT_WRITE}, {1, OBJECT_EVENT, RIGHT_SIGNAL, .optional = true}}},
};

int64_t syscall_new_handle(struct object *object, unsigned rights)
{
	handle_t handle;
	enum status status = handle_add(thread_current()->space, object, rights, BADGE_ALL, &handle);

	if (status == OK)
		return handle;
	object_put(object);
	return syscall_error(status);
}

static enum status find_objects(const struct need *needs, struct syscall_arguments *a)
{
	enum status status = OK;

	for (unsigned i = 0; status == OK && i < SYSCALL_OBJECTS_MAX && needs[i].kind != OBJECT_NONE; i++) {
		uint64_t handle = a->value[needs[i].argument];
		unsigned rights = needs[i].rights;

		if (needs[i].rights_argument != 0)
			rights |= a->value[needs[i].rights_argument] & RIGHT_ALL;
		if (!needs[i].optional || handle != HANDLE_NONE)
			status = handle_find(thread_current()->space, handle, needs[i].kind, rights, &a->object[i], &a->badge);
	}
	return status;
}

static int64_t run_with_objects(const struct call *call, struct syscall_arguments *arguments)
{
	enum status status = find_objects(call->needs, arguments);
	int64_t answer = status == OK ? call->run(arguments) : syscall_error(status);

	for (unsigned i = 0; i < SYSCALL_OBJECTS_MAX; i++) {
		if (arguments->object[i] != NULL)
			object_put(arguments->object[i]);
	}
	return answer;
}

/* Kept apart: VCPU_RUN needs no stack for it. */
static __attribute__((noinline)) int64_t run_call(uint64_t number, const uint64_t *value)
{
	struct syscall_arguments arguments = {.value = value};

	if (number >= SYSTEM_CALL_COUNT || calls[number].run == NULL)
		return syscall_error(ERR_INVALID);
	if (calls[number].needs[0].kind == OBJECT_NONE)
		return calls[number].run(&arguments);
	return run_with_objects(&calls[number], &arguments);
}

int64_t syscall_dispatch(uint64_t number, const uint64_t *value)
{
	int64_t answer;

	/* Behind each exit to a VMM. It names none: the thread's own vCPU. */
	if (number == SYS_VCPU_RUN && value[0] == HANDLE_NONE)
		answer = hypervisor_run();
	else
		answer = run_call(number, value);
	scheduler_before_user();
	return answer;
}
