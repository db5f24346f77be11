/* Frames and offload fields of a hostile sender: nothing outside the frame is read or written, and what is cut are whole frames.
 * The frame is a right one that the input then changes anywhere. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/net_frames.h"

static void use(const struct net_offload *offload, uint8_t *packet, size_t len_bytes)
{
	static uint8_t out[NET_FRAME_BYTES_MAX];
	size_t frame_bytes;
	unsigned count = 0;
	struct net_cut cut;

	(void)net_flow(packet, len_bytes);
	if (!net_offload_is_right(offload, packet, len_bytes))
		return;
	if (offload->type == NET_OFFLOAD_NONE) {
		if (offload->flags != 0)
			net_fill_checksum(offload, packet, len_bytes);
		return;
	}
	net_cut_begin(&cut, offload, packet, len_bytes);
	while ((frame_bytes = net_cut_next(&cut, packet, out, sizeof(out))) != 0) {
		frame_expect_whole(out, frame_bytes);
		if (++count > len_bytes / NET_SEGMENT_BYTES_MIN + 1)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t frame[FRAME_ROOM_BYTES];
	struct net_offload offload;
	struct tcp_frame tcp;
	uint8_t *packet;
	size_t len_bytes;

	if (size < 8)
		return 0;
	tcp = (struct tcp_frame){.is_ip6 = data[0] & 1,
				 .has_vlan = data[0] & 2,
				 .ip_options = (data[1] % 11) * 4U,
				 .tcp_options = (data[2] % 11) * 4U,
				 .data_bytes = data[3] * 40U,
				 .flags = data[4]};
	len_bytes = frame_make(&tcp, (uint16_t)(data[5] * 8), frame, &offload);
	for (data += 6, size -= 6; size >= 3; data += 3, size -= 3) {
		size_t at = data[0] + (data[1] & 0x7fU) * 256U;

		if ((data[1] & 0x80) != 0)
			((uint8_t *)&offload)[at % sizeof(offload)] = data[2];
		else
			frame[at % 160] = data[2]; /* all headers are there */
	}
	if (size > 0)
		len_bytes = len_bytes * data[0] / 255;
	packet = malloc(len_bytes + 1); /* its end is watched */
	if (packet == NULL)
		abort();
	memcpy(packet + 1, frame, len_bytes);
	use(&offload, packet + 1, len_bytes);
	free(packet);
	return 0;
}
