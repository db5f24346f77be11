/* Reads the boot files from the volume that the loader came from.
 * Source: UEFI Specification, "Simple File System Protocol", "File Protocol". */
#include "boot/efi/efi_loader.h"

#include "abi/layout.h"
#include "boot/common/budget.h"
#include "lib/base/string.h"

#define DEPTH_MAX      8U
#define INFO_BYTES     2048U
#define READ_BYTES     (4ULL << 20) /* some firmware fails on larger reads */

/* The walk: open folders from bulkhead\ down to where we are, and the path of the deepest. */
struct walk {
	struct boot_files *list;
	uint64_t budget_bytes;
	unsigned depth;
	EFI_FILE_HANDLE folders[DEPTH_MAX];
	size_t path_lengths[DEPTH_MAX]; /* bytes of path that belong to folders[i] */
	char path[BOOT_FILE_PATH_BYTES];
};

/* Appends name (UTF-16, here: up to its NUL) to path at length as UTF-8; characters beyond 16 bits become '?'.
 * Returns the new length, or 0 if it does not fit (path then holds what does). */
static size_t append_name(char path[BOOT_FILE_PATH_BYTES], size_t length, const CHAR16 *name)
{
	for (; *name != 0; name++) {
		uint32_t c = *name;

		if (length + 4 > BOOT_FILE_PATH_BYTES) {
			path[length] = '\0';
			return 0;
		}
		if (c >= 0xd800 && c < 0xe000)
			c = '?';
		if (c < 0x80) {
			path[length++] = (char)c;
		} else if (c < 0x800) {
			path[length++] = (char)(0xc0 | c >> 6);
			path[length++] = (char)(0x80 | (c & 0x3f));
		} else {
			path[length++] = (char)(0xe0 | c >> 12);
			path[length++] = (char)(0x80 | (c >> 6 & 0x3f));
			path[length++] = (char)(0x80 | (c & 0x3f));
		}
	}
	path[length] = '\0';
	return length;
}

static enum status read_all(EFI_FILE_HANDLE handle, uint8_t *to, uint64_t size_bytes)
{
	while (size_bytes > 0) {
		UINTN chunk_bytes = size_bytes < READ_BYTES ? size_bytes : READ_BYTES;

		if (EFI_ERROR(handle->Read(handle, &chunk_bytes, to)) || chunk_bytes == 0)
			return ERR_TRUNCATED;
		to += chunk_bytes;
		size_bytes -= chunk_bytes;
	}
	return OK;
}

static uint64_t whole_pages(uint64_t size_bytes)
{
	uint64_t pages = (size_bytes >> PAGE_SHIFT) + (size_bytes % PAGE_SIZE_BYTES != 0);

	return (pages > 0 ? pages : 1) << PAGE_SHIFT;
}

static void load_file(struct walk *walk, EFI_FILE_HANDLE folder, CHAR16 *name, uint64_t size_bytes)
{
	bool is_free = budget_ignores(walk->path);
	EFI_FILE_HANDLE handle = NULL;
	struct boot_file *file;
	uint8_t *memory;

	if (boot_files_add(walk->list, walk->path, &file) != OK)
		return;
	file->size_bytes = size_bytes;
	file->state = BOOT_FILE_SKIPPED_NO_MEMORY;
	if (!is_free && size_bytes > walk->budget_bytes)
		return;
	memory = firmware_pages(whole_pages(size_bytes));
	if (memory == NULL)
		return;
	file->state = BOOT_FILE_SKIPPED_UNREADABLE;
	if (!EFI_ERROR(folder->Open(folder, &handle, name, EFI_FILE_MODE_READ, 0))) {
		if (read_all(handle, memory, size_bytes) == OK)
			file->state = BOOT_FILE_LOADED;
		(void)handle->Close(handle);
	}
	if (file->state != BOOT_FILE_LOADED) {
		(void)firmware_services()->FreePages((EFI_PHYSICAL_ADDRESS)(uintptr_t)memory,
						     whole_pages(size_bytes) >> PAGE_SHIFT);
		return;
	}
	file->base_physical = (uint64_t)(uintptr_t)memory;
	walk->budget_bytes -= is_free ? 0 : size_bytes;
}

