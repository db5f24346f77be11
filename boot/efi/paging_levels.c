/* From the firmware's 5-level paging to 4-level paging. The tables below level 5 stay the firmware's: its first table of
 * level 4 maps all that there is, identically (UEFI Specification, "x64 Platforms").
 * Source: SDM Vol. 3A, "4-Level Paging and 5-Level Paging". */
#include "boot/efi/efi_loader.h"

#include "abi/layout.h"
#include "boot/common/cpu.h"
#include "boot/common/page_tables.h"
#include "lib/base/string.h"

#define CR4_PAE     (1ULL << 5)
#define CR4_MCE     (1ULL << 6)
#define CR4_LA57    (1ULL << 12)
#define LOWEST_4_GIB 0xffffffffULL

/* paging_switch.asm: code to copy, not to call where it is. */
extern const uint8_t paging_switch[], paging_switch_end[];

/* Two pages below 4 GiB: the code, and the root of the new tables. Set by paging_prepare(), 0 where not needed. */
static EFI_PHYSICAL_ADDRESS low_pages;

enum status paging_prepare(void)
{
	EFI_PHYSICAL_ADDRESS address = LOWEST_4_GIB;

	if (!(read_cr4() & CR4_LA57))
		return OK;
	if (EFI_ERROR(firmware_services()->AllocatePages(AllocateMaxAddress, EfiLoaderCode, 2, &address)))
		return ERR_NO_MEMORY;
	memcpy((void *)(uintptr_t)address, paging_switch, (size_t)(paging_switch_end - paging_switch));
	low_pages = address;
	return OK;
}

void paging_leave_5_levels(void)
{
	uint64_t root = low_pages + PAGE_SIZE_BYTES;
	const uint64_t *level_5 = (const uint64_t *)(uintptr_t)(read_cr3() & PTE_ADDRESS);
	void (*switch_to)(uint64_t root_physical, uint64_t cr4);

	if (low_pages == 0)
		return;
	memcpy((void *)(uintptr_t)root, (const void *)(uintptr_t)(level_5[0] & PTE_ADDRESS), PAGE_SIZE_BYTES);
	interrupts_off();
	write_cr4(read_cr4() & (CR4_PAE | CR4_MCE | CR4_LA57));
	switch_to = (void (*)(uint64_t, uint64_t))(uintptr_t)low_pages;
	switch_to(root, read_cr4() & ~CR4_LA57);
}
