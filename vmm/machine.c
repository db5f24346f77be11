/* Which devices a VM has, where, and how they are reached: two const tables and the way of one access. */
#include "vmm/machine.h"

#include <stddef.h>

#include "user/clock.h"
#include "vmm/acpi/tables.h"
#include "vmm/wires.h"

#define POST_PORT   0x80U
#define PORT_MAX    0xffffU
#define ADDRESS_MAX ((1ULL << 52) - 1)
#define NO_LOCK     LOCK_COUNT

enum bus_kind { PORTS, MEMORY };

struct region_row {
	enum bus_kind bus;
	enum machine_lock lock;
	uint64_t base, size, first_offset;
	const struct device_ops *ops;
	size_t device; /* where in struct machine */
};

#define COM(base, index) \
	{PORTS, LOCK_COMS, base, UART16550_REGION_SIZE, 0, &uart16550_ops, offsetof(struct machine, coms[index])}

static const struct region_row regions[] = {
	{PORTS, NO_LOCK, POST_PORT, 1, 0, &post_port_ops, offsetof(struct machine, post)},
	{PORTS, NO_LOCK, 0xf4, DEBUG_PORTS_EXIT_SIZE, DEBUG_PORTS_EXIT, &debug_ports_ops, offsetof(struct machine, debug)},
	{PORTS, LOCK_CONTROLLERS, 0x20, 2, PIC8259_MASTER, &pic8259_ops, offsetof(struct machine, pic)},
	{PORTS, LOCK_CONTROLLERS, 0xa0, 2, PIC8259_SLAVE, &pic8259_ops, offsetof(struct machine, pic)},
	{PORTS, LOCK_CONTROLLERS, 0x4d0, 2, PIC8259_ELCR, &pic8259_ops, offsetof(struct machine, pic)},
	{PORTS, LOCK_PIT, 0x40, 4, PIT8254_COUNTERS, &pit8254_ops, offsetof(struct machine, pit)},
	{PORTS, LOCK_PIT, 0x61, 1, PIT8254_PORT61, &pit8254_ops, offsetof(struct machine, pit)},
	{PORTS, LOCK_RTC, 0x70, RTC_CMOS_REGION_SIZE, 0, &rtc_cmos_ops, offsetof(struct machine, rtc)},
	{PORTS, LOCK_I8042, 0x60, 1, I8042_DATA, &i8042_ops, offsetof(struct machine, i8042)},
	{PORTS, LOCK_I8042, 0x64, 1, I8042_STATUS, &i8042_ops, offsetof(struct machine, i8042)},
	{PORTS, LOCK_I8042, 0x92, 1, I8042_PORT92, &i8042_ops, offsetof(struct machine, i8042)},
	{PORTS, LOCK_UART, 0x3f8, UART16550_REGION_SIZE, 0, &uart16550_ops, offsetof(struct machine, uart)},
	COM(0x2f8, 0),
	COM(0x3e8, 1),
	COM(0x2e8, 2),
	{PORTS, NO_LOCK, 0xcf8, PCI_HOST_REGION_SIZE, 0, &pci_host_ops, offsetof(struct machine, pci)},
	{PORTS, LOCK_PM, GUEST_PM1A_EVENT_PORT, ACPI_PM_REGION_SIZE, 0, &acpi_pm_ops, offsetof(struct machine, pm)},
	{PORTS, LOCK_FW_CFG, 0x510, FW_CFG_PORTS_SIZE, FW_CFG_SELECT, &fw_cfg_ops, offsetof(struct machine, fw_cfg)},
	{PORTS, LOCK_FW_CFG, 0x514, FW_CFG_DMA_SIZE, FW_CFG_DMA, &fw_cfg_ops, offsetof(struct machine, fw_cfg)},
	{MEMORY, LOCK_CONTROLLERS, GUEST_IOAPIC_BASE, IOAPIC_REGION_SIZE, 0, &ioapic_ops, offsetof(struct machine, ioapic)},
};

static const struct region_row hpet_regions[] = {
	{MEMORY, LOCK_HPET, GUEST_HPET_BASE, HPET_REGION_SIZE, 0, &hpet_ops, offsetof(struct machine, hpet)},
};

