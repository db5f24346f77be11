/* The first program's file: is it one, and its memory as it will run. The kernel only maps what this leaves. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"
#include "lib/elf/elf.h"

#define PROGRAM_FILE_PATH "system/manager"

/* Checks the file and lays out regions for its segments and a stack: *program is complete but for physical.
 * Errors, each with *problem written: those of elf_parse(); ERR_UNSUPPORTED (it wants to be relocated), ERR_NO_SPACE (too many
 * segments). Context: any; pure. */
MUST_CHECK enum status program_image_open(const void *file, size_t size_bytes, struct elf_image *image,
					  struct boot_program *program, struct elf_problem *problem);

/* Fills memory (program->length_bytes): the segments, and zeroes for all else. Context: any. */
void program_image_load(const struct elf_image *image, const struct boot_program *program, uint8_t *memory);
