/* A map from blocks of the disk to blocks of changes, and a stack of those that are free. */
#include "lib/disk/disk.h"

#include "lib/base/string.h"

#define DISK_MAP_BASE  0U
#define DISK_MAP_ZEROS 1U
#define DISK_MAP_FIRST 2U
#define HEADER_BYTES   4096ULL
#define PAGE_MASK      4095ULL
#define DISK_MAGIC     0x4b534944444b4c42ULL /* "BLKDDISK" */

struct disk_header {
	uint64_t magic;
	uint64_t size_bytes;
	uint64_t changes_bytes;
};

static const uint8_t zeros[DISK_BLOCK_BYTES];

static uint64_t block_count_of(uint64_t size_bytes)
{
	return (size_bytes + DISK_BLOCK_BYTES - 1) / DISK_BLOCK_BYTES;
}

static uint64_t table_bytes(uint64_t entries)
{
	return (entries * sizeof(uint32_t) + PAGE_MASK) & ~PAGE_MASK;
}

/* Header, map, stack of free blocks, blocks. */
static uint64_t layout_bytes(uint64_t size_bytes, uint64_t room_count)
{
	return HEADER_BYTES + table_bytes(block_count_of(size_bytes)) + table_bytes(room_count) + room_count * DISK_BLOCK_BYTES;
}

uint64_t disk_changes_bytes(uint64_t size_bytes)
{
	return layout_bytes(size_bytes, block_count_of(size_bytes));
}

uint64_t disk_changes_least_bytes(uint64_t size_bytes)
{
	return layout_bytes(size_bytes, 1);
}

/* As many blocks as fit, and no more than there are. */
static uint32_t room_count_of(uint64_t size_bytes, uint64_t changes_bytes)
{
	uint64_t most = block_count_of(size_bytes);
	uint64_t left_bytes = changes_bytes - HEADER_BYTES - table_bytes(most);
	uint64_t room_count = left_bytes / (DISK_BLOCK_BYTES + sizeof(uint32_t));

	while (room_count > 0 && layout_bytes(size_bytes, room_count) > changes_bytes)
		room_count--; /* once at most: the stack's last page */
	return (uint32_t)(room_count < most ? room_count : most);
}

static void set_bit(uint8_t *bits, uint32_t index)
{
	bits[index / 8] |= (uint8_t)(1U << index % 8);
}

static bool has_bit(const uint8_t *bits, uint32_t index)
{
	return (bits[index / 8] >> index % 8 & 1) != 0;
}

/* Whether every entry names a block that there is, and no two the same one. used: a bit for each block of changes, zeros. It
 * lies where the stack of free blocks will be, which is larger. */
static bool map_is_sound(const struct disk *disk, uint8_t *used)
{
	for (uint32_t i = 0; i < disk->block_count; i++) {
		uint32_t entry = disk->map[i];

		if (entry < DISK_MAP_FIRST)
			continue;
		entry -= DISK_MAP_FIRST;
		if (entry >= disk->room_count || has_bit(used, entry))
			return false;
		set_bit(used, entry);
	}
	return true;
}

/* In place, from the last block on: an entry that is written lies behind all bits that are still to be read. */
static void fill_free(struct disk *disk)
{
	const uint8_t *used = (const uint8_t *)disk->free;
	uint32_t written = disk->room_count;

	for (uint32_t i = disk->room_count; i-- > 0;) {
		if (!has_bit(used, i))
			disk->free[--written] = i;
	}
	disk->free_count = disk->room_count - written;
	memmove(disk->free, disk->free + written, disk->free_count * sizeof(disk->free[0]));
}

static void open_changes(struct disk *disk)
{
	const struct disk_source *source = &disk->source;
	struct disk_header *header = source->changes;
	uint64_t map_bytes = table_bytes(disk->block_count);

	disk->room_count = room_count_of(source->size_bytes, source->changes_bytes);
	disk->map = (uint32_t *)((uint8_t *)source->changes + HEADER_BYTES);
	disk->free = (uint32_t *)((uint8_t *)disk->map + map_bytes);
	disk->blocks = (uint8_t *)disk->free + table_bytes(disk->room_count);
	memset(disk->free, 0, (disk->room_count + 7) / 8);
	if (header->magic != DISK_MAGIC || header->size_bytes != source->size_bytes ||
	    header->changes_bytes != source->changes_bytes || !map_is_sound(disk, (uint8_t *)disk->free)) {
		memset(disk->map, 0, map_bytes);
		memset(disk->free, 0, (disk->room_count + 7) / 8);
	}
	fill_free(disk);
	*header = (struct disk_header){
		.magic = DISK_MAGIC, .size_bytes = source->size_bytes, .changes_bytes = source->changes_bytes};
}

enum status disk_open(struct disk *disk, const struct disk_source *source)
{
	uint64_t size_bytes = source->size_bytes;

	if (size_bytes == 0 || size_bytes > DISK_MAX_BYTES || size_bytes % DISK_SECTOR_BYTES != 0)
		return ERR_INVALID;
	*disk = (struct disk){.source = *source, .block_count = (uint32_t)block_count_of(size_bytes)};
	if (source->file == NULL)
		disk->source.file_bytes = 0;
	if (source->changes == NULL)
		return OK;
	if (source->changes_bytes < disk_changes_least_bytes(size_bytes))
		return ERR_NO_SPACE;
	open_changes(disk);
	return OK;
}

static uint32_t entry_of(const struct disk *disk, uint64_t block)
{
	return disk_is_writable(disk) ? disk->map[block] : DISK_MAP_BASE;
}