static const struct region_row text_regions[] = {
	{PORTS, LOCK_UART, 0xe9, 1, DEBUG_PORTS_TEXT, &debug_ports_ops, offsetof(struct machine, debug)},
};

#define TESTDEV(bus, base, size, first) {bus, LOCK_TESTDEV, base, size, first, &testdev_ops, offsetof(struct machine, testdev)}

static const struct region_row testdev_regions[] = {
	TESTDEV(PORTS, 0xe0, TESTDEV_PORTS_SIZE, TESTDEV_SCRATCH),
	TESTDEV(PORTS, 0xe4, TESTDEV_PORTS_SIZE, TESTDEV_FLUSH),
	TESTDEV(PORTS, 0xe8, TESTDEV_PORTS_SIZE, TESTDEV_SCRATCH_AGAIN),
	TESTDEV(PORTS, 0x2000, TESTDEV_LINE_COUNT, TESTDEV_LINES),
	TESTDEV(MEMORY, 0xff000000, TESTDEV_MEMORY_BYTES, TESTDEV_MEMORY),
};

/* Regions that a VM has with all of the options needed and none of those excluded. */
#define ROWS(table) .rows = (table), .row_count = sizeof(table) / sizeof((table)[0])
static const struct region_group {
	uint32_t options_needed, options_excluded; /* VMM_OPTION_* */
	const struct region_row *rows;
	size_t row_count;
} region_groups[] = {
	{0, 0, ROWS(regions)},
	{0, VMM_OPTION_TESTDEV, ROWS(text_regions)},
	{VMM_OPTION_TESTDEV, 0, ROWS(testdev_regions)},
	{VMM_OPTION_HPET, 0, ROWS(hpet_regions)},
};

/* The devices with a clock of their own. */
static const struct {
	enum machine_lock lock;
	const struct device_ops *ops;
	size_t device;
	uint32_t option; /* VMM_OPTION_; 0: always there */
} clocked[] = {
	{LOCK_PIT, &pit8254_ops, offsetof(struct machine, pit), 0},
	{LOCK_RTC, &rtc_cmos_ops, offsetof(struct machine, rtc), 0},
	{LOCK_PM, &acpi_pm_ops, offsetof(struct machine, pm), 0},
	{LOCK_HPET, &hpet_ops, offsetof(struct machine, hpet), VMM_OPTION_HPET},
};

static enum status attach_row(struct machine *machine, const struct region_row *row)
{
	const struct io_region region = {
		.base = row->base,
		.size = row->size,
		.first_offset = row->first_offset,
		.ops = row->ops,
		.dev = (uint8_t *)machine + row->device,
		.lock = row->lock == NO_LOCK ? NULL : &machine->locks[row->lock],
	};

	return bus_attach(row->bus == PORTS ? &machine->ports : &machine->memory, &region);
}

static enum status attach_group(struct machine *machine, const struct region_group *group)
{
	uint32_t options = machine->spec->options;
	enum status status = OK;

	if ((options & group->options_needed) != group->options_needed || (options & group->options_excluded) != 0)
		return OK;
	for (size_t i = 0; i < group->row_count && status == OK; i++)
		status = attach_row(machine, &group->rows[i]);
	return status;
}

enum status machine_build(struct machine *machine, int64_t wall_clock_seconds)
{
	enum status status;

	bus_init(&machine->ports, PORT_MAX);
	bus_init(&machine->memory, ADDRESS_MAX);
	irq_relay_init(&machine->relay);
	atomic_store(&machine->wake_ns, NO_EVENT_NS);
	wires_connect(machine, wall_clock_seconds);
	status = pci_build(machine);
	for (size_t i = 0; i < sizeof(region_groups) / sizeof(region_groups[0]) && status == OK; i++)
		status = attach_group(machine, &region_groups[i]);
	return status;
}

enum status machine_attach_firmware(struct machine *machine, uint64_t rom_base)
{
	const struct region_row text = {PORTS, LOCK_UART, 0x402, 1, DEBUG_PORTS_TEXT, &debug_ports_ops,
					offsetof(struct machine, firmware_text)};
	const struct region_row rom = {MEMORY, NO_LOCK, rom_base, machine->rom.size_bytes, 0, &rom_ops,
				       offsetof(struct machine, rom)};
	const struct region_row flash = {MEMORY, LOCK_FLASH, rom_base, machine->rom.size_bytes, 0, &flash_ops,
					 offsetof(struct machine, flash)};
	enum status status = attach_row(machine, &text);

