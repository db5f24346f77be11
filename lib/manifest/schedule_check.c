/* What the manifest says of scheduling, checked as a whole: windows against one another, and each VM's reservation, dedicated
 * CPUs and windows. What depends on the PC is lib/schedule's. A VM that was refused already is left alone. */
#include "lib/base/string.h"
#include "lib/manifest/keys.h"
#include "lib/manifest/report.h"

#define NO_VM MANIFEST_VMS_MAX

static uint32_t line_or(uint32_t line, const struct manifest_vm *vm)
{
	return line != 0 ? line : vm->line;
}

/* The lowest CPU of both sets, or MANIFEST_CPUS_MAX. */
static uint32_t find_common_cpu(const uint64_t *a, const uint64_t *b)
{
	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX; cpu++) {
		if (manifest_has_cpu(a, cpu) && manifest_has_cpu(b, cpu))
			return cpu;
	}
	return MANIFEST_CPUS_MAX;
}

static uint32_t count_cpus(const uint64_t *cpus)
{
	uint32_t count = 0;

	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX; cpu++)
		count += manifest_has_cpu(cpus, cpu);
	return count;
}

/* What could not be read is 0. */
static bool windows_overlap(const struct manifest_window *a, const struct manifest_window *b)
{
	return a->length_ns != 0 && b->length_ns != 0 && a->start_ns < b->start_ns + b->length_ns &&
	       b->start_ns < a->start_ns + a->length_ns;
}

static void check_window(struct manifest *manifest, const struct manifest_window *window)
{
	char end[24], frame[24];

	if (manifest->schedule.frame_ns != 0 && window->start_ns + window->length_ns > manifest->schedule.frame_ns) {
		manifest_duration_format(window->start_ns + window->length_ns, end, sizeof(end));
		manifest_duration_format(manifest->schedule.frame_ns, frame, sizeof(frame));
		manifest_report(manifest, -1, window->line, E124,
				"the window ends at %s, but the frame has %s; shorten the window, or lengthen the frame", end,
				frame);
		return;
	}
	for (const struct manifest_window *earlier = manifest->schedule.windows; earlier < window; earlier++) {
		uint32_t cpu = find_common_cpu(earlier->cpus, window->cpus);

		if (cpu == MANIFEST_CPUS_MAX || !windows_overlap(earlier, window))
			continue;
		manifest_report(manifest, -1, window->line, E124,
				"the window overlaps the one on line %u, on CPU %u; move one, or name both VMs in one window",
				earlier->line, cpu);
		return;
	}
}

void manifest_check_windows(struct manifest *manifest)
{
	for (uint32_t i = 0; i < manifest->schedule.window_count; i++)
		check_window(manifest, &manifest->schedule.windows[i]);
}

/* The first window of that VM, or of that CPU (vm_index NO_VM), or NULL. */
static const struct manifest_window *find_window(const struct manifest *manifest, uint32_t vm_index, uint32_t cpu)
{
	for (uint32_t i = 0; i < manifest->schedule.window_count; i++) {
		const struct manifest_window *window = &manifest->schedule.windows[i];

		if (vm_index != NO_VM ? (window->vms >> vm_index & 1) != 0 : manifest_has_cpu(window->cpus, cpu))
			return window;
	}
	return NULL;
}

/* The VM that has this CPU to itself, or NULL. before: only VMs that stand above this one. */
static const struct manifest_vm *find_owner(const struct manifest *manifest, uint32_t cpu, const struct manifest_vm *before)
{
	for (const struct manifest_vm *vm = manifest->vms; vm < before; vm++) {
		if (!vm->refused && vm->dedicated && manifest_has_cpu(vm->cpus, cpu))
			return vm;
	}
	return NULL;
}

static void check_reserve(struct manifest *manifest, uint32_t index)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	const struct manifest_reserve *reserve = &vm->reserve;
	char budget[24], period[24];
	uint64_t percent;

	if (reserve->budget_ns == 0)
		return;
	manifest_duration_format(reserve->budget_ns, budget, sizeof(budget));
	manifest_duration_format(reserve->period_ns, period, sizeof(period));
	if (reserve->budget_ns > reserve->period_ns) {
		manifest_report(manifest, (int32_t)index, vm->lines.reserve, E123,
				"reserve has a budget of %s in a period of %s; lower the budget", budget, period);
		return;
	}
	percent = (100 * vm->vcpu_count * reserve->budget_ns + reserve->period_ns - 1) / reserve->period_ns;
	if (vm->cap_percent != 0 && vm->cap_percent < percent)
		manifest_report(manifest, (int32_t)index, vm->lines.cap, E126,
				"cap = %u is less than reserve: %s of %s for %u vCPU%s need %llu; raise cap, or lower reserve",
				vm->cap_percent, budget, period, vm->vcpu_count, vm->vcpu_count == 1 ? "" : "s",
				(unsigned long long)percent);
}

