/* Virtqueues of both kinds on rings that the input writes, between the device's calls. Checked besides the sanitizers: each call
 * does a bounded number of accesses, a chain is what its header says, and a broken queue touches nothing. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "drivers/virt/virtqueue.h"
#include "tests/fake/demand.h"
#include "tests/fake/guest_ram.h"

#define MEMORY_BYTES 0x2000U
#define STEP_BYTES   8U
#define STEPS_MAX    2048
#define HELD_MAX     16U
#define ACCESSES_MAX (2 * VIRTQUEUE_SEGMENTS_MAX + 8)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[MEMORY_BYTES];
static struct guest_ram ram;
static struct guest_memory guest;
static struct virtqueue queue;
static struct virtqueue_chain held[HELD_MAX];
static unsigned held_count;
static unsigned streak; /* of those held, how many were taken without another call in between */

static void check_chain(const struct virtqueue_chain *chain)
{
	uint64_t totals[2] = {0, 0};
	unsigned count = chain->readable_count + chain->writable_count;

	demand(count != 0 && count <= VIRTQUEUE_SEGMENTS_MAX);
	demand(chain->descriptors != 0 && chain->descriptors <= queue.state.size);
	for (unsigned i = 0; i < count; i++) {
		demand(chain->segments[i].len_bytes != 0);
		demand(chain->segments[i].len_bytes - 1 <= UINT64_MAX - chain->segments[i].address);
		totals[i >= chain->readable_count] += chain->segments[i].len_bytes;
	}
	demand(totals[0] == chain->readable_bytes && totals[1] == chain->writable_bytes);
}

static void take(void)
{
	enum status status;

	if (held_count == HELD_MAX)
		return;
	status = virtqueue_take(&queue, &held[held_count]);
	demand(status == OK || status == ERR_AGAIN || status == ERR_BAD_FORMAT);
	demand((status == ERR_BAD_FORMAT) == queue.state.broken);
	if (status != OK)
		return;
	check_chain(&held[held_count]);
	held_count++;
	streak++;
}

/* The oldest ones, as devices do; then those that are left move up. */
static void give_back(unsigned count, uint32_t written_bytes)
{
	count = count < held_count ? count : held_count;
	for (unsigned i = 0; i < count; i++)
		virtqueue_put(&queue, &held[i], written_bytes);
	virtqueue_publish(&queue);
	held_count -= count;
	memmove(held, held + count, held_count * sizeof(held[0]));
}

static void untake(unsigned count)
{
	count = count < streak ? count : streak;
	virtqueue_untake(&queue, &held[held_count - count], count);
	held_count -= count;
}

static void move_bytes(const uint8_t *input)
{
	uint8_t bytes[64] = {0};
	size_t offset = input[2] | (size_t)input[3] << 8, count = input[4] % sizeof(bytes), done;
	bool fault = false;

	if (held_count == 0)
		return;
	if ((input[1] & 1) != 0)
		done = virtqueue_read(&queue, &held[0], offset, bytes, count, &fault);
	else
		done = virtqueue_write(&queue, &held[0], offset, bytes, count, &fault);
	demand(done <= count);
}

static void step(const uint8_t *input)
{
	bool was_broken = queue.state.broken;
	bool touches = (input[0] & 15) >= 12; /* chains that were taken before */

	ram.reads = ram.writes = 0;
	if ((input[0] & 15) < 6) {
		unsigned at = (input[1] | (unsigned)input[2] << 8) % (MEMORY_BYTES - 4);

		memcpy(memory + at, input + 4, 1U << (input[3] & 1));
		return;
	}
	if ((input[0] & 15) < 9) {
		take();
	} else if ((input[0] & 15) == 9) {
		untake(input[1]);
		streak = 0;
	} else {
		streak = 0;
		switch (input[0] & 15) {
		case 10:
			give_back(1 + input[1] % 4, input[2]);
			break;
		case 11:
			(void)virtqueue_wants_interrupt(&queue);
			(void)virtqueue_enable_notify(&queue);
			virtqueue_disable_notify(&queue);
			break;
		default:
			move_bytes(input);
			break;
		}
	}
	demand(ram.reads + ram.writes <= ACCESSES_MAX);
	demand(!was_broken || touches || ram.reads + ram.writes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < STEP_BYTES)
		return 0;
	memset(memory, 0, sizeof(memory));
	ram = (struct guest_ram){.bytes = memory, .size_bytes = MEMORY_BYTES};
	guest = guest_ram_access(&ram);
	held_count = streak = 0;
	queue = (struct virtqueue){.memory = &guest};
	queue.state.size = (uint16_t)((data[0] & 1) != 0 ? 1U << (data[1] & 15) : data[1]);
	queue.state.descriptor_area = (data[2] & 15U) << 8;
	queue.state.driver_area = 0x1000U + ((data[3] & 15U) << 7);
	queue.state.device_area = 0x1800U + ((data[4] & 15U) << 7);
	(void)virtqueue_start(&queue, (uint64_t)(data[5] & 7) << VIRTIO_F_INDIRECT_DESC | VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |
					      ((data[5] & 8) != 0 ? VIRTIO_FEATURE(VIRTIO_F_RING_PACKED) : 0));
	data += STEP_BYTES;
	size -= STEP_BYTES;
	for (unsigned i = 0; i < STEPS_MAX && size >= STEP_BYTES; i++, data += STEP_BYTES, size -= STEP_BYTES)
		step(data);
	return 0;
}
