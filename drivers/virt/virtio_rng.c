/* One queue, no configuration, no features: the smallest virtio device. */
#include "drivers/virt/virtio_rng.h"

#define CLASS_OTHERS 0xff0000U /* PCI's class of devices that fit no other */

/* False: there is nothing to fill it with. */
static bool fill(struct virtio_rng *rng, struct virtqueue *queue)
{
	uint8_t bytes[VIRTIO_RNG_BUFFER_BYTES];
	size_t wanted = rng->chain.writable_bytes;
	size_t count = 0;

	wanted = wanted < sizeof(bytes) ? wanted : sizeof(bytes);
	if (wanted != 0)
		count = rng->wires.take(rng->wires.ctx, bytes, wanted);
	if (count == 0 && wanted != 0)
		return false;
	count = virtqueue_write(queue, &rng->chain, 0, bytes, count, NULL);
	virtqueue_return(queue, &rng->chain, (uint32_t)count);
	return true;
}

static bool serve(void *model, unsigned index)
{
	struct virtio_rng *rng = model;
	struct virtqueue *queue = &rng->transport->queues[index];
	bool has_more = true;

	for (unsigned i = 0; i < VIRTIO_RNG_TURN_BUFFERS && has_more; i++) {
		has_more = virtqueue_take(queue, &rng->chain) == OK;
		if (has_more && !fill(rng, queue)) {
			/* A guest that waits for bytes that cannot come is told: it does without the device. */
			virtio_fail(rng->transport);
			return false;
		}
	}
	virtio_interrupt_queue(rng->transport, index);
	return has_more;
}

const struct virtio_ops virtio_rng_ops = {
	.name = "virtio-rng",
	.device_id = VIRTIO_ID_ENTROPY,
	.class_code = CLASS_OTHERS,
	.serve = serve,
};
