/* The table of a bus and the way of an access to its device. All checks of an access are here, once: devices may rely
 * on width <= width_max and on an offset that lies in one of their regions with all its bytes. */
#include "drivers/virt/bus.h"

void bus_init(struct bus *bus, uint64_t address_max)
{
	bus->address_max = address_max;
	bus->region_count = 0;
	bus->regions[0] = (struct io_region){.size = 0};
	atomic_init(&bus->last_hit, 0);
}

/* By width; 0 to 8. */
static const uint64_t width_masks[] = {0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff,
				       UINT64_MAX};

static uint64_t width_mask(unsigned width)
{
	return width < 8 ? width_masks[width] : UINT64_MAX;
}

bool bus_is_free(const struct bus *bus, uint64_t base, uint64_t size)
{
	for (size_t i = 0; i < bus->region_count; i++) {
		const struct io_region *other = &bus->regions[i];

		if (other->base <= base ? base - other->base < other->size : other->base - base < size)
			return false;
	}
	return true;
}

enum status bus_attach(struct bus *bus, const struct io_region *region)
{
	size_t at = bus->region_count;

	if (region->size == 0 || region->ops == NULL)
		return ERR_INVALID;
	if (region->base > bus->address_max || region->size - 1 > bus->address_max - region->base)
		return ERR_OUT_OF_RANGE;
	if (!bus_is_free(bus, region->base, region->size))
		return ERR_EXISTS;
	if (bus->region_count == BUS_REGIONS_MAX)
		return ERR_NO_SPACE;
	for (; at > 0 && bus->regions[at - 1].base > region->base; at--)
		bus->regions[at] = bus->regions[at - 1];
	bus->regions[at] = *region;
	bus->region_count++;
	return OK;
}

/* Index of the first region whose base is above address. */
static size_t upper_bound(const struct bus *bus, uint64_t address)
{
	size_t low = 0;
	size_t high = bus->region_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bus->regions[middle].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct io_region *bus_search(struct bus *bus, uint64_t address, unsigned width)
{
	size_t at = upper_bound(bus, address);

	if (at == 0 || !io_region_contains(&bus->regions[at - 1], address, width))
		return NULL;
	atomic_store_explicit(&bus->last_hit, at - 1, memory_order_relaxed);
	return &bus->regions[at - 1];
}

/* Wider than the device takes: several accesses, from the lowest address on. Not inlined, so that the usual way needs no
 * stack. */
static __attribute__((noinline)) uint64_t read_in_parts(const struct io_region *region, uint64_t offset, unsigned width,
							uint64_t now_ns)
{
	const struct device_ops *ops = region->ops;
	uint64_t value = 0;

	for (unsigned done = 0; done < width; done += ops->width_max) {
		uint64_t part = ops->read(region->dev, offset + done, ops->width_max, now_ns);

		value |= (part & width_mask(ops->width_max)) << done * 8;
	}
	return value;
}

static __attribute__((noinline)) void write_in_parts(const struct io_region *region, uint64_t offset, unsigned width,
						     uint64_t value, uint64_t now_ns)
{
	const struct device_ops *ops = region->ops;

	for (unsigned done = 0; done < width; done += ops->width_max) {
		uint64_t part = value >> done * 8 & width_mask(ops->width_max);

		ops->write(region->dev, offset + done, ops->width_max, part, now_ns);
	}
}

uint64_t io_region_read(const struct io_region *region, uint64_t address, unsigned width, uint64_t now_ns)
{
	uint64_t offset = address - region->base + region->first_offset;

	if (width > region->ops->width_max)
		return read_in_parts(region, offset, width, now_ns);
	return region->ops->read(region->dev, offset, width, now_ns) & width_masks[width];
}

void io_region_write(const struct io_region *region, uint64_t address, unsigned width, uint64_t value, uint64_t now_ns)
{
	uint64_t offset = address - region->base + region->first_offset;

	if (width > region->ops->width_max)
		write_in_parts(region, offset, width, value, now_ns);
	else
		region->ops->write(region->dev, offset, width, value & width_masks[width], now_ns);
}

static const struct io_region *find_checked(struct bus *bus, uint64_t address, unsigned width)
{
	return width <= 8 && (0x116U >> width & 1) != 0 ? bus_find(bus, address, width) : NULL;
}

uint64_t bus_read(struct bus *bus, uint64_t address, unsigned width, uint64_t now_ns)
{
	const struct io_region *region = find_checked(bus, address, width);

	if (region == NULL)
		return width_mask(width);
	return io_region_read(region, address, width, now_ns);
}

void bus_write(struct bus *bus, uint64_t address, unsigned width, uint64_t value, uint64_t now_ns)
{
	const struct io_region *region = find_checked(bus, address, width);

	if (region != NULL)
		io_region_write(region, address, width, value, now_ns);
}
