/* What the files of the UEFI loader share. All of it runs before ExitBootServices(), on the boot CPU, firmware's tables. */
#pragma once
#include <efi.h>

#include "boot/common/command_line.h"
#include "boot/common/files.h"
#include "boot/common/memory_map.h"

/* firmware.c. The image handle and the system table, set once by efi_main. */
void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);
EFI_HANDLE firmware_image(void);
EFI_SYSTEM_TABLE *firmware_table(void);
EFI_BOOT_SERVICES *firmware_services(void);

/* Zeroed pages for length_bytes, or NULL. They are EfiLoaderData and never given back. */
void *firmware_pages(uint64_t length_bytes);

/* Whether ExitBootServices() was called, with success or not: from then on only memory may be touched, and allocated until it
 * succeeds. UEFI Specification, "EFI_BOOT_SERVICES.ExitBootServices()". */
bool firmware_has_ended(void);

/* paging_levels.c: where the firmware runs this CPU with 5-level paging, prepares the way back and, after ExitBootServices(),
 * goes it; otherwise both do nothing. Errors: ERR_NO_MEMORY (no pages below 4 GiB). */
MUST_CHECK enum status paging_prepare(void);
void paging_leave_5_levels(void);

/* screen.c */
void screen_init(void);
void screen_wait_for_key(void);

/* volume.c: reads every file below \bulkhead of the volume that this image came from into list, whose entries and capacity
 * the caller gives. budget_bytes: files outside bulkhead/system/ together get no more than this.
 * Errors: ERR_NOT_FOUND (no such folder, or the image came from no file system). */
MUST_CHECK enum status volume_load(struct boot_files *list, uint64_t budget_bytes);

/* platform.c: each returns what there is, or the value that says "none" in abi/boot_info.h. */
uint64_t platform_rsdp(void);
struct boot_framebuffer platform_framebuffer(void);
int64_t platform_wall_clock(void);
/* Appends the load options to line, without the name of the program that UEFI's shell puts first. */
void platform_load_options(char line[COMMAND_LINE_BYTES]);
