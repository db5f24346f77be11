/* A guest's memory with virtqueues in it, and the driver's side of both kinds of rings, as a well-behaved driver works them; what
 * a hostile one writes is put into the memory afterwards. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virt/virtqueue.h"
#include "tests/fake/guest_ram.h"

#define RING_MEMORY_BYTES 0x40000U
#define RING_DESC   0x1000U  /* the areas of the queue */
#define RING_DRIVER 0x3000U
#define RING_DEVICE 0x4000U
#define RING_TABLE  0x5000U  /* for an indirect table */
#define RING_DATA   0x10000U /* for buffers */

#define RING_F_NEXT     0x1U
#define RING_F_WRITE    0x2U
#define RING_F_INDIRECT 0x4U
#define RING_F_AVAIL    0x80U
#define RING_F_USED     0x8000U

struct ring_buffer {
	uint64_t address;
	uint32_t len_bytes;
	uint16_t flags; /* RING_F_WRITE, RING_F_INDIRECT */
};

struct ring_memory {
	uint8_t bytes[RING_MEMORY_BYTES];
	struct guest_ram ram; /* those bytes, with the device's accesses counted */
	struct guest_memory memory;
	struct virtqueue queue;
	/* the driver's own */
	uint16_t next, avail_index, used_index;
	bool wrap, used_wrap;
};

extern struct ring_memory ring;

uint16_t ring_get16(uint64_t address);
uint32_t ring_get32(uint64_t address);
uint64_t ring_get64(uint64_t address);
void ring_put16(uint64_t address, uint16_t value);
void ring_put32(uint64_t address, uint32_t value);
void ring_put64(uint64_t address, uint64_t value);

/* Empties the memory and starts a queue of that size and kind in it. VERSION_1 is added to features. */
void ring_start(uint16_t size, uint64_t features);

/* A descriptor of a split ring's table, or of an indirect table (either kind), at index from table on. */
void ring_split_descriptor(uint64_t table, unsigned index, const struct ring_buffer *buffer, uint16_t more_flags, uint16_t next);
/* One of a packed ring, whatever flags. */
void ring_packed_descriptor(uint64_t table, unsigned index, uint64_t address, uint32_t len_bytes, uint16_t id, uint16_t flags);

/* Makes a chain of count buffers available, in the queue's kind; split: from descriptor `head` on, which is its name; packed: at
 * the next position, with head as its buffer ID. */
void ring_offer(uint16_t head, const struct ring_buffer *buffers, unsigned count);

/* Split: makes descriptor head available, whatever is there. */
void ring_offer_head(uint16_t head);

/* The next chain that the device has returned: its name and written bytes; false: none. descriptors: how many the driver knows it
 * to have (packed). */
bool ring_used(uint16_t *id, uint32_t *written_bytes, unsigned descriptors);
