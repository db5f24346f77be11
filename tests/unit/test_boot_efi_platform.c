/* Which screen the UEFI loader takes. */
#include "boot/common/launch.h"
#include "boot/efi/efi_loader.h"
#include "tests/unit/unit.h"

#define SCREENS 3U

static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION modes[SCREENS];
static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode_states[SCREENS];
static EFI_GRAPHICS_OUTPUT_PROTOCOL screens[SCREENS];
static EFI_HANDLE handles[SCREENS];
static EFI_LOADED_IMAGE loaded;
static unsigned pools_back;

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **interface)
{
	(void)guid;
	*interface = handle;
	return handle != NULL ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, void *key, UINTN *count,
					      EFI_HANDLE **buffer)
{
	(void)guid;
	(void)key;
	assert_int_equal(type, ByProtocol);
	*count = SCREENS;
	*buffer = handles;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *pool)
{
	assert_ptr_equal(pool, handles);
	pools_back++;
	return EFI_SUCCESS;
}

static EFI_BOOT_SERVICES services = {
	.HandleProtocol = handle_protocol,
	.LocateHandleBuffer = locate_handle_buffer,
	.FreePool = free_pool,
};
static EFI_SYSTEM_TABLE system_table = {.BootServices = &services};

EFI_HANDLE firmware_image(void)
{
	return &loaded;
}

EFI_SYSTEM_TABLE *firmware_table(void)
{
	return &system_table;
}

EFI_BOOT_SERVICES *firmware_services(void)
{
	return &services;
}

void launch_add_options(char line[COMMAND_LINE_BYTES], const char *text, size_t len_bytes)
{
	(void)line;
	(void)text;
	(void)len_bytes;
}

static int plug_in(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SCREENS; i++) {
		modes[i] = (EFI_GRAPHICS_OUTPUT_MODE_INFORMATION){.HorizontalResolution = 800 + i,
								  .VerticalResolution = 600,
								  .PixelsPerScanLine = 1024,
								  .PixelFormat = PixelBlueGreenRedReserved8BitPerColor};
		mode_states[i] = (EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE){.Info = &modes[i], .FrameBufferBase = 0xc0000000 + i};
		screens[i].Mode = &mode_states[i];
		handles[i] = &screens[i];
	}
	pools_back = 0;
	return 0;
}

/* With two graphics adapters the first handle may be the one that no monitor is on. */
static void test_boot_efi_platform_takes_the_screen_of_the_console(void **state)
{
	struct boot_framebuffer found;

	(void)state;
	system_table.ConsoleOutHandle = &screens[1];
	found = platform_framebuffer();
	assert_int_equal(found.base_physical, 0xc0000001);
	assert_int_equal(found.width_pixels, 801);
	assert_int_equal(found.pitch_bytes, 4096);
	assert_int_equal(pools_back, 0);
}

static void test_boot_efi_platform_takes_the_first_screen_with_a_framebuffer(void **state)
{
	(void)state;
	system_table.ConsoleOutHandle = &screens[0];
	modes[0].PixelFormat = PixelBltOnly;
	assert_int_equal(platform_framebuffer().base_physical, 0xc0000001);
	system_table.ConsoleOutHandle = NULL;
	mode_states[1].FrameBufferBase = 0;
	assert_int_equal(platform_framebuffer().base_physical, 0xc0000002);
	mode_states[2].FrameBufferBase = 0;
	assert_int_equal(platform_framebuffer().base_physical, 0);
	assert_int_equal(pools_back, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_boot_efi_platform_takes_the_screen_of_the_console, plug_in),
		cmocka_unit_test_setup(test_boot_efi_platform_takes_the_first_screen_with_a_framebuffer, plug_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
