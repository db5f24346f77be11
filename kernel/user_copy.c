/* Checks the span, then copies with faults caught. */
#include "kernel/user_copy.h"

#include <stdbool.h>

#include "abi/layout.h"
#include "kernel/cpu.h"

#define COPY_BYTES_MAX 0x10000U

extern bool user_copy_bytes(void *dst, const void *src, uint64_t len_bytes, bool smap);

static bool span_in_user_half(uint64_t address, size_t len_bytes)
{
	return len_bytes <= COPY_BYTES_MAX && address < USER_END && len_bytes <= USER_END - address;
}

enum status copy_from_user(void *dst, uint64_t src_user, size_t len_bytes)
{
	if (!span_in_user_half(src_user, len_bytes))
		return ERR_FAULT;
	return user_copy_bytes(dst, (const void *)(uintptr_t)src_user, len_bytes, cpu_features.smap) ? OK : ERR_FAULT;
}

enum status copy_to_user(uint64_t dst_user, const void *src, size_t len_bytes)
{
	if (!span_in_user_half(dst_user, len_bytes))
		return ERR_FAULT;
	return user_copy_bytes((void *)(uintptr_t)dst_user, src, len_bytes, cpu_features.smap) ? OK : ERR_FAULT;
}
