/* Offsets of the setup header (in the file and in the zero page alike) and of the zero page.
 * Source: boot.rst, "The Real-Mode Kernel Header"; zero-page.rst, "Zero Page". */
#pragma once

/* setup header */
#define SETUP_HEADER_START     0x1f1U
#define SETUP_SECTS            0x1f1U /* u8, 512-byte sectors, 0 means 4 */
#define SETUP_SYSSIZE          0x1f4U /* u32, 16-byte units */
#define SETUP_BOOT_FLAG        0x1feU /* u16 */
#define SETUP_JUMP_LENGTH      0x201U /* u8: the header ends at 202h + this */
#define SETUP_JUMP_END         0x202U
#define SETUP_MAGIC            0x202U /* u32 */
#define SETUP_VERSION          0x206U /* u16 */
#define SETUP_TYPE_OF_LOADER   0x210U /* u8 */
#define SETUP_LOADFLAGS        0x211U /* u8 */
#define SETUP_RAMDISK_IMAGE    0x218U /* u32 */
#define SETUP_RAMDISK_SIZE     0x21cU /* u32 */
#define SETUP_CMD_LINE_PTR     0x228U /* u32 */
#define SETUP_INITRD_ADDR_MAX  0x22cU /* u32 */
#define SETUP_KERNEL_ALIGNMENT 0x230U /* u32 */
#define SETUP_RELOCATABLE      0x234U /* u8 */
#define SETUP_XLOADFLAGS       0x236U /* u16 */
#define SETUP_CMDLINE_SIZE     0x238U /* u32 */
#define SETUP_PREF_ADDRESS     0x258U /* u64 */
#define SETUP_INIT_SIZE        0x260U /* u32 */
#define SETUP_NEEDED_END       0x264U /* all that is read ends here */
#define SETUP_HEADER_LIMIT     0x290U /* the zero page has other fields from here on */

#define SETUP_BOOT_FLAG_VALUE  0xaa55U
#define SETUP_MAGIC_VALUE      0x53726448U /* "HdrS" */
#define SETUP_VERSION_NEEDED   0x020aU /* the first with pref_address and init_size: what memory the kernel takes */
#define SETUP_VERSION_XLOADFLAGS 0x020cU
#define LOADFLAGS_LOADED_HIGH  0x01U
#define XLF_KERNEL_64          0x01U
#define XLF_CAN_BE_LOADED_ABOVE_4G 0x02U
#define LOADER_TYPE_UNDEFINED  0xffU

/* zero page, beside the setup header */
#define ZERO_PAGE_ACPI_RSDP    0x070U /* u64 */
#define ZERO_PAGE_EXT_RAMDISK_IMAGE 0x0c0U /* u32: bits 63:32 */
#define ZERO_PAGE_EXT_RAMDISK_SIZE  0x0c4U
#define ZERO_PAGE_EXT_CMD_LINE_PTR  0x0c8U
#define ZERO_PAGE_E820_ENTRIES 0x1e8U /* u8 */
#define ZERO_PAGE_E820_TABLE   0x2d0U

#define ENTRY_64_OFFSET        0x200U /* from the start of the protected-mode kernel */
