/* The memory of the channels, and frames. */
#include "tests/fake/switch_pc.h"

#include <stdlib.h>
#include <string.h>

struct switch_pc switch_pc;
static _Alignas(4096) uint8_t to_memory[PC_PORTS_MAX][PC_TO_BYTES], from_memory[PC_PORTS_MAX][PC_FROM_BYTES];

void pc_prepare(uint32_t port_count)
{
	struct switch_spec *spec = &switch_pc.spec;

	memset(&switch_pc, 0, sizeof(switch_pc));
	memset(to_memory, 0, sizeof(to_memory));
	memset(from_memory, 0, sizeof(from_memory));
	*spec = (struct switch_spec){
		.magic = SWITCH_SPEC_MAGIC, .version = SWITCH_SPEC_VERSION, .size_bytes = sizeof(*spec), .port_count = port_count};
	for (uint32_t i = 0; i < port_count; i++) {
		spec->ports[i] = (struct switch_port_spec){
			.kind = SWITCH_FRAME,
			.flags = SWITCH_PORT_MAC_FILTER,
			.to_switch_address = (uintptr_t)to_memory[i],
			.to_switch_bytes = PC_TO_BYTES,
			.from_switch_address = (uintptr_t)from_memory[i],
			.from_switch_bytes = PC_FROM_BYTES,
			.mac = {2, 0, 0, 0, 0, (uint8_t)i},
			.cid = 10 + i,
		};
	}
}

void pc_start(void)
{
	if (switch_init(&switch_pc.state, &switch_pc.spec, &switch_pc.report, 0) != OK)
		abort();
	for (uint32_t i = 0; i < switch_pc.spec.port_count; i++) {
		if (channel_writer_open(&switch_pc.to_switch[i], to_memory[i], PC_TO_BYTES) != OK ||
		    channel_reader_open(&switch_pc.from_switch[i], from_memory[i], PC_FROM_BYTES) != OK)
			abort();
	}
}

bool pc_send_message(uint32_t port, const struct switch_message *header, const void *data)
{
	static struct port_message message;
	bool is_long = header->len_bytes > sizeof(message.data); /* then it has any data */

	message.header = *header;
	memcpy(message.data, data, is_long ? 0 : header->len_bytes);
	return channel_write_all(&switch_pc.to_switch[port], &message,
				 sizeof(*header) + (is_long ? sizeof(message.data) : header->len_bytes)) == OK;
}

bool pc_send(uint32_t port, uint8_t source, uint8_t destination, uint32_t len_bytes)
{
	static uint8_t frame[SWITCH_DATA_BYTES_MAX] = {2, 0, 0, 0, 0, 0, 2};
	const struct switch_message header = {.kind = SWITCH_FRAME, .len_bytes = len_bytes};

	memset(frame, destination == 0xff ? 0xff : 0, 5);
	if (destination != 0xff)
		frame[0] = 2;
	frame[5] = destination;
	frame[11] = source;
	return pc_send_message(port, &header, frame);
}

bool pc_receive(uint32_t port)
{
	struct port_message *got = &switch_pc.got;
	size_t read_bytes;

	return channel_peek(&switch_pc.from_switch[port], &got->header, sizeof(got->header)) == OK &&
	       channel_read(&switch_pc.from_switch[port], got, sizeof(got->header) + got->header.len_bytes, &read_bytes) == OK &&
	       read_bytes == sizeof(got->header) + got->header.len_bytes;
}

void pc_turn(uint64_t now_ns)
{
	for (unsigned i = 0; i < 10000 && switch_turn(&switch_pc.state, now_ns); i++)
		;
}

unsigned pc_count(uint32_t port)
{
	unsigned received = 0;

	while (pc_receive(port))
		received++;
	return received;
}

bool pc_counts_are(unsigned first, unsigned second, unsigned third)
{
	const unsigned expected[] = {first, second, third};
	bool are_right = true;

	pc_turn(1);
	for (uint32_t port = 0; port < 3; port++)
		are_right &= pc_count(port) == expected[port];
	return are_right;
}
