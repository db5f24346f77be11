/* Descriptors in both kinds of rings and in tables, at good places mostly: a chain that makes no sense at all ends each input. */
#include "tests/fake/hostile_queue.h"

#include "drivers/virt/virtio_registers.h"

#define QUEUE_BYTES 0x300U /* from one queue's areas to the next's */
#define DRIVER_AT   0x100U
#define DEVICE_AT   0x180U
#define TABLES      0x6000U
#define TABLE_BYTES 0x100U
#define SIZE_MAX_OF 16U
#define BUFFERS_MAX 4U

#define F_NEXT     0x1U
#define F_WRITE    0x2U
#define F_INDIRECT 0x4U
#define F_AVAIL    0x80U
#define F_USED     0x8000U

struct buffer {
	uint64_t address;
	uint32_t len_bytes;
	uint16_t flags;
};

static void put(uint64_t address, const void *bytes, size_t len_bytes)
{
	if (guest_ram_has(&hostile_ram, address, len_bytes))
		memcpy(hostile_ram.bytes + address, bytes, len_bytes);
}

static void put16(uint64_t address, unsigned value)
{
	uint16_t word = (uint16_t)value;

	put(address, &word, sizeof(word));
}

static void put_descriptor(uint64_t at, const struct buffer *buffer, unsigned third, unsigned fourth)
{
	put(at, &buffer->address, 8);
	put(at + 8, &buffer->len_bytes, 4);
	put16(at + 12, third);
	put16(at + 14, fourth);
}

void hostile_queues_reset(void)
{
	memset(hostile.queues, 0, sizeof(hostile.queues));
}

/* Where a queue's areas are: at its own place, all of them anywhere, one of them anywhere; and its size. */
static void pick_areas(struct hostile_queue *queue, unsigned index, unsigned how, struct fuzz_input *input)
{
	uint32_t base = how >> 5 == 7 ? fuzz_u16(input) * 16U : index * QUEUE_BYTES;

	queue->size = (uint16_t)(queue->is_packed ? 1 + how % SIZE_MAX_OF : 1U << how % 5);
	queue->descriptors = base;
	queue->driver = base + DRIVER_AT;
	queue->device = base + DEVICE_AT;
	if (how >> 5 == 6)
		queue->size = fuzz_u16(input);
	else if (how >> 5 == 5)
		queue->driver = fuzz_u16(input) * 4U;
	else if (how >> 5 == 4)
		queue->device = fuzz_u16(input) * 4U;
}

