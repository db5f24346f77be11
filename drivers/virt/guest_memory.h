/* How a device model that moves data by itself reaches the guest's memory. Every access copies; what a guest writes meanwhile
 * changes nothing that was checked. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

/* Errors of both: ERR_OUT_OF_RANGE: [address, address + len_bytes) is not all the guest's memory; nothing was copied then. Spans
 * of 2, 4 or 8 bytes on a multiple of their size are read and written by one access. Context: any thread, under any lock. */
struct guest_memory {
	enum status (*read)(void *ctx, uint64_t address, void *out, size_t len_bytes);
	enum status (*write)(void *ctx, uint64_t address, const void *bytes, size_t len_bytes);
	void *ctx;
};

MUST_CHECK static inline enum status guest_memory_read(const struct guest_memory *guest, uint64_t address, void *out,
							size_t len_bytes)
{
	return guest->read(guest->ctx, address, out, len_bytes);
}

MUST_CHECK static inline enum status guest_memory_write(const struct guest_memory *guest, uint64_t address, const void *bytes,
							 size_t len_bytes)
{
	return guest->write(guest->ctx, address, bytes, len_bytes);
}
