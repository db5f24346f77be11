/* The kernel's file: is it one, does it speak this loader's language, and its copy at the place chosen for it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "boot/common/page_tables.h"
#include "boot/common/placement.h"
#include "lib/base/error_codes.h"
#include "lib/elf/elf.h"

#define KERNEL_FILE_PATH "system/kernel"
#define KERNEL_BYTES_MAX (64ULL << 20)

struct kernel_image {
	struct elf_image elf;
	uint64_t length_bytes; /* from virtual address 0 of the file to the end of its last segment, multiple of 4096 */
};

/* Why a kernel was refused. For E503 number is the version the kernel speaks, else it belongs to what. */
struct kernel_refusal {
	enum error_code code;
	const char *what;
	uint64_t number;
};

/* Checks the file (which must outlive *image): note and version first, so that a kernel of another release is named as such
 * whatever else is new in it; then the ELF image; then its size.
 * Errors, each with *refusal written: ERR_UNSUPPORTED (E503), ERR_BAD_FORMAT (E502). *image only on OK. Context: any; pure. */
MUST_CHECK enum status kernel_image_open(const void *file, size_t size_bytes, struct kernel_image *image,
					 struct kernel_refusal *refusal);

/* Copies the image to memory (image->length_bytes, stands for virtual address 0 of the file) and relocates it to run at
 * base_virtual. Errors: ERR_BAD_FORMAT with *refusal. Context: any. */
MUST_CHECK enum status kernel_image_load(const struct kernel_image *image, void *memory, uint64_t base_virtual,
					 struct kernel_refusal *refusal);

/* Maps the segments at placement->kernel_virtual, 4 KiB pages, each with its own rights.
 * Errors: those of page_tables_map(). Context: any. */
MUST_CHECK enum status kernel_image_map(const struct kernel_image *image, const struct placement *placement,
					struct page_tables *tables);
