/* A flood on a switch, and two who exchange frames meanwhile (docs/networks.md). Command line: "role=one" measures, "role=two"
 * sends back what it gets, "role=flood" and "role=slow" flood as "one" orders by a frame. Card n has the address
 * 52:54:00:00:00:0n.
 *
 * "one" sends frames of 1514 bytes for PERIOD_MS, then one each PACE_US for as long, and prints for each kind of flood of each
 * flooder: "flood N KIND: E echoes, L lost, longest wait U us; paced: ...; S of the flood". As many as it can: FRAMES_IN_FLIGHT are
 * under way at once.
 *
 * "role=deaths": as "one" without a flood, but kills the switch (tests/programs/dying_switch.c) between its periods:
 * "deaths N: E echoes, L lost, ...", with N from 0 to DEATHS.
 *
 * One file because all roles speak the same frames. */
#include <stddef.h>

#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/virtio.h"

#define VECTOR           0x60U
#define HEADER_BYTES     12U
#define FRAME_BYTES      1514U
#define SHORT_BYTES      60U
#define PACKET_BYTES     65014U /* an Ethernet header and an IPv4 packet of 65000 bytes */
#define BUFFER_BYTES     2048U
#define FRAMES_IN_FLIGHT 32U
#define SETTLE_MS        20U
#define SETTLE_TIMES     50U
#define PERIOD_MS        100U
#define PATIENCE_MS      100U /* then what is under way is lost */
#define PACE_US          1000U
#define FEATURE_CSUM     0
#define FEATURE_TSO4     11
#define NEEDS_CHECKSUM   1U
#define TCP4             1U
#define RECEIVE          0U
#define TRANSMIT         1U

/* Places in a frame, and what is there. */
#define SOURCE    6U
#define TYPE      12U
#define KIND      14U
#define ORDER     15U
#define OUR_TYPE  0x88b5U /* for experiments in one's own network: IEEE Std 802 */
#define DYING_TYPE 0x88b6U
#define DEATHS    4U /* of the last one, the switch does not recover */
#define KIND_PING 1U
#define KIND_ECHO 2U
#define KIND_GO   3U
#define KIND_OK   4U /* the flooder follows the order */

enum order { QUIET, BROADCASTS, SHORT_BROADCASTS, UNKNOWN, FORGED, TO_TWO, SHORT_TO_TWO, PACKETS_TO_TWO, ORDERS };
static const char *const order_names[ORDERS] = {
	"nothing", "broadcasts", "short broadcasts", "unknown destinations", "forged sources", "frames to two",
	"short frames to two", "packets to two",
};
enum card { NOBODY, ONE, TWO, FLOODER, SLOW_FLOODER, BROADCAST = 0xff };

struct buffer {
	uint8_t header[HEADER_BYTES];
	uint8_t frame[BUFFER_BYTES - HEADER_BYTES];
};

static struct flat_virtio device;
static struct flat_virtqueue receive_queue, transmit_queue;
static struct buffer received[VIRTIO_QUEUE_MAX], sent[VIRTIO_QUEUE_MAX];
static struct {
	uint8_t header[HEADER_BYTES];
	uint8_t frame[PACKET_BYTES];
} flood_packet;
static uint16_t sent_ids; /* that were used once since the start */
static uint8_t *last_sent;
static uint64_t ticks_per_ms;

