/* virtio memory balloon: the guest gives pages up when asked (inflate), takes them back (deflate), and reports pages that it does
 * not use at the moment. Whole pieces of 2 MiB that it has given up or reported leave its memory; they come back as zeros when
 * they are touched, which is none of the device's business.
 *
 * Queues: 0 inflate, 1 deflate, 2 statistics, 4 reports. Drivers of old number queues that exist without gaps: reports come by
 * the queue after the last one that was negotiated, too. There is no queue 3: free page hints are not offered.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Traditional Memory Balloon Device". */
#pragma once
#include <stddef.h>

#include "drivers/virt/virtio.h"

#define VIRTIO_ID_BALLOON 5U
#define VIRTIO_BALLOON_F_MUST_TELL_HOST 0
#define VIRTIO_BALLOON_F_STATS_VQ       1
#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM 2
#define VIRTIO_BALLOON_F_PAGE_REPORTING 5
#define VIRTIO_BALLOON_CONFIG_BYTES 8U
#define VIRTIO_BALLOON_PAGE_BYTES   4096U      /* the unit of everything here, whatever the guest's pages are */
#define VIRTIO_BALLOON_PIECE_BYTES  0x200000ULL
#define VIRTIO_BALLOON_CHAIN_PAGES  4096U      /* that one chain names; the rest of a longer one is not looked at */
#define VIRTIO_BALLOON_TURN_PIECES  64U        /* that leave in a turn of a queue; the next one goes on with the chain */
#define VIRTIO_BALLOON_TURN_CHAINS  8U
#define VIRTIO_BALLOON_STATS        10U        /* tags known: swap in, out, major and minor faults, free, total, ... */
#define VIRTIO_BALLOON_STAT_FREE    4U

enum virtio_balloon_queue {
	VIRTIO_BALLOON_INFLATE,
	VIRTIO_BALLOON_DEFLATE,
	VIRTIO_BALLOON_STATISTICS,
	VIRTIO_BALLOON_HINTS, /* never offered */
	VIRTIO_BALLOON_REPORTS,
	VIRTIO_BALLOON_QUEUE_COUNT,
};

/* Context: under the device's lock. */
struct virtio_balloon_wires {
	/* The guest needs nothing of what is in this piece, a multiple of VIRTIO_BALLOON_PIECE_BYTES. It may lie anywhere. */
	void (*discard)(void *ctx, uint64_t address);
	/* How many pages the guest shall give up now. */
	uint32_t (*target_pages)(void *ctx);
	/* What the guest says: it has given up so many pages; so many bytes of its memory are free (UINT64_MAX: not known). */
	void (*told)(void *ctx, uint32_t pages, uint64_t free_bytes);
	void *ctx;
};

struct virtio_balloon_state {
	uint32_t target_pages, actual_pages; /* the configuration */
	uint64_t stats[VIRTIO_BALLOON_STATS]; /* by tag; UINT64_MAX: not known */
};

struct virtio_balloon {
	struct virtio_balloon_state state;
	struct virtio_balloon_wires wires;
	struct virtio *transport; /* whose model this is */
	/* A bit for each page that the guest has given up, by guest address from 0; a multiple of 512 bits. Zeros at the start. */
	uint64_t *given;
	uint64_t page_count;
	struct virtqueue_chain chain; /* that is being served */
	unsigned pieces_left;         /* that may leave in this turn */
	/* Of the chain that is next in each queue: pages, or pieces of a report, that earlier turns took. */
	uint64_t done[VIRTIO_BALLOON_QUEUE_COUNT];
};

extern const struct virtio_ops virtio_balloon_ops;

#define VIRTIO_BALLOON_CONFIG(balloon)                                                                                 \
	((struct virtio_config){                                                                                       \
		.ops = &virtio_balloon_ops,                                                                            \
		.model = (balloon),                                                                                    \
		.features = VIRTIO_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | VIRTIO_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | \
			    VIRTIO_FEATURE(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |                                          \
			    VIRTIO_FEATURE(VIRTIO_BALLOON_F_PAGE_REPORTING),                                           \
		.queue_count = VIRTIO_BALLOON_QUEUE_COUNT,                                                             \
		.queue_size_max = 128,                                                                                 \
		.config_bytes = VIRTIO_BALLOON_CONFIG_BYTES,                                                           \
	})
