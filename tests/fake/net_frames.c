/* Frames as RFC 791, 793 and 8200 have them. */
#include "tests/fake/net_frames.h"

#include <string.h>

#include "tests/fake/demand.h"

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static size_t get16(const uint8_t *at)
{
	return (size_t)at[0] * 256 + at[1];
}

static uint16_t sum(uint32_t start, const uint8_t *bytes, size_t len_bytes)
{
	uint32_t total = start;

	for (size_t i = 0; i < len_bytes; i++) {
		total += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
		total = (total & 0xffff) + (total >> 16);
	}
	return (uint16_t)total;
}

static size_t network_offset(const uint8_t *frame)
{
	return get16(frame + 12) == 0x8100 ? 18 : 14;
}

static size_t transport_offset(const uint8_t *frame)
{
	size_t ip = network_offset(frame);

	return frame[ip] >> 4 == 4 ? ip + (frame[ip] & 15U) * 4 : ip + 40;
}

static uint16_t pseudo_sum(const uint8_t *frame, size_t tcp_bytes)
{
	const uint8_t *ip = frame + network_offset(frame);

	return ip[0] >> 4 == 4 ? sum((uint32_t)tcp_bytes + 6, ip + 12, 8) : sum((uint32_t)tcp_bytes + 6, ip + 8, 32);
}

size_t frame_make(const struct tcp_frame *tcp, uint16_t segment_bytes, uint8_t *out, struct net_offload *offload)
{
	size_t ip = tcp->has_vlan ? 18 : 14;
	size_t transport = ip + (tcp->is_ip6 ? 40 : 20 + tcp->ip_options);
	size_t data = transport + 20 + tcp->tcp_options;
	size_t len_bytes = data + tcp->data_bytes;

	memset(out, 0, data);
	memcpy(out, (uint8_t[]){2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, 12);
	if (tcp->has_vlan)
		put16(out + 12, 0x8100);
	put16(out + ip - 2, tcp->is_ip6 ? 0x86dd : 0x0800);
	if (tcp->is_ip6) {
		out[ip] = 0x60;
		put16(out + ip + 4, len_bytes - ip - 40);
		out[ip + 6] = 6;
		out[ip + 7] = 64;
		for (unsigned i = 0; i < 32; i++)
			out[ip + 8 + i] = (uint8_t)(0x20 + i);
	} else {
		out[ip] = (uint8_t)(0x40 | (5 + tcp->ip_options / 4));
		put16(out + ip + 2, len_bytes - ip);
		put16(out + ip + 4, 0xfffe); /* its number runs over */
		out[ip + 8] = 64;
		out[ip + 9] = 6;
		memcpy(out + ip + 12, (uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
		put16(out + ip + 10, (uint16_t)~sum(0, out + ip, transport - ip));
	}
	put16(out + transport, 1000);
	put16(out + transport + 2, 80);
	memcpy(out + transport + 4, (uint8_t[]){0xff, 0xff, 0xff, 0x00}, 4);
	out[transport + 12] = (uint8_t)((5 + tcp->tcp_options / 4) << 4);
	out[transport + 13] = tcp->flags;
	for (size_t i = 0; i < tcp->data_bytes; i++)
		out[data + i] = (uint8_t)(i * 7 + i / 256);
	put16(out + transport + 16, pseudo_sum(out, len_bytes - transport));
	*offload = (struct net_offload){.flags = NET_OFFLOAD_NEEDS_CHECKSUM,
					.type = tcp->is_ip6 ? NET_OFFLOAD_TCP6 : NET_OFFLOAD_TCP4,
					.segment_bytes = segment_bytes,
					.checksum_start = (uint16_t)transport,
					.checksum_offset = 16};
	if (segment_bytes == 0)
		offload->type = NET_OFFLOAD_NONE;
	return len_bytes;
}

void frame_expect_whole(const uint8_t *frame, size_t len_bytes)
{
	size_t ip = network_offset(frame), transport = transport_offset(frame);

	demand(len_bytes >= transport + 20 && len_bytes <= NET_FRAME_BYTES_MAX);
	if (frame[ip] >> 4 == 4) {
		demand(get16(frame + ip + 2) == len_bytes - ip);
		demand(sum(0, frame + ip, transport - ip) == 0xffff);
	} else {
		demand(get16(frame + ip + 4) == len_bytes - ip - 40);
	}
	demand(sum(pseudo_sum(frame, len_bytes - transport), frame + transport, len_bytes - transport) == 0xffff);
}

size_t frame_data_offset(const uint8_t *frame, size_t len_bytes)
{
	size_t transport = transport_offset(frame);
	size_t data = transport + (size_t)(frame[transport + 12] >> 4) * 4;

	return data < len_bytes ? data : 0;
}

uint32_t frame_sequence(const uint8_t *frame, size_t len_bytes)
{
	const uint8_t *at = frame + transport_offset(frame) + 4;

	(void)len_bytes;
	return (uint32_t)(get16(at) << 16 | get16(at + 2));
}

uint8_t frame_flags(const uint8_t *frame, size_t len_bytes)
{
	(void)len_bytes;
	return frame[transport_offset(frame) + 13];
}
