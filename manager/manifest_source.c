/* From the boot volume to a checked manifest. */
#include "manager/manifest_source.h"

#include "lib/base/path.h"
#include "lib/base/string.h"
#include "manager/kernel_file.h"
#include "manager/regions.h"
#include "manager/schedule.h"
#include "manager/switches.h"
#include "manager/vm.h"
#include "manager/vm_ports.h"
#include "user/calls.h"
#include "user/log.h"

#define DEFAULT_FILES_MAX 256U
#define SYSTEM_FOLDER     "system/"
/* What the manager itself may still need when all VMs run: terminals, restarts, the console. */
#define RESERVE_BYTES     (4ULL << 20)

/* Room for the parser, needed once. */
static struct manifest_workspace workspace;

static bool file_is_kernel(const struct host *host, uint32_t index)
{
	const uint8_t *bytes;
	size_t size_bytes;
	bool found;

	if (host->files[index].state != BOOT_FILE_LOADED || host_show_file(host, index, &bytes, &size_bytes) != OK)
		return false;
	found = kernel_file_is_kernel(bytes, size_bytes);
	host_close_file();
	return found;
}

/* What is free, without what VMs need beside their guests' memory. */
static uint64_t free_guest_bytes(const struct host *host, const struct manifest *manifest)
{
	struct pool_info pool;
	uint64_t own_bytes = RESERVE_BYTES + switches_memory_bytes(manifest) + regions_memory_bytes(manifest);

	if (sys_pool_info(MANAGER_HANDLE_POOL, &pool) != OK)
		return 0;
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		/* One that can never fit is refused below and takes nothing from the others. */
		if (!manifest->vms[i].refused && manifest->vms[i].memory_bytes <= pool.free_bytes)
			own_bytes += vm_pool_bytes(host, &manifest->vms[i]) - manifest->vms[i].memory_bytes +
				     vm_ports_bytes(&manifest->vms[i]);
	}
	return pool.free_bytes > own_bytes ? pool.free_bytes - own_bytes : 0;
}

/* Nobody has said how much: all of them shall start. What a VM needs beside its guest's memory depends on how much that is, so
 * twice: with all there is, then without what they need. */
static void share_memory(const struct host *host, struct manifest *manifest)
{
	struct pool_info pool;

	if (sys_pool_info(MANAGER_HANDLE_POOL, &pool) != OK)
		return;
	manifest_default_memory(manifest, pool.free_bytes);
	manifest_default_memory(manifest, free_guest_bytes(host, manifest));
}

static void load_default(struct manifest *manifest, const struct host *host)
{
	static struct manifest_boot_file files[DEFAULT_FILES_MAX];
	size_t count = 0;

	for (uint32_t i = 0; i < host->info->file_count && count < DEFAULT_FILES_MAX; i++) {
		if (path_same(host->files[i].path, SYSTEM_FOLDER, sizeof(SYSTEM_FOLDER) - 1))
			continue;
		files[count++] = (struct manifest_boot_file){
			.path = host->files[i].path,
			.is_kernel = file_is_kernel(host, i),
		};
	}
	manifest_default(manifest, files, count);
	share_memory(host, manifest);
	log_print("no %s on the boot volume: %u VM%s from the kernels that were found", MANIFEST_FILE_NAME, manifest->vm_count,
		  manifest->vm_count == 1 ? "" : "s");
}

static void load_file(struct manifest *manifest, const struct host *host)
{
	const uint8_t *bytes = (const uint8_t *)"";
	size_t size_bytes = 0;
	uint32_t index;
	enum status status = host_find_file(host, MANIFEST_FILE_NAME, &index);

	if (status == ERR_NOT_FOUND) {
		load_default(manifest, host);
		return;
	}
	if (status == OK) {
		status = host_show_file(host, index, &bytes, &size_bytes);
		status = status == ERR_TRUNCATED ? OK : status; /* an empty file is an empty manifest */
	}
	if (status != OK)
		manifest_unreadable(manifest, MANIFEST_FILE_NAME,
				    status == ERR_NO_MEMORY ? "it did not fit into memory; remove files from the folder bulkhead"
							    : "copy it again");
	else
		manifest_read(manifest, &workspace, MANIFEST_FILE_NAME, (const char *)bytes, size_bytes);
	host_close_file();
}

static enum status find_file(void *context, const char *path)
{
	return host_find_file(context, path, NULL);
}

static uint64_t file_bytes(void *context, const char *path)
{
	const struct host *host = context;
	uint32_t index;

	return host_find_file(host, path, &index) == OK ? host->files[index].size_bytes : 0;
}

static void plan_cpus(struct manifest *manifest, struct schedule_plan *plan, const struct host *host)
{
	static uint32_t cores[MANIFEST_CPUS_MAX];

	schedule_read_cores(cores, host->info->cpu_count, manifest->host.smt == MANIFEST_SMT_SHARE);
	schedule_plan_make(plan, manifest, &(struct schedule_pc){.cpu_count = host->info->cpu_count, .cores = cores});
}

void manifest_load(struct manifest *manifest, struct schedule_plan *plan, const struct host *host)
{
	char line[MANIFEST_LINE_BYTES];

	load_file(manifest, host);
	manifest_check_host(manifest, &(struct manifest_limits){
					      .cpu_count = host->info->cpu_count,
					      .free_bytes = free_guest_bytes(host, manifest),
					      .find_file = find_file,
					      .file_bytes = file_bytes,
					      .context = (void *)(uintptr_t)host,
				      });
	plan_cpus(manifest, plan, host);
	for (uint32_t i = 0; i < manifest->message_count; i++) {
		manifest_message_format(manifest, &manifest->messages[i], line, sizeof(line));
		log_print("%s", line);
	}
	if (manifest->messages_left_out > 0)
		log_print("%s: %u more messages", MANIFEST_FILE_NAME, manifest->messages_left_out);
}
