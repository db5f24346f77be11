/* Disks of the manifest: what their keys say together. */
#include "lib/manifest/keys.h"
#include "lib/manifest/report.h"

static void check_disk(struct manifest *manifest, uint32_t vm_index, const struct manifest_disk *disk)
{
	const char *name = manifest->vms[vm_index].name;
	bool is_read_only = disk->mode == MANIFEST_DISK_READ_ONLY;

	if (disk->file[0] == '\0' && disk->size_bytes == 0)
		manifest_report(manifest, (int32_t)vm_index, disk->line, E142,
				"VM \"%s\": a disk has neither file nor size; write one of them", name);
	else if (disk->file[0] == '\0' && is_read_only)
		manifest_report(manifest, (int32_t)vm_index, disk->line, E142,
				"VM \"%s\": a read-only disk without file holds nothing; write file, or mode = \"cow\"", name);
	else if (is_read_only && disk->changes_bytes != 0)
		manifest_report(manifest, (int32_t)vm_index, disk->line, E142,
				"VM \"%s\": a read-only disk has no changes; leave changes out, or write mode = \"cow\"", name);
}

void manifest_check_disks(struct manifest *manifest)
{
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		for (uint32_t n = 0; n < manifest->vms[i].disk_count; n++) {
			if (!manifest->vms[i].refused)
				check_disk(manifest, i, &manifest->vms[i].disks[n]);
		}
	}
}
