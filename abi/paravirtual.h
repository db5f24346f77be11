/* The record of stolen time that a guest and ring 0 share, and its MSR: KVM's, which stock kernels know. docs/paravirtual.md. */
#pragma once
#include <stdint.h>

#define MSR_KVM_STEAL_TIME 0x4b564d03U
#define STEAL_RECORD_BYTES 64U
#define STEAL_PREEMPTED    0x1U /* the vCPU wants to run and has no CPU */
#define STEAL_FLUSH        0x2U /* the guest's wish: forget linear translations before the vCPU runs on */

struct steal_record {
	_Atomic uint64_t steal_ns;
	_Atomic uint32_t version; /* odd: being written */
	_Atomic uint32_t flags;   /* 0 */
	_Atomic uint8_t preempted;
	uint8_t reserved[47];
};

_Static_assert(sizeof(struct steal_record) == STEAL_RECORD_BYTES, "aligned to its size, a record never crosses a page");
