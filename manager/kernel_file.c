/* Recognises kernels by their headers. What is wrong with one is said by its VMM, once it is to be started. */
#include "manager/kernel_file.h"

#include "abi/guest_flat.h"
#include "lib/base/string.h"
#include "lib/bzimage/bzimage.h"
#include "lib/elf/guest.h"
#include "lib/multiboot/multiboot.h"

static bool is_flat(const uint8_t *bytes, size_t size_bytes)
{
	struct guest_flat_header header;

	if (size_bytes < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	return header.magic == GUEST_FLAT_MAGIC;
}

static bool is_bzimage(const uint8_t *bytes, size_t size_bytes)
{
	struct bzimage_problem problem;
	struct bzimage image;

	return bzimage_parse(bytes, size_bytes, size_bytes, &image, &problem) == OK;
}

bool kernel_file_is_kernel(const uint8_t *bytes, size_t size_bytes)
{
	return is_flat(bytes, size_bytes) || is_bzimage(bytes, size_bytes) || multiboot_has_header(bytes, size_bytes) ||
	       elf_guest_has_pvh_entry(bytes, size_bytes);
}
