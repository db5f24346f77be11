/* The posted-interrupt descriptor: the one way by which an interrupt reaches a vCPU, with or without hardware support.
 * Anyone posts; only the vCPU's own thread takes. SDM Vol. 3C, "Posted-Interrupt Processing". */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct posted_interrupts {
	_Alignas(64) _Atomic uint64_t requests[4]; /* PIR: one bit a vector */
	_Atomic uint64_t control;                  /* bit 0 ON, bit 1 SN, 23:16 NV, 63:32 NDST */
	uint64_t reserved[3];
};

#define POSTED_OUTSTANDING 0x1ULL

_Static_assert(sizeof(struct posted_interrupts) == 64, "posted-interrupt descriptor");

/* Something was posted and not yet taken. */
static inline bool posted_waits(const struct posted_interrupts *posted)
{
	return (atomic_load(&posted->control) & POSTED_OUTSTANDING) != 0;
}

/* Posts a vector. True: the caller must notify the vCPU. Context: any CPU. */
bool posted_post(struct posted_interrupts *posted, uint8_t vector);

/* Takes all that was posted, a bit a vector, clearing ON first so that a later post notifies again. False: nothing was, and taken
 * holds nothing. Context: the vCPU's own thread. */
bool posted_take(struct posted_interrupts *posted, uint64_t taken[4]);
