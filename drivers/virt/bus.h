/* An address space of device registers: a VM has two, ports and memory-mapped I/O. It finds the device of an access and
 * cuts the access to what the device takes; it owns no device and takes no lock. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/virt/device.h"

#define BUS_REGIONS_MAX 64

/* size addresses from base on belong to dev; base itself is the device's register first_offset. */
struct io_region {
	uint64_t base;
	uint64_t size;
	uint64_t first_offset;
	const struct device_ops *ops;
	void *dev;
	void *lock; /* opaque: what the machine locks around an access; NULL: nothing to lock */
};

struct bus {
	/* constant once vCPUs run */
	uint64_t address_max; /* highest address: 0xffff for ports */
	size_t region_count;
	struct io_region regions[BUS_REGIONS_MAX]; /* sorted by base */
	/* atomic */
	_Atomic size_t last_hit; /* index of a region, a hint only; of an empty bus: of one with size 0 */
};

/* An empty bus of the addresses 0 to address_max. */
void bus_init(struct bus *bus, uint64_t address_max);

/* Adds *region (copied); ops and dev must live as long as the bus.
 * Errors (nothing changed): ERR_INVALID: size 0 or no ops; ERR_OUT_OF_RANGE: ends past address_max;
 * ERR_EXISTS: overlaps a region; ERR_NO_SPACE: BUS_REGIONS_MAX regions are there.
 * Context: before vCPUs run. */
MUST_CHECK enum status bus_attach(struct bus *bus, const struct io_region *region);

/* Whether no region has any of [base, base + size). */
bool bus_is_free(const struct bus *bus, uint64_t base, uint64_t size);

/* Whether all of [address, address + width) belongs to the region; width: 1, 2, 4 or 8. */
static inline bool io_region_contains(const struct io_region *region, uint64_t address, unsigned width)
{
	uint64_t offset = address - region->base;

	/* A start below base is an offset beyond any size. */
	return offset < region->size && width <= region->size - offset;
}

/* The region of the last access, or another one. */
static inline const struct io_region *bus_last_hit(struct bus *bus)
{
	return &bus->regions[atomic_load_explicit(&bus->last_hit, memory_order_relaxed)];
}

/* bus_find() without that hint. */
const struct io_region *bus_search(struct bus *bus, uint64_t address, unsigned width);

/* The region that holds all of [address, address + width), width 1, 2, 4 or 8; NULL where there is none: nobody's
 * access, or one that straddles the end of a region. Context: any thread, no lock needed. */
static inline const struct io_region *bus_find(struct bus *bus, uint64_t address, unsigned width)
{
	const struct io_region *region = bus_last_hit(bus);

	return io_region_contains(region, address, width) ? region : bus_search(bus, address, width);
}

/* One access to a region that bus_find() returned for this address and width. The value read is masked to width.
 * Context: caller holds region->lock. */
uint64_t io_region_read(const struct io_region *region, uint64_t address, unsigned width, uint64_t now_ns);
void io_region_write(const struct io_region *region, uint64_t address, unsigned width, uint64_t value, uint64_t now_ns);

/* bus_find() and the access in one. Nobody's: reads are all-ones of width, writes are ignored; a width other than
 * 1, 2, 4, 8 is nobody's too. Context: as for io_region_read(). */
uint64_t bus_read(struct bus *bus, uint64_t address, unsigned width, uint64_t now_ns);
void bus_write(struct bus *bus, uint64_t address, unsigned width, uint64_t value, uint64_t now_ns);
