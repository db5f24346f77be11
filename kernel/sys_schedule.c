/* System calls that say how CPU time is shared out. */
#include "abi/schedule.h"
#include "abi/syscall.h"
#include "kernel/percpu.h"
#include "kernel/schedule/schedule.h"
#include "kernel/scheduler.h"
#include "kernel/space_internal.h"
#include "kernel/syscall_table.h"
#include "kernel/user_copy.h"

int64_t sys_schedule_cpu(const struct syscall_arguments *a)
{
	struct schedule_cpu rules;
	enum status status = copy_from_user(&rules, a->value[2], sizeof(rules));

	if (status == OK && (a->value[1] >= percpu_count || !percpus[a->value[1]]->online))
		status = ERR_OUT_OF_RANGE;
	if (status == OK && !schedule_rules_valid(&rules))
		status = ERR_INVALID;
	if (status == OK)
		status = scheduler_set_rules(percpus[a->value[1]], &rules);
	return syscall_error(status);
}

int64_t sys_schedule_space(const struct syscall_arguments *a)
{
	struct schedule_space rules;
	enum status status = copy_from_user(&rules, a->value[2], sizeof(rules));

	if (status == OK && !schedule_space_valid(&rules))
		status = ERR_INVALID;
	if (status == OK)
		status = space_set_schedule(space_from_object(a->object[1]), &rules);
	return syscall_error(status);
}
