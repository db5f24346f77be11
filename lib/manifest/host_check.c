/* What a manifest asks for against what the PC has: files, CPUs, memory. Each lack refuses its VM and no other. */
#include "lib/manifest/manifest.h"

#include "lib/manifest/report.h"

#define MIB_SHIFT 20

static void check_file(struct manifest *manifest, uint32_t index, const struct manifest_limits *limits,
		       const char *path, enum error_code not_found)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	enum status status = limits->find_file(limits->context, path);

	if (status == OK)
		return;
	if (status == ERR_NOT_FOUND)
		manifest_report(manifest, (int32_t)index, vm->line, not_found,
				"VM \"%s\": %s is not on the boot volume; copy it to bulkhead/%s or correct the path",
				vm->name, path, path);
	else if (status == ERR_NO_MEMORY)
		manifest_report(manifest, (int32_t)index, vm->line, E205,
				"VM \"%s\": %s did not fit into memory; remove files from bulkhead/ or add memory",
				vm->name, path);
	else
		manifest_report(manifest, (int32_t)index, vm->line, E206,
				"VM \"%s\": %s could not be read; copy it again or check the boot volume", vm->name,
				path);
}

static void check_modules(struct manifest *manifest, uint32_t index, const struct manifest_limits *limits)
{
	char path[BOOT_FILE_PATH_BYTES];

	for (uint32_t i = 0; i < manifest->vms[index].module_count; i++) {
		manifest_module_path(manifest->vms[index].modules[i], path);
		check_file(manifest, index, limits, path, E220);
	}
}

/* The lowest CPU of the set that the PC does not have, or MANIFEST_CPUS_MAX. */
static uint32_t find_missing_cpu(const uint64_t *cpus, uint32_t cpu_count)
{
	for (uint32_t cpu = cpu_count; cpu < MANIFEST_CPUS_MAX; cpu++) {
		if (manifest_has_cpu(cpus, cpu))
			return cpu;
	}
	return MANIFEST_CPUS_MAX;
}

static void check_cpu(struct manifest *manifest, uint32_t index, uint32_t line, const char *key, uint32_t missing,
		      uint32_t cpu_count)
{
	if (missing < MANIFEST_CPUS_MAX && missing >= cpu_count)
		manifest_report(manifest, (int32_t)index, line, E204,
				"VM \"%s\": %s names CPU %u, but this PC has 0 to %u; correct it", manifest->vms[index].name, key,
				missing, cpu_count - 1);
}

static void check_cpus(struct manifest *manifest, uint32_t index, const struct manifest_limits *limits)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	const struct manifest_schedule *schedule = &manifest->schedule;
	uint32_t count = limits->cpu_count;

	check_cpu(manifest, index, vm->lines.cpus, "cpus", find_missing_cpu(vm->cpus, count), count);
	check_cpu(manifest, index, vm->lines.service_cpu, "service_cpu", vm->service_cpu, count);
	for (uint32_t i = 0; i < schedule->window_count; i++) {
		if ((schedule->windows[i].vms >> index & 1) != 0)
			check_cpu(manifest, index, schedule->windows[i].line, "a window",
				  find_missing_cpu(schedule->windows[i].cpus, count), count);
	}
}

static void check_memory(struct manifest *manifest, uint32_t index, uint64_t left_bytes, uint64_t free_bytes)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	char wanted[24];

	if (vm->memory_bytes <= left_bytes)
		return;
	manifest_size_format(vm->memory_bytes, wanted, sizeof(wanted));
	manifest_report(
		manifest, (int32_t)index, vm->line, E203,
		"VM \"%s\" wants %s (%llu MiB) of memory, but %llu MiB are left of %llu MiB for VMs; lower memory",
		vm->name, wanted, (unsigned long long)(vm->memory_bytes >> MIB_SHIFT),
		(unsigned long long)(left_bytes >> MIB_SHIFT), (unsigned long long)(free_bytes >> MIB_SHIFT));
}

void manifest_check_host(struct manifest *manifest, const struct manifest_limits *limits)
{
	uint64_t left_bytes = limits->free_bytes;

	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		const struct manifest_vm *vm = &manifest->vms[i];

		if (vm->refused)
			continue;
		if (vm->firmware[0] != '\0')
			check_file(manifest, i, limits, vm->firmware, E230);
		if (vm->kernel[0] != '\0')
			check_file(manifest, i, limits, vm->kernel, E201);
		if (vm->initrd[0] != '\0')
			check_file(manifest, i, limits, vm->initrd, E202);
		check_modules(manifest, i, limits);
		check_cpus(manifest, i, limits);
		check_memory(manifest, i, vm->autostart ? left_bytes : limits->free_bytes, limits->free_bytes);
		if (!vm->refused && vm->autostart)
			left_bytes -= vm->memory_bytes;
	}
}
