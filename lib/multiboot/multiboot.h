/* The header by which a Multiboot 1 kernel says what it is.
 * Source: Multiboot Specification 0.6.96, "The layout of Multiboot header". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MULTIBOOT_FLAG_PAGE_ALIGN  0x1U
#define MULTIBOOT_FLAG_MEMORY_INFO 0x2U
#define MULTIBOOT_FLAG_VIDEO_MODE  0x4U
#define MULTIBOOT_FLAGS_REQUIRED   0xffffU  /* a loader that does not know one of these must not start the kernel */
#define MULTIBOOT_FLAG_ADDRESSES   0x10000U
#define MULTIBOOT_ADDRESSES_END    32U      /* bytes of the header with the address fields */

struct multiboot_header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	uint32_t header_address; /* these only with MULTIBOOT_FLAG_ADDRESSES */
	uint32_t load_address;
	uint32_t load_end_address;
	uint32_t bss_end_address;
	uint32_t entry_address;
};

_Static_assert(sizeof(struct multiboot_header) == MULTIBOOT_ADDRESSES_END, "Multiboot header layout");

/* Finds the header in the first 8 KiB of a file. Fields past the end of the file are 0. bytes need not be aligned.
 * False: there is none; *header and *offset are then undefined. Context: any; pure. */
bool multiboot_find_header(const uint8_t *bytes, size_t size_bytes, struct multiboot_header *header, size_t *offset);

/* Is there one? Any bytes. Context: any; pure. */
bool multiboot_has_header(const uint8_t *bytes, size_t size_bytes);
