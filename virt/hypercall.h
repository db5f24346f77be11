/* Hypercalls: numbers in RAX, answers in RAX. KVM's numbers mean what they mean to KVM's guests; Bulkhead's begin at 42480000h. */
#pragma once
#include <stdint.h>

#define HYPERCALL_OWN_FIRST 0x42480000U
#define HYPERCALL_VERSION   0x42480000U /* the interface's version: 1 */

#define HYPERCALL_EPERM  (-1)
#define HYPERCALL_ENOSYS (-1000)

/* The answer; never a fault. From CPL > 0: -EPERM. Pure. */
int64_t hypercall(uint64_t number, unsigned cpl);
