/* What a manifest asks for against what the PC has: files, CPUs, memory. Each lack refuses its VM and no other. */
#include "lib/manifest/manifest.h"

#include "lib/disk/disk.h"
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

/* Sizes that the manifest leaves to the file. A file is filled up with zeros to whole sectors. */
static void size_disk(struct manifest *manifest, uint32_t index, struct manifest_disk *disk,
		      const struct manifest_limits *limits)
{
	uint64_t file_bytes = 0;

	if (disk->file[0] != '\0' && limits->file_bytes != NULL)
		file_bytes = limits->file_bytes(limits->context, disk->file);
	if (disk->size_bytes == 0)
		disk->size_bytes = (file_bytes + DISK_SECTOR_BYTES - 1) & ~(uint64_t)(DISK_SECTOR_BYTES - 1);
	if (disk->size_bytes == 0 && limits->file_bytes == NULL)
		return;
	if (disk->size_bytes == 0)
		manifest_report(manifest, (int32_t)index, disk->line, E233,
				"VM \"%s\": %s is empty, which makes no disk; write its size, or copy the file again",
				manifest->vms[index].name, disk->file);
	else if (file_bytes > DISK_MAX_BYTES)
		manifest_report(manifest, (int32_t)index, disk->line, E233,
				"VM \"%s\": %s has %llu bytes, and a disk %llu at most; take a smaller file",
				manifest->vms[index].name, disk->file, (unsigned long long)file_bytes, DISK_MAX_BYTES);
	else if (disk->size_bytes > DISK_MAX_BYTES || disk->size_bytes < file_bytes)
		manifest_report(manifest, (int32_t)index, disk->line, E233,
				"VM \"%s\": %s has %llu bytes, which is no disk of that size; correct size",
				manifest->vms[index].name, disk->file, (unsigned long long)file_bytes);
	else if (disk->mode == MANIFEST_DISK_COW && disk->changes_bytes == 0)
		disk->changes_bytes = disk_changes_bytes(disk->size_bytes);
	else if (disk->mode == MANIFEST_DISK_COW && disk->changes_bytes < disk_changes_least_bytes(disk->size_bytes))
		manifest_report(manifest, (int32_t)index, disk->line, E233,
				"VM \"%s\": changes of %llu bytes are too few for a disk of that size; write at least %llu",
				manifest->vms[index].name, (unsigned long long)disk->changes_bytes,
				(unsigned long long)disk_changes_least_bytes(disk->size_bytes));
}

static void check_disks(struct manifest *manifest, uint32_t index, const struct manifest_limits *limits)
{
	struct manifest_vm *vm = &manifest->vms[index];

	for (uint32_t i = 0; i < vm->disk_count; i++) {
		if (vm->disks[i].file[0] != '\0')
			check_file(manifest, index, limits, vm->disks[i].file, E232);
		if (!vm->refused)
			size_disk(manifest, index, &vm->disks[i], limits);
	}
}

uint64_t manifest_changes_bytes(const struct manifest_vm *vm)
{
	uint64_t sum_bytes = 0;

	for (uint32_t i = 0; i < vm->disk_count; i++)
		sum_bytes += vm->disks[i].mode == MANIFEST_DISK_COW ? vm->disks[i].changes_bytes : 0;
	return sum_bytes;
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
	uint64_t changes_bytes = manifest_changes_bytes(vm);
	char wanted[24];

	if (vm->memory_bytes <= left_bytes && changes_bytes <= left_bytes - vm->memory_bytes)
		return;
	if (vm->memory_bytes <= left_bytes) {
		manifest_report(manifest, (int32_t)index, vm->line, E203,
				"VM \"%s\" wants %llu MiB for changes of its disks besides its memory, but %llu MiB are left "
				"for both; lower memory or changes", vm->name,
				(unsigned long long)(changes_bytes >> MIB_SHIFT), (unsigned long long)(left_bytes >> MIB_SHIFT));
		return;
	}
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
		check_disks(manifest, i, limits);
		check_cpus(manifest, i, limits);
		check_memory(manifest, i, vm->autostart ? left_bytes : limits->free_bytes, limits->free_bytes);
		if (!vm->refused && vm->autostart)
			left_bytes -= vm->memory_bytes + manifest_changes_bytes(vm);
	}
}
