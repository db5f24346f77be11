/* Finds the ACPI root pointer. Source: ACPI Specification, "Finding the RSDP on IA-PC Systems", "Finding the RSDP on UEFI
 * Enabled Systems"; UEFI Specification, "EFI System Table", "EFI Configuration Table & Properties Table". */
#include <stdbool.h>
#include <stddef.h>

#include "abi/layout.h"
#include "boot/multiboot2/multiboot2_loader.h"
#include "lib/base/string.h"

#define EBDA_SEGMENT_POINTER 0x40eU
#define EBDA_SEARCH_BYTES    1024U
#define BIOS_SEARCH_FIRST    0xe0000U
#define BIOS_SEARCH_END      0x100000U
#define RSDP_STEP            16U
#define RSDP_BYTES           20U /* that the checksum of ACPI 1.0 covers */
#define CONFIGURATION_MAX    1024U

struct guid {
	uint32_t first;
	uint16_t second, third;
	uint8_t rest[8];
};

struct configuration_entry {
	struct guid guid;
	uint64_t table_physical;
};

/* The end of EFI_SYSTEM_TABLE. */
struct configuration_list {
	uint64_t count;
	uint64_t entries_physical;
};

#define SYSTEM_TABLE_CONFIGURATION_LIST 104U

_Static_assert(sizeof(struct configuration_entry) == 24, "EFI_CONFIGURATION_TABLE layout");

/* The address is volatile so that the compiler does not take low memory for a null pointer's neighbourhood. */
static void copy_physical(void *to, uint64_t physical, size_t len_bytes)
{
	volatile uint64_t address = physical;
	const volatile uint8_t *from = (const volatile uint8_t *)(uintptr_t)address;

	for (size_t i = 0; i < len_bytes; i++)
		((uint8_t *)to)[i] = from[i];
}

static bool is_rsdp(uint64_t physical)
{
	uint8_t bytes[RSDP_BYTES];
	uint8_t sum = 0;

	copy_physical(bytes, physical, sizeof(bytes));
	for (unsigned i = 0; i < sizeof(bytes); i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0 && memcmp(bytes, "RSD PTR ", 8) == 0;
}

static uint64_t search(uint64_t first, uint64_t end)
{
	for (uint64_t at = first; at < end; at += RSDP_STEP) {
		if (is_rsdp(at))
			return at;
	}
	return 0;
}

static uint64_t search_bios(void)
{
	uint16_t ebda_segment;
	uint64_t ebda, found = 0;

	copy_physical(&ebda_segment, EBDA_SEGMENT_POINTER, sizeof(ebda_segment));
	ebda = (uint64_t)ebda_segment << 4;
	if (ebda >= 0x80000 && ebda < 0xa0000)
		found = search(ebda, ebda + EBDA_SEARCH_BYTES);
	return found != 0 ? found : search(BIOS_SEARCH_FIRST, BIOS_SEARCH_END);
}

static bool reachable(uint64_t physical, uint64_t len_bytes, uint64_t reach)
{
	return physical != 0 && physical < reach && len_bytes <= reach - physical;
}

static uint64_t search_uefi(uint64_t system_table, uint64_t reach)
{
	static const struct guid acpi_2 = {0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
	static const struct guid acpi_1 = {0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
	struct configuration_list list;
	uint64_t found = 0;

	if (!reachable(system_table, SYSTEM_TABLE_CONFIGURATION_LIST + sizeof(list), reach))
		return 0;
	copy_physical(&list, system_table + SYSTEM_TABLE_CONFIGURATION_LIST, sizeof(list));
	if (list.count > CONFIGURATION_MAX ||
	    !reachable(list.entries_physical, list.count * sizeof(struct configuration_entry), reach))
		return 0;
	for (uint64_t i = 0; i < list.count; i++) {
		struct configuration_entry entry;

		copy_physical(&entry, list.entries_physical + i * sizeof(entry), sizeof(entry));
		if (memcmp(&entry.guid, &acpi_2, sizeof(acpi_2)) == 0)
			return entry.table_physical;
		if (memcmp(&entry.guid, &acpi_1, sizeof(acpi_1)) == 0)
			found = entry.table_physical;
	}
	return found;
}

uint64_t rsdp_find(const struct multiboot2_info *info, uint64_t reach)
{
	static uint8_t copy[PAGE_SIZE_BYTES] __attribute__((aligned(4096)));
	const struct multiboot2_span *span = info->acpi_new.bytes != NULL ? &info->acpi_new : &info->acpi_old;
	uint64_t found = info->uefi_system_table != 0 ? search_uefi(info->uefi_system_table, reach) : search_bios();

	if (found != 0 || span->bytes == NULL || span->length > sizeof(copy))
		return found;
	memcpy(copy, span->bytes, span->length);
	firmware_keep_page((uint64_t)(uintptr_t)copy);
	return (uint64_t)(uintptr_t)copy;
}
