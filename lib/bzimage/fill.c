/* Builds what a bzImage finds at its entry: zero page, identity page tables, GDT. */
#include "lib/base/string.h"
#include "lib/bzimage/bzimage.h"
#include "lib/bzimage/format.h"

#define PAGE_ENTRY_PRESENT  0x01ULL
#define PAGE_ENTRY_WRITABLE 0x02ULL
#define PAGE_ENTRY_LARGE    0x80ULL
#define ENTRIES_PER_TABLE   512U
#define DIRECTORY_COUNT     4U
#define LARGE_PAGE_SHIFT    21

static void put_le(uint8_t *page, size_t offset, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		page[offset + i] = (uint8_t)(value >> (8 * i));
}

/* The kernel takes addresses and sizes of 64 bits in two halves: one in the header, one in the zero page. */
static void put_halves(uint8_t *page, size_t low_offset, size_t high_offset, uint64_t value)
{
	put_le(page, low_offset, value, 4);
	put_le(page, high_offset, value >> 32, 4);
}

enum status bzimage_fill_boot_params(const struct bzimage *image, const struct bzimage_plan *plan,
				     const struct bzimage_e820 *e820, size_t e820_count, uint64_t rsdp,
				     uint8_t page[BZIMAGE_BOOT_PARAMS_BYTES])
{
	if (e820_count > BZIMAGE_E820_MAX)
		return ERR_NO_SPACE;
	memset(page, 0, BZIMAGE_BOOT_PARAMS_BYTES);
	memcpy(page + SETUP_HEADER_START, image->bytes + SETUP_HEADER_START, image->header_bytes);
	put_le(page, SETUP_TYPE_OF_LOADER, LOADER_TYPE_UNDEFINED, 1);
	put_halves(page, SETUP_CMD_LINE_PTR, ZERO_PAGE_EXT_CMD_LINE_PTR, plan->command_line);
	put_halves(page, SETUP_RAMDISK_IMAGE, ZERO_PAGE_EXT_RAMDISK_IMAGE, plan->initrd);
	put_halves(page, SETUP_RAMDISK_SIZE, ZERO_PAGE_EXT_RAMDISK_SIZE, plan->initrd_bytes);
	put_le(page, ZERO_PAGE_ACPI_RSDP, rsdp, 8);
	put_le(page, ZERO_PAGE_E820_ENTRIES, e820_count, 1);
	memcpy(page + ZERO_PAGE_E820_TABLE, e820, e820_count * sizeof(*e820));
	return OK;
}

void bzimage_fill_page_tables(uint64_t base, uint64_t tables[BZIMAGE_PAGE_TABLES_BYTES / 8])
{
	const uint64_t rights = PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE;
	uint64_t *pml4 = tables;
	uint64_t *pdpt = tables + ENTRIES_PER_TABLE;
	uint64_t *directories = tables + 2 * ENTRIES_PER_TABLE;
	const uint64_t table_bytes = ENTRIES_PER_TABLE * sizeof(uint64_t);

	memset(tables, 0, BZIMAGE_PAGE_TABLES_BYTES);
	pml4[0] = (base + table_bytes) | rights;
	for (uint64_t i = 0; i < DIRECTORY_COUNT; i++)
		pdpt[i] = (base + (2 + i) * table_bytes) | rights;
	for (uint64_t i = 0; i < DIRECTORY_COUNT * ENTRIES_PER_TABLE; i++)
		directories[i] = i << LARGE_PAGE_SHIFT | rights | PAGE_ENTRY_LARGE;
}

void bzimage_fill_gdt(bool is_64_bit, uint64_t gdt[BZIMAGE_GDT_BYTES / 8])
{
	gdt[0] = 0;
	gdt[1] = 0;
	/* present, DPL 0, execute/read, accessed, G, and L or D */
	gdt[BZIMAGE_BOOT_CS / 8] = is_64_bit ? 0x00af9b000000ffff : 0x00cf9b000000ffff;
	gdt[BZIMAGE_BOOT_DS / 8] = 0x00cf93000000ffff; /* present, DPL 0, read/write, accessed, B, G */
}
