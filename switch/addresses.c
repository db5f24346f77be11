/* Slots of each port in lists by hash. */
#include "switch/addresses.h"

#include "lib/base/string.h"

#define SLOTS_PER_PORT (ADDRESSES_PER_PORT + 1)

static uint16_t *bucket_of(struct addresses *addresses, const uint8_t mac[6])
{
	unsigned hash = mac[0];

	for (unsigned i = 1; i < 6; i++)
		hash = hash * 31 + mac[i];
	return &addresses->buckets[(hash ^ hash >> 8) % ADDRESSES_BUCKETS];
}

static struct address_entry *find(struct addresses *addresses, const uint8_t mac[6])
{
	for (uint16_t at = *bucket_of(addresses, mac); at != 0; at = addresses->slots[at - 1].next) {
		if (memcmp(addresses->slots[at - 1].mac, mac, 6) == 0)
			return &addresses->slots[at - 1];
	}
	return NULL;
}

static bool is_old(const struct address_entry *entry, uint64_t now_ns)
{
	return !entry->fixed && now_ns - entry->seen_ns > ADDRESSES_AGE_NS;
}

static void take_out(struct addresses *addresses, struct address_entry *entry)
{
	uint16_t number = (uint16_t)(entry - addresses->slots + 1);
	uint16_t *link = bucket_of(addresses, entry->mac);

	while (*link != number)
		link = &addresses->slots[*link - 1].next;
	*link = entry->next;
	entry->used = false;
}

static void put_in(struct addresses *addresses, struct address_entry *entry, const uint8_t mac[6], uint64_t now_ns)
{
	uint16_t *bucket = bucket_of(addresses, mac);

	if (entry->used)
		take_out(addresses, entry);
	memcpy(entry->mac, mac, 6);
	entry->used = true;
	entry->seen_ns = now_ns;
	entry->next = *bucket;
	*bucket = (uint16_t)(entry - addresses->slots + 1);
}

void addresses_fix(struct addresses *addresses, uint32_t port, const uint8_t mac[6])
{
	struct address_entry *entry = &addresses->slots[port * SLOTS_PER_PORT];

	put_in(addresses, entry, mac, 0);
	entry->fixed = true;
}

/* A free slot of the port, or the one not seen for the longest time. */
static struct address_entry *choose_slot(struct addresses *addresses, uint32_t port)
{
	struct address_entry *first = &addresses->slots[port * SLOTS_PER_PORT + 1];
	struct address_entry *oldest = first;

	for (struct address_entry *entry = first; entry < first + ADDRESSES_PER_PORT; entry++) {
		if (!entry->used)
			return entry;
		if (entry->seen_ns < oldest->seen_ns)
			oldest = entry;
	}
	return oldest;
}

static uint32_t port_of(const struct addresses *addresses, const struct address_entry *entry)
{
	return (uint32_t)(entry - addresses->slots) / SLOTS_PER_PORT;
}

bool addresses_learn(struct addresses *addresses, uint32_t port, const uint8_t mac[6], uint64_t now_ns)
{
	struct address_entry *entry = find(addresses, mac);

	if (entry != NULL && port_of(addresses, entry) == port) {
		entry->seen_ns = now_ns;
		return true;
	}
	if (entry != NULL && (entry->fixed || now_ns - entry->seen_ns < ADDRESSES_MOVE_NS))
		return false;
	if (entry != NULL) /* it has moved */
		take_out(addresses, entry);
	put_in(addresses, choose_slot(addresses, port), mac, now_ns);
	return true;
}

uint32_t addresses_find(const struct addresses *addresses, const uint8_t mac[6], uint64_t now_ns)
{
	const struct address_entry *entry = find((struct addresses *)(uintptr_t)addresses, mac);

	return entry == NULL || is_old(entry, now_ns) ? ADDRESSES_NONE : port_of(addresses, entry);
}