	return status == OK ? attach_row(machine, machine->flash.wires.size_bytes != 0 ? &flash : &rom) : status;
}

uint64_t machine_now_ns(const struct machine *machine)
{
	return time_ns(clock_now_ticks() - machine->start_tsc, machine->tsc_hz);
}

static uint64_t time_for(const struct machine *machine, const struct io_region *region)
{
	return region->ops->uses_time ? machine_now_ns(machine) : 0;
}

/* After an access, with its lock released: what it caused goes on its way. */
static inline __attribute__((always_inline)) void follow_up(struct machine *machine, uint64_t due_ns)
{
	if (due_ns != NO_EVENT_NS)
		machine_wake_by(machine, due_ns);
	if (irq_relay_has_changes(&machine->relay))
		machine_drain_lines(machine);
}

static uint64_t next_event_ns(const struct io_region *region)
{
	return region->ops->next_event_ns == NULL ? NO_EVENT_NS : region->ops->next_event_ns(region->dev);
}

/* Inlined where it is used, the usual way and read_elsewhere(): a call more costs as much as all of it. */
static inline __attribute__((always_inline)) uint64_t read_locked(struct machine *machine, const struct io_region *region,
								   uint64_t address, unsigned width)
{
	uint64_t value, due_ns;

	lock_acquire(region->lock);
	value = io_region_read(region, address, width, time_for(machine, region));
	due_ns = next_event_ns(region);
	lock_release(region->lock);
	follow_up(machine, due_ns);
	return value;
}

static inline __attribute__((always_inline)) uint64_t read_region(struct machine *machine, const struct io_region *region,
								   uint64_t address, unsigned width)
{
	if (region->lock == NULL)
		return io_region_read(region, address, width, 0);
	return read_locked(machine, region, address, width);
}

static inline __attribute__((always_inline)) void write_locked(struct machine *machine, const struct io_region *region,
								uint64_t address, unsigned width, uint64_t value)
{
	uint64_t due_ns;

	lock_acquire(region->lock);
	io_region_write(region, address, width, value, time_for(machine, region));
	due_ns = next_event_ns(region);
	lock_release(region->lock);
	follow_up(machine, due_ns);
}

static inline __attribute__((always_inline)) void write_region(struct machine *machine, const struct io_region *region,
								uint64_t address, unsigned width, uint64_t value)
{
	if (region->lock == NULL)
		io_region_write(region, address, width, value, 0);
	else
		write_locked(machine, region, address, width, value);
}

/* No fixed device has all of it. A PCI function may; else the bytes of an access to ports go each to its own, as an ISA bus would
 * have it. */
static __attribute__((noinline)) uint64_t read_elsewhere(struct machine *machine, struct bus *bus, uint64_t address, unsigned width)
{
	struct io_region region;
	uint64_t value = 0;

	if (pci_decode_find(&machine->pci_decode, bus == &machine->ports, address, width, &region))
		return read_region(machine, &region, address, width);
	if (bus != &machine->ports || width == 1)
		return width < 8 ? (1ULL << width * 8) - 1 : UINT64_MAX;
	for (unsigned i = 0; i < width; i++)
		value |= machine_read(machine, bus, address + i, 1) << i * 8;
	return value;
}

uint64_t machine_read(struct machine *machine, struct bus *bus, uint64_t address, unsigned width)
{
	const struct io_region *region = bus_find(bus, address, width);

	if (region == NULL)
		return read_elsewhere(machine, bus, address, width);
	return read_region(machine, region, address, width);
}

static __attribute__((noinline)) void write_elsewhere(struct machine *machine, struct bus *bus, uint64_t address, unsigned width,
						      uint64_t value)
{
	struct io_region region;

	if (pci_decode_find(&machine->pci_decode, bus == &machine->ports, address, width, &region)) {
		write_region(machine, &region, address, width, value);
		return;
	}
	for (unsigned i = 0; bus == &machine->ports && width > 1 && i < width; i++)
		machine_write(machine, bus, address + i, 1, value >> i * 8);
}

