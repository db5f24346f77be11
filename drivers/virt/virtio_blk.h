/* virtio block device: requests of 512-byte sectors on a disk (lib/disk/disk.h). All that a disk can do is done when the request is
 * served: there is no cache, and a flush finds nothing to do.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Block Device". */
#pragma once
#include "drivers/virt/virtio.h"
#include "lib/disk/disk.h"

#define VIRTIO_ID_BLOCK           2U
#define VIRTIO_BLK_F_SEG_MAX      2
#define VIRTIO_BLK_F_RO           5
#define VIRTIO_BLK_F_BLK_SIZE     6
#define VIRTIO_BLK_F_FLUSH        9
#define VIRTIO_BLK_F_TOPOLOGY     10
#define VIRTIO_BLK_F_MQ           12
#define VIRTIO_BLK_F_DISCARD      13
#define VIRTIO_BLK_F_WRITE_ZEROES 14

#define VIRTIO_BLK_T_IN           0U
#define VIRTIO_BLK_T_OUT          1U
#define VIRTIO_BLK_T_FLUSH        4U
#define VIRTIO_BLK_T_GET_ID       8U
#define VIRTIO_BLK_T_DISCARD      11U
#define VIRTIO_BLK_T_WRITE_ZEROES 13U

#define VIRTIO_BLK_S_OK     0U
#define VIRTIO_BLK_S_IOERR  1U
#define VIRTIO_BLK_S_UNSUPP 2U

#define VIRTIO_BLK_QUEUES_MAX    8U
#define VIRTIO_BLK_SERIAL_BYTES  20U
#define VIRTIO_BLK_SEGMENTS      254U /* of data in a request: the queue's, less those of header and status */
#define VIRTIO_BLK_RANGES_MAX    16U  /* of one discard or write-zeroes */
#define VIRTIO_BLK_RANGE_SECTORS 0x8000U /* of one of them: 16 MiB */
#define VIRTIO_BLK_TURN_BYTES    0x100000U /* of one request that move in a turn */
#define VIRTIO_BLK_CONFIG_BYTES  60U

struct virtio_blk_request {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

struct virtio_blk_range {
	uint64_t sector;
	uint32_t sector_count;
	uint32_t flags;
};

struct virtio_blk_wires {
	/* A write found no memory for changes. Called at each; who hears it tells the user once. */
	void (*is_full)(void *ctx);
	void *ctx;
};

struct virtio_blk {
	struct virtio *transport; /* whose model this is */
	struct disk *disk;
	struct virtio_blk_wires wires;
	char serial[VIRTIO_BLK_SERIAL_BYTES]; /* without a NUL where it is full */
	uint16_t queue_count;                 /* 1 .. VIRTIO_BLK_QUEUES_MAX */
	struct virtqueue_chain chain;         /* that is being served */
	uint64_t done_bytes[VIRTIO_BLK_QUEUES_MAX]; /* of the request that is next in each queue: what earlier turns moved */
};

extern const struct virtio_ops virtio_blk_ops;

/* What virtio_init() gets. disk, serial and queue_count are set. */
struct virtio_config virtio_blk_config(struct virtio_blk *blk);
