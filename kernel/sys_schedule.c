/* System calls that say how CPU time is shared out. */
#include "abi/syscall.h"
#include "kernel/hypervisor.h"
#include "kernel/syscall_table.h"

int64_t sys_schedule_cpu(const struct syscall_arguments *a)
{
	(void)a;
	return syscall_error(ERR_UNSUPPORTED);
}

int64_t sys_schedule_space(const struct syscall_arguments *a)
{
	(void)a;
	return syscall_error(ERR_UNSUPPORTED);
}

int64_t sys_vcpu_status(const struct syscall_arguments *a)
{
	(void)a;
	return syscall_error(ERR_UNSUPPORTED);
}
