/* A guest's memory as its VMM sees it: the only way to it. Callers copy in or out and check the copy; what a guest writes
 * meanwhile changes nothing that was checked. Not here: device memory, guest-virtual addresses (vmm/decode/walk.h). */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

/* A guest-physical address. */
typedef struct {
	uint64_t raw;
} gpa_t;

#define GMEM_SLOT_MAX 8U

/* [gpa, gpa + length_bytes) of the guest is [host, host + length_bytes) of this program. */
struct gmem_slot {
	gpa_t gpa;
	uint64_t length_bytes;
	uint8_t *host;
	bool is_rom; /* nobody writes to it here */
	const _Atomic bool *is_shown; /* of a ROM: while false, there is nothing; NULL: always true */
};

struct gmem {
	unsigned slot_count;
	unsigned largest; /* index of that slot */
	struct gmem_slot slots[GMEM_SLOT_MAX];
};

/* Words of guest memory and what they held when they were read: to see, without finding them again, whether all still do.
 * Filled by gmem_watch_u64(); all zeros: nothing is watched. */
#define GMEM_WATCH_WORDS 16U
struct gmem_watch {
	unsigned count; /* more than GMEM_WATCH_WORDS: some did not fit */
	struct {
		const volatile uint64_t *place; /* only for the two functions below */
		uint64_t value;
	} words[GMEM_WATCH_WORDS];
};

static inline gpa_t gpa(uint64_t raw)
{
	return (gpa_t){.raw = raw};
}

static inline gpa_t gpa_add(gpa_t base, uint64_t offset_bytes)
{
	return (gpa_t){.raw = base.raw + offset_bytes};
}

/* Adds a slot. base, length_bytes (not 0) and host: multiples of 4096; host stays mapped as long as gm is used.
 * Errors: ERR_MISALIGNED; ERR_INVALID (no length, or past 2^64); ERR_EXISTS (overlaps a slot); ERR_NO_SPACE.
 * Context: before vCPUs run: slots do not change later. */
MUST_CHECK enum status gmem_add_slot(struct gmem *gm, gpa_t base, uint64_t length_bytes, void *host);

/* The same for memory that only reads reach: a write finds nothing there, nor does a read while *is_shown is false. is_shown: NULL,
 * or lasts as long as gm is used. */
MUST_CHECK enum status gmem_add_rom(struct gmem *gm, gpa_t base, uint64_t length_bytes, void *host, const _Atomic bool *is_shown);

/* Copies guest-physical [src, src + len_bytes) to dst; the span must lie in one slot.
 * ERR_OUT_OF_RANGE if not, dst then unchanged. Each byte is read once. A len_bytes of 0 needs a valid src, or its end. */
MUST_CHECK enum status gmem_read(const struct gmem *gm, gpa_t src, void *dst, size_t len_bytes);

/* Copies src to guest-physical [dst, dst + len_bytes); the span must lie in one slot. ERR_OUT_OF_RANGE if not, nothing
 * written then. */
MUST_CHECK enum status gmem_write(const struct gmem *gm, gpa_t dst, const void *src, size_t len_bytes);

/* Zeroes guest-physical [dst, dst + len_bytes), as gmem_write. */
MUST_CHECK enum status gmem_zero(const struct gmem *gm, gpa_t dst, uint64_t len_bytes);

/* Single values, little-endian. Those on a multiple of their size are read and written by one access, so that a guest
 * that changes them at the same time shows the old or the new value and no mixture. */
MUST_CHECK enum status gmem_read_u8(const struct gmem *gm, gpa_t src, uint8_t *out);
MUST_CHECK enum status gmem_read_u16(const struct gmem *gm, gpa_t src, uint16_t *out);
MUST_CHECK enum status gmem_read_u32(const struct gmem *gm, gpa_t src, uint32_t *out);
MUST_CHECK enum status gmem_read_u64(const struct gmem *gm, gpa_t src, uint64_t *out);
MUST_CHECK enum status gmem_write_u8(const struct gmem *gm, gpa_t dst, uint8_t value);
MUST_CHECK enum status gmem_write_u16(const struct gmem *gm, gpa_t dst, uint16_t value);
MUST_CHECK enum status gmem_write_u32(const struct gmem *gm, gpa_t dst, uint32_t value);
MUST_CHECK enum status gmem_write_u64(const struct gmem *gm, gpa_t dst, uint64_t value);

/* Writes value to one byte by one locked access, if it still is what was read. Errors: ERR_OUT_OF_RANGE; ERR_BUSY: it is not. */
MUST_CHECK enum status gmem_exchange_u8(const struct gmem *gm, gpa_t at, uint8_t was, uint8_t value);

/* Clears, then sets bits of one byte, each by one locked access, so that nothing another vCPU writes meanwhile is lost.
 * Errors: ERR_OUT_OF_RANGE. */
MUST_CHECK enum status gmem_change_u8(const struct gmem *gm, gpa_t at, uint8_t clear, uint8_t set);

/* Reads the 8 bytes at src, a multiple of 8, by one access, and notes them in watch; NULL: does not. Errors: ERR_OUT_OF_RANGE. */
MUST_CHECK enum status gmem_watch_u64(const struct gmem *gm, gpa_t src, uint64_t *out, struct gmem_watch *watch);

/* Whether every word that was noted still holds its value: then whatever was computed from these words alone would come out the
 * same. Each is read once. False also where some did not fit. */
static inline bool gmem_watch_holds(const struct gmem_watch *watch)
{
	if (watch->count > GMEM_WATCH_WORDS)
		return false;
	for (unsigned i = 0; i < watch->count; i++) {
		if (*watch->words[i].place != watch->words[i].value)
			return false;
	}
	return true;
}

/* How many bytes from start on lie in one slot; 0: none, or is_write and the slot is only read. */
uint64_t gmem_slot_bytes(const struct gmem *gm, gpa_t start, bool is_write);

/* Where the span lies in this program, as a number: for ring 0, which is told of a place in a memory object. ERR_OUT_OF_RANGE if it
 * does not lie in one slot, or in a ROM, which is no part of the guest's memory object. */
MUST_CHECK enum status gmem_place(const struct gmem *gm, gpa_t start, uint64_t len_bytes, uint64_t *address);

/* The named exception: a host pointer to [dst, dst + len_bytes) for a boot image that is read straight into memory.
 * NULL if the span does not lie in one slot. Context: only before the guest's first vCPU runs; write only. */
void *gmem_for_boot_image(const struct gmem *gm, gpa_t dst, uint64_t len_bytes);