static uint8_t *block_address(const struct disk *disk, uint32_t entry)
{
	return disk->blocks + (uint64_t)(entry - DISK_MAP_FIRST) * DISK_BLOCK_BYTES;
}

/* How many bytes from offset on lie in blocks that nobody has changed: at most most_bytes. */
static size_t unchanged_bytes(const struct disk *disk, uint64_t offset, size_t most_bytes)
{
	uint64_t end = offset + most_bytes;
	uint64_t at = offset - offset % DISK_BLOCK_BYTES;

	while (at < end && entry_of(disk, at / DISK_BLOCK_BYTES) == DISK_MAP_BASE)
		at += DISK_BLOCK_BYTES;
	return (size_t)((at < end ? at : end) - offset);
}

/* Of blocks that nobody has changed: the file, behind its end zeros. */
static const void *view_base(const struct disk *disk, uint64_t offset, size_t most_bytes, size_t *len_bytes)
{
	uint64_t file_bytes = disk->source.file_bytes;

	if (offset >= file_bytes) {
		*len_bytes = most_bytes < sizeof(zeros) ? most_bytes : sizeof(zeros);
		return zeros;
	}
	most_bytes = most_bytes < file_bytes - offset ? most_bytes : (size_t)(file_bytes - offset);
	*len_bytes = unchanged_bytes(disk, offset, most_bytes);
	return (const uint8_t *)disk->source.file + offset;
}

static size_t within_block(uint64_t offset, size_t most_bytes)
{
	size_t left_bytes = DISK_BLOCK_BYTES - (size_t)(offset % DISK_BLOCK_BYTES);

	return most_bytes < left_bytes ? most_bytes : left_bytes;
}

const void *disk_view(const struct disk *disk, uint64_t offset, size_t most_bytes, size_t *len_bytes)
{
	uint32_t entry = entry_of(disk, offset / DISK_BLOCK_BYTES);
	uint64_t left_bytes = disk->source.size_bytes - offset;

	most_bytes = most_bytes < left_bytes ? most_bytes : (size_t)left_bytes;
	*len_bytes = within_block(offset, most_bytes);
	if (entry == DISK_MAP_BASE)
		return view_base(disk, offset, offset < disk->source.file_bytes ? most_bytes : *len_bytes, len_bytes);
	if (entry == DISK_MAP_ZEROS)
		return zeros;
	return block_address(disk, entry) + offset % DISK_BLOCK_BYTES;
}

/* What the block holds now, into a block of changes that it has from now on. */
static void copy_block(const struct disk *disk, uint64_t block, uint8_t *place)
{
	uint64_t offset = block * DISK_BLOCK_BYTES;
	uint64_t file_bytes = disk->source.file_bytes;
	size_t from_file = 0;

	if (disk->map[block] == DISK_MAP_BASE && offset < file_bytes)
		from_file = file_bytes - offset < DISK_BLOCK_BYTES ? (size_t)(file_bytes - offset) : DISK_BLOCK_BYTES;
	if (from_file > 0)
		memcpy(place, (const uint8_t *)disk->source.file + offset, from_file);
	memset(place + from_file, 0, DISK_BLOCK_BYTES - from_file);
}

enum status disk_change(struct disk *disk, uint64_t offset, size_t most_bytes, void **place, size_t *len_bytes)
{
	uint64_t block = offset / DISK_BLOCK_BYTES, left_bytes = disk->source.size_bytes - offset;

	if (!disk_is_writable(disk))
		return ERR_DENIED;
	if (disk->map[block] < DISK_MAP_FIRST) {
		uint32_t entry;

		if (disk->free_count == 0)
			return ERR_NO_SPACE;
		entry = disk->free[--disk->free_count] + DISK_MAP_FIRST;
		copy_block(disk, block, block_address(disk, entry));
		disk->map[block] = entry;
	}
	most_bytes = most_bytes < left_bytes ? most_bytes : (size_t)left_bytes;
	*len_bytes = within_block(offset, most_bytes);
	*place = block_address(disk, disk->map[block]) + offset % DISK_BLOCK_BYTES;
	return OK;
}

/* A block of which all bytes become zeros. Beyond the file it is as it was at first. */
static void drop_block(struct disk *disk, uint64_t block)
{
	uint32_t entry = disk->map[block];

	if (entry >= DISK_MAP_FIRST)
		disk->free[disk->free_count++] = entry - DISK_MAP_FIRST;
	disk->map[block] = block * DISK_BLOCK_BYTES < disk->source.file_bytes ? DISK_MAP_ZEROS : DISK_MAP_BASE;
}

enum status disk_zero(struct disk *disk, uint64_t offset, uint64_t len_bytes)
{
	enum status status = disk_is_writable(disk) ? OK : ERR_DENIED;

	for (size_t part_bytes; len_bytes > 0 && status == OK; offset += part_bytes, len_bytes -= part_bytes) {
		uint64_t block_end = (offset / DISK_BLOCK_BYTES + 1) * DISK_BLOCK_BYTES;
		bool is_whole = offset % DISK_BLOCK_BYTES == 0 &&
				(len_bytes >= DISK_BLOCK_BYTES || offset + len_bytes == disk->source.size_bytes);
		void *place;

		part_bytes = (size_t)(len_bytes < block_end - offset ? len_bytes : block_end - offset);
		if (is_whole) {
			drop_block(disk, offset / DISK_BLOCK_BYTES);
			continue;
		}
		status = disk_change(disk, offset, part_bytes, &place, &part_bytes);
		if (status == OK)
			memset(place, 0, part_bytes);
	}
	return status;
}
