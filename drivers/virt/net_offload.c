/* Headers, sums and cutting. Each offset is checked before it is used. */
#include "drivers/virt/net_offload.h"

#include "lib/base/string.h"

#define ETHERNET_BYTES   14U
#define VLAN_BYTES       4U
#define ETHERTYPE_IP4    0x0800U
#define ETHERTYPE_VLAN   0x8100U
#define ETHERTYPE_SERVICE_VLAN 0x88a8U /* IEEE 802.1Q, "Tag Protocol Identification": of providers, once 802.1ad */
#define ETHERTYPE_IP6    0x86ddU
#define IP4_BYTES_MIN    20U
#define IP4_TOTAL_LENGTH 2U
#define IP4_ID           4U
#define IP4_FRAGMENT     6U
#define IP4_PROTOCOL     9U
#define IP4_CHECKSUM     10U
#define IP4_ADDRESSES    12U
#define IP4_FRAGMENT_MASK 0x3fffU /* more fragments, and the offset */
#define IP6_BYTES        40U
#define IP6_LENGTH       4U
#define IP6_NEXT_HEADER  6U
#define IP6_ADDRESSES    8U
#define PROTOCOL_TCP     6U
#define PROTOCOL_UDP     17U
#define TCP_BYTES_MIN    20U
#define TCP_SEQUENCE     4U
#define TCP_DATA_OFFSET  12U
#define TCP_FLAGS        13U
#define TCP_CHECKSUM     16U
#define TCP_FLAG_FIN     0x01U
#define TCP_FLAG_PSH     0x08U
#define TCP_FLAG_CWR     0x80U
#define UDP_CHECKSUM     6U
#define UDP_BYTES        8U

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* The sum of RFC 1071, not yet folded: at most 64 KiB and some words are added, which 64 bits hold. */
static uint64_t add_words(uint64_t sum, const uint8_t *bytes, size_t len_bytes)
{
	for (; len_bytes >= 2; len_bytes -= 2, bytes += 2)
		sum += get16(bytes);
	return len_bytes != 0 ? sum + ((uint32_t)bytes[0] << 8) : sum;
}

static uint32_t finish(uint64_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)~sum & 0xffff;
}

static void find_tcp(const uint8_t *frame, size_t len_bytes, struct net_layers *layers)
{
	uint32_t at = layers->transport, header_bytes;

	if (at + TCP_BYTES_MIN > len_bytes)
		return;
	header_bytes = (uint32_t)(frame[at + TCP_DATA_OFFSET] >> 4) * 4;
	if (header_bytes < TCP_BYTES_MIN || at + header_bytes > len_bytes)
		return;
	layers->is_tcp = true;
	layers->payload = at + header_bytes;
}

static void find_transport(const uint8_t *frame, size_t len_bytes, uint32_t at, uint8_t protocol, struct net_layers *layers)
{
	if ((protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP) || at + UDP_BYTES > len_bytes)
		return;
	layers->transport = at;
	if (protocol == PROTOCOL_TCP)
		find_tcp(frame, len_bytes, layers);
}

static void find_ip4(const uint8_t *frame, size_t len_bytes, uint32_t at, struct net_layers *layers)
{
	uint32_t header_bytes;

	if (at + IP4_BYTES_MIN > len_bytes || frame[at] >> 4 != 4)
		return;
	header_bytes = (frame[at] & 15U) * 4;
	if (header_bytes < IP4_BYTES_MIN || at + header_bytes > len_bytes)
		return;
	layers->network = at;
	layers->is_ip4 = true;
	if ((get16(frame + at + IP4_FRAGMENT) & IP4_FRAGMENT_MASK) == 0)
		find_transport(frame, len_bytes, at + header_bytes, frame[at + IP4_PROTOCOL], layers);
}

/* Extension headers are not looked behind. */
static void find_ip6(const uint8_t *frame, size_t len_bytes, uint32_t at, struct net_layers *layers)
{
	if (at + IP6_BYTES > len_bytes || frame[at] >> 4 != 6)
		return;
	layers->network = at;
	layers->is_ip6 = true;
	find_transport(frame, len_bytes, at + IP6_BYTES, frame[at + IP6_NEXT_HEADER], layers);
}

void net_find_layers(const uint8_t *frame, size_t len_bytes, struct net_layers *layers)
{
	uint32_t at = ETHERNET_BYTES, type;

	memset(layers, 0, sizeof(*layers));
	if (len_bytes < ETHERNET_BYTES)
		return;
	type = get16(frame + at - 2);
	if ((type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE_VLAN) && len_bytes >= ETHERNET_BYTES + VLAN_BYTES) {
		at += VLAN_BYTES;
		type = get16(frame + at - 2);
	}
	if (type == ETHERTYPE_IP4)
		find_ip4(frame, len_bytes, at, layers);
	else if (type == ETHERTYPE_IP6)
		find_ip6(frame, len_bytes, at, layers);
}

/* The length that the IP header says is that of the packet, without what Ethernet may have added. */
static bool length_is_right(const uint8_t *frame, size_t len_bytes, const struct net_layers *layers)
{
	const uint8_t *ip = frame + layers->network;
	size_t said_bytes = layers->is_ip4 ? get16(ip + IP4_TOTAL_LENGTH) : get16(ip + IP6_LENGTH) + IP6_BYTES;

	return layers->network + said_bytes == len_bytes;
}

