/* Who runs where. First what nobody shares (take.c), then where each VM may run, then a place for each vCPU with a reservation. */
#include "lib/schedule/plan.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "lib/manifest/report.h"
#include "lib/schedule/cpu_set.h"
#include "lib/schedule/share.h"

#define LEFT_LISTED      3U
#define LEFT_TEXT_BYTES  128U

bool schedule_plan_has_host(const struct schedule_plan *plan, uint32_t cpu)
{
	return cpu == 0 || manifest_has_cpu(plan->host_cpus, cpu);
}

static void give_dedicated_cpus(struct schedule_plan_vm *given, const struct manifest_vm *vm)
{
	uint32_t vcpu = 0;

	cpu_set_add(given->cpus, vm->service_cpu);
	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX && vcpu < vm->vcpu_count; cpu++) {
		if (manifest_has_cpu(vm->cpus, cpu))
			given->places[vcpu++] = (uint16_t)cpu;
	}
}

/* In turn on the CPUs, so that vCPUs start together in their windows: they do not move. */
static void deal_out_places(struct schedule_plan_vm *given, uint32_t vcpu_count)
{
	uint32_t cpu = 0;

	for (uint32_t vcpu = 0; vcpu < vcpu_count; vcpu++, cpu++) {
		while (!manifest_has_cpu(given->cpus, cpu % MANIFEST_CPUS_MAX))
			cpu++;
		given->places[vcpu] = (uint16_t)(cpu % MANIFEST_CPUS_MAX);
	}
}

/* True: it is in windows, and their CPUs are its CPUs. */
static bool give_window_cpus(struct schedule_plan_vm *given, const struct manifest *manifest, uint32_t index)
{
	for (uint32_t i = 0; i < manifest->schedule.window_count; i++) {
		if ((manifest->schedule.windows[i].vms >> index & 1) != 0)
			cpu_set_add_set(given->cpus, manifest->schedule.windows[i].cpus);
	}
	if (cpu_set_is_empty(given->cpus))
		return false;
	deal_out_places(given, manifest->vms[index].vcpu_count);
	return true;
}

static void give_shared_cpus(struct schedule_plan *plan, struct manifest *manifest, uint32_t index)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	uint64_t *cpus = plan->vms[index].cpus;
	bool may_use_slack = manifest->schedule.slack && vm->reserve.budget_ns == 0;

	cpu_set_add_set(cpus, vm->cpus);
	for (uint32_t cpu = 0; cpu < plan->cpu_count && cpu_set_is_empty(vm->cpus); cpu++)
		cpu_set_add(cpus, cpu);
	cpu_set_remove_set(cpus, plan->unused_cpus);
	cpu_set_remove_set(cpus, plan->dedicated_cpus);
	if (!may_use_slack)
		cpu_set_remove_set(cpus, plan->window_cpus);
	if (cpu_set_is_empty(cpus))
		manifest_report(manifest, (int32_t)index, vm->lines.cpus != 0 ? vm->lines.cpus : vm->line, E208,
				"VM \"%s\" has no CPU: all %s are dedicated to other VMs, have windows or are second threads of "
				"cores; %s",
				vm->name,
				vm->lines.cpus != 0 ? "its cpus" : "CPUs of this PC",
				vm->lines.cpus != 0 ? "name others" : "leave one free");
}

static void give_cpus(struct schedule_plan *plan, struct manifest *manifest, uint32_t index)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	struct schedule_plan_vm *given = &plan->vms[index];

	for (uint32_t i = 0; i < MANIFEST_VCPUS_MAX; i++)
		given->places[i] = SCHEDULE_PLACE_ANY;
	if (vm->refused)
		return;
	if (vm->dedicated)
		give_dedicated_cpus(given, vm);
	else if (!give_window_cpus(given, manifest, index))
		give_shared_cpus(plan, manifest, index);
}

/* Of each CPU, what reservations may have. */
static void reset_left(const struct schedule_plan *plan, uint64_t left[MANIFEST_CPUS_MAX])
{
	memset(left, 0, MANIFEST_CPUS_MAX * sizeof(left[0]));
	for (uint32_t cpu = 0; cpu < plan->cpu_count; cpu++) {
		if (manifest_has_cpu(plan->dedicated_cpus, cpu) || manifest_has_cpu(plan->window_cpus, cpu) ||
		    manifest_has_cpu(plan->unused_cpus, cpu))
			continue;
		left[cpu] = SHARE_WHOLE;
		if (schedule_plan_has_host(plan, cpu))
			left[cpu] -= share_of(SCHEDULE_HOST_BUDGET_NS, SCHEDULE_HOST_PERIOD_NS);
	}
}

