/* The table of system calls, made from the list in abi/syscall.h. */
#include "kernel/syscall.h"

#include <stddef.h>

#include "abi/syscall.h"
#include "kernel/hypervisor.h"
#include "kernel/scheduler.h"
#include "kernel/syscall_table.h"

/* The list names calls in capitals, functions are in small letters: one line each, in any order. */
static int64_t (*const table[SYSTEM_CALL_COUNT])(const struct syscall_arguments *a) = {
	[SYS_LOG_WRITE] = sys_log_write,
	[SYS_LOG_READ] = sys_log_read,
	[SYS_HANDLE_CLOSE] = sys_handle_close,
	[SYS_HANDLE_GRANT] = sys_handle_grant,
	[SYS_POOL_CREATE] = sys_pool_create,
	[SYS_POOL_INFO] = sys_pool_info,
	[SYS_MEMORY_CREATE] = sys_memory_create,
	[SYS_MEMORY_GROW] = sys_memory_grow,
	[SYS_MEMORY_DEVICE] = sys_memory_device,
	[SYS_SPACE_CREATE] = sys_space_create,
	[SYS_SPACE_MAP] = sys_space_map,
	[SYS_SPACE_UNMAP] = sys_space_unmap,
	[SYS_SPACE_KILL] = sys_space_kill,
	[SYS_SPACE_STATUS] = sys_space_status,
	[SYS_THREAD_CREATE] = sys_thread_create,
	[SYS_THREAD_EXIT] = sys_thread_exit,
	[SYS_THREAD_YIELD] = sys_thread_yield,
	[SYS_EVENT_CREATE] = sys_event_create,
	[SYS_EVENT_SIGNAL] = sys_event_signal,
	[SYS_EVENT_WAIT] = sys_event_wait,
	[SYS_PORT_READ] = sys_port_read,
	[SYS_PORT_WRITE] = sys_port_write,
	[SYS_IRQ_CREATE] = sys_irq_create,
	[SYS_IRQ_ACK] = sys_irq_ack,
	[SYS_HOST_REPORT] = sys_host_report,
	[SYS_HOST_POWER] = sys_host_power,
	[SYS_CONSOLE_TAKE] = sys_console_take,
	[SYS_VM_CREATE] = sys_vm_create,
	[SYS_VM_MAP] = sys_vm_map,
	[SYS_VM_UNMAP] = sys_vm_unmap,
	[SYS_VM_STOP] = sys_vm_stop,
	[SYS_VM_MSI] = sys_vm_msi,
	[SYS_VM_EOI_EXITS] = sys_vm_eoi_exits,
	[SYS_VM_STATUS] = sys_vm_status,
	[SYS_VCPU_CREATE] = sys_vcpu_create,
	[SYS_VCPU_RUN] = sys_vcpu_run,
	[SYS_VCPU_GET_STATE] = sys_vcpu_get_state,
	[SYS_VCPU_SET_STATE] = sys_vcpu_set_state,
	[SYS_VCPU_EXTINT] = sys_vcpu_extint,
};

int64_t syscall_dispatch(uint64_t number, const struct syscall_arguments *arguments)
{
	int64_t answer = syscall_error(ERR_INVALID);

	if (number < SYSTEM_CALL_COUNT && table[number] != NULL)
		answer = table[number](arguments);
	scheduler_before_user();
	return answer;
}