void hostile_queue_set_up(unsigned index, struct fuzz_input *input)
{
	struct hostile_queue *queue = &hostile.queues[index];
	unsigned how = fuzz_u8(input);

	queue->is_packed = (hostile.device.state.driver_features >> VIRTIO_F_RING_PACKED & 1) != 0;
	pick_areas(queue, index, how, input);
	queue->next = queue->avail_index = 0;
	queue->wrap = true;
	hostile_write(VIRTIO_COMMON_QUEUE_SELECT, 2, index);
	hostile_write(VIRTIO_COMMON_QUEUE_SIZE, 2, queue->size);
	hostile_write(VIRTIO_COMMON_QUEUE_DESC, 4, queue->descriptors);
	hostile_write(VIRTIO_COMMON_QUEUE_DRIVER, 4, queue->driver);
	hostile_write(VIRTIO_COMMON_QUEUE_DEVICE, 4, queue->device);
	if ((how & 0x10) != 0) { /* as a guest that begins anew leaves its memory */
		put16(queue->driver + 2, 0);
		put16(queue->device + 2, 0);
	}
	hostile_write(VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
	if (queue->size == 0 || queue->size > SIZE_MAX_OF)
		queue->size = SIZE_MAX_OF;
}

static uint64_t pick_address(unsigned how, struct fuzz_input *input)
{
	switch (how & 7) {
	case 5:
		return fuzz_u16(input) % HOSTILE_DATA; /* its own rings and tables */
	case 6:
		return HOSTILE_RAM_BYTES - fuzz_u8(input);
	case 7:
		return (how & 0x80) != 0 ? UINT64_MAX - fuzz_u8(input) : 0xd0000000ULL;
	default:
		return HOSTILE_DATA + fuzz_u16(input) % 0x8000U;
	}
}

static uint32_t pick_length(unsigned how, struct fuzz_input *input)
{
	switch (how >> 3 & 7) {
	case 3:
		return 0x1000U * (1U + fuzz_u8(input) % 8U);
	case 4:
		return fuzz_u16(input) + ((how & 0x80) != 0 ? 0x10000U : 0);
	case 5:
		return 513; /* a sector and a status */
	case 6:
		return 1;
	case 7:
		return (how & 0x80) != 0 ? fuzz_u32(input) : 0;
	default:
		return 1U + fuzz_u8(input);
	}
}

static struct buffer pick_buffer(struct fuzz_input *input)
{
	unsigned how = fuzz_u8(input);

	return (struct buffer){.address = pick_address(how, input), .len_bytes = pick_length(how, input)};
}

/* What the driver would send, for the device to read. */
static struct buffer pick_message(const struct hostile_type *type, struct fuzz_input *input)
{
	uint8_t bytes[HOSTILE_MESSAGE_BYTES];
	uint64_t address = HOSTILE_DATA + fuzz_u8(input) * 16U;
	size_t len_bytes = type->message == NULL ? 0 : type->message(input, bytes);

	put(address, bytes, len_bytes);
	return (struct buffer){.address = address, .len_bytes = (uint32_t)len_bytes};
}

/* Readable ones first, a message in front of them if there are any. */
static unsigned pick_buffers(const struct hostile_type *type, struct buffer buffers[BUFFERS_MAX], struct fuzz_input *input)
{
	unsigned how = fuzz_u8(input), count = 1 + how % BUFFERS_MAX, readable = (how >> 2) % (count + 1);

	for (unsigned i = 0; i < count; i++) {
		buffers[i] = i == 0 && readable > 0 && (how & 0x80) == 0 ? pick_message(type, input) : pick_buffer(input);
		buffers[i].flags = (uint16_t)(i >= readable ? F_WRITE : 0);
	}
	if ((how & 0x70) == 0x70)
		buffers[how % count].flags ^= (uint16_t)(fuzz_u8(input) & (F_NEXT | F_WRITE | F_INDIRECT));
	return count;
}

static void put_packed(struct hostile_queue *queue, const struct buffer *buffer, unsigned id, unsigned more)
{
	put_descriptor(queue->descriptors + queue->next * 16U, buffer, id, buffer->flags | more | (queue->wrap ? F_AVAIL : F_USED));
	queue->next++;
	if (queue->next >= queue->size) {
		queue->next = 0;
		queue->wrap = !queue->wrap;
	}
}

static void offer_head(struct hostile_queue *queue, unsigned head)
{
	put16(queue->driver + 4 + 2U * (queue->avail_index % queue->size), head);
	queue->avail_index++;
	put16(queue->driver + 2, queue->avail_index);
}

static void offer(struct hostile_queue *queue, const struct buffer *buffers, unsigned count, unsigned id)
{
	unsigned first = queue->next;

	for (unsigned i = 0; i < count; i++) {
		unsigned more = i + 1 < count ? F_NEXT : 0;

		if (queue->is_packed) {
			put_packed(queue, &buffers[i], id, more);
			continue;
		}
		put_descriptor(queue->descriptors + (first + i) % queue->size * 16U, &buffers[i], buffers[i].flags | more,
			       (first + i + 1) % queue->size);
	}
	if (queue->is_packed)
		return;
	offer_head(queue, first % queue->size);
	queue->next = (uint16_t)((first + count) % queue->size);
}

static void offer_table(struct hostile_queue *queue, const struct buffer *buffers, unsigned count, struct fuzz_input *input)
{
	unsigned how = fuzz_u8(input);
	struct buffer table = {TABLES + how % 32 * TABLE_BYTES, count * 16, F_INDIRECT};

	for (unsigned i = 0; i < count; i++) {
		unsigned flags = buffers[i].flags | (i + 1 < count ? F_NEXT : 0);

		if (queue->is_packed)
			put_descriptor(table.address + i * 16U, &buffers[i], i, flags);
		else
			put_descriptor(table.address + i * 16U, &buffers[i], flags, i + 1);
	}
	if ((how & 0xe0) == 0xe0)
		table.len_bytes = fuzz_u16(input);
	offer(queue, &table, 1, how);
}

/* One descriptor anywhere in the ring, whatever it links to. */
static void put_any(struct hostile_queue *queue, struct fuzz_input *input)
{
	struct buffer buffer = pick_buffer(input);
	uint64_t at = queue->descriptors + fuzz_u8(input) % queue->size * 16U;
	unsigned third = fuzz_u8(input);

	put_descriptor(at, &buffer, third, queue->is_packed ? fuzz_u16(input) : fuzz_u8(input));
}

unsigned hostile_queue_step(unsigned what, const struct hostile_type *type, struct fuzz_input *input)
{
	unsigned index = fuzz_u8(input) % hostile.device.config.queue_count;
	struct hostile_queue *queue = &hostile.queues[index];
	struct buffer buffers[BUFFERS_MAX];
	unsigned count;

	switch (what) {
	case 0:
		put_any(queue, input);
		break;
	case 1: /* a jump, far or not */
		queue->avail_index = (uint16_t)(queue->avail_index + (fuzz_u8(input) & 0x80 ? fuzz_u16(input) : 1));
		put16(queue->driver + 2, queue->avail_index);
		break;
	case 2:
		offer_head(queue, fuzz_u8(input));
		break;
	case 3: /* what the guest wants to hear of */
		put16(queue->driver + (queue->is_packed ? fuzz_u8(input) % 4U : 0), fuzz_u16(input));
		put16(queue->driver + 4 + 2U * queue->size, fuzz_u16(input));
		break;
	case 4:
	case 5:
	case 6:
		count = pick_buffers(type, buffers, input);
		offer_table(queue, buffers, count, input);
		break;
	default:
		count = pick_buffers(type, buffers, input);
		offer(queue, buffers, count, fuzz_u8(input));
		break;
	}
	return index;
}
