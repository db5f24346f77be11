/* boot/efi/volume.c: what becomes of folders that the firmware does not read. The volume is made here. */
#include "boot/efi/efi_loader.h"
#include "tests/unit/unit.h"

#include "boot/common/firmware.h"

#define ENTRIES 8U

/* A folder's entries, in order; after them the end, or an error. */
struct folder {
	EFI_FILE protocol; /* first: the handle is a pointer to it */
	const CHAR16 *names[3];
	unsigned next;
	bool is_broken;
};

static EFI_LOADED_IMAGE loaded;
static EFI_FILE_IO_INTERFACE volume;
static struct folder root, bulkhead, good, torn;
static unsigned open_count;

static bool same_name(const CHAR16 *a, const CHAR16 *b)
{
	while (*a != 0 && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static EFI_STATUS EFIAPI open_folder(EFI_FILE *parent, EFI_FILE **opened, CHAR16 *name, UINT64 mode, UINT64 attributes)
{
	(void)attributes;
	assert_int_equal(mode, EFI_FILE_MODE_READ);
	if (parent == &root.protocol)
		*opened = &bulkhead.protocol;
	else if (same_name(name, L"good"))
		*opened = &good.protocol;
	else if (same_name(name, L"torn"))
		*opened = &torn.protocol;
	else
		return EFI_DEVICE_ERROR;
	open_count++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_folder(EFI_FILE *handle)
{
	(void)handle;
	open_count--;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_folder(EFI_FILE *handle, UINTN *length_bytes, void *to)
{
	struct folder *folder = (struct folder *)handle;
	const CHAR16 *name = folder->next < 3 ? folder->names[folder->next] : NULL;
	EFI_FILE_INFO *info = to;

	folder->next++;
	if (name == NULL) {
		*length_bytes = 0;
		return folder->is_broken ? EFI_VOLUME_CORRUPTED : EFI_SUCCESS;
	}
	info->Attribute = EFI_FILE_DIRECTORY;
	for (unsigned i = 0; name[i] != 0; i++)
		info->FileName[i] = name[i];
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI open_volume(EFI_FILE_IO_INTERFACE *of, EFI_FILE **opened)
{
	assert_ptr_equal(of, &volume);
	*opened = &root.protocol;
	open_count++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **interface)
{
	(void)guid;
	*interface = handle == &loaded ? (void *)&loaded : (void *)&volume;
	return EFI_SUCCESS;
}

static EFI_BOOT_SERVICES services = {.HandleProtocol = handle_protocol};

EFI_HANDLE firmware_image(void)
{
	return &loaded;
}

EFI_BOOT_SERVICES *firmware_services(void)
{
	return &services;
}

enum status firmware_memory(struct memory_map *raw)
{
	(void)raw;
	return ERR_NOT_FOUND;
}

void *firmware_pages(uint64_t length_bytes)
{
	(void)length_bytes;
	return NULL;
}

static struct folder folder_of(const CHAR16 *first, const CHAR16 *second, const CHAR16 *third)
{
	return (struct folder){.protocol = {.Open = open_folder, .Close = close_folder, .Read = read_folder},
			       .names = {first, second, third}};
}

static int insert_stick(void **state)
{
	(void)state;
	volume.OpenVolume = open_volume;
	loaded.DeviceHandle = &volume;
	open_count = 0;
	root = folder_of(NULL, NULL, NULL);
	bulkhead = folder_of(L"closed", L"torn", L"good");
	torn = folder_of(L"good", NULL, NULL);
	torn.is_broken = true;
	good = folder_of(NULL, NULL, NULL);
	return 0;
}

static void test_volume_load_names_unreadable_folders(void **state)
{
	struct boot_file entries[ENTRIES];
	struct boot_files list = {.files = entries, .capacity = ENTRIES};

	(void)state;
	assert_int_equal(volume_load(&list, 0), OK);
	assert_int_equal(list.count, 2);
	assert_string_equal(entries[0].path, "closed");
	assert_string_equal(entries[1].path, "torn");
	assert_int_equal(entries[0].state, BOOT_FILE_SKIPPED_UNREADABLE);
	assert_int_equal(entries[1].state, BOOT_FILE_SKIPPED_UNREADABLE);
	assert_int_equal(list.left_out_count, 0);
	assert_int_equal(open_count, 0);
}

static void test_volume_load_says_that_its_own_folder_is_torn(void **state)
{
	struct boot_file entries[ENTRIES];
	struct boot_files list = {.files = entries, .capacity = ENTRIES};

	(void)state;
	bulkhead = folder_of(L"good", NULL, NULL);
	bulkhead.is_broken = true;
	assert_int_equal(volume_load(&list, 0), OK);
	assert_int_equal(list.count, 0);
	assert_int_equal(list.left_out_count, 1);
	assert_string_equal(list.first_left_out, "");
	assert_int_equal(open_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_volume_load_names_unreadable_folders, insert_stick),
		cmocka_unit_test_setup(test_volume_load_says_that_its_own_folder_is_torn, insert_stick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
