/* Chains by number, in order of their offer. */
#include "tests/fake/virtio_chains.h"

#include <stdlib.h>
#include <string.h>

#define SPACING 16U

struct fake_virtio fake_virtio;

static unsigned index_of(const struct virtqueue *queue)
{
	return (unsigned)(queue - fake_virtio.device.queues);
}

void fake_virtio_reset(uint64_t features)
{
	memset(&fake_virtio, 0, sizeof(fake_virtio));
	fake_virtio.device.state.driver_features = features;
	fake_virtio.device.state.status = VIRTIO_STATUS_DRIVER_OK;
}

static uint64_t place(const void *bytes, size_t len_bytes)
{
	uint64_t address = fake_virtio.used_bytes;

	if (len_bytes > FAKE_MEMORY_BYTES - address)
		abort();
	if (bytes != NULL)
		memcpy(fake_virtio.memory + address, bytes, len_bytes);
	fake_virtio.used_bytes += (len_bytes + SPACING) & ~(uint64_t)(SPACING - 1);
	return address;
}

unsigned fake_offer_segments(unsigned queue, const struct virtqueue_segment *segments, unsigned count, unsigned writable_count)
{
	struct fake_chain *fake = &fake_virtio.chains[fake_virtio.chain_count];

	if (fake_virtio.chain_count == FAKE_CHAINS_MAX)
		abort();
	*fake = (struct fake_chain){.queue = queue};
	fake->chain.id = (uint16_t)fake_virtio.chain_count;
	fake->chain.descriptors = (uint16_t)count;
	fake->chain.readable_count = (uint16_t)(count - writable_count);
	fake->chain.writable_count = (uint16_t)writable_count;
	for (unsigned i = 0; i < count; i++) {
		fake->chain.segments[i] = segments[i];
		if (i < count - writable_count)
			fake->chain.readable_bytes += segments[i].len_bytes;
		else
			fake->chain.writable_bytes += segments[i].len_bytes;
	}
	return fake_virtio.chain_count++;
}

unsigned fake_offer(unsigned queue, const void *readable, size_t readable_bytes, size_t writable_bytes)
{
	struct virtqueue_segment segments[2];
	unsigned count = 0;

	if (readable_bytes != 0)
		segments[count++] = (struct virtqueue_segment){place(readable, readable_bytes), (uint32_t)readable_bytes};
	if (writable_bytes != 0)
		segments[count++] = (struct virtqueue_segment){place(NULL, writable_bytes), (uint32_t)writable_bytes};
	return fake_offer_segments(queue, segments, count, writable_bytes != 0);
}

const uint8_t *fake_written(unsigned number)
{
	const struct virtqueue_chain *chain = &fake_virtio.chains[number].chain;

	return fake_virtio.memory + chain->segments[chain->readable_count].address;
}

unsigned fake_returned_count(unsigned queue)
{
	unsigned count = 0;

	for (unsigned i = 0; i < fake_virtio.chain_count; i++)
		count += fake_virtio.chains[i].queue == queue && fake_virtio.chains[i].returned;
	return count;
}

static bool is_there(unsigned queue, unsigned i)
{
	return fake_virtio.chains[i].queue == queue && !fake_virtio.chains[i].taken;
}

enum status virtqueue_take(struct virtqueue *queue, struct virtqueue_chain *chain)
{
	unsigned index = index_of(queue);

	if (fake_virtio.broken_queue == index + 1)
		return ERR_BAD_FORMAT;
	for (unsigned i = 0; i < fake_virtio.chain_count; i++) {
		if (is_there(index, i)) {
			fake_virtio.chains[i].taken = true;
			*chain = fake_virtio.chains[i].chain;
			return OK;
		}
	}
	return ERR_AGAIN;
}

void virtqueue_untake(struct virtqueue *queue, const struct virtqueue_chain *chains, unsigned count)
{
	(void)queue;
	for (unsigned i = 0; i < count; i++) {
		struct fake_chain *fake = &fake_virtio.chains[chains[i].id];

		if (!fake->taken || fake->returned)
			abort();
		fake->taken = false;
	}
}

void virtqueue_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	struct fake_chain *fake = &fake_virtio.chains[chain->id];

	if (fake->queue != index_of(queue) || !fake->taken || fake->returned)
		abort();
	fake->returned = true;
	fake->written_bytes = written_bytes;
}

void virtqueue_publish(struct virtqueue *queue)
{
	(void)queue;
}

void virtqueue_return(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	virtqueue_put(queue, chain, written_bytes);
}

bool virtqueue_enable_notify(struct virtqueue *queue)
{
	for (unsigned i = 0; i < fake_virtio.chain_count; i++) {
		if (is_there(index_of(queue), i))
			return true;
	}
	return false;
}

void virtqueue_disable_notify(struct virtqueue *queue)
{
	(void)queue;
}

/* Copies by pieces: true for each byte that lies in memory. */
static size_t copy(const struct virtqueue_segment *segments, unsigned count, size_t offset, uint8_t *out, const uint8_t *in,
		   size_t len_bytes, bool *fault)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < len_bytes; i++) {
		for (; offset < segments[i].len_bytes && done < len_bytes; offset++, done++) {
			uint64_t address = segments[i].address + offset;

			if (address >= FAKE_MEMORY_BYTES) {
				if (fault != NULL)
					*fault = true;
				return done;
			}
			if (out != NULL)
				out[done] = fake_virtio.memory[address];
			else
				fake_virtio.memory[address] = in[done];
		}
		offset -= segments[i].len_bytes;
		if (done == len_bytes)
			break;
	}
	return done;
}

size_t virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, void *out,
		      size_t len_bytes, bool *fault)
{
	(void)queue;
	return copy(chain->segments, chain->readable_count, offset, out, NULL, len_bytes, fault);
}

size_t virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, const void *bytes,
		       size_t len_bytes, bool *fault)
{
	(void)queue;
	return copy(chain->segments + chain->readable_count, chain->writable_count, offset, NULL, bytes, len_bytes, fault);
}

bool virtio_is_running(const struct virtio *device)
{
	return (device->state.status & VIRTIO_STATUS_DRIVER_OK) != 0;
}

bool virtio_has_feature(const struct virtio *device, unsigned bit)
{
	return (device->state.driver_features & VIRTIO_FEATURE(bit)) != 0;
}

void virtio_interrupt_queue(struct virtio *device, unsigned queue)
{
	(void)device;
	fake_virtio.interrupts[queue]++;
}

void virtio_config_changed(struct virtio *device)
{
	(void)device;
	fake_virtio.config_changes++;
}

void virtio_fail(struct virtio *device)
{
	(void)device;
	fake_virtio.has_failed = true;
}