static bool cut_is_right(const struct net_offload *offload, const uint8_t *frame, size_t len_bytes)
{
	struct net_layers layers;

	net_find_layers(frame, len_bytes, &layers);
	return layers.is_tcp && (offload->type == NET_OFFLOAD_TCP4 ? layers.is_ip4 : layers.is_ip6) &&
	       length_is_right(frame, len_bytes, &layers) && offload->segment_bytes >= NET_SEGMENT_BYTES_MIN &&
	       layers.payload + offload->segment_bytes <= NET_FRAME_BYTES_MAX && layers.payload < len_bytes &&
	       (offload->flags & NET_OFFLOAD_NEEDS_CHECKSUM) != 0 && offload->checksum_start == layers.transport &&
	       offload->checksum_offset == TCP_CHECKSUM;
}

bool net_offload_is_right(const struct net_offload *offload, const uint8_t *frame, size_t len_bytes)
{
	if ((offload->flags & ~NET_OFFLOAD_NEEDS_CHECKSUM) != 0 || len_bytes < ETHERNET_BYTES)
		return false;
	if (offload->type == NET_OFFLOAD_TCP4 || offload->type == NET_OFFLOAD_TCP6)
		return cut_is_right(offload, frame, len_bytes);
	if (offload->type != NET_OFFLOAD_NONE || len_bytes > NET_FRAME_BYTES_MAX)
		return false;
	return (offload->flags & NET_OFFLOAD_NEEDS_CHECKSUM) == 0 ||
	       (offload->checksum_start >= ETHERNET_BYTES &&
		(size_t)offload->checksum_start + offload->checksum_offset + 2 <= len_bytes);
}

void net_fill_checksum(const struct net_offload *offload, uint8_t *frame, size_t len_bytes)
{
	uint8_t *start = frame + offload->checksum_start;
	uint32_t sum = finish(add_words(0, start, len_bytes - offload->checksum_start));

	/* UDP: 0 says that there is none; both are the same number. */
	if (sum == 0 && offload->checksum_offset == UDP_CHECKSUM)
		sum = 0xffff;
	put16(start + offload->checksum_offset, sum);
}

void net_cut_begin(struct net_cut *cut, const struct net_offload *offload, const uint8_t *packet, size_t len_bytes)
{
	*cut = (struct net_cut){.len_bytes = (uint32_t)len_bytes, .segment_bytes = offload->segment_bytes};
	net_find_layers(packet, len_bytes, &cut->layers);
}

static void fit_network(const struct net_cut *cut, uint8_t *frame, size_t frame_bytes)
{
	uint8_t *ip = frame + cut->layers.network;
	uint32_t ip_bytes = (uint32_t)frame_bytes - cut->layers.network;

	if (cut->layers.is_ip6) {
		put16(ip + IP6_LENGTH, ip_bytes - IP6_BYTES);
		return;
	}
	put16(ip + IP4_TOTAL_LENGTH, ip_bytes);
	put16(ip + IP4_ID, get16(ip + IP4_ID) + cut->index);
	put16(ip + IP4_CHECKSUM, 0);
	put16(ip + IP4_CHECKSUM, finish(add_words(0, ip, cut->layers.transport - cut->layers.network)));
}

static void fit_tcp(const struct net_cut *cut, uint8_t *frame, size_t frame_bytes, bool is_last)
{
	const uint8_t *ip = frame + cut->layers.network;
	uint8_t *tcp = frame + cut->layers.transport;
	uint32_t tcp_bytes = (uint32_t)frame_bytes - cut->layers.transport;
	uint64_t sum = PROTOCOL_TCP + tcp_bytes; /* of the pseudo-header */

	put32(tcp + TCP_SEQUENCE, get32(tcp + TCP_SEQUENCE) + cut->done_bytes);
	if (!is_last)
		tcp[TCP_FLAGS] &= (uint8_t)~(TCP_FLAG_FIN | TCP_FLAG_PSH);
	if (cut->index > 0)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_FLAG_CWR;
	put16(tcp + TCP_CHECKSUM, 0);
	sum = cut->layers.is_ip4 ? add_words(sum, ip + IP4_ADDRESSES, 8) : add_words(sum, ip + IP6_ADDRESSES, 32);
	put16(tcp + TCP_CHECKSUM, finish(add_words(sum, tcp, tcp_bytes)));
}

size_t net_cut_next(struct net_cut *cut, const uint8_t *packet, uint8_t *out, size_t size_bytes)
{
	uint32_t headers_bytes = cut->layers.payload;
	uint32_t left_bytes = cut->len_bytes - headers_bytes - cut->done_bytes;
	uint32_t data_bytes = left_bytes < cut->segment_bytes ? left_bytes : cut->segment_bytes;
	size_t frame_bytes = (size_t)headers_bytes + data_bytes;

	if (left_bytes == 0 || frame_bytes > size_bytes)
		return 0;
	memcpy(out, packet, headers_bytes);
	memcpy(out + headers_bytes, packet + headers_bytes + cut->done_bytes, data_bytes);
	fit_network(cut, out, frame_bytes);
	fit_tcp(cut, out, frame_bytes, data_bytes == left_bytes);
	cut->done_bytes += data_bytes;
	cut->index++;
	return frame_bytes;
}

static uint32_t mix(uint32_t hash, const uint8_t *bytes, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		hash = (hash ^ bytes[i]) * 0x01000193U;
	return hash;
}

uint32_t net_flow(const uint8_t *frame, size_t len_bytes)
{
	struct net_layers layers;
	uint32_t hash = 0x811c9dc5U;

	net_find_layers(frame, len_bytes, &layers);
	if (layers.is_ip4)
		hash = mix(hash, frame + layers.network + IP4_ADDRESSES, 8);
	else if (layers.is_ip6)
		hash = mix(hash, frame + layers.network + IP6_ADDRESSES, 32);
	if (layers.transport != 0)
		hash = mix(hash, frame + layers.transport, 4);
	return hash ^ hash >> 16;
}
