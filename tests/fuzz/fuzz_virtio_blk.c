/* The block device on chains of any shape: header, ranges and data are the input's, and part of them lies nowhere. The device stays
 * within chain and disk, each turn ends, and the map of the disk stays sound. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/virt/virtio_blk.h"

#define DISK_BYTES    (20U * DISK_BLOCK_BYTES + DISK_SECTOR_BYTES)
#define FILE_BYTES    (9U * DISK_BLOCK_BYTES + 77U)
#define CHANGES_BYTES 0x20000U
#define DATA_BYTES    0x6000U
#define REQUESTS_MAX  64U

static uint8_t file[FILE_BYTES];
static _Alignas(4096) uint8_t changes[CHANGES_BYTES];
static uint8_t readable[sizeof(struct virtio_blk_request) + DATA_BYTES], writable[DATA_BYTES + 1];
static size_t fault_at; /* bytes from there on are nobody's memory */
static bool has_chain;
static struct virtqueue_chain next;
static struct virtio device;
static struct disk disk;

/* Stand in for drivers/virt/virtqueue.c and virtio.c. */
enum status virtqueue_take(struct virtqueue *queue, struct virtqueue_chain *chain)
{
	(void)queue;
	if (!has_chain)
		return ERR_AGAIN;
	has_chain = false;
	*chain = next;
	return OK;
}

void virtqueue_return(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	(void)queue;
	if (written_bytes > chain->writable_bytes)
		abort();
}

void virtio_interrupt_queue(struct virtio *of, unsigned queue)
{
	(void)of;
	(void)queue;
}

static size_t within(size_t offset, size_t len_bytes, size_t all_bytes, bool *fault)
{
	size_t end = all_bytes < fault_at ? all_bytes : fault_at;

	if (offset > all_bytes || len_bytes > all_bytes - offset)
		abort(); /* beyond the chain */
	len_bytes = offset >= end ? 0 : len_bytes < end - offset ? len_bytes : end - offset;
	if (fault != NULL && offset + len_bytes == end && end < all_bytes)
		*fault = true;
	return len_bytes;
}

size_t virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, void *out,
		      size_t len_bytes, bool *fault)
{
	(void)queue;
	if (offset >= chain->readable_bytes)
		return 0;
	len_bytes = len_bytes < chain->readable_bytes - offset ? len_bytes : chain->readable_bytes - offset;
	len_bytes = within(offset, len_bytes, chain->readable_bytes, fault);
	memcpy(out, readable + offset, len_bytes);
	return len_bytes;
}

size_t virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, const void *bytes,
		       size_t len_bytes, bool *fault)
{
	(void)queue;
	len_bytes = within(offset, len_bytes, chain->writable_bytes, fault);
	memcpy(writable + offset, bytes, len_bytes);
	return len_bytes;
}

static void open_disk(bool is_writable, uint64_t changes_bytes)
{
	const struct disk_source source = {
		.file = file,
		.file_bytes = FILE_BYTES,
		.size_bytes = DISK_BYTES,
		.changes = is_writable ? changes : NULL,
		.changes_bytes = changes_bytes,
	};

	if (disk_open(&disk, &source) != OK)
		abort();
}

/* A map that opening finds sound has as many free blocks as before. */
static void check_map(void)
{
	uint32_t free_count = disk.free_count;

	if (!disk_is_writable(&disk))
		return;
	open_disk(true, disk.source.changes_bytes);
	if (disk.free_count != free_count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_blk blk = {.transport = &device, .disk = &disk, .queue_count = 1};

	if (size < 2)
		return 0;
	memset(changes, 0, sizeof(changes));
	open_disk((data[0] & 1) != 0, (data[0] & 2) != 0 ? disk_changes_bytes(DISK_BYTES) : disk_changes_least_bytes(DISK_BYTES));
	fault_at = (data[0] & 4) != 0 ? (size_t)data[1] * 64 : SIZE_MAX;
	data += 2;
	size -= 2;
	for (unsigned i = 0; i < REQUESTS_MAX && size >= 4; i++) {
		size_t copied_bytes = data[0] < size - 4 ? data[0] : size - 4;

		memcpy(readable, data + 4, copied_bytes);
		next.readable_bytes = (uint32_t)(data[1] & 0x80 ? data[1] & 0x7f : data[1] * 512U + 16U) % sizeof(readable);
		next.writable_bytes = (uint32_t)(data[2] & 0x80 ? data[2] & 0x7f : data[2] * 512U + 1U) % sizeof(writable);
		has_chain = true;
		while (virtio_blk_ops.serve(&blk, 0)) {
		}
		data += 4 + copied_bytes;
		size -= 4 + copied_bytes;
	}
	check_map();
	return 0;
}
