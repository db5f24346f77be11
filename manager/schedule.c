/* Carries out the plan of who runs on which CPU. */
#include "manager/schedule.h"

#include "lib/base/string.h"
#include "lib/schedule/orders.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"

void schedule_read_cores(uint32_t cores[MANIFEST_CPUS_MAX], uint32_t cpu_count, bool may_share)
{
	size_t count = 0;

	if (sys_host_report(HOST_REPORT_CORES, (char *)cores, MANIFEST_CPUS_MAX * sizeof(cores[0]), &count) == OK &&
	    count == cpu_count * sizeof(cores[0]))
		return;
	memset(cores, 0, MANIFEST_CPUS_MAX * sizeof(cores[0]));
	if (!may_share && cpu_count > 1)
		log_print("E637 manager: ring 0 does not tell which CPUs share a core: only CPU 0 is used, so that no VM can spy "
			  "on another; smt = \"share\" in [host] uses all");
}

void schedule_apply_cpus(struct schedule *schedule)
{
	uint64_t epoch_tsc = clock_now_ticks();
	struct schedule_cpu order;

	for (uint32_t cpu = 0; cpu < schedule->plan.cpu_count; cpu++) {
		schedule_order_cpu(&schedule->plan, cpu, program_info()->tsc_hz, epoch_tsc, &order);
		if (sys_schedule_cpu(MANAGER_HANDLE_HOST, cpu, &order) != OK)
			schedule->failed_cpus[cpu / 64] |= UINT64_C(1) << (cpu % 64);
	}
}

/* On a CPU without an order VMs share time all the same: only guarantees fail there. */
static bool rests_on_failed_cpu(const struct schedule *schedule, const struct schedule_space *order, uint32_t vm_index)
{
	const struct manifest_vm *vm = &schedule->plan.manifest->vms[vm_index];
	const struct schedule_plan_vm *given = &schedule->plan.vms[vm_index];

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (given->places[i] != SCHEDULE_PLACE_ANY && manifest_has_cpu(schedule->failed_cpus, given->places[i]))
			return true;
	}
	for (uint32_t cpu = 0; order->windows != 0 && cpu < schedule->plan.cpu_count; cpu++) {
		if (manifest_has_cpu(given->cpus, cpu) && manifest_has_cpu(schedule->failed_cpus, cpu))
			return true;
	}
	return false;
}

enum status schedule_apply_space(const struct schedule *schedule, uint32_t vm_index, handle_t space)
{
	struct schedule_space order;

	schedule_order_space(&schedule->plan, vm_index, program_info()->tsc_hz, &order);
	if (rests_on_failed_cpu(schedule, &order, vm_index))
		return ERR_UNSUPPORTED;
	return sys_schedule_space(MANAGER_HANDLE_HOST, space, &order);
}

static void write_line(void (*write)(void *context, const char *line), void *context, char line[SCHEDULE_LINE_BYTES], size_t len)
{
	if (len == 0)
		return;
	len = len < SCHEDULE_LINE_BYTES - 2 ? len : SCHEDULE_LINE_BYTES - 2;
	line[len] = '\n';
	line[len + 1] = '\0';
	write(context, line);
}

void schedule_print(const struct schedule *schedule, void (*write)(void *context, const char *line), void *context)
{
	char line[SCHEDULE_LINE_BYTES];

	for (uint32_t cpu = 0; cpu < schedule->plan.cpu_count; cpu++)
		write_line(write, context, line, schedule_plan_cpu_words(&schedule->plan, cpu, line));
	write_line(write, context, line, schedule_plan_host_words(&schedule->plan, line));
	write_line(write, context, line, schedule_plan_whole_core_words(&schedule->plan, line));
	write_line(write, context, line, schedule_plan_unused_words(&schedule->plan, line));
}
