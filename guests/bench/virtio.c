/* What a kick and a request of a virtio disk cost. Command line: rounds=N. The disk is one of zeros; requests of 4 KiB are read one
 * after the other, the processor in HLT until the interrupt. Prints "bench NAME VALUE"; with bulkhead.ledger on the command line
 * the VMM counts exits: tools/bench_virtio.py takes the difference of two runs. */
#include <stddef.h>

#include "guests/bench/bench.h"
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/virtio.h"

#define VECTOR        0x60U
#define REQUEST_BYTES 4096U
#define SECTORS       2048U /* of a disk of 1 MiB */
#define READ          0U
#define WAIT_TICKS    2000000000ULL

static struct flat_virtio device;
static struct flat_virtqueue queue;
static uint32_t notify_port;
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header;
static uint8_t data[REQUEST_BYTES], status;
static volatile unsigned interrupts;

static INTERRUPT_HANDLER void on_interrupt(struct interrupt_frame *frame)
{
	(void)frame;
	interrupts++;
	apic_write(APIC_EOI, 0);
}

/* Of a queue in which nothing is. */
static void measure_doorbell(void)
{
	uint32_t empty;

	MEASURE("movl %[operand], %%edx", [operand] "m"(notify_port));
	empty = empty_ticks("empty_1");
	MEASURE("movl %[operand], %%edx\n\toutl %%eax, %%dx", [operand] "m"(notify_port));
	show("doorbell_ticks", median() - empty);
}

static bool read_once(uint64_t sector)
{
	const struct virtio_buffer buffers[] = {
		{&header, sizeof(header), 0}, {data, sizeof(data), VIRTIO_F_WRITE}, {&status, 1, VIRTIO_F_WRITE}};
	uint32_t written;
	uint16_t id;

	header.type = READ;
	header.sector = sector;
	status = 0xff;
	virtio_offer(&queue, 0, buffers, 3);
	virtio_notify(&queue);
	while (!virtio_take_used(&queue, &id, &written, 3)) {
		unsigned before = interrupts;

		interrupts_off();
		if (interrupts == before && !virtio_take_used(&queue, &id, &written, 3))
			interrupts_on_and_halt();
		else
			break;
	}
	interrupts_on();
	return status == 0;
}

void guest_main(const struct guest_flat_info *info)
{
	uint64_t rounds = flat_number((const char *)info->command_line_address, "rounds=", 1000), begin;

	exceptions_install();
	apic_enable(false);
	interrupt_handle(VECTOR, on_interrupt);
	if (!virtio_find(VIRTIO_TYPE_BLOCK, 0, &device) || !virtio_begin(&device, 0)) {
		print("bench: no disk\n");
		return;
	}
	virtio_queue_start(&device, &queue, 0, 0);
	virtio_queue_interrupt(&queue, VECTOR);
	virtio_go(&device);
	notify_port = (uint32_t)device.notify;
	if (!device.notify_is_port) {
		print("bench: no doorbell\n");
		return;
	}
	measure_doorbell();
	interrupts_on();
	begin = read_tsc();
	for (uint64_t round = 0; round < rounds; round++) {
		if (!read_once(round * (REQUEST_BYTES / 512) % SECTORS)) {
			print("bench: a request failed\n");
			return;
		}
	}
	show("virtio_blk_ticks_per_request", (uint32_t)((read_tsc() - begin) / rounds));
	for (unsigned round = 0; round < MARKED_ROUNDS; round++) {
		__asm__ volatile(MARK : : : "rbx");
		(void)read_once(0);
		__asm__ volatile(MARK : : : "rbx");
	}
	print("bench end\n");
}