static INTERRUPT_HANDLER void on_interrupt(struct interrupt_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_address(uint8_t *at, enum card card)
{
	const uint8_t address[6] = {0x52, 0x54, 0, 0, 0, (uint8_t)card};

	for (unsigned i = 0; i < sizeof(address); i++)
		at[i] = card == BROADCAST ? 0xff : address[i];
}

static void offer_buffer(uint16_t id)
{
	const struct virtio_buffer buffer = {&received[id], BUFFER_BYTES, VIRTIO_F_WRITE};

	virtio_offer(&receive_queue, id, &buffer, 1);
}

/* A reset, then all anew. */
static bool start_card(void)
{
	if (!virtio_begin(&device, VIRTIO_BIT(FEATURE_CSUM) | VIRTIO_BIT(FEATURE_TSO4)))
		return false;
	virtio_queue_start(&device, &receive_queue, RECEIVE, 0);
	virtio_queue_start(&device, &transmit_queue, TRANSMIT, 0);
	virtio_queue_interrupt(&receive_queue, VECTOR);
	transmit_queue.driver[0] = 1; /* no interrupts */
	virtio_go(&device);
	sent_ids = 0;
	for (uint16_t id = 0; id < receive_queue.size; id++)
		offer_buffer(id);
	virtio_notify(&receive_queue);
	return true;
}

/* The next frame that arrived, or NULL; offer_buffer(*id) gives it back. */
static const uint8_t *next_frame(uint16_t *id)
{
	uint32_t written_bytes;

	return virtio_take_used(&receive_queue, id, &written_bytes, 1) ? received[*id].frame : NULL;
}

static bool is_of(const uint8_t *frame, unsigned kind)
{
	return frame[TYPE] == OUR_TYPE >> 8 && frame[TYPE + 1] == (OUR_TYPE & 0xff) && frame[KIND] == kind;
}

/* False: all buffers are under way. Without notification. */
static bool send(enum card from, enum card to, unsigned kind, unsigned order)
{
	struct virtio_buffer buffer = {.len_bytes = HEADER_BYTES + FRAME_BYTES};
	uint16_t id = sent_ids;
	uint32_t written_bytes;

	if (id < transmit_queue.size)
		sent_ids++;
	else if (!virtio_take_used(&transmit_queue, &id, &written_bytes, 1))
		return false;
	put_address(sent[id].frame, to);
	put_address(sent[id].frame + SOURCE, from);
	put16(sent[id].frame + TYPE, OUR_TYPE);
	sent[id].frame[KIND] = (uint8_t)kind;
	sent[id].frame[ORDER] = (uint8_t)order;
	buffer.bytes = &sent[id];
	last_sent = sent[id].frame;
	virtio_offer(&transmit_queue, id, &buffer, 1);
	return true;
}

/* Until a frame comes, or that time. One that came since it was looked for has its interrupt waiting. */
static void sleep_until(uint64_t deadline_tsc)
{
	write_msr(MSR_TSC_DEADLINE, deadline_tsc);
	interrupts_on_and_halt();
	interrupts_off();
}

/* Role "two". */
static void send_back(void)
{
	for (;;) {
		unsigned count = 0;
		const uint8_t *frame;
		uint16_t id;

		while ((frame = next_frame(&id)) != NULL) {
			if (is_of(frame, KIND_PING))
				send(TWO, ONE, KIND_ECHO, frame[ORDER]);
			offer_buffer(id);
			count++;
		}
		virtio_notify(&receive_queue);
		virtio_notify(&transmit_queue);
		if (count == 0)
			sleep_until(UINT64_MAX);
	}
}

struct measurement {
	uint64_t echoes, lost, strangers, longest_ticks;
	unsigned in_flight;
	bool is_obeyed;
	uint64_t last_tsc; /* when an echo came, or patience ended */
	uint64_t pace_ticks, next_tsc; /* 0: no pace; else when the next one is sent */
};

static void take_frames(struct measurement *m)
{
	const uint8_t *frame;
	uint16_t id;

	while ((frame = next_frame(&id)) != NULL) {
		uint64_t now = read_tsc();

		if (is_of(frame, KIND_ECHO)) {
			m->echoes++;
			m->in_flight -= m->in_flight > 0;
			m->longest_ticks = now - m->last_tsc > m->longest_ticks ? now - m->last_tsc : m->longest_ticks;
			m->last_tsc = now;
		} else if (is_of(frame, KIND_OK)) {
			m->is_obeyed = true;
		} else {
			m->strangers++;
		}
		offer_buffer(id);
	}
	virtio_notify(&receive_queue);
}

/* Returns until when nothing is to be sent, but for what an echo makes room for. */
static uint64_t send_frames(struct measurement *m)
{
	if (m->pace_ticks != 0) {
		for (; m->next_tsc <= read_tsc(); m->next_tsc += m->pace_ticks)
			m->in_flight += send(ONE, TWO, KIND_PING, 0);
		virtio_notify(&transmit_queue);
		return m->next_tsc;
	}
	if (m->in_flight < FRAMES_IN_FLIGHT / 2) {
		while (m->in_flight < FRAMES_IN_FLIGHT && send(ONE, TWO, KIND_PING, 0))
			m->in_flight++;
		virtio_notify(&transmit_queue);
	}
	return read_tsc() + PATIENCE_MS * ticks_per_ms;
}

static void exchange(uint64_t ms, uint64_t pace_us, struct measurement *m)
{
	uint64_t begin_tsc = read_tsc();

	*m = (struct measurement){.last_tsc = begin_tsc, .next_tsc = begin_tsc, .pace_ticks = pace_us * ticks_per_ms / 1000};
	while (read_tsc() - begin_tsc < ms * ticks_per_ms) {
		take_frames(m);
		if (read_tsc() - m->last_tsc > PATIENCE_MS * ticks_per_ms) {
			m->lost += m->in_flight;
			m->in_flight = 0;
			m->last_tsc = read_tsc();
		}
		sleep_until(send_frames(m));
	}
}

static void show(const struct measurement *m)
{
	print_number(m->echoes);
	print(" echoes, ");
	print_number(m->lost);
	print(" lost, longest wait ");
	print_number(m->longest_ticks * 1000 / ticks_per_ms);
	print(" us; ");
}

static void measure(enum card flooder, enum order order)
{
	struct measurement settling, fast, paced;
	unsigned times = 0;

	while (!send(ONE, flooder, KIND_GO, order))
		;
	do
		exchange(SETTLE_MS, 0, &settling);
	while (!settling.is_obeyed && times++ < SETTLE_TIMES);
	exchange(SETTLE_MS, 0, &settling);
	exchange(PERIOD_MS, 0, &fast);
	exchange(SETTLE_MS, PACE_US, &settling);
	exchange(PERIOD_MS, PACE_US, &paced);
	print("flood ");
	print_number(flooder);
	print(" ");
	print(order_names[order]);
	print(": ");
	show(&fast);
	print("paced: ");
	show(&paced);
	print_number(fast.strangers + paced.strangers);
	print(" of the flood\n");
}

/* Role "one". The first period is not counted: other VMs start. */
static void measure_all(void)
{
	struct measurement starting;

	exchange(PERIOD_MS, 0, &starting);
	for (enum order order = QUIET; order < ORDERS; order++)
		measure(FLOODER, order);
	measure(FLOODER, QUIET);
	measure(SLOW_FLOODER, BROADCASTS);
	measure(SLOW_FLOODER, SHORT_BROADCASTS);
	measure(SLOW_FLOODER, PACKETS_TO_TWO);
	print("switch_flood end\n");
}

/* Role "deaths". What is under way when the switch dies, but for the frame that kills it, is there afterwards. */
static void measure_deaths(void)
{
	struct measurement m;

	exchange(PERIOD_MS, 0, &m);
	for (unsigned deaths = 0; deaths <= DEATHS; deaths++) {
		exchange(PERIOD_MS, 0, &m);
		print("deaths ");
		print_number(deaths);
		print(": ");
		show(&m);
		print("\n");
		while (!send(ONE, TWO, 0, 0))
			;
		put16(last_sent + TYPE, DYING_TYPE);
		virtio_notify(&transmit_queue);
		exchange(SETTLE_MS, 0, &m);
		exchange(PATIENCE_MS, 0, &m);
	}
	print("switch_flood end\n");
}

/* One TCP segment of the largest size, which its receiver has to cut. */
static void make_packet(void)
{
	uint8_t *ip = flood_packet.frame + 14, *tcp = ip + 20;

	flood_packet.header[0] = NEEDS_CHECKSUM;
	flood_packet.header[1] = TCP4;
	*(uint16_t *)(void *)&flood_packet.header[2] = 54;   /* headers */
	*(uint16_t *)(void *)&flood_packet.header[4] = 1448; /* data of each segment */
	*(uint16_t *)(void *)&flood_packet.header[6] = 34;   /* the checksum covers this and all behind it, */
	*(uint16_t *)(void *)&flood_packet.header[8] = 16;   /* and is there */
	put16(flood_packet.frame + TYPE, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, PACKET_BYTES - 14);
	ip[8] = 64;
	ip[9] = 6;
	tcp[12] = 0x50;
}

/* What is flooded with; its length. */
static uint32_t make_flood(enum card from, enum order order)
{
	bool is_broadcast = order == BROADCASTS || order == SHORT_BROADCASTS;
	enum card to = is_broadcast ? BROADCAST : order == UNKNOWN ? NOBODY : TWO;

	for (unsigned i = 0; i < HEADER_BYTES; i++)
		flood_packet.header[i] = 0;
	put16(flood_packet.frame + TYPE, OUR_TYPE);
	flood_packet.frame[KIND] = 0;
	put_address(flood_packet.frame, to);
	put_address(flood_packet.frame + SOURCE, order == FORGED ? ONE : from);
	if (order == PACKETS_TO_TWO) {
		make_packet();
		return HEADER_BYTES + PACKET_BYTES;
	}
	return HEADER_BYTES + (order == SHORT_BROADCASTS || order == SHORT_TO_TWO ? SHORT_BYTES : FRAME_BYTES);
}

/* The last order that came, or `before`. */
static enum order take_order(enum order before)
{
	const uint8_t *frame;
	uint16_t id;

	while ((frame = next_frame(&id)) != NULL) {
		if (is_of(frame, KIND_GO) && frame[ORDER] < ORDERS)
			before = frame[ORDER];
		offer_buffer(id);
	}
	return before;
}

/* All descriptors name the same bytes, and are offered again as soon as they come back; the processor never rests. */
static enum order flood(enum card from, enum order order)
{
	const struct virtio_buffer buffer = {&flood_packet, make_flood(from, order), 0};
	enum order next;

	send(from, ONE, KIND_OK, order);
	virtio_notify(&transmit_queue);
	for (uint16_t id = sent_ids; id < transmit_queue.size && order != QUIET; id++)
		virtio_offer(&transmit_queue, id, &buffer, 1);
	do {
		uint32_t written_bytes;
		uint16_t id;

		while (virtio_take_used(&transmit_queue, &id, &written_bytes, 1))
			virtio_offer(&transmit_queue, id, &buffer, 1);
		if (order == QUIET)
			sleep_until(UINT64_MAX);
		else
			virtio_notify(&transmit_queue);
		next = take_order(order);
	} while (next == order);
	return next;
}

/* Role "flood". */
static void flood_as_ordered(enum card self)
{
	enum order order = QUIET;

	do
		order = flood(self, order);
	while (start_card());
}

void guest_main(const struct guest_flat_info *info)
{
	const char *words = (const char *)info->command_line_address;

	exceptions_install();
	timer_init(false);
	interrupt_handle(VECTOR, on_interrupt);
	ticks_per_ms = flat_tsc_hz() / 1000;
	if (!virtio_find(VIRTIO_TYPE_NET, 0, &device) || !start_card()) {
		print("switch_flood: no card\n");
		return;
	}
	if (flat_find(words, "role=one") != NULL)
		measure_all();
	else if (flat_find(words, "role=deaths") != NULL)
		measure_deaths();
	else if (flat_find(words, "role=two") != NULL)
		send_back();
	else
		flood_as_ordered(flat_find(words, "role=slow") != NULL ? SLOW_FLOODER : FLOODER);
}