/* Kept apart, so that machine_write() needs no stack for it. */
static __attribute__((noinline)) void find_and_write(struct machine *machine, struct bus *bus, uint64_t address, unsigned width,
						     uint64_t value)
{
	const struct io_region *region = bus_find(bus, address, width);

	if (region == NULL)
		write_elsewhere(machine, bus, address, width, value);
	else
		write_region(machine, region, address, width, value);
}

void machine_write(struct machine *machine, struct bus *bus, uint64_t address, unsigned width, uint64_t value)
{
	const struct io_region *region = bus_last_hit(bus);

	if (region->lock == NULL && io_region_contains(region, address, width))
		io_region_write(region, address, width, value, 0);
	else
		find_and_write(machine, bus, address, width, value);
}

static void set_lines(struct machine *machine, unsigned count, const unsigned numbers[2], const bool levels[2])
{
	for (unsigned i = 0; i < count; i++) {
		pic8259_set_line(&machine->pic, numbers[i], levels[i]);
		ioapic_set_line(&machine->ioapic, numbers[i] == 0 ? GUEST_PIT_GSI : numbers[i], levels[i]);
	}
}

static __attribute__((noinline)) void apply_routes(struct machine *machine)
{
	unsigned numbers[2];
	bool levels[2];

	for (unsigned pirq = 0; pirq < LINES_PIRQS; pirq++) {
		unsigned irq = atomic_load(&machine->pirq_routes[pirq]);

		set_lines(machine, lines_route(&machine->lines, pirq, irq, numbers, levels), numbers, levels);
	}
}

static void apply_source(void *ctx, unsigned source, bool level)
{
	struct machine *machine = ctx;
	unsigned numbers[2];
	bool levels[2];

	if (source == SOURCE_ROUTES)
		apply_routes(machine);
	else
		set_lines(machine, lines_set(&machine->lines, source, level, numbers, levels), numbers, levels);
}

void machine_drain_lines(struct machine *machine)
{
	lock_acquire(&machine->locks[LOCK_CONTROLLERS]);
	irq_relay_drain(&machine->relay, apply_source, machine);
	lock_release(&machine->locks[LOCK_CONTROLLERS]);
}

uint64_t machine_tick(struct machine *machine)
{
	uint64_t next_ns = NO_EVENT_NS;

	for (size_t i = 0; i < sizeof(clocked) / sizeof(clocked[0]); i++) {
		void *device = (uint8_t *)machine + clocked[i].device;
		uint64_t due_ns;

		if ((machine->spec->options & clocked[i].option) != clocked[i].option)
			continue;
		lock_acquire(&machine->locks[clocked[i].lock]);
		clocked[i].ops->tick(device, machine_now_ns(machine));
		due_ns = clocked[i].ops->next_event_ns(device);
		lock_release(&machine->locks[clocked[i].lock]);
		next_ns = due_ns < next_ns ? due_ns : next_ns;
	}
	if (irq_relay_has_changes(&machine->relay))
		machine_drain_lines(machine);
	return next_ns;
}

/* The I/O thread stores UINT64_MAX before it looks at the devices: whatever comes due while it looks makes a signal, which
 * its wait then takes at once. */
void machine_wake_by(struct machine *machine, uint64_t due_ns)
{
	if (due_ns >= atomic_load(&machine->wake_ns))
		return;
	atomic_store(&machine->wake_ns, due_ns);
	sys_event_signal(machine->spec->handles.event, MACHINE_EVENT_WAKE);
}

void machine_end_of_interrupt(struct machine *machine, uint8_t vector)
{
	lock_acquire(&machine->locks[LOCK_CONTROLLERS]);
	ioapic_eoi(&machine->ioapic, vector);
	lock_release(&machine->locks[LOCK_CONTROLLERS]);
}

uint8_t machine_acknowledge_pic(struct machine *machine)
{
	uint8_t vector;

	lock_acquire(&machine->locks[LOCK_CONTROLLERS]);
	vector = pic8259_acknowledge(&machine->pic);
	lock_release(&machine->locks[LOCK_CONTROLLERS]);
	return vector;
}
