/* The manifest of a PC that has none: a VM for each kernel on the boot volume. Which files are kernels, the caller
 * says. */
#include "lib/manifest/manifest.h"

#include "lib/base/format.h"
#include "lib/base/path.h"
#include "lib/base/string.h"
#include "lib/manifest/keys.h"
#include "lib/manifest/report.h"

#define NAME_TRIES 100U
#define LARGE_PAGE_BYTES 0x200000ULL

struct files {
	const struct manifest_boot_file *list;
	size_t count;
};

/* Bytes of the path up to its last slash, 0 without one. */
static size_t folder_length(const char *path)
{
	size_t length = 0;

	for (size_t i = 0; path[i] != '\0'; i++) {
		if (path[i] == '/')
			length = i;
	}
	return length;
}

static const char *file_part(const char *path)
{
	size_t folder = folder_length(path);

	return folder > 0 ? path + folder + 1 : path;
}

static bool in_same_folder(const char *a, const char *b)
{
	size_t length = folder_length(a);

	return folder_length(b) == length && path_same(a, b, length);
}

static size_t count_kernels_beside(const struct files *files, const char *path)
{
	size_t count = 0;

	for (size_t i = 0; i < files->count; i++)
		count += files->list[i].is_kernel && in_same_folder(files->list[i].path, path);
	return count;
}

/* The only initrd* beside that path, or NULL. */
static const char *find_initrd_beside(const struct files *files, const char *path)
{
	const char *found = NULL;

	for (size_t i = 0; i < files->count; i++) {
		const char *candidate = files->list[i].path;

		if (!in_same_folder(candidate, path) || !path_same(file_part(candidate), "initrd", 6))
			continue;
		if (found != NULL)
			return NULL;
		found = candidate;
	}
	return found;
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Makes a name of text[0 .. length): lower case, other bytes become '-', room left for "-99". */
static void make_name(char name[MANIFEST_NAME_BYTES], const char *text, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length && used < MANIFEST_NAME_BYTES - 4; i++) {
		char c = path_lower(text[i]);

		name[used++] = is_name_byte(c) ? c : '-';
	}
	name[used] = '\0';
}

static bool is_name_taken(const struct manifest *manifest, const struct manifest_vm *vm)
{
	for (const struct manifest_vm *other = manifest->vms; other < vm; other++) {
		if (strcmp(other->name, vm->name) == 0)
			return true;
	}
	return false;
}

/* The folder's last part, or the file's name up to its first dot where the folder is the top or has several kernels. */
static void name_vm(const struct manifest *manifest, struct manifest_vm *vm, const struct files *files)
{
	size_t folder = folder_length(vm->kernel);
	char name[MANIFEST_NAME_BYTES];
	const char *start = file_part(vm->kernel);
	size_t length = 1;

	if (folder > 0 && count_kernels_beside(files, vm->kernel) == 1) {
		for (start = vm->kernel + folder; start > vm->kernel && start[-1] != '/';)
			start--;
		length = (size_t)(vm->kernel + folder - start);
	} else {
		while (start[length] != '\0' && start[length] != '.')
			length++;
	}
	make_name(name, start, length);
	format_text(vm->name, sizeof(vm->name), "%s", name);
	for (unsigned i = 2; i < NAME_TRIES && is_name_taken(manifest, vm); i++)
		format_text(vm->name, sizeof(vm->name), "%s-%u", name, i);
}

void manifest_default(struct manifest *manifest, const struct manifest_boot_file *files, size_t count)
{
	const struct files all = {.list = files, .count = count};

	manifest_reset(manifest, "(no " MANIFEST_FILE_NAME ")");
	for (size_t i = 0; i < count && manifest->vm_count < MANIFEST_VMS_MAX; i++) {
		const char *initrd = find_initrd_beside(&all, files[i].path);
		struct manifest_vm *vm;

		if (!files[i].is_kernel || files[i].path[0] == '\0')
			continue;
		vm = manifest_add_vm(manifest);
		format_text(vm->kernel, sizeof(vm->kernel), "%s", files[i].path);
		if (initrd != NULL)
			format_text(vm->initrd, sizeof(vm->initrd), "%s", initrd);
		name_vm(manifest, vm, &all);
	}
}

void manifest_default_memory(struct manifest *manifest, uint64_t free_bytes)
{
	uint64_t share = manifest->vm_count > 0 ? free_bytes / manifest->vm_count : 0;

	share -= share % LARGE_PAGE_BYTES;
	if (share < MANIFEST_MEMORY_MIN_BYTES)
		share = MANIFEST_MEMORY_MIN_BYTES;
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		if (manifest->vms[i].memory_bytes > share)
			manifest->vms[i].memory_bytes = share;
	}
}
