/* Which port an Ethernet address is behind. A port's own address, from the manifest, is fixed: no other port can take it. Others
 * are learned from frames, only at ports without a filter, at most ADDRESSES_PER_PORT at each: a port that invents addresses
 * pushes out its own, never those of others. What was not seen for ADDRESSES_AGE_NS is forgotten. An address moves to another port
 * once its own was silent for ADDRESSES_MOVE_NS. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/switch.h"

#define ADDRESSES_PER_PORT   16U
#define ADDRESSES_AGE_NS     300000000000ULL
#define ADDRESSES_MOVE_NS    10000000000ULL
#define ADDRESSES_BUCKETS    256U
#define ADDRESSES_NONE       UINT32_MAX
#define ADDRESSES_SLOTS      (SWITCH_PORTS_MAX * (ADDRESSES_PER_PORT + 1)) /* of each port, the first is its own */

struct address_entry {
	uint64_t seen_ns;
	uint8_t mac[6];
	bool used, fixed;
	uint16_t next; /* in its bucket: slot + 1; 0: the last */
};

/* All zeros: empty. */
struct addresses {
	uint16_t buckets[ADDRESSES_BUCKETS]; /* slot + 1; 0: empty */
	struct address_entry slots[ADDRESSES_SLOTS];
};

/* The port's own address. */
void addresses_fix(struct addresses *addresses, uint32_t port, const uint8_t mac[6]);

/* A frame from that address came to that port. False: it is another port's own, or was heard at another port just now. */
bool addresses_learn(struct addresses *addresses, uint32_t port, const uint8_t mac[6], uint64_t now_ns);

/* The port, or ADDRESSES_NONE. */
uint32_t addresses_find(const struct addresses *addresses, const uint8_t mac[6], uint64_t now_ns);
