/* What a virtual disk holds: a file of the boot volume, or zeros, and what the guest has changed. Changes lie in memory of a
 * fixed size that outlives the program that writes them, so that a guest finds its disk again after a reset; when the PC is
 * switched off they are lost.
 *
 * The memory of changes: one page of header, then the map, one entry for each block of the disk, then the blocks themselves.
 * Nothing in it is trusted when it is opened: a map without sense makes the disk as it was at first.
 *
 * Blocks have DISK_BLOCK_BYTES; offsets and lengths of all functions are in bytes and may be any, within the disk.
 * Pure. Context: one thread at a time per disk. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define DISK_SECTOR_BYTES 512U
#define DISK_BLOCK_BYTES  4096U
#define DISK_MAX_BYTES    (1ULL << 35) /* 32 GiB: what a VMM has room for */

struct disk_source {
	const void *file; /* file_bytes, read-only, while the disk is used; NULL: only zeros */
	uint64_t file_bytes;
	uint64_t size_bytes; /* of the disk: a multiple of DISK_SECTOR_BYTES, at most DISK_MAX_BYTES, not 0 */
	void *changes;       /* NULL: the disk is read-only. Page-aligned, zeros or what an earlier disk_open() of that size left */
	uint64_t changes_bytes;
};

struct disk {
	struct disk_source source;
	uint32_t *map;       /* by block: DISK_MAP_BASE, DISK_MAP_ZEROS, or the number of a block of changes plus DISK_MAP_FIRST */
	uint32_t *free;      /* numbers of blocks that hold nothing, free_count of them */
	uint8_t *blocks;
	uint32_t block_count; /* of the disk */
	uint32_t room_count;  /* of blocks in the memory of changes */
	uint32_t free_count;
};

/* Bytes of memory for changes with which a disk of that size never runs full. A multiple of 4096. */
uint64_t disk_changes_bytes(uint64_t size_bytes);

/* The least that disk_open() takes: one block can be changed. A multiple of 4096. */
uint64_t disk_changes_least_bytes(uint64_t size_bytes);

/* Errors: ERR_INVALID: a size is not as it must be; ERR_NO_SPACE: changes_bytes is below the least. */
MUST_CHECK enum status disk_open(struct disk *disk, const struct disk_source *source);

static inline bool disk_is_writable(const struct disk *disk)
{
	return disk->source.changes != NULL;
}

/* The bytes from offset on, *len_bytes of them that lie together, at most most_bytes (not 0) and at least one. offset: below the
 * disk's size. They stay as they are until the disk is changed. */
const void *disk_view(const struct disk *disk, uint64_t offset, size_t most_bytes, size_t *len_bytes);

/* The same for writing: the caller fills all *len_bytes of *place. Errors: ERR_DENIED: the disk is read-only; ERR_NO_SPACE: the
 * memory of changes is full; nothing is changed then. */
MUST_CHECK enum status disk_change(struct disk *disk, uint64_t offset, size_t most_bytes, void **place, size_t *len_bytes);

/* [offset, offset + len_bytes) reads as zeros from now on; whole blocks need no memory any more. Errors: as disk_change(); the
 * first bytes may be zeros then. */
MUST_CHECK enum status disk_zero(struct disk *disk, uint64_t offset, uint64_t len_bytes);
