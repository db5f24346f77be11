/* Which CPUs are not for everybody: dedicated ones, those with windows, and threads of cores, which run one VM at a time. */
#include "lib/base/string.h"
#include "lib/manifest/report.h"
#include "lib/schedule/cpu_set.h"

static const uint64_t no_cpus[CPU_WORDS];

/* What the steps below share. */
struct taking {
	struct schedule_plan *plan;
	struct manifest *manifest;
	const uint32_t *cores;
	uint64_t window_vms; /* by VM: it is in windows */
};

static bool is_started(const struct manifest *manifest, uint64_t vms)
{
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		if ((vms >> i & 1) != 0 && !manifest->vms[i].refused)
			return true;
	}
	return false;
}

/* The first CPU from that one on that shares the core of cpu and is not in own; MANIFEST_CPUS_MAX: none. */
static uint32_t find_sibling(const struct taking *taking, uint32_t cpu, const uint64_t *own, uint32_t from)
{
	for (uint32_t other = from; taking->cores != NULL && other < taking->plan->cpu_count; other++) {
		if (other != cpu && taking->cores[other] == taking->cores[cpu] && !manifest_has_cpu(own, other))
			return other;
	}
	return MANIFEST_CPUS_MAX;
}

static bool is_second_thread(const struct taking *taking, uint32_t cpu)
{
	return find_sibling(taking, cpu, no_cpus, 0) < cpu;
}

static void report_thread(const struct taking *taking, uint32_t index, uint32_t line, const char *key, uint32_t cpu,
			  uint32_t sibling)
{
	const struct manifest_vm *vm = &taking->manifest->vms[index];

	manifest_report(taking->manifest, (int32_t)index, line, E209,
			"VM \"%s\": %s names CPU %u, which shares a core with CPU %u: a core runs one VM at a time; name other "
			"CPUs, or "
			"write smt = \"share\" in [host]", vm->name, key, cpu, sibling);
}

/* Its cores are its own as a whole: their other threads stay unused. */
static void take_dedicated_cores(const struct taking *taking, uint32_t index)
{
	const struct manifest_vm *vm = &taking->manifest->vms[index];
	struct schedule_plan *plan = taking->plan;

	for (uint32_t cpu = 0; cpu < plan->cpu_count; cpu++) {
		uint32_t other = manifest_has_cpu(vm->cpus, cpu) ? find_sibling(taking, cpu, vm->cpus, 0) : MANIFEST_CPUS_MAX;

		for (; other < MANIFEST_CPUS_MAX; other = find_sibling(taking, cpu, vm->cpus, other + 1)) {
			if (other == 0 || manifest_has_cpu(plan->window_cpus, other) || manifest_has_cpu(plan->dedicated_cpus,
			other)) {
				report_thread(taking, index, vm->lines.cpus, "cpus", cpu, other);
				return;
			}
			cpu_set_add(plan->unused_cpus, other);
		}
	}
	cpu_set_add_set(plan->dedicated_cpus, vm->cpus);
}

/* Whether that VM runs there, on a CPU without windows that is nobody's alone and no thread of a core of CPU 0. */
static bool may_run(const struct taking *taking, uint32_t index, uint32_t cpu)
{
	const struct manifest_vm *vm = &taking->manifest->vms[index];

	if (vm->refused || (taking->window_vms >> index & 1) != 0)
		return false;
	if (vm->dedicated)
		return vm->service_cpu == cpu;
	return cpu_set_is_empty(vm->cpus) || manifest_has_cpu(vm->cpus, cpu);
}

/* How many threads its core has, and on how many of them that VM may run. */
static uint32_t count_threads(const struct taking *taking, uint32_t cpu, uint32_t index, uint32_t *own_count)
{
	uint32_t count = 1;

	*own_count = may_run(taking, index, cpu);
	for (uint32_t other = find_sibling(taking, cpu, no_cpus, 0); other < MANIFEST_CPUS_MAX;
	     other = find_sibling(taking, cpu, no_cpus, other + 1)) {
		*own_count += may_run(taking, index, other);
		count++;
	}
	return count;
}

static bool any_is_taken(const struct taking *taking, uint32_t cpu)
{
	const struct schedule_plan *plan = taking->plan;
	uint32_t other = cpu;

	do {
		if (other == 0 || manifest_has_cpu(plan->window_cpus, other) || manifest_has_cpu(plan->dedicated_cpus, other))
			return true;
		other = find_sibling(taking, cpu, no_cpus, other == cpu ? 0 : other + 1);
	} while (other < MANIFEST_CPUS_MAX);
	return false;
}

/* Of all VMs, one may run on that CPU's core, and that on all its threads. */
static bool is_of_one_vm(const struct taking *taking, uint32_t cpu)
{
	bool found = false;

	if (any_is_taken(taking, cpu))
		return false;
	for (uint32_t vm = 0; vm < taking->manifest->vm_count; vm++) {
		uint32_t own_count, count = count_threads(taking, cpu, vm, &own_count);

		if (own_count == 0)
			continue;
		if (found || own_count < count)
			return false;
		found = true;
	}
	return found;
}

