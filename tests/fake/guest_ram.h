/* A guest's memory for tests and fuzz targets: bytes from address 0 on, and nothing behind them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virt/guest_memory.h"

struct guest_ram {
	uint8_t *bytes;
	uint64_t size_bytes;
	/* Before each access of the device that reaches memory; NULL: nobody looks. */
	void (*looks)(uint64_t address, size_t len_bytes, bool writes);
	unsigned reads, writes; /* accesses of the device, those that found no memory too */
	uint64_t moved_bytes;
};

/* What a device gets of it. ram must last. */
struct guest_memory guest_ram_access(struct guest_ram *ram);

bool guest_ram_has(const struct guest_ram *ram, uint64_t address, uint64_t len_bytes);
/* What lies there, uncounted. False: no memory. */
bool guest_ram_get(const struct guest_ram *ram, uint64_t address, void *out, size_t len_bytes);
