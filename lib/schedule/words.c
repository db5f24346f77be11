/* A plan in words, a line for each CPU that is not simply shared. */
#include "lib/base/format.h"
#include "lib/base/string.h"
#include "lib/schedule/cpu_set.h"
#include "lib/schedule/plan.h"
#include "lib/schedule/share.h"

/* Text that is cut where it does not fit. */
struct words {
	char *out;
	size_t used;
};

static void add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct words *words, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	words->used += format_args(words->out + words->used, SCHEDULE_LINE_BYTES - words->used, format, args);
	va_end(args);
}

/* " 0 2 4-7" */
static void add_cpus(struct words *words, const uint64_t *cpus)
{
	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX; cpu++) {
		uint32_t last = cpu;

		if (!manifest_has_cpu(cpus, cpu))
			continue;
		while (last + 1 < MANIFEST_CPUS_MAX && manifest_has_cpu(cpus, last + 1))
			last++;
		add(words, " %u", cpu);
		if (last > cpu + 1)
			add(words, "-%u", last);
		cpu = last > cpu + 1 ? last : cpu;
	}
}

static void add_window(struct words *words, const struct manifest *manifest, const struct manifest_window *window)
{
	char start[24], end[24];

	manifest_duration_format(window->start_ns, start, sizeof(start));
	manifest_duration_format(window->start_ns + window->length_ns, end, sizeof(end));
	add(words, "; %s to %s", window->start_ns == 0 ? "0" : start, end);
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		if ((window->vms >> i & 1) != 0)
			add(words, " %s", manifest->vms[i].name);
	}
}

static void add_windows(struct words *words, const struct schedule_plan *plan, uint32_t cpu)
{
	const struct manifest_schedule *schedule = &plan->manifest->schedule;
	char frame[24];

	manifest_duration_format(schedule->frame_ns, frame, sizeof(frame));
	add(words, "CPU %u: windows in a frame of %s, slack %s", cpu, frame, schedule->slack ? "to VMs without windows" : "unused");
	for (uint32_t i = 0; i < schedule->window_count; i++) {
		if (manifest_has_cpu(schedule->windows[i].cpus, cpu))
			add_window(words, plan->manifest, &schedule->windows[i]);
	}
}

static uint32_t count_places(const struct schedule_plan *plan, uint32_t vm, uint32_t cpu)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < plan->manifest->vms[vm].vcpu_count; i++)
		count += plan->vms[vm].places[i] == cpu;
	return count;
}

static void add_reservations(struct words *words, const struct schedule_plan *plan, uint32_t cpu)
{
	char percent[SHARE_TEXT_BYTES];

	for (uint32_t i = 0; i < plan->manifest->vm_count; i++) {
		const struct manifest_vm *vm = &plan->manifest->vms[i];
		uint32_t count = vm->refused || vm->reserve.budget_ns == 0 ? 0 : count_places(plan, i, cpu);

		if (count == 0)
			continue;
		if (words->used == 0)
			add(words, "CPU %u: reserved, %s %% left", cpu, share_format_down(plan->left[cpu], percent));
		add(words, "; %s %s %%", vm->name,
		    share_format_up(share_of(vm->reserve.budget_ns, vm->reserve.period_ns) * count, percent));
	}
}

/* The VM that has that CPU to itself, and which of its vCPUs is there; false: none. */
static bool find_owner(const struct schedule_plan *plan, uint32_t cpu, uint32_t *vm, uint32_t *vcpu)
{
	const struct manifest *manifest = plan->manifest;

	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		if (!manifest->vms[i].dedicated || manifest->vms[i].refused)
			continue;
		for (uint32_t v = 0; v < manifest->vms[i].vcpu_count; v++) {
			if (plan->vms[i].places[v] != cpu)
				continue;
			*vm = i;
			*vcpu = v;
			return true;
		}
	}
	return false;
}

size_t schedule_plan_cpu_words(const struct schedule_plan *plan, uint32_t cpu, char out[SCHEDULE_LINE_BYTES])
{
	struct words words = {.out = out};
	uint32_t vm, vcpu;

	out[0] = '\0';
	if (find_owner(plan, cpu, &vm, &vcpu))
		add(&words, "CPU %u: dedicated to %s, vCPU %u", cpu, plan->manifest->vms[vm].name, vcpu);
	else if (manifest_has_cpu(plan->window_cpus, cpu))
		add_windows(&words, plan, cpu);
	else
		add_reservations(&words, plan, cpu);
	return words.used;
}

size_t schedule_plan_host_words(const struct schedule_plan *plan, char out[SCHEDULE_LINE_BYTES])
{
	struct words words = {.out = out};
	char line[SCHEDULE_LINE_BYTES], percent[SHARE_TEXT_BYTES], budget[24], period[24];
	uint64_t cpus[CPU_WORDS] = {1}; /* where the manager runs in any case */
	bool any = false;

	out[0] = '\0';
	for (uint32_t cpu = 0; cpu < plan->cpu_count && !any; cpu++)
		any = schedule_plan_cpu_words(plan, cpu, line) > 0;
	if (!any)
		return 0;
	manifest_duration_format(SCHEDULE_HOST_BUDGET_NS, budget, sizeof(budget));
	manifest_duration_format(SCHEDULE_HOST_PERIOD_NS, period, sizeof(period));
	add(&words, "host reserve: %s %% (%s of %s) of CPU",
	    share_format_up(share_of(SCHEDULE_HOST_BUDGET_NS, SCHEDULE_HOST_PERIOD_NS), percent), budget, period);
	cpu_set_add_set(cpus, plan->host_cpus);
	add_cpus(&words, cpus);
	return words.used;
}

size_t schedule_plan_whole_core_words(const struct schedule_plan *plan, char out[SCHEDULE_LINE_BYTES])
{
	struct words words = {.out = out};

	out[0] = '\0';
	if (cpu_set_is_empty(plan->whole_core_cpus))
		return 0;
	add(&words, "all threads of a core are used, as no second VM may run there: CPU");
	add_cpus(&words, plan->whole_core_cpus);
	return words.used;
}

size_t schedule_plan_unused_words(const struct schedule_plan *plan, char out[SCHEDULE_LINE_BYTES])
{
	struct words words = {.out = out};

	out[0] = '\0';
	if (cpu_set_is_empty(plan->unused_cpus))
		return 0;
	add(&words, "unused, as other threads of their cores run VMs (smt = \"share\" would use them): CPU");
	add_cpus(&words, plan->unused_cpus);
	return words.used;
}
