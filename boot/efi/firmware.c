/* UEFI's memory services for boot/common/start.c. Owns the two pointers that every other file of this loader needs.
 * Source: UEFI Specification, "Services - Boot Services", "Memory Allocation Services". */
#include "boot/efi/efi_loader.h"

#include "abi/layout.h"
#include "boot/common/firmware.h"
#include "boot/common/uefi_memory.h"
#include "lib/base/string.h"

#define EXIT_TRIES    8U
#define READ_TRIES    8U
/* Room for the pieces by which the map grows while we allocate. */
#define SPARE_PIECES  128U

/* Set by firmware_init() before anything else runs, constant but for the last two afterwards. */
static struct {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *table;
	void *map;
	UINTN map_bytes;
	bool has_ended;
} firmware;

void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
	memset(&firmware, 0, sizeof(firmware));
	firmware.image = image;
	firmware.table = system_table;
}

EFI_HANDLE firmware_image(void)
{
	return firmware.image;
}

EFI_SYSTEM_TABLE *firmware_table(void)
{
	return firmware.table;
}

EFI_BOOT_SERVICES *firmware_services(void)
{
	return firmware.table->BootServices;
}

bool firmware_has_ended(void)
{
	return firmware.has_ended;
}

static UINTN page_count(uint64_t length_bytes)
{
	return (length_bytes + PAGE_SIZE_BYTES - 1) >> PAGE_SHIFT;
}

void *firmware_pages(uint64_t length_bytes)
{
	EFI_PHYSICAL_ADDRESS address = 0;
	UINTN pages = page_count(length_bytes);

	if (EFI_ERROR(firmware_services()->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &address)))
		return NULL;
	memset((void *)(uintptr_t)address, 0, pages << PAGE_SHIFT);
	return (void *)(uintptr_t)address;
}

/* One GetMemoryMap() into our buffer. */
struct map_reading {
	UINTN used_bytes;
	UINTN key;
	UINTN descriptor_bytes;
	UINT32 version;
};

static EFI_STATUS ask_for_map(struct map_reading *reading)
{
	reading->used_bytes = firmware.map_bytes;
	return firmware_services()->GetMemoryMap(&reading->used_bytes, firmware.map, &reading->key,
						 &reading->descriptor_bytes, &reading->version);
}

/* Makes a buffer that the map fits, also after some more allocations. */
static enum status make_map_buffer(void)
{
	struct map_reading reading = {.used_bytes = 0};

	if (firmware.map != NULL)
		(void)firmware_services()->FreePages((EFI_PHYSICAL_ADDRESS)(uintptr_t)firmware.map,
						     page_count(firmware.map_bytes));
	firmware.map = NULL;
	firmware.map_bytes = 0;
	if (ask_for_map(&reading) != EFI_BUFFER_TOO_SMALL)
		return ERR_UNSUPPORTED;
	firmware.map_bytes = reading.used_bytes + SPARE_PIECES * reading.descriptor_bytes;
	firmware.map = firmware_pages(firmware.map_bytes);
	return firmware.map != NULL ? OK : ERR_NO_MEMORY;
}

/* Reads the map, into a larger buffer where it has grown out of ours: files and claims split it in ways that nobody can tell
 * before. GetMemoryMap() and the memory services may be called even after an ExitBootServices() that failed. */
static enum status read_map(struct map_reading *reading)
{
	for (unsigned i = 0; i < READ_TRIES; i++) {
		EFI_STATUS answer = firmware.map != NULL ? ask_for_map(reading) : EFI_BUFFER_TOO_SMALL;
		enum status status;

		if (answer != EFI_BUFFER_TOO_SMALL)
			return EFI_ERROR(answer) ? ERR_UNSUPPORTED : OK;
		status = make_map_buffer();
		if (status != OK)
			return status;
	}
	return ERR_UNSUPPORTED;
}

static enum status convert_map(const struct map_reading *reading, uint32_t own_type, struct memory_map *raw)
{
	raw->count = 0;
	return uefi_memory_add(raw, firmware.map, reading->used_bytes, reading->descriptor_bytes, own_type);
}

enum status firmware_memory(struct memory_map *raw)
{
	struct map_reading reading;
	enum status status = read_map(&reading);

	if (status != OK)
		return status;
	/* Only what the firmware itself has free now: its own memory becomes ours not before it has ended. */
	for (UINTN at = 0; at + reading.descriptor_bytes <= reading.used_bytes; at += reading.descriptor_bytes) {
		EFI_MEMORY_DESCRIPTOR *piece = (EFI_MEMORY_DESCRIPTOR *)((uint8_t *)firmware.map + at);

		if (piece->Type == EfiBootServicesCode || piece->Type == EfiBootServicesData)
			piece->Type = EfiLoaderData;
	}
	return convert_map(&reading, MEMORY_LOADER, raw);
}

enum status firmware_claim(uint64_t base_physical, uint64_t length_bytes)
{
	EFI_PHYSICAL_ADDRESS address = base_physical;

	if (EFI_ERROR(firmware_services()->AllocatePages(AllocateAddress, EfiLoaderData, page_count(length_bytes), &address)))
		return ERR_NO_MEMORY;
	return OK;
}

/* UEFI maps all memory; what the kernel's direct map cannot hold is out of reach all the same. */
uint64_t firmware_reach(void)
{
	return DIRECT_MAP_END - DIRECT_MAP_BASE;
}

/* Moves *physical to the end of the firmware's piece of memory that holds it; false: none does. */
static bool skip_piece(const struct map_reading *reading, uint64_t *physical)
{
	for (UINTN at = 0; at + reading->descriptor_bytes <= reading->used_bytes; at += reading->descriptor_bytes) {
		const EFI_MEMORY_DESCRIPTOR *piece = (const EFI_MEMORY_DESCRIPTOR *)((uint8_t *)firmware.map + at);

		if (*physical >= piece->PhysicalStart && (*physical - piece->PhysicalStart) >> PAGE_SHIFT < piece->NumberOfPages) {
			*physical = piece->PhysicalStart + (piece->NumberOfPages << PAGE_SHIFT);
			return true;
		}
	}
	return false;
}

/* UEFI Specification, "x64 Platforms": what the memory map lists is mapped where it is, other memory perhaps not. */
bool firmware_can_read(uint64_t physical, uint64_t length_bytes)
{
	uint64_t at = physical;
	struct map_reading reading;

	if (length_bytes > UINT64_MAX - physical || read_map(&reading) != OK)
		return false;
	while (at < physical + length_bytes) {
		if (!skip_piece(&reading, &at))
			return false;
	}
	return true;
}

enum status firmware_leave(struct memory_map *raw)
{
	for (unsigned i = 0; i < EXIT_TRIES; i++) {
		struct map_reading reading;
		enum status status = read_map(&reading);

		if (status == OK)
			status = convert_map(&reading, BOOT_MEMORY_USABLE, raw);
		if (status != OK)
			return status;
		firmware.has_ended = true;
		if (!EFI_ERROR(firmware_services()->ExitBootServices(firmware.image, reading.key))) {
			paging_leave_5_levels();
			return OK;
		}
	}
	return ERR_UNSUPPORTED;
}
