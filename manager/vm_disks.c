/* Files, memory and windows of disks. */
#include "manager/vm_disks.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "manager/layout.h"
#include "manager/vm_start.h"
#include "user/calls.h"

#define PAGE_MASK 4095ULL

_Static_assert(MANIFEST_SERIAL_BYTES == VMM_DISK_SERIAL_BYTES + 1, "serial numbers");

static uint64_t whole_pages(uint64_t bytes)
{
	return (bytes + PAGE_MASK) & ~PAGE_MASK;
}

enum status vm_disks_make(struct vm_entry *entry)
{
	enum status status = OK;

	for (uint32_t i = 0; i < entry->wanted->disk_count && status == OK; i++) {
		const struct manifest_disk *disk = &entry->wanted->disks[i];

		if (disk->mode == MANIFEST_DISK_COW)
			status = memory_create_filled(MANAGER_HANDLE_POOL, whole_pages(disk->changes_bytes),
						      &entry->disk_changes[i]);
	}
	return status;
}

/* Without one in the manifest: words that tell the disks of a VM apart. */
static void write_serial(const struct manifest_disk *disk, uint32_t index, char serial[VMM_DISK_SERIAL_BYTES])
{
	char text[MANIFEST_SERIAL_BYTES];

	if (disk->serial[0] != '\0')
		format_text(text, sizeof(text), "%s", disk->serial);
	else
		format_text(text, sizeof(text), "disk%u", index);
	memcpy(serial, text, strnlen(text, VMM_DISK_SERIAL_BYTES));
}

static enum status give_disk(const struct vm_entry *entry, const struct host *host, uint32_t index, struct vmm_disk *out)
{
	const struct manifest_disk *disk = &entry->wanted->disks[index];
	uint64_t window = VMM_WINDOW_DISKS + index * VMM_DISK_WINDOW_BYTES;
	enum status status;

	out->size_bytes = disk->size_bytes;
	write_serial(disk, index, out->serial);
	status = vm_give_file(entry, host, disk->file, window, &out->file);
	if (status != OK || disk->mode != MANIFEST_DISK_COW)
		return status;
	out->changes_address = window + VMM_DISK_HALF_BYTES;
	out->changes_bytes = whole_pages(disk->changes_bytes);
	return space_map_all(entry->space, entry->disk_changes[index], out->changes_address, 0, out->changes_bytes,
			     RIGHT_READ | RIGHT_WRITE);
}

enum status vm_disks_give(const struct vm_entry *entry, const struct host *host, struct vmm_spec *spec)
{
	enum status status = OK;

	spec->disk_count = entry->wanted->disk_count;
	for (uint32_t i = 0; i < spec->disk_count && status == OK; i++)
		status = give_disk(entry, host, i, &spec->disks[i]);
	return status;
}

size_t vm_disks_words(const struct manifest_vm *wanted, char *out, size_t size_bytes)
{
	const char *plural = wanted->disk_count == 1 ? "" : "s";
	uint32_t writable = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < wanted->disk_count; i++)
		writable += wanted->disks[i].mode == MANIFEST_DISK_COW;
	if (wanted->disk_count == 0)
		return 0;
	if (writable == 0)
		return format_text(out, size_bytes, "%u disk%s, read-only", wanted->disk_count, plural);
	return format_text(out, size_bytes, "%u disk%s, whose changes are lost at power-off", wanted->disk_count, plural);
}

size_t vm_list_disks(const struct manifest_vm *wanted, char *out, size_t size_bytes)
{
	char words[VM_DISKS_WORDS_BYTES];

	if (vm_disks_words(wanted, words, sizeof(words)) == 0)
		return 0;
	return format_text(out, size_bytes, "%-16s %s\n", "", words);
}
