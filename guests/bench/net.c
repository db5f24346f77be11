/* What frames between two VMs on one switch cost. Of two VMs that run this program one has the word "answers" on its command line.
 * The other sends, when it has heard from it:
 *
 *   rounds=N    a frame of 64 bytes to the other, which sends it back; both sleep in HLT until theirs comes: ticks of a round trip
 *   packets=N   packets of 65,214 bytes whose checksum and cutting are left to the card, then 45 times as many frames of 1,514
 *               bytes; for each half of the WINDOW the other sends a frame of 64 bytes: bytes, and ticks until the last one
 *
 * Prints "bench NAME VALUE"; with bulkhead.ledger on both command lines the host counts exits: tools/bench_virtio.py takes the
 * difference of two runs. Both have the mergeable receive buffers and the offloads that Linux's driver takes. */
#include <stddef.h>

#include "guests/bench/bench.h"
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/virtio.h"

#define RECEIVE_VECTOR 0x60U
#define RECEIVE_BYTES  4096U
#define NET_FEATURES                                                                                                     \
	(VIRTIO_BIT(0) | VIRTIO_BIT(1) | VIRTIO_BIT(7) | VIRTIO_BIT(11) | VIRTIO_BIT(15)) /* checksums, TSO4, merging */
#define NEEDS_CHECKSUM 1U
#define TCP4           1U
#define HEADERS_BYTES  54U /* Ethernet, IPv4, TCP */
#define SMALL_BYTES    64U
#define FRAME_BYTES    1514U
#define SEGMENTS       45U /* of a large packet */
#define PACKET_BYTES   (HEADERS_BYTES + SEGMENTS * 1448U)
#define ETHERTYPE_OWN  0x88b5U /* "local experimental" */
#define ETHERTYPE_IP   0x0800U
#define WINDOW         4U /* large packets; of small frames, SEGMENTS times as many */
#define HELLO_TICKS    20000000ULL
#define LAST_TICKS     100000000ULL

enum kind { HELLO = 1, BALL, ENOUGH };

struct net_header {
	uint8_t flags, type;
	uint16_t header_bytes, segment_bytes, checksum_start, checksum_offset, buffer_count;
} __attribute__((packed));

struct packet {
	struct net_header header;
	uint8_t to[6], from[6];
	uint8_t ethertype[2];
	uint8_t bytes[PACKET_BYTES - 14];
} __attribute__((packed));

static struct flat_virtio device;
static struct flat_virtqueue receive, transmit;
static _Alignas(4096) uint8_t buffers[VIRTIO_QUEUE_MAX][RECEIVE_BYTES];
static struct packet small, large;
static volatile unsigned interrupts;
static bool answers;

