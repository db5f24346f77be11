/* The network card over real queues whose rings and buffers are the input's: split or packed, any features, any frames from the
 * other side. The device stays within its memory and each turn ends. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/virt/virtio_net.h"

#define MEMORY_BYTES 0x20000U
#define AREA_BYTES   0x1000U
#define QUEUES       5U /* two pairs and control */

static uint8_t memory[MEMORY_BYTES];
static struct virtio device;
static struct virtio_net net;
static const uint8_t *rest;
static size_t rest_bytes;
static unsigned room;

static enum status read_memory(void *ctx, uint64_t address, void *out, size_t len_bytes)
{
	(void)ctx;
	if (address > MEMORY_BYTES || len_bytes > MEMORY_BYTES - address)
		return ERR_OUT_OF_RANGE;
	memcpy(out, memory + address, len_bytes);
	return OK;
}

static enum status write_memory(void *ctx, uint64_t address, const void *bytes, size_t len_bytes)
{
	(void)ctx;
	if (address > MEMORY_BYTES || len_bytes > MEMORY_BYTES - address)
		return ERR_OUT_OF_RANGE;
	memcpy(memory + address, bytes, len_bytes);
	return OK;
}

static const struct guest_memory guest_memory = {read_memory, write_memory, NULL};

/* Stand in for drivers/virt/virtio.c. */
bool virtio_has_feature(const struct virtio *of, unsigned bit)
{
	return (of->state.driver_features >> bit & 1) != 0;
}

void virtio_interrupt_queue(struct virtio *of, unsigned queue)
{
	(void)virtqueue_wants_interrupt(&of->queues[queue]);
}

static bool send(void *ctx, struct virtio_net_message *message)
{
	const struct virtio_net_frame *header = &message->header;
	const struct net_offload offload = {header->offload_flags, header->offload_type, header->segment_bytes,
					    header->checksum_start, header->checksum_offset};

	(void)ctx;
	if (!net_offload_is_right(&offload, message->data, message->header.len_bytes))
		abort();
	return room-- != 0;
}

static bool receive(void *ctx, struct virtio_net_message *message)
{
	size_t len_bytes = rest_bytes < 300 ? rest_bytes : 300;

	(void)ctx;
	if (len_bytes < sizeof(message->header))
		return false;
	memset(message->data, 0, 0x1000);
	memcpy(message, rest, len_bytes);
	rest += len_bytes;
	rest_bytes -= len_bytes;
	return true;
}

static void sent(void *ctx)
{
	(void)ctx;
}

static void start(uint64_t features)
{
	static const struct virtio_net_wires wires = {send, receive, sent, NULL};

	memset(&device, 0, sizeof(device));
	virtio_net_init(&net, (const uint8_t[]){2, 0, 0, 0, 0, 1}, 2, &wires);
	net.transport = &device;
	device.state.driver_features = features;
	for (unsigned i = 0; i < QUEUES; i++) {
		struct virtqueue *queue = &device.queues[i];

		queue->memory = &guest_memory;
		queue->state = (struct virtqueue_state){.size = 16,
							.descriptor_area = i * AREA_BYTES,
							.driver_area = i * AREA_BYTES + 0x400,
							.device_area = i * AREA_BYTES + 0x800};
		(void)virtqueue_start(queue, features);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t features = VIRTIO_FEATURE(VIRTIO_F_VERSION_1);

	if (size < 8)
		return 0;
	for (unsigned i = 0; i < 32; i++)
		features |= (uint64_t)(data[i / 8] >> (i % 8) & 1) << i;
	if ((data[4] & 1) != 0)
		features |= VIRTIO_FEATURE(VIRTIO_F_RING_PACKED);
	room = data[5];
	memset(memory, 0, sizeof(memory));
	start(features);
	data += 6;
	size -= 6;
	/* Pieces of memory: where, how long, what; between them the device has a turn. */
	for (unsigned i = 0; i < 32 && size >= 4; i++) {
		size_t address = (size_t)(data[0] << 4 | data[1] << 12) % (MEMORY_BYTES - 256);
		size_t len_bytes = data[2] < size - 4 ? data[2] : size - 4;

		memcpy(memory + address, data + 4, len_bytes);
		rest = data + 4;
		rest_bytes = len_bytes;
		if (data[3] % 8 < QUEUES)
			(void)virtio_net_ops.serve(&net, data[3] % 8);
		else
			(void)virtio_net_ops.serve_backend(&net);
		data += 4 + len_bytes;
		size -= 4 + len_bytes;
	}
	return 0;
}
