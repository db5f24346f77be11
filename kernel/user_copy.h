/* The only way to a program's memory: between STAC and CLAC where there is SMAP, with faults turned into ERR_FAULT. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

/* The span must lie below USER_END. ERR_FAULT: not mapped with the needed rights; dst may then be partly written.
 * At most 64 KiB. Context: a system call of the current program. */
MUST_CHECK enum status copy_from_user(void *dst, uint64_t src_user, size_t len_bytes);
MUST_CHECK enum status copy_to_user(uint64_t dst_user, const void *src, size_t len_bytes);
