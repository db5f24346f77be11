/* A switch with its channels, and the VMMs' ends of them, for tests on the host. */
#pragma once
#include "switch/switch.h"

#define S(seconds) ((uint64_t)(seconds)*1000000000ULL)

#define PC_PORTS_MAX  8U
#define PC_TO_BYTES   (CHANNEL_HEADER_BYTES + 0x40000U)
#define PC_FROM_BYTES (CHANNEL_HEADER_BYTES + 0x100000U)

struct switch_pc {
	struct switch_spec spec;
	struct switch_report report;
	struct switch_state state;
	struct channel_writer to_switch[PC_PORTS_MAX];
	struct channel_reader from_switch[PC_PORTS_MAX];
	struct port_message got; /* by pc_receive() */
};
extern struct switch_pc switch_pc;

/* Ports of cards with the addresses 02:00:00:00:00:NUMBER and filters; the caller may change spec before pc_start(). */
void pc_prepare(uint32_t port_count);
void pc_start(void);

/* Writes a frame of len_bytes from one card to the address 02:..:NUMBER; destination FFh: broadcast. False: no room. */
bool pc_send(uint32_t port, uint8_t source, uint8_t destination, uint32_t len_bytes);
/* Writes header and data as they are. */
bool pc_send_message(uint32_t port, const struct switch_message *header, const void *data);
/* Takes the next message of a port into got. False: none. */
bool pc_receive(uint32_t port);
/* Takes all messages of a port; returns how many. */
unsigned pc_count(uint32_t port);
/* Turns. Whether just so many messages are there for the first three ports then; takes them. */
bool pc_counts_are(unsigned first, unsigned second, unsigned third);
/* Turns until nothing is left to do at once. */
void pc_turn(uint64_t now_ns);
