/* A byte stream from one program to another through shared memory: single producer, single consumer.
 *
 * The memory object of a channel is one header page and then the data, capacity_bytes long, a power of two and a
 * multiple of the page size. Bytes n, n + 1, ... of the stream lie at data[n % capacity_bytes].
 * Each counter is written by one side only and counts bytes for ever, modulo 2^32. produced - consumed is what is in
 * the channel; more than capacity_bytes there means that the peer broke the rules: the channel is then given up.
 * A fresh channel is all zeros. Both sides know the capacity from the object's size, never from the shared memory.
 * After it moved its counter, a side signals the event that the other side waits on (one event each way).
 */
#pragma once
#include <stdint.h>

#define CHANNEL_HEADER_BYTES 4096U

struct channel_header {
	uint32_t produced_count; /* the producer writes it, with release order, after the bytes */
	uint8_t reserved0[60];
	uint32_t consumed_count; /* the consumer writes it, with release order, after it copied the bytes */
	uint8_t reserved1[60];
};

_Static_assert(sizeof(struct channel_header) == 128, "channel_header layout");
