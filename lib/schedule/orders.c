/* A plan as what ring 0 is told. Budgets are rounded down to ticks and periods up: never more than was admitted. */
#include "lib/schedule/orders.h"

#include "lib/base/string.h"
#include "lib/base/time.h"

/* Sorted by start, as ring 0 wants them. */
static void add_window(struct schedule_cpu *order, const struct manifest_window *window, uint32_t index, uint64_t tsc_hz)
{
	struct schedule_window added = {
		.start_ticks = time_ticks(window->start_ns, tsc_hz),
		.end_ticks = time_ticks(window->start_ns + window->length_ns, tsc_hz),
		.index = index,
	};
	uint32_t at = order->window_count++;

	for (; at > 0 && order->windows[at - 1].start_ticks > added.start_ticks; at--)
		order->windows[at] = order->windows[at - 1];
	order->windows[at] = added;
}

void schedule_order_cpu(const struct schedule_plan *plan, uint32_t cpu, uint64_t tsc_hz, uint64_t epoch_tsc,
			struct schedule_cpu *order)
{
	const struct manifest_schedule *schedule = &plan->manifest->schedule;

	memset(order, 0, sizeof(*order));
	if (manifest_has_cpu(plan->dedicated_cpus, cpu)) {
		order->mode = SCHEDULE_DEDICATED;
		return;
	}
	if (schedule_plan_has_host(plan, cpu)) {
		order->host_budget_ticks = time_ticks_up(SCHEDULE_HOST_BUDGET_NS, tsc_hz);
		order->host_period_ticks = time_ticks_up(SCHEDULE_HOST_PERIOD_NS, tsc_hz);
	}
	order->mode = SCHEDULE_FAIR;
	if (!manifest_has_cpu(plan->window_cpus, cpu))
		return;
	order->mode = SCHEDULE_WINDOWS;
	order->slack = schedule->slack;
	order->frame_ticks = time_ticks(schedule->frame_ns, tsc_hz);
	order->epoch_tsc = epoch_tsc;
	for (uint32_t i = 0; i < schedule->window_count; i++) {
		if (manifest_has_cpu(schedule->windows[i].cpus, cpu))
			add_window(order, &schedule->windows[i], i, tsc_hz);
	}
}

void schedule_order_space(const struct schedule_plan *plan, uint32_t vm_index, uint64_t tsc_hz, struct schedule_space *order)
{
	const struct manifest_vm *vm = &plan->manifest->vms[vm_index];
	const struct manifest_schedule *schedule = &plan->manifest->schedule;

	memset(order, 0, sizeof(*order));
	order->weight = vm->weight;
	order->cap_percent = vm->cap_percent;
	for (uint32_t i = 0; i < schedule->window_count; i++)
		order->windows |= (schedule->windows[i].vms >> vm_index & 1) << i;
	for (uint32_t i = 0; i < SCHEDULE_VCPUS_MAX; i++) {
		uint16_t place = plan->vms[vm_index].places[i];

		order->vcpus[i].cpu = place != SCHEDULE_PLACE_ANY ? place : SCHEDULE_CPU_ANY;
		if (vm->reserve.budget_ns == 0 || i >= vm->vcpu_count)
			continue;
		order->vcpus[i].budget_ticks = time_ticks(vm->reserve.budget_ns, tsc_hz);
		order->vcpus[i].period_ticks = time_ticks_up(vm->reserve.period_ns, tsc_hz);
	}
}

_Static_assert(SCHEDULE_VCPUS_MAX == MANIFEST_VCPUS_MAX, "a place for each vCPU");
