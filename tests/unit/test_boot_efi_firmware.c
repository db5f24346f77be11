/* The UEFI loader's memory services against a firmware whose map grows and whose ExitBootServices() refuses. */
#include "boot/efi/efi_loader.h"

#include "boot/common/firmware.h"
#include "tests/unit/unit.h"

#define PIECES_MAX 2000U
#define BUFFERS    16U
#define POOL_PAGES 64U

/* The firmware: a map of piece_count pieces of one page each, and a pool of buffers. */
static struct {
	UINTN piece_count;
	UINTN growth; /* pieces more after each reading that succeeded */
	unsigned exit_refusals;
	unsigned buffers_given, buffers_back;
	EFI_STATUS map_error;
} pc;
static _Alignas(4096) uint8_t buffers[BUFFERS][POOL_PAGES * 4096];
static struct boot_memory entries[PIECES_MAX];
static struct memory_map raw;

void paging_leave_5_levels(void)
{
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *bytes, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *descriptor_bytes,
					UINT32 *version)
{
	UINTN needed = pc.piece_count * sizeof(*map);

	*descriptor_bytes = sizeof(*map);
	*version = EFI_MEMORY_DESCRIPTOR_VERSION;
	if (*bytes < needed) {
		*bytes = needed;
		return EFI_BUFFER_TOO_SMALL;
	}
	for (UINTN i = 0; i < pc.piece_count; i++)
		map[i] = (EFI_MEMORY_DESCRIPTOR){.Type = i % 2 == 0 ? EfiConventionalMemory : EfiBootServicesData,
						 .PhysicalStart = 0x100000 + i * 4096,
						 .NumberOfPages = 1,
						 .Attribute = EFI_MEMORY_WB};
	*bytes = needed;
	*key = 1;
	pc.piece_count += pc.growth;
	return pc.map_error;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE memory, UINTN pages,
					EFI_PHYSICAL_ADDRESS *address)
{
	(void)type;
	(void)memory;
	if (pc.buffers_given == BUFFERS || pages > POOL_PAGES)
		return EFI_OUT_OF_RESOURCES;
	*address = (uintptr_t)buffers[pc.buffers_given++];
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS address, UINTN pages)
{
	(void)pages;
	assert_true(address >= (uintptr_t)buffers && address < (uintptr_t)(buffers + BUFFERS));
	pc.buffers_back++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN key)
{
	(void)image;
	(void)key;
	return pc.exit_refusals > 0 && pc.exit_refusals-- > 0 ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

static EFI_BOOT_SERVICES services = {
	.GetMemoryMap = get_memory_map,
	.AllocatePages = allocate_pages,
	.FreePages = free_pages,
	.ExitBootServices = exit_boot_services,
};
static EFI_SYSTEM_TABLE system_table = {.BootServices = &services};

static int power_on(void **state)
{
	(void)state;
	memset(&pc, 0, sizeof(pc));
	pc.piece_count = 10;
	raw = (struct memory_map){.entries = entries, .capacity = PIECES_MAX};
	firmware_init(NULL, &system_table);
	return 0;
}

/* 2048 files may cut the map into many more pieces than the first buffer has room for. */
static void test_boot_efi_firmware_follows_a_map_that_grows(void **state)
{
	(void)state;
	assert_int_equal(firmware_memory(&raw), OK);
	assert_int_equal(raw.count, 10);
	assert_int_equal(raw.entries[1].type, MEMORY_LOADER);
	pc.piece_count = 1500;
	assert_int_equal(firmware_memory(&raw), OK);
	assert_int_equal(raw.count, 1500);
	assert_true(firmware_can_read(0x100000, 1500 * 4096));
	assert_int_equal(pc.buffers_back + 1, pc.buffers_given);
	pc.piece_count = 1900;
	assert_false(firmware_has_ended());
	assert_int_equal(firmware_leave(&raw), OK);
	assert_int_equal(raw.count, 1900);
	assert_int_equal(raw.entries[1].type, BOOT_MEMORY_USABLE);
	assert_true(firmware_has_ended());
}

static void test_boot_efi_firmware_touches_no_console_after_a_refusal(void **state)
{
	(void)state;
	pc.exit_refusals = 1000;
	assert_int_equal(firmware_memory(&raw), OK);
	assert_false(firmware_has_ended());
	assert_int_equal(firmware_leave(&raw), ERR_UNSUPPORTED);
	assert_true(firmware_has_ended());
}

static void test_boot_efi_firmware_tries_again_while_the_map_changes(void **state)
{
	(void)state;
	pc.exit_refusals = 3;
	pc.growth = 200;
	assert_int_equal(firmware_leave(&raw), OK);
	assert_int_equal(raw.count, 610);
}

static void test_boot_efi_firmware_reports_what_it_cannot_use(void **state)
{
	(void)state;
	pc.map_error = EFI_DEVICE_ERROR;
	assert_int_equal(firmware_memory(&raw), ERR_UNSUPPORTED);
	pc.map_error = EFI_SUCCESS;
	raw.capacity = 9;
	assert_int_equal(firmware_memory(&raw), ERR_NO_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_boot_efi_firmware_follows_a_map_that_grows, power_on),
		cmocka_unit_test_setup(test_boot_efi_firmware_touches_no_console_after_a_refusal, power_on),
		cmocka_unit_test_setup(test_boot_efi_firmware_tries_again_while_the_map_changes, power_on),
		cmocka_unit_test_setup(test_boot_efi_firmware_reports_what_it_cannot_use, power_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