static INTERRUPT_HANDLER void on_interrupt(struct interrupt_frame *frame)
{
	(void)frame;
	interrupts++;
	apic_write(APIC_EOI, 0);
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void address(struct packet *packet, unsigned ethertype)
{
	static const uint8_t first[6] = {0x52, 0x54, 0, 0, 0, 1};

	for (unsigned i = 0; i < 6; i++)
		packet->to[i] = packet->from[i] = first[i];
	packet->from[5] = answers ? 2 : 1;
	packet->to[5] = answers ? 1 : 2;
	put16(packet->ethertype, ethertype);
}

/* TCP over IPv4 with so many bytes, headers included. */
static void make_large(unsigned len_bytes)
{
	uint8_t *ip = large.bytes, *tcp = ip + 20;

	address(&large, ETHERTYPE_IP);
	ip[0] = 0x45;
	put16(ip + 2, len_bytes - 14);
	ip[8] = 64;
	ip[9] = 6;
	tcp[12] = 5 << 4;
	large.header = (struct net_header){.flags = 0};
	if (len_bytes > FRAME_BYTES)
		large.header = (struct net_header){.flags = NEEDS_CHECKSUM,
						   .type = TCP4,
						   .header_bytes = HEADERS_BYTES,
						   .segment_bytes = 1448,
						   .checksum_start = 34,
						   .checksum_offset = 16};
}

static void notify_if_wanted(const struct flat_virtqueue *queue)
{
	__asm__ volatile("mfence" : : : "memory");
	if ((queue->used[0] & 1) == 0)
		virtio_notify(queue);
}

/* What was sent is looked at only where there is no more room: the device says nothing of it. */
static void send(const struct packet *packet, uint32_t len_bytes)
{
	const struct virtio_buffer buffer = {packet, (uint32_t)sizeof(packet->header) + len_bytes, 0};
	uint32_t written_bytes;
	uint16_t id;

	while ((uint16_t)(transmit.next - transmit.used_next) == transmit.size)
		(void)virtio_take_used(&transmit, &id, &written_bytes, 1);
	virtio_offer(&transmit, transmit.next % transmit.size, &buffer, 1);
	notify_if_wanted(&transmit);
}

static void send_small(enum kind kind)
{
	small.bytes[0] = (uint8_t)kind;
	send(&small, SMALL_BYTES);
}

static void give_buffer(uint16_t id)
{
	const struct virtio_buffer buffer = {buffers[id], RECEIVE_BYTES, VIRTIO_F_WRITE};

	virtio_offer(&receive, id, &buffer, 1);
}

/* Without interrupts it looks once more before HLT: nothing that came in between is slept over. */
static uint32_t wait_buffer(uint16_t *id)
{
	uint32_t written_bytes;

	while (!virtio_take_used(&receive, id, &written_bytes, 1)) {
		unsigned before = interrupts;

		interrupts_off();
		if (interrupts == before && (uint16_t)(receive.used[0] >> 16) == receive.used_next)
			interrupts_on_and_halt();
		interrupts_on();
	}
	return written_bytes;
}

/* The next packet. Returns its kind, 0 for a packet of data; its buffers go back at once. */
static unsigned take(void)
{
	const struct packet *packet;
	unsigned kind, count;
	uint16_t id;

	(void)wait_buffer(&id);
	packet = (const struct packet *)(const void *)buffers[id];
	count = packet->header.buffer_count;
	kind = packet->ethertype[0] == ETHERTYPE_OWN >> 8 ? packet->bytes[0] : 0;
	give_buffer(id);
	while (--count > 0) {
		(void)wait_buffer(&id);
		give_buffer(id);
	}
	notify_if_wanted(&receive);
	return kind;
}

static void wait_for(enum kind kind)
{
	while (take() != (unsigned)kind)
		;
}

static bool start(void)
{
	if (!virtio_find(VIRTIO_TYPE_NET, 0, &device) || !virtio_begin(&device, NET_FEATURES) ||
	    (device.features & NET_FEATURES) != NET_FEATURES)
		return false;
	virtio_queue_start(&device, &receive, 0, 0);
	virtio_queue_interrupt(&receive, RECEIVE_VECTOR);
	virtio_queue_start(&device, &transmit, 1, 0);
	transmit.driver[0] = 1; /* no interrupts of it */
	virtio_go(&device);
	for (uint16_t id = 0; id < receive.size; id++)
		give_buffer(id);
	virtio_notify(&receive);
	address(&small, ETHERTYPE_OWN);
	return true;
}

static void hello(void)
{
	uint64_t next = 0;

	while (receive.used[0] >> 16 == 0) {
		if (read_tsc() >= next) {
			send_small(HELLO);
			next = read_tsc() + HELLO_TICKS;
		}
	}
}

static void answer(uint64_t rounds, uint64_t packets)
{
	hello();
	for (uint64_t round = 0; rounds > 0 && round < rounds + MARKED_ROUNDS; round++) {
		wait_for(BALL);
		send_small(BALL);
	}
	for (uint64_t packet = 1; packet <= packets * (1 + SEGMENTS); packet++) {
		unsigned half = packet <= packets ? WINDOW / 2 : WINDOW / 2 * SEGMENTS;

		wait_for(0);
		if ((packet <= packets ? packet : packet - packets) % half == 0)
			send_small(ENOUGH);
	}
}

static void play(uint64_t rounds)
{
	uint64_t begin = read_tsc();

	for (uint64_t round = 0; round < rounds; round++) {
		send_small(BALL);
		wait_for(BALL);
	}
	if (rounds == 0)
		return;
	show("virtio_net_round_trip", (uint32_t)((read_tsc() - begin) / rounds));
	for (unsigned round = 0; round < MARKED_ROUNDS; round++) {
		__asm__ volatile(MARK : : : "rbx");
		send_small(BALL);
		wait_for(BALL);
		__asm__ volatile(MARK : : : "rbx");
	}
}

/* Some number of packets: a multiple of the window. */
static void stream(uint64_t packets, unsigned window, unsigned len_bytes, const char *bytes, const char *taken)
{
	uint64_t begin = read_tsc(), outstanding = 0;

	make_large(len_bytes);
	for (uint64_t packet = 0; packet < packets; packet++) {
		if (outstanding == window) {
			wait_for(ENOUGH);
			outstanding -= window / 2;
		}
		send(&large, len_bytes);
		outstanding++;
	}
	for (; outstanding > 0; outstanding -= window / 2)
		wait_for(ENOUGH);
	show(taken, (uint32_t)(read_tsc() - begin));
	show(bytes, (uint32_t)(packets * len_bytes));
}

void guest_main(const struct guest_flat_info *info)
{
	const char *words = (const char *)info->command_line_address;
	uint64_t rounds = flat_number(words, "rounds=", 0), packets = flat_number(words, "packets=", 0);
	uint64_t begin;

	answers = flat_find(words, "answers") != NULL;
	exceptions_install();
	apic_enable(false);
	interrupt_handle(RECEIVE_VECTOR, on_interrupt);
	packets -= packets % WINDOW;
	if (!start()) {
		print("bench: no network card\n");
		return;
	}
	interrupts_on();
	if (answers) {
		answer(rounds, packets);
	} else {
		wait_for(HELLO);
		play(rounds);
		if (packets > 0) {
			stream(packets, WINDOW, PACKET_BYTES, "large_bytes", "large_ticks");
			stream(packets * SEGMENTS, WINDOW * SEGMENTS, FRAME_BYTES, "small_bytes", "small_ticks");
		}
	}
	for (begin = read_tsc(); read_tsc() < begin + LAST_TICKS;) /* the other has its last one */
		;
	print("bench end\n");
}
