/* All device models of a PC (tests/fake/fuzz_pc.h) under accesses that the input dictates.
 * Checked after each step, besides the sanitizers: what is read fits its width, lines change when they say so, a device
 * that was brought up to date is never due at once (a machine would spin), FIFOs hold what they can hold. */
#include <stddef.h>
#include <stdint.h>

#include "tests/fake/fuzz_pc.h"

#define STEPS_MAX    4096
#define STEP_BYTES   8
#define TIME_MAX_NS  (1ULL << 62) /* 146 years of uptime */
#define TIMED_DEVICES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A window that answers somewhere, else where ECAM may be. */
static uint64_t window_address(bool is_io, uint8_t which, uint8_t offset)
{
	const struct pci_window *window = &pc.decode.windows[which % pc.decode.window_count];
	uint64_t base = pci_decode_base(&pc.decode, which % pc.decode.window_count);

	if (window->is_io != is_io || base == PCI_DECODE_OFF)
		return FUZZ_PC_ECAM + FUZZ_PC_FUNCTION * 0x1000 + offset;
	return base + (offset & 0x80 ? window->size_bytes - 2 : 0) + offset % 0x80 - 1;
}

/* Mostly addresses where something is: place names one near a region, offset any around it. */
static uint64_t pick_address(const struct bus *bus, uint8_t place, uint8_t offset)
{
	const struct io_region *region = &bus->regions[place % bus->region_count];

	if (bus == &pc.mmio && place >= 192)
		return FUZZ_PC_HPET + offset * 2; /* all of its registers */
	if (place >= 160)
		return window_address(bus == &pc.ports, place, offset);
	if (bus == &pc.mmio && place >= 128)
		return FUZZ_PC_IOAPIC + (offset & 1 ? 0x10 : offset & 2 ? 0x40 : 0);
	return region->base + offset % (region->size + 2) - 1;
}

static void access_window(bool is_io, uint64_t address, unsigned width, bool writes, uint64_t value)
{
	struct io_region region;
	uint64_t got;

	if (!pci_decode_find(&pc.decode, is_io, address, width, &region))
		return;
	if (writes) {
		io_region_write(&region, address, width, value, pc.now_ns);
		return;
	}
	got = io_region_read(&region, address, width, pc.now_ns);
	demand(width >= 8 || got >> width * 8 == 0);
}

/* Configuration space of the functions that there are, any register. */
static void access_config(const uint8_t *step, uint64_t value)
{
	static const uint8_t devices[] = {0, 2, 31};
	unsigned width = 1U << step[2] % 3;

	bus_write(&pc.ports, 0xcf8, 4, 0x80000000U | (uint32_t)devices[step[1] % 3] << 11 | (step[3] & 0xfcU), pc.now_ns);
	if (step[2] & 0x40)
		bus_write(&pc.ports, 0xcfc + step[3] % 4, width, value, pc.now_ns);
	else
		(void)bus_read(&pc.ports, 0xcfc + step[3] % 4, width, pc.now_ns);
}

static void access_bus(struct bus *bus, const uint8_t *step, uint64_t value)
{
	unsigned width = step[2] & 0x80 ? step[2] & 15 : 1U << (step[2] & 3);
	uint64_t address = pick_address(bus, step[1], step[3]);
	uint64_t got;

	if ((width & (width - 1)) == 0 && width != 0 && bus_find(bus, address, width) == NULL) {
		access_window(bus == &pc.ports, address, width, step[2] & 0x40, value);
		return;
	}
	if (step[2] & 0x40) {
		bus_write(bus, address, width, value, pc.now_ns);
		return;
	}
	got = bus_read(bus, address, width, pc.now_ns);
	demand(width >= 8 || got >> width * 8 == 0);
}

static void tick_all(void)
{
	const struct {
		const struct device_ops *ops;
		void *dev;
	} timed[TIMED_DEVICES] = {{&pit8254_ops, &pc.pit}, {&rtc_cmos_ops, &pc.rtc}, {&acpi_pm_ops, &pc.pm}, {&hpet_ops, &pc.hpet}};
	uint64_t event_ns = NO_EVENT_NS;

	for (unsigned i = 0; i < TIMED_DEVICES; i++) {
		uint64_t due_ns;

		timed[i].ops->tick(timed[i].dev, pc.now_ns);
		due_ns = timed[i].ops->next_event_ns(timed[i].dev);
		demand(due_ns > pc.now_ns);
		event_ns = due_ns < event_ns ? due_ns : event_ns;
	}
	if (event_ns < TIME_MAX_NS)
		pc.now_ns = event_ns;
}

