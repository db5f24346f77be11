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

/* The lowest CPU of the VM's list that the PC does not have, or MANIFEST_CPUS_MAX. */
static uint32_t find_missing_cpu(const struct manifest_vm *vm, uint32_t cpu_count)
{
	for (uint32_t cpu = cpu_count; cpu < MANIFEST_CPUS_MAX; cpu++) {
		if ((vm->cpus[cpu / 64] >> (cpu % 64) & 1) != 0)
			return cpu;
	}
	return MANIFEST_CPUS_MAX;
}

static void check_cpus(struct manifest *manifest, uint32_t index, const struct manifest_limits *limits)
{
	const struct manifest_vm *vm = &manifest->vms[index];
	uint32_t missing = find_missing_cpu(vm, limits->cpu_count);

	if (missing < MANIFEST_CPUS_MAX)
		manifest_report(manifest, (int32_t)index, vm->line, E204,
				"VM \"%s\": cpus names CPU %u, but this PC has 0 to %u; correct the list", vm->name,
				missing, limits->cpu_count - 1);
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
		check_file(manifest, i, limits, vm->kernel, E201);
		if (vm->initrd[0] != '\0')
			check_file(manifest, i, limits, vm->initrd, E202);
		check_cpus(manifest, i, limits);
		check_memory(manifest, i, left_bytes, limits->free_bytes);
		if (!vm->refused)
			left_bytes -= vm->memory_bytes;
	}
}
