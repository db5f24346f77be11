/* Finds the Multiboot header of a kernel. */
#include "lib/multiboot/multiboot.h"

#include "lib/base/string.h"

#define HEADER_MAGIC        0x1badb002U
#define HEADER_SEARCH_BYTES 8192U
#define HEADER_LEAST_BYTES  12U /* magic, flags, checksum */

bool multiboot_find_header(const uint8_t *bytes, size_t size_bytes, struct multiboot_header *header, size_t *offset)
{
	size_t end = size_bytes < HEADER_SEARCH_BYTES ? size_bytes : HEADER_SEARCH_BYTES;

	for (size_t at = 0; at + HEADER_LEAST_BYTES <= end; at += 4) {
		size_t left = size_bytes - at;

		*header = (struct multiboot_header){0};
		memcpy(header, bytes + at, left < sizeof(*header) ? left : sizeof(*header));
		if (header->magic == HEADER_MAGIC && header->magic + header->flags + header->checksum == 0) {
			*offset = at;
			return true;
		}
	}
	return false;
}

bool multiboot_has_header(const uint8_t *bytes, size_t size_bytes)
{
	struct multiboot_header header;
	size_t offset;

	return multiboot_find_header(bytes, size_bytes, &header, &offset);
}