static void reset_one(uint8_t which)
{
	static const struct device_ops *const ops[] = {&pic8259_ops,  &ioapic_ops,   &pit8254_ops, &rtc_cmos_ops, &uart16550_ops,
						       &i8042_ops,    &pci_host_ops, &acpi_pm_ops, &hpet_ops,     &uart16550_ops,
						       &flash_ops};
	void *const devices[] = {&pc.pic, &pc.ioapic, &pc.pit, &pc.rtc, &pc.uart, &pc.i8042,
				 &pc.pci, &pc.pm,     &pc.hpet, &pc.com2, &pc.flash};

	ops[which % 11]->reset(devices[which % 11]);
}

static void host_side(const uint8_t *step, uint64_t value)
{
	switch (step[1] % 13) {
	case 0:
		(void)pic8259_acknowledge(&pc.pic);
		return;
	case 1:
		ioapic_eoi(&pc.ioapic, step[3]);
		return;
	case 2:
		(void)uart16550_receive(&pc.uart, step[3]);
		return;
	case 3:
		uart16550_drain(&pc.uart);
		return;
	case 4:
		uart16550_set_modem(&pc.uart, step[3]);
		return;
	case 5:
		uart16550_receive_break(&pc.uart);
		return;
	case 6:
		(void)acpi_pm_press_power_button(&pc.pm);
		return;
	case 7:
		reset_one(step[3]);
		return;
	case 10:
		pci_function_send(&pc.function, step[3] % 4);
		return;
	case 11:
		pci_function_set_pin(&pc.function, step[2] & 1);
		return;
	case 12:
		pci_function_reset(&pc.function);
		return;
	case 8:
		pic8259_set_line(&pc.pic, step[3], step[2] & 1);
		ioapic_set_line(&pc.ioapic, step[3], step[2] & 1);
		return;
	default:
		if (pc.now_ns < TIME_MAX_NS)
			pc.now_ns += (value & (TIME_MAX_NS - 1)) >> (step[3] & 31);
		return;
	}
}

static void check_machine(void)
{
	uint64_t vectors[IOAPIC_VECTOR_WORDS];

	demand(pc.flash.state.left <= FLASH_LINE_BYTES && pc.flash_hidden == (pc.flash.state.command != 0xff));
	demand(pc.uart.state.rx.count <= UART_FIFO_BYTES && pc.uart.state.tx.count <= UART_FIFO_BYTES);
	demand(pc.uart.state.rx.first < UART_FIFO_BYTES && pc.uart.state.tx.first < UART_FIFO_BYTES);
	demand(pc.uart.state.line_level == (pc.lines >> 4 & 1));
	demand(pc.pit.state.line_level == (pc.lines & 1));
	demand(pc.held == NULL && pc.function.state.pending >> 3 == 0);
	demand(!pc.pin || pc.function.state.pin_level);
	demand(pci_function_register(&pc.function, 0, 4) == 0x10421af4);
	demand(pci_function_register(&pc.bridge.function, 0, 4) == 0x29c08086);
	ioapic_eoi_vectors(&pc.ioapic, vectors);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t entry = pc.ioapic.state.entries[pin];

		if (entry & 0x4000) /* remote IRR: its EOI is asked for */
			demand(vectors[(entry & 0xff) / 64] >> (entry & 0xff) % 64 & 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_pc_create();
	for (unsigned i = 0; i < STEPS_MAX && size >= STEP_BYTES; i++, data += STEP_BYTES, size -= STEP_BYTES) {
		uint64_t value = (uint64_t)data[4] | (uint64_t)data[5] << 8 | (uint64_t)data[6] << 16 |
				 (uint64_t)data[7] << 24;

		value |= data[0] & 0x80 ? value << 31 : 0;
		pc.now_ns += data[0] >> 4 & 7;
		if (data[0] & 4)
			access_config(data, value);
		switch (data[0] & 3) {
		case 0:
			access_bus(&pc.ports, data, value);
			break;
		case 1:
			access_bus(&pc.mmio, data, value);
			break;
		case 2:
			host_side(data, value);
			break;
		default:
			tick_all();
			break;
		}
		check_machine();
	}
	return 0;
}