/* "CPU 0 15 %, CPU 1 20 %, 6 more 120 %" of the VM's CPUs; *sum: of all. */
static void list_left(const struct schedule_plan *plan, const uint64_t *cpus, char out[LEFT_TEXT_BYTES], uint64_t *sum)
{
	char percent[SHARE_TEXT_BYTES];
	uint64_t more_sum = 0;
	uint32_t count = 0;
	size_t used = 0;

	*sum = 0;
	for (uint32_t cpu = 0; cpu < plan->cpu_count; cpu++) {
		if (!manifest_has_cpu(cpus, cpu))
			continue;
		*sum += plan->left[cpu];
		if (count++ < LEFT_LISTED)
			used += format_text(out + used, LEFT_TEXT_BYTES - used, "%sCPU %u %s %%", used > 0 ? ", " : "", cpu,
					    share_format_down(plan->left[cpu], percent));
		else
			more_sum += plan->left[cpu];
	}
	if (count > LEFT_LISTED)
		format_text(out + used, LEFT_TEXT_BYTES - used, ", %u more %s %%", count - LEFT_LISTED,
			    share_format_down(more_sum, percent));
}

static void report_no_time(struct schedule_plan *plan, struct manifest *manifest, uint32_t index, enum pack_result result)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	uint64_t wanted = share_of(vm->reserve.budget_ns, vm->reserve.period_ns) * vm->vcpu_count;
	char budget[24], period[24], percent[SHARE_TEXT_BYTES], each[24] = "", left[LEFT_TEXT_BYTES], host[SHARE_TEXT_BYTES];
	uint64_t sum;

	manifest_duration_format(vm->reserve.budget_ns, budget, sizeof(budget));
	manifest_duration_format(vm->reserve.period_ns, period, sizeof(period));
	if (vm->vcpu_count > 1)
		format_text(each, sizeof(each), " for each of %u vCPUs", vm->vcpu_count);
	list_left(plan, plan->vms[index].cpus, left, &sum);
	if (wanted > sum)
		manifest_report(manifest, (int32_t)index, vm->lines.reserve, E207,
				"VM \"%s\" reserves %s of %s%s = %s %%, but left beside the host's %s %% is: %s; lower reserve",
				vm->name,
				budget, period, each, share_format_up(wanted, percent),
				share_format_up(share_of(SCHEDULE_HOST_BUDGET_NS, SCHEDULE_HOST_PERIOD_NS), host), left);
	else
		manifest_report(manifest, (int32_t)index, vm->lines.reserve, E207,
				"VM \"%s\" reserves %s of %s%s = %s %%: so much is left in sum (%s), but no way to place whole "
				"vCPUs %s; "
				"lower reserve",
				vm->name, budget, period, each, share_format_up(wanted, percent), left,
				result == PACK_IMPOSSIBLE ? "exists" : "was found");
}

/* Groups for all VMs with reservations up to that one; returns their count. */
static uint32_t make_groups(struct schedule_plan *plan, const struct manifest *manifest, uint32_t last)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i <= last; i++) {
		const struct manifest_vm *vm = &manifest->vms[i];
		struct pack_group *group = &plan->groups[count];

		if (vm->refused || vm->reserve.budget_ns == 0)
			continue;
		group->share = share_of(vm->reserve.budget_ns, vm->reserve.period_ns);
		group->count = vm->vcpu_count;
		group->owner = i;
		memcpy(group->cpus, plan->vms[i].cpus, sizeof(group->cpus));
		count++;
	}
	return count;
}

/* All VMs so far and this one are placed anew: where it cannot be, they stay where they were. */
static void reserve_time(struct schedule_plan *plan, struct manifest *manifest, uint32_t index)
{
	uint64_t left[MANIFEST_CPUS_MAX];
	uint32_t count = make_groups(plan, manifest, index);
	enum pack_result result;

	reset_left(plan, left);
	result = pack_place(plan->groups, count, left);
	if (result != PACK_PLACED) {
		report_no_time(plan, manifest, index, result);
		return;
	}
	memcpy(plan->left, left, sizeof(left));
	for (uint32_t i = 0; i < count; i++)
		memcpy(plan->vms[plan->groups[i].owner].places, plan->groups[i].places,
		       plan->groups[i].count * sizeof(plan->groups[i].places[0]));
}

void schedule_plan_make(struct schedule_plan *plan, struct manifest *manifest, const struct schedule_pc *pc)
{
	memset(plan, 0, sizeof(*plan));
	plan->manifest = manifest;
	plan->cpu_count = pc->cpu_count < MANIFEST_CPUS_MAX ? pc->cpu_count : MANIFEST_CPUS_MAX;
	schedule_take_cpus(plan, manifest, manifest->host.smt == MANIFEST_SMT_SHARE ? NULL : pc->cores);
	for (uint32_t i = 0; i < manifest->vm_count; i++)
		give_cpus(plan, manifest, i);
	reset_left(plan, plan->left);
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		if (!manifest->vms[i].refused && manifest->vms[i].reserve.budget_ns != 0)
			reserve_time(plan, manifest, i);
	}
}
