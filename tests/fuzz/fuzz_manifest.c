/* Any bytes as a manifest: what comes out must be usable without further checks. */
#include <stdlib.h>

#include "lib/manifest/manifest.h"
#include "lib/schedule/orders.h"
#include "lib/schedule/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool has_message(const struct manifest *manifest, uint32_t vm_index)
{
	for (uint32_t i = 0; i < manifest->message_count; i++) {
		if (manifest->messages[i].vm_index == (int32_t)vm_index)
			return true;
	}
	return false;
}

static enum status find_file(void *context, const char *path)
{
	(void)context;
	return path[0] == 'm' ? ERR_NOT_FOUND : OK;
}

static void check_schedule(const struct manifest *manifest)
{
	const struct manifest_schedule *schedule = &manifest->schedule;

	require(schedule->window_count <= MANIFEST_WINDOWS_MAX);
	for (uint32_t i = 0; i < schedule->window_count; i++) {
		const struct manifest_window *window = &schedule->windows[i];

		require(window->length_ns > 0 && window->start_ns + window->length_ns <= schedule->frame_ns);
		require(window->vms != 0 && (manifest->vm_count == 64 || window->vms >> manifest->vm_count == 0));
		require((window->cpus[0] | window->cpus[1] | window->cpus[2] | window->cpus[3]) != 0);
	}
}

static void check(const struct manifest *manifest)
{
	char line[MANIFEST_LINE_BYTES];

	require(manifest->vm_count <= MANIFEST_VMS_MAX && manifest->message_count <= MANIFEST_MESSAGES_MAX);
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		const struct manifest_vm *vm = &manifest->vms[i];

		require(vm->name[0] != '\0' && (vm->name[0] != '#' || vm->refused));
		require(vm->refused == has_message(manifest, i));
		require(vm->refused || vm->kernel[0] != '\0');
		require(vm->memory_bytes % 4096 == 0 && vm->memory_bytes >= MANIFEST_MEMORY_MIN_BYTES);
		require(vm->vcpu_count >= 1 && vm->vcpu_count <= 64 && vm->weight >= 1 && vm->weight <= 10000 && vm->restart <= 2);
		require(vm->refused || vm->reserve.budget_ns <= vm->reserve.period_ns);
		require(vm->refused || !vm->dedicated || !manifest_has_cpu(vm->cpus, 0));
	}
	check_schedule(manifest);
	for (uint32_t i = 0; i < manifest->message_count; i++)
		require(manifest_message_format(manifest, &manifest->messages[i], line, sizeof(line)) > 6);
}

/* What ring 0 would refuse is never ordered. */
static void check_cpu_order(const struct schedule_plan *plan, uint32_t cpu)
{
	struct schedule_cpu order;
	uint64_t end = 0;

	schedule_order_cpu(plan, cpu, 2999999999, 1, &order);
	require(order.mode < SCHEDULE_MODE_COUNT && order.window_count <= SCHEDULE_WINDOWS_MAX);
	for (uint32_t i = 0; i < order.window_count; i++) {
		require(order.windows[i].start_ticks >= end && order.windows[i].start_ticks < order.windows[i].end_ticks);
		end = order.windows[i].end_ticks;
	}
	require(end <= order.frame_ticks && order.host_budget_ticks <= order.host_period_ticks);
	require((order.mode == SCHEDULE_WINDOWS) == (order.window_count > 0));
	require(cpu != 0 || order.mode != SCHEDULE_DEDICATED);
}

static void check_space_order(const struct schedule_plan *plan, uint32_t vm_index)
{
	const struct manifest_vm *vm = &plan->manifest->vms[vm_index];
	struct schedule_space order;

	if (vm->refused)
		return;
	schedule_order_space(plan, vm_index, 2999999999, &order);
	for (uint32_t i = 0; i < SCHEDULE_VCPUS_MAX; i++) {
		require(order.vcpus[i].budget_ticks <= order.vcpus[i].period_ticks);
		require(order.vcpus[i].cpu == SCHEDULE_CPU_ANY || order.vcpus[i].cpu < plan->cpu_count);
		require(i >= vm->vcpu_count || vm->reserve.budget_ns == 0 || order.vcpus[i].cpu != SCHEDULE_CPU_ANY);
	}
	require((plan->vms[vm_index].cpus[0] & 0xf) != 0);
}

static void check_plan(const struct schedule_plan *plan)
{
	char line[SCHEDULE_LINE_BYTES];

	for (uint32_t cpu = 0; cpu < plan->cpu_count; cpu++) {
		check_cpu_order(plan, cpu);
		require(schedule_plan_cpu_words(plan, cpu, line) < sizeof(line));
	}
	for (uint32_t i = 0; i < plan->manifest->vm_count; i++)
		check_space_order(plan, i);
}

static bool may_run_on(const struct schedule_plan *plan, uint32_t vm, uint32_t cpu)
{
	bool may = !plan->manifest->vms[vm].refused && manifest_has_cpu(plan->vms[vm].cpus, cpu);

	for (uint32_t i = 0; i < plan->manifest->vms[vm].vcpu_count; i++)
		may = may || (!plan->manifest->vms[vm].refused && plan->vms[vm].places[i] == cpu);
	return may;
}

/* CPUs n and n + 2 are one core: two VMs are never on both, nor a VM and programs of the host. */
static void check_cores(const struct schedule_plan *plan)
{
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		for (uint32_t a = 0; a < plan->manifest->vm_count; a++)
			require((!may_run_on(plan, a, cpu) || !schedule_plan_has_host(plan, cpu + 2)) &&
				(!may_run_on(plan, a, cpu + 2) || !schedule_plan_has_host(plan, cpu)));
		for (uint32_t a = 0; a < plan->manifest->vm_count; a++) {
			for (uint32_t b = 0; b < plan->manifest->vm_count; b++)
				require(a == b || !may_run_on(plan, a, cpu) || !may_run_on(plan, b, cpu + 2));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest manifest;
	static struct schedule_plan plan;
	static const uint32_t cores[4] = {0, 1, 0, 1};
	static struct manifest_workspace workspace;
	const struct manifest_limits limits = {
		.cpu_count = 4,
		.free_bytes = UINT64_C(1) << 30,
		.find_file = find_file,
	};

	manifest_read(&manifest, &workspace, MANIFEST_FILE_NAME, (const char *)data, size);
	check(&manifest);
	manifest_check_host(&manifest, &limits);
	check(&manifest);
	/* The length decides whether the PC has two threads in each core. */
	schedule_plan_make(&plan, &manifest, &(struct schedule_pc){.cpu_count = limits.cpu_count,
			.cores = size % 2 != 0 ? cores : NULL});
	check(&manifest);
	check_plan(&plan);
	if (size % 2 != 0 && manifest.host.smt == MANIFEST_SMT_SEPARATE)
		check_cores(&plan);
	return 0;
}
