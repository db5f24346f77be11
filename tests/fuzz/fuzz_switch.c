/* Hostile VMMs: any bytes in the channels to a switch, counters that jump, any times. The switch stays within its memory, answers
 * each turn in bounded work, and passes on nothing that breaks its rules. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/switch_pc.h"

static void check_received(uint32_t port)
{
	while (pc_receive(port)) {
		const struct switch_message *header = &switch_pc.got.header;

		if (header->kind != switch_pc.spec.ports[port].kind || header->len_bytes > SWITCH_DATA_BYTES_MAX)
			abort();
		/* 1 and 2 are isolated, and nobody else can have the address of 2. */
		if (header->kind == SWITCH_FRAME && port == 1 &&
		    memcmp(switch_pc.got.data + 6, switch_pc.spec.ports[2].mac, sizeof(switch_pc.spec.ports[2].mac)) == 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now_ns = 0;

	pc_prepare(5);
	switch_pc.spec.ports[1].flags |= SWITCH_PORT_ISOLATED;
	switch_pc.spec.ports[2].flags |= SWITCH_PORT_ISOLATED;
	switch_pc.spec.ports[0].flags = 0;
	switch_pc.spec.ports[0].rate_bytes = 0x10000;
	switch_pc.spec.ports[3].kind = SWITCH_VSOCK;
	switch_pc.spec.ports[4].kind = SWITCH_VSOCK;
	pc_start();
	for (unsigned i = 0; i < 64 && size >= 4; i++) {
		uint32_t port = data[0] % 5;
		size_t len = data[1] < size - 4 ? data[1] : size - 4;
		size_t written;

		if (data[2] == 0xff)
			switch_pc.to_switch[port].end.header->produced_count += data[3];
		if (channel_write(&switch_pc.to_switch[port], data + 4, len, &written) != OK)
			return 0;
		now_ns += (uint64_t)data[3] << 24;
		pc_turn(now_ns);
		for (uint32_t n = 0; n < 5; n++)
			check_received(n);
		data += 4 + len;
		size -= 4 + len;
	}
	return 0;
}
