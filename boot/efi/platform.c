/* What UEFI knows about the PC: ACPI, screen, clock, command line.
 * Source: UEFI Specification, "EFI Configuration Table & Properties Table", "Graphics Output Protocol", "GetTime()",
 * "EFI Loaded Image Protocol". */
#include "boot/efi/efi_loader.h"

#include "boot/common/framebuffer.h"
#include "boot/common/launch.h"
#include "boot/common/wall_clock.h"
#include "lib/base/string.h"

#define TIME_ZONE_UNSPECIFIED 0x7ff

static EFI_GUID graphics_guid = {0x9042a9de, 0x23dc, 0x4a38, {0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a}};

static bool same_guid(const EFI_GUID *a, const EFI_GUID *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

uint64_t platform_rsdp(void)
{
	static const EFI_GUID acpi_2 = {0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
	static const EFI_GUID acpi_1 = {0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
	const EFI_SYSTEM_TABLE *system_table = firmware_table();
	uint64_t rsdp_physical = 0;

	for (UINTN i = 0; i < system_table->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *entry = &system_table->ConfigurationTable[i];

		if (same_guid(&entry->VendorGuid, &acpi_2))
			return (uint64_t)(uintptr_t)entry->VendorTable;
		if (same_guid(&entry->VendorGuid, &acpi_1))
			rsdp_physical = (uint64_t)(uintptr_t)entry->VendorTable;
	}
	return rsdp_physical;
}

static enum status channels_of(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info, struct channel_masks *masks)
{
	switch (info->PixelFormat) {
	case PixelRedGreenBlueReserved8BitPerColor:
		*masks = (struct channel_masks){.red = 0xff, .green = 0xff00, .blue = 0xff0000};
		return OK;
	case PixelBlueGreenRedReserved8BitPerColor:
		*masks = (struct channel_masks){.red = 0xff0000, .green = 0xff00, .blue = 0xff};
		return OK;
	case PixelBitMask:
		*masks = (struct channel_masks){
			.red = info->PixelInformation.RedMask,
			.green = info->PixelInformation.GreenMask,
			.blue = info->PixelInformation.BlueMask,
		};
		return OK;
	case PixelBltOnly:
	case PixelFormatMax:
		break;
	}
	return ERR_UNSUPPORTED;
}

static struct boot_framebuffer framebuffer_of(EFI_HANDLE handle)
{
	static const struct boot_framebuffer none = {.base_physical = 0};
	EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics;
	void *interface = NULL;
	struct boot_framebuffer found;
	struct channel_masks masks;

	if (EFI_ERROR(firmware_services()->HandleProtocol(handle, &graphics_guid, &interface)) || interface == NULL)
		return none;
	graphics = interface;
	if (graphics->Mode == NULL || graphics->Mode->Info == NULL || channels_of(graphics->Mode->Info, &masks) != OK)
		return none;
	found = (struct boot_framebuffer){
		.base_physical = graphics->Mode->FrameBufferBase,
		.width_pixels = graphics->Mode->Info->HorizontalResolution,
		.height_pixels = graphics->Mode->Info->VerticalResolution,
		.pitch_bytes = graphics->Mode->Info->PixelsPerScanLine * 4,
		.bits_per_pixel = 32,
	};
	return framebuffer_set_channels(&found, &masks) == OK ? found : none;
}

/* The screen that firmware's own text is on; that console may be several screens and then has no framebuffer of its own (UEFI
 * Specification, "Graphics Output Protocol", PixelBltOnly): then the first that has one. */
struct boot_framebuffer platform_framebuffer(void)
{
	struct boot_framebuffer found = framebuffer_of(firmware_table()->ConsoleOutHandle);
	EFI_HANDLE *handles = NULL;
	UINTN count = 0;

	if (found.base_physical != 0 ||
	    EFI_ERROR(firmware_services()->LocateHandleBuffer(ByProtocol, &graphics_guid, NULL, &count, &handles)))
		return found;
	for (UINTN i = 0; i < count && found.base_physical == 0; i++)
		found = framebuffer_of(handles[i]);
	(void)firmware_services()->FreePool(handles);
	return found;
}

int64_t platform_wall_clock(void)
{
	EFI_TIME now;
	int64_t seconds;

	memset(&now, 0, sizeof(now));
	if (EFI_ERROR(firmware_table()->RuntimeServices->GetTime(&now, NULL)))
		return WALL_CLOCK_UNKNOWN;
	seconds = wall_clock_from_calendar(&(struct calendar_time){
		.year = now.Year,
		.month = now.Month,
		.day = now.Day,
		.hour = now.Hour,
		.minute = now.Minute,
		.second = now.Second,
	});
	/* Local time is UTC minus TimeZone minutes; where the firmware does not know its zone, its clock is taken as UTC. */
	if (seconds != WALL_CLOCK_UNKNOWN && now.TimeZone != TIME_ZONE_UNSPECIFIED)
		seconds += (int64_t)now.TimeZone * 60;
	return seconds;
}

static bool ends_in_efi(const char *word, size_t length)
{
	return length >= 4 && word[length - 4] == '.' && (word[length - 3] | 0x20) == 'e' &&
	       (word[length - 2] | 0x20) == 'f' && (word[length - 1] | 0x20) == 'i';
}

/* Load options are text by custom only: anything but printable ASCII ends them. */
void platform_load_options(char line[COMMAND_LINE_BYTES])
{
	EFI_GUID guid = {0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
	static char text[COMMAND_LINE_BYTES + 1]; /* one more than fits, so that what is cut is noticed */
	const EFI_LOADED_IMAGE *loaded;
	void *interface = NULL;
	size_t length = 0, first_word = 0;

	if (EFI_ERROR(firmware_services()->HandleProtocol(firmware_image(), &guid, &interface)) || interface == NULL)
		return;
	loaded = interface;
	for (; loaded->LoadOptions != NULL && length < loaded->LoadOptionsSize / sizeof(CHAR16) && length < sizeof(text);
	     length++) {
		CHAR16 c;

		memcpy(&c, (const uint8_t *)loaded->LoadOptions + length * sizeof(c), sizeof(c));
		if (c < ' ' || c > '~')
			break;
		text[length] = (char)c;
	}
	while (first_word < length && text[first_word] != ' ')
		first_word++;
	if (!ends_in_efi(text, first_word))
		first_word = 0;
	launch_add_options(line, text + first_word, length - first_word);
}