/* One message for the first thing that a dedicated VM has and cannot use. */
static void check_dedicated_alone(struct manifest *manifest, uint32_t index)
{
	const struct manifest_vm *vm = &manifest->vms[index];

	if (vm->reserve.budget_ns != 0 || vm->cap_percent != 0)
		manifest_report(manifest, (int32_t)index, vm->reserve.budget_ns != 0 ? vm->lines.reserve : vm->lines.cap, E126,
				"%s beside dedicated = true: its CPUs are its own all the time; remove one of the two",
				vm->reserve.budget_ns != 0 ? "reserve" : "cap");
}

static void check_dedicated_cpu(struct manifest *manifest, uint32_t index, uint32_t cpu)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	const struct manifest_vm *owner = find_owner(manifest, cpu, vm);
	const struct manifest_window *window = find_window(manifest, NO_VM, cpu);

	if (cpu == 0)
		manifest_report(manifest, (int32_t)index, vm->lines.cpus, E127,
				"CPU 0 cannot be dedicated: Bulkhead's own programs need a CPU, and the manager runs there; "
				"name another");
	else if (owner != NULL)
		manifest_report(manifest, (int32_t)index, vm->lines.cpus, E127,
				"CPU %u is dedicated to VM \"%s\" (line %u) already; name another", cpu, owner->name,
				line_or(owner->lines.cpus, owner));
	else if (window != NULL)
		manifest_report(manifest, (int32_t)index, vm->lines.cpus, E127,
				"CPU %u cannot be dedicated: [schedule] has a window there (line %u); name another", cpu,
				window->line);
}

static void check_dedicated(struct manifest *manifest, uint32_t index)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	uint32_t count = count_cpus(vm->cpus);

	if (!vm->dedicated)
		return;
	check_dedicated_alone(manifest, index);
	if (count != vm->vcpu_count)
		manifest_report(manifest, (int32_t)index, line_or(vm->lines.cpus, vm), E127,
				"cpus has %u CPU%s for %u dedicated vCPU%s; name one for each", count, count == 1 ? "" : "s",
				vm->vcpu_count, vm->vcpu_count == 1 ? "" : "s");
	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX && !vm->refused; cpu++) {
		if (manifest_has_cpu(vm->cpus, cpu))
			check_dedicated_cpu(manifest, index, cpu);
	}
}

static void check_service_cpu(struct manifest *manifest, uint32_t index)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	uint32_t cpu = vm->service_cpu;
	const struct manifest_window *window = find_window(manifest, NO_VM, cpu);
	uint32_t line = line_or(vm->lines.service_cpu, vm);
	const struct manifest_vm *owner = find_owner(manifest, cpu, manifest->vms + manifest->vm_count);

	if (!vm->dedicated && vm->lines.service_cpu != 0)
		manifest_report(manifest, (int32_t)index, line, E126,
				"service_cpu is for VMs with dedicated = true; add that, or remove service_cpu");
	if (!vm->dedicated)
		return;
	if (owner != NULL)
		manifest_report(manifest, (int32_t)index, line, E127,
				"service_cpu %u is dedicated to VM \"%s\" (line %u); name a CPU that is shared, like 0", cpu,
				owner->name, line_or(owner->lines.cpus, owner));
	else if (window != NULL)
		manifest_report(manifest, (int32_t)index, line, E127,
				"service_cpu %u is in a window of [schedule] (line %u); name a CPU without windows", cpu,
				window->line);
}

static void check_vm_windows(struct manifest *manifest, uint32_t index)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	const struct manifest_window *first = find_window(manifest, index, 0);

	if (first == NULL)
		return;
	if (vm->reserve.budget_ns != 0 || vm->dedicated) {
		manifest_report(manifest, (int32_t)index, vm->dedicated ? vm->lines.dedicated : vm->lines.reserve, E126,
				"%s, but VM \"%s\" is in a window of [schedule] (line %u); remove one of the two",
				vm->dedicated ? "dedicated = true" : "reserve", vm->name, first->line);
		return;
	}
	for (uint32_t i = 0; vm->lines.cpus != 0 && i < manifest->schedule.window_count; i++) {
		const struct manifest_window *window = &manifest->schedule.windows[i];

		for (uint32_t cpu = 0; (window->vms >> index & 1) != 0 && cpu < MANIFEST_CPUS_MAX; cpu++) {
			if (!manifest_has_cpu(window->cpus, cpu) || manifest_has_cpu(vm->cpus, cpu))
				continue;
			manifest_report(manifest, (int32_t)index, vm->lines.cpus, E124,
					"VM \"%s\" has a window (line %u) on CPU %u, which is not in its cpus; add it, or remove "
					"cpus",
					vm->name, window->line, cpu);
			return;
		}
	}
}

void manifest_check_schedule(struct manifest *manifest)
{
	static void (*const checks[])(struct manifest *manifest, uint32_t index) = {
		check_vm_windows, check_reserve, check_dedicated, check_service_cpu,
	};

	/* Check by check: a service CPU may be dedicated to a VM further below. */
	for (size_t c = 0; c < sizeof(checks) / sizeof(checks[0]); c++) {
		for (uint32_t i = 0; i < manifest->vm_count; i++) {
			if (!manifest->vms[i].refused)
				checks[c](manifest, i);
		}
	}
}