/* Two VMs never run on one core at once: of each core, only the first thread runs VMs that are not dedicated, but where there is
 * only one. From there programs of the host stay away. */
static void leave_second_threads(const struct taking *taking)
{
	struct schedule_plan *plan = taking->plan;

	for (uint32_t cpu = 0; cpu < plan->cpu_count; cpu++) {
		if (find_sibling(taking, cpu, no_cpus, 0) < MANIFEST_CPUS_MAX && is_of_one_vm(taking, cpu))
			cpu_set_add(plan->whole_core_cpus, cpu);
		else if (!manifest_has_cpu(plan->dedicated_cpus, cpu) && is_second_thread(taking, cpu))
			cpu_set_add(plan->unused_cpus, cpu);
	}
}

static void refuse_windows_on_second_threads(const struct taking *taking)
{
	struct manifest *manifest = taking->manifest;

	for (uint32_t i = 0; i < manifest->schedule.window_count; i++) {
		const struct manifest_window *window = &manifest->schedule.windows[i];
		uint32_t cpu = 0;

		while (cpu < taking->plan->cpu_count && !(manifest_has_cpu(window->cpus, cpu) && is_second_thread(taking, cpu)))
			cpu++;
		for (uint32_t vm = 0; vm < manifest->vm_count && cpu < taking->plan->cpu_count; vm++) {
			if ((window->vms >> vm & 1) != 0 && !manifest->vms[vm].refused)
				report_thread(taking, vm, window->line, "a window", cpu, find_sibling(taking, cpu, no_cpus, 0));
		}
	}
}

static void refuse_unused_service_cpus(const struct taking *taking)
{
	for (uint32_t i = 0; i < taking->manifest->vm_count; i++) {
		const struct manifest_vm *vm = &taking->manifest->vms[i];

		if (!vm->refused && vm->dedicated && manifest_has_cpu(taking->plan->unused_cpus, vm->service_cpu))
			report_thread(taking, i, vm->lines.service_cpu, "service_cpu", vm->service_cpu,
				      find_sibling(taking, vm->service_cpu, no_cpus, 0));
	}
}

/* Windows of VMs that are all refused are not there: their CPUs are for everybody. */
static void take_window_cpus(const struct taking *taking)
{
	const struct manifest_schedule *schedule = &taking->manifest->schedule;

	for (uint32_t i = 0; i < schedule->window_count; i++) {
		if (is_started(taking->manifest, schedule->windows[i].vms))
			cpu_set_add_set(taking->plan->window_cpus, schedule->windows[i].cpus);
	}
}

static void take_once(const struct taking *taking)
{
	struct schedule_plan *plan = taking->plan;

	memset(plan->window_cpus, 0, sizeof(plan->window_cpus));
	memset(plan->dedicated_cpus, 0, sizeof(plan->dedicated_cpus));
	memset(plan->unused_cpus, 0, sizeof(plan->unused_cpus));
	memset(plan->whole_core_cpus, 0, sizeof(plan->whole_core_cpus));
	take_window_cpus(taking);
	for (uint32_t i = 0; i < taking->manifest->vm_count; i++) {
		if (!taking->manifest->vms[i].refused && taking->manifest->vms[i].dedicated)
			take_dedicated_cores(taking, i);
	}
	leave_second_threads(taking);
	refuse_unused_service_cpus(taking);
}

static uint32_t count_refused(const struct manifest *manifest)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < manifest->vm_count; i++)
		count += manifest->vms[i].refused;
	return count;
}

void schedule_take_cpus(struct schedule_plan *plan, struct manifest *manifest, const uint32_t *cores)
{
	struct taking taking = {.plan = plan, .manifest = manifest, .cores = cores};
	uint32_t refused;

	for (uint32_t i = 0; i < manifest->schedule.window_count; i++)
		taking.window_vms |= manifest->schedule.windows[i].vms;
	refuse_windows_on_second_threads(&taking);
	/* What a VM took that was refused on the way is free again. */
	do {
		refused = count_refused(manifest);
		take_once(&taking);
	} while (count_refused(manifest) != refused);
	for (uint32_t cpu = 0; cpu < plan->cpu_count; cpu++)
		cpu_set_add(plan->host_cpus, cpu);
	cpu_set_remove_set(plan->host_cpus, plan->unused_cpus);
	cpu_set_remove_set(plan->host_cpus, plan->dedicated_cpus);
	cpu_set_remove_set(plan->host_cpus, plan->window_cpus);
	cpu_set_remove_set(plan->host_cpus, plan->whole_core_cpus);
	if (cpu_set_is_empty(plan->host_cpus))
		plan->host_cpus[0] = 1;
}
