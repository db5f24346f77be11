/* UEFI's memory map in our types. Owns which UEFI types are usable after ExitBootServices. */
#include "boot/common/uefi_memory.h"

#include "abi/layout.h"
#include "lib/base/string.h"

/* UEFI Specification, "Memory Type Usage after ExitBootServices()". */
enum uefi_type {
	UEFI_RESERVED = 0,
	UEFI_LOADER_CODE = 1,
	UEFI_LOADER_DATA = 2,
	UEFI_BOOT_SERVICES_CODE = 3,
	UEFI_BOOT_SERVICES_DATA = 4,
	UEFI_RUNTIME_SERVICES_CODE = 5,
	UEFI_RUNTIME_SERVICES_DATA = 6,
	UEFI_CONVENTIONAL = 7,
	UEFI_UNUSABLE = 8,
	UEFI_ACPI_RECLAIM = 9,
	UEFI_ACPI_NVS = 10,
};

#define UEFI_ATTRIBUTE_WRITE_BACK       0x8ULL
#define UEFI_ATTRIBUTE_SPECIFIC_PURPOSE 0x40000ULL
#define UEFI_ATTRIBUTE_RUNTIME          0x8000000000000000ULL

struct uefi_descriptor {
	uint32_t type;
	uint32_t padding;
	uint64_t base_physical;
	uint64_t base_virtual;
	uint64_t pages;
	uint64_t attributes;
};
_Static_assert(sizeof(struct uefi_descriptor) == 40, "EFI_MEMORY_DESCRIPTOR layout");

static uint32_t usable_if_ordinary(const struct uefi_descriptor *descriptor, uint32_t type)
{
	bool is_ordinary = (descriptor->attributes & UEFI_ATTRIBUTE_WRITE_BACK) != 0 &&
			   (descriptor->attributes & UEFI_ATTRIBUTE_SPECIFIC_PURPOSE) == 0;

	return is_ordinary ? type : BOOT_MEMORY_RESERVED;
}

static uint32_t type_of(const struct uefi_descriptor *descriptor, uint32_t own_type)
{
	if (descriptor->attributes & UEFI_ATTRIBUTE_RUNTIME)
		return BOOT_MEMORY_UEFI_RUNTIME;
	switch (descriptor->type) {
	case UEFI_LOADER_CODE:
	case UEFI_LOADER_DATA:
		return usable_if_ordinary(descriptor, own_type);
	case UEFI_BOOT_SERVICES_CODE:
	case UEFI_BOOT_SERVICES_DATA:
	case UEFI_CONVENTIONAL:
		return usable_if_ordinary(descriptor, BOOT_MEMORY_USABLE);
	case UEFI_RUNTIME_SERVICES_CODE:
	case UEFI_RUNTIME_SERVICES_DATA:
		return BOOT_MEMORY_UEFI_RUNTIME;
	case UEFI_UNUSABLE:
		return BOOT_MEMORY_BAD;
	case UEFI_ACPI_RECLAIM:
		return BOOT_MEMORY_ACPI_RECLAIM;
	case UEFI_ACPI_NVS:
		return BOOT_MEMORY_ACPI_NVS;
	case UEFI_RESERVED:
	default: /* memory-mapped I/O, persistent, unaccepted, and numbers of later versions or of the firmware's maker */
		return BOOT_MEMORY_RESERVED;
	}
}

enum status uefi_memory_add(struct memory_map *map, const void *descriptors, size_t map_bytes, size_t descriptor_bytes,
			    uint32_t own_type)
{
	const uint8_t *at = descriptors;

	if (descriptor_bytes < sizeof(struct uefi_descriptor))
		return ERR_BAD_FORMAT;
	for (; map_bytes >= descriptor_bytes; map_bytes -= descriptor_bytes, at += descriptor_bytes) {
		struct uefi_descriptor descriptor;
		enum status status;

		memcpy(&descriptor, at, sizeof(descriptor));
		if (descriptor.pages > UINT64_MAX >> PAGE_SHIFT)
			descriptor.pages = UINT64_MAX >> PAGE_SHIFT;
		status = memory_map_add(map, descriptor.base_physical, descriptor.pages << PAGE_SHIFT,
					type_of(&descriptor, own_type));
		if (status != OK)
			return status;
	}
	return OK;
}