/* The folder is there and cannot be read (further): its entry says so. The volume's root has no entry. */
static void note_unreadable(struct walk *walk)
{
	struct boot_file *entry;

	if (boot_files_add(walk->list, walk->path, &entry) == ERR_INVALID)
		boot_files_leave_out(walk->list, walk->path);
}

static void enter_folder(struct walk *walk, EFI_FILE_HANDLE parent, CHAR16 *name, size_t path_length)
{
	if (walk->depth == DEPTH_MAX || path_length + 1 >= BOOT_FILE_PATH_BYTES) {
		boot_files_leave_out(walk->list, walk->path);
		return;
	}
	if (EFI_ERROR(parent->Open(parent, &walk->folders[walk->depth], name, EFI_FILE_MODE_READ, 0))) {
		note_unreadable(walk);
		return;
	}
	walk->path[path_length] = '/';
	walk->path_lengths[walk->depth] = path_length + 1;
	walk->depth++;
}

static bool is_dot_folder(const CHAR16 *name)
{
	return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

/* One entry of the deepest folder, or the way back up from it. */
static void step(struct walk *walk)
{
	static uint64_t buffer[INFO_BYTES / sizeof(uint64_t)];
	EFI_FILE_HANDLE folder = walk->folders[walk->depth - 1];
	UINTN info_bytes = sizeof(buffer);
	EFI_FILE_INFO *info = (EFI_FILE_INFO *)buffer;
	EFI_STATUS answer;
	size_t length;

	memset(buffer, 0, sizeof(buffer));
	answer = folder->Read(folder, &info_bytes, buffer);
	if (EFI_ERROR(answer) || info_bytes == 0) {
		walk->path[walk->path_lengths[walk->depth - 1]] = '\0';
		if (EFI_ERROR(answer))
			note_unreadable(walk);
		(void)folder->Close(folder);
		walk->depth--;
		return;
	}
	buffer[INFO_BYTES / sizeof(uint64_t) - 1] = 0;
	if (is_dot_folder(info->FileName))
		return;
	length = append_name(walk->path, walk->path_lengths[walk->depth - 1], info->FileName);
	if (length == 0)
		boot_files_leave_out(walk->list, walk->path);
	else if (info->Attribute & EFI_FILE_DIRECTORY)
		enter_folder(walk, folder, info->FileName, length);
	else
		load_file(walk, folder, info->FileName, info->FileSize);
}

static EFI_FILE_HANDLE open_root(void)
{
	EFI_GUID image_guid = {0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
	EFI_GUID volume_guid = {0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
	EFI_FILE_HANDLE root = NULL;
	EFI_FILE_IO_INTERFACE *volume;
	void *interface = NULL;

	if (EFI_ERROR(firmware_services()->HandleProtocol(firmware_image(), &image_guid, &interface)) || interface == NULL)
		return NULL;
	if (EFI_ERROR(firmware_services()->HandleProtocol(((EFI_LOADED_IMAGE *)interface)->DeviceHandle, &volume_guid,
							  &interface)))
		return NULL;
	volume = interface;
	return EFI_ERROR(volume->OpenVolume(volume, &root)) ? NULL : root;
}

enum status volume_load(struct boot_files *list, uint64_t budget_bytes)
{
	CHAR16 name[] = {'b', 'u', 'l', 'k', 'h', 'e', 'a', 'd', 0};
	struct walk walk = {.list = list, .budget_bytes = budget_bytes, .depth = 0};
	EFI_FILE_HANDLE root = open_root();

	if (root == NULL)
		return ERR_NOT_FOUND;
	if (EFI_ERROR(root->Open(root, &walk.folders[0], name, EFI_FILE_MODE_READ, 0)))
		return ERR_NOT_FOUND;
	walk.depth = 1;
	while (walk.depth > 0)
		step(&walk);
	(void)root->Close(root);
	return OK;
}
