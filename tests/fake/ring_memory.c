/* Both kinds of rings from the driver's side, byte by byte as the specification has them. */
#include "tests/fake/ring_memory.h"

#include <string.h>

struct ring_memory ring;

#define VALUE(bits)                                                      \
	uint##bits##_t ring_get##bits(uint64_t address)                  \
	{                                                                \
		uint##bits##_t value;                                    \
                                                                         \
		memcpy(&value, ring.bytes + address, sizeof(value));     \
		return value;                                            \
	}                                                                \
                                                                         \
	void ring_put##bits(uint64_t address, uint##bits##_t value)      \
	{                                                                \
		memcpy(ring.bytes + address, &value, sizeof(value));     \
	}

VALUE(16)
VALUE(32)
VALUE(64)

void ring_start(uint16_t size, uint64_t features)
{
	memset(&ring, 0, sizeof(ring));
	ring.ram = (struct guest_ram){.bytes = ring.bytes, .size_bytes = RING_MEMORY_BYTES};
	ring.memory = guest_ram_access(&ring.ram);
	ring.wrap = true;
	ring.used_wrap = true;
	ring.queue.memory = &ring.memory;
	virtqueue_reset(&ring.queue);
	ring.queue.state.size = size;
	ring.queue.state.descriptor_area = RING_DESC;
	ring.queue.state.driver_area = RING_DRIVER;
	ring.queue.state.device_area = RING_DEVICE;
	(void)virtqueue_start(&ring.queue, features | VIRTIO_FEATURE(VIRTIO_F_VERSION_1));
}

void ring_split_descriptor(uint64_t table, unsigned index, const struct ring_buffer *buffer, uint16_t more_flags, uint16_t next)
{
	uint64_t at = table + index * 16;

	ring_put64(at, buffer->address);
	ring_put32(at + 8, buffer->len_bytes);
	ring_put16(at + 12, buffer->flags | more_flags);
	ring_put16(at + 14, next);
}

void ring_packed_descriptor(uint64_t table, unsigned index, uint64_t address, uint32_t len_bytes, uint16_t id, uint16_t flags)
{
	uint64_t at = table + index * 16;

	ring_put64(at, address);
	ring_put32(at + 8, len_bytes);
	ring_put16(at + 12, id);
	ring_put16(at + 14, flags);
}

void ring_offer_head(uint16_t head)
{
	ring_put16(RING_DRIVER + 4 + 2U * (ring.avail_index % ring.queue.state.size), head);
	ring.avail_index++;
	ring_put16(RING_DRIVER + 2, ring.avail_index);
}

static void offer_packed(uint16_t id, const struct ring_buffer *buffers, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = buffers[i].flags | (ring.wrap ? RING_F_AVAIL : RING_F_USED);

		flags |= i + 1 < count ? RING_F_NEXT : 0;
		ring_packed_descriptor(RING_DESC, ring.next, buffers[i].address, buffers[i].len_bytes, id, flags);
		ring.next++;
		if (ring.next == ring.queue.state.size) {
			ring.next = 0;
			ring.wrap = !ring.wrap;
		}
	}
}

void ring_offer(uint16_t head, const struct ring_buffer *buffers, unsigned count)
{
	if (virtqueue_is_packed(&ring.queue)) {
		offer_packed(head, buffers, count);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned index = (head + i) % ring.queue.state.size;

		ring_split_descriptor(RING_DESC, index, &buffers[i], i + 1 < count ? RING_F_NEXT : 0,
				      (uint16_t)((index + 1) % ring.queue.state.size));
	}
	ring_offer_head(head);
}

static bool used_packed(uint16_t *id, uint32_t *written_bytes, unsigned descriptors)
{
	uint64_t at = RING_DESC + ring.used_index * 16U;
	uint16_t flags = ring_get16(at + 14);

	if (((flags & RING_F_AVAIL) != 0) != ring.used_wrap || ((flags & RING_F_USED) != 0) != ring.used_wrap)
		return false;
	*id = ring_get16(at + 12);
	*written_bytes = (flags & RING_F_WRITE) != 0 ? ring_get32(at + 8) : 0;
	ring.used_index = (uint16_t)(ring.used_index + descriptors);
	if (ring.used_index >= ring.queue.state.size) {
		ring.used_index = (uint16_t)(ring.used_index - ring.queue.state.size);
		ring.used_wrap = !ring.used_wrap;
	}
	return true;
}

bool ring_used(uint16_t *id, uint32_t *written_bytes, unsigned descriptors)
{
	uint64_t at = RING_DEVICE + 4 + 8U * (ring.used_index % ring.queue.state.size);

	if (virtqueue_is_packed(&ring.queue))
		return used_packed(id, written_bytes, descriptors);
	if (ring_get16(RING_DEVICE + 2) == ring.used_index)
		return false;
	*id = (uint16_t)ring_get32(at);
	*written_bytes = ring_get32(at + 4);
	ring.used_index++;
	return true;
}
