/* Reads the Multiboot2 information structure. Everything is checked against its size; nothing outside it is touched.
 * Source: Multiboot2 Specification, "Boot information". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"
#include "boot/common/memory_map.h"

#define MULTIBOOT2_LOADER_MAGIC 0x36d76289U

/* A tag's contents behind its type and size. */
struct multiboot2_span {
	const uint8_t *bytes; /* NULL: no such tag */
	size_t length;
};

/* Pointers go into the structure. */
struct multiboot2_info {
	const uint8_t *tags;
	size_t tags_bytes;
	struct multiboot2_span command_line;
	struct multiboot2_span memory_map;
	struct multiboot2_span uefi_memory_map;
	struct multiboot2_span framebuffer;
	struct multiboot2_span acpi_old;
	struct multiboot2_span acpi_new;
	uint64_t uefi_system_table; /* 0: not started on UEFI */
	uint32_t module_count;
};

/* name: NUL-terminated as far as the tag goes; name_length without the NUL. */
struct multiboot2_module {
	uint32_t start_physical;
	uint32_t end_physical;
	const char *name;
	size_t name_length;
};

/* Reads the structure of length_bytes. The first tag of a kind counts.
 * Errors: ERR_TRUNCATED (a tag passes the end), ERR_NOT_FOUND (no memory map of either kind). Context: any; pure. */
MUST_CHECK enum status multiboot2_parse(const void *structure, size_t length_bytes, struct multiboot2_info *info);

/* The module of this index (< module_count). Errors: ERR_NOT_FOUND; ERR_BAD_FORMAT (tag too small, end before start).
 * Context: any; pure. */
MUST_CHECK enum status multiboot2_module(const struct multiboot2_info *info, uint32_t index,
					 struct multiboot2_module *module);

/* The path that a module's string names: GRUB's quoting undone, and what leads up to "/bulkhead/" taken off.
 * Errors: ERR_OVERFLOW (path then holds what fits). Context: any; pure. */
MUST_CHECK enum status multiboot2_module_path(const struct multiboot2_module *module, char path[BOOT_FILE_PATH_BYTES]);

/* Appends the memory map, UEFI's where GRUB passed it on. Errors: ERR_NO_SPACE, ERR_BAD_FORMAT. Context: any. */
MUST_CHECK enum status multiboot2_memory(const struct multiboot2_info *info, struct memory_map *raw);

/* The framebuffer, if there is one with direct colours of 16, 24 or 32 bits. Context: any; pure. */
struct boot_framebuffer multiboot2_framebuffer(const struct multiboot2_info *info);
