/* Which boot files are kernels that a VM can start: for a PC without bulkhead.toml. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By content, as the VMM recognises them (docs/boot-formats.md). Any bytes. Context: any; pure. */
bool kernel_file_is_kernel(const uint8_t *bytes, size_t size_bytes);
