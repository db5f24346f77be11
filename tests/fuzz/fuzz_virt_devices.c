/* All device models of a PC on their two buses, wired as a machine wires them, under accesses that the input dictates.
 * Checked after each step, besides the sanitizers: what is read fits its width, lines change when they say so, a device
 * that was brought up to date is never due at once (a machine would spin), FIFOs hold what they can hold. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "drivers/virt/acpi_pm.h"
#include "drivers/virt/bus.h"
#include "drivers/virt/debug_ports.h"
#include "drivers/virt/flash.h"
#include "drivers/virt/fw_cfg.h"
#include "drivers/virt/hpet.h"
#include "drivers/virt/i8042.h"
#include "drivers/virt/ioapic.h"
#include "drivers/virt/pci_decode.h"
#include "drivers/virt/pci_function.h"
#include "drivers/virt/pci_host.h"
#include "drivers/virt/pci_host_bridge.h"
#include "drivers/virt/pci_lpc.h"
#include "drivers/virt/pic8259.h"
#include "drivers/virt/pit8254.h"
#include "drivers/virt/rtc_cmos.h"
#include "drivers/virt/testdev.h"
#include "drivers/virt/uart16550.h"

#define STEPS_MAX    4096
#define IOAPIC_BASE  0xfec00000ULL
#define HPET_BASE    0xfed00000ULL
#define ECAM_BASE    0xe0000000ULL
#define BAR_IO       0
#define BAR_MSIX     1
#define BAR_64       2
#define BAR_64_BYTES 0x4000
#define PM_BASE      0x600
#define FLASH_BASE   0xffff0000ULL
#define FLASH_BYTES  0x10000U
#define STEP_BYTES   8
#define TIME_MAX_NS  (1ULL << 62) /* 146 years of uptime */
#define TIMED_DEVICES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine {
	struct bus ports, mmio;
	struct pic8259 pic;
	struct ioapic ioapic;
	struct pit8254 pit;
	struct rtc_cmos rtc;
	struct uart16550 uart, com2;
	struct i8042 i8042;
	struct pci_host pci;
	struct pci_host_bridge bridge;
	struct pci_lpc lpc;
	struct pci_function function; /* device 2 */
	struct pci_decode decode;
	unsigned ecam_window, windows[PCI_BARS_MAX];
	const void *held; /* the lock that is held */
	bool pin;
	struct acpi_pm pm;
	struct hpet hpet;
	struct post_port post;
	struct debug_ports debug;
	struct testdev testdev;
	struct flash flash;
	bool flash_hidden;
	struct fw_cfg fw_cfg; /* without memory to write to; fuzz_fw_cfg.c has some */
	uint64_t now_ns;
	uint32_t lines, hpet_lines;
	unsigned transmits;
} m;

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* One function per line: the line's number is its identity. */
#define LINE(number)                                                                                                   \
	static void line_##number(void *ctx, bool level)                                                               \
	{                                                                                                              \
		(void)ctx;                                                                                             \
		check((m.lines >> (number) & 1) != level);                                                             \
		m.lines ^= 1U << (number);                                                                             \
		pic8259_set_line(&m.pic, (number), level);                                                             \
		ioapic_set_line(&m.ioapic, (number) == 0 ? 2 : (number), level);                                       \
	}
LINE(0)
LINE(1)
LINE(3)
LINE(4)
LINE(8)
LINE(9)
LINE(12)
LINE(20)
LINE(21)
LINE(22)
LINE(23)

/* Where the HPET takes over lines 0 and 8: only that they change when they say so. */
#define HPET_LINE(name, bit)                                   \
	static void name(void *ctx, bool level)                \
	{                                                      \
		(void)ctx;                                     \
		check((m.hpet_lines >> (bit) & 1) != level);   \
		m.hpet_lines ^= 1U << (bit);                   \
	}
HPET_LINE(hpet_0, 0)
HPET_LINE(hpet_1, 1)
HPET_LINE(hpet_legacy, 2)

static void ignore(void *ctx)
{
	(void)ctx;
}

static void ignore_byte(void *ctx, uint8_t byte)
{
	(void)ctx;
	(void)byte;
}

static void ignore_code(void *ctx, uint64_t code)
{
	(void)ctx;
	(void)code;
}

/* Refuses now and then. */
static bool transmit(void *ctx, uint8_t byte)
{
	(void)ctx;
	(void)byte;
	return m.transmits++ % 5 != 0;
}

static void set_test_line(void *ctx, unsigned number, bool level)
{
	(void)ctx;
	check(number < TESTDEV_LINE_COUNT);
	pic8259_set_line(&m.pic, number, level);
	ioapic_set_line(&m.ioapic, number == 0 ? 2 : number, level);
}

static void send(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	check(address >> 20 == 0xfee && (data & ~0xc7ffU) == 0);
}

static uint8_t flash_bytes[FLASH_BYTES];

static void show_flash(void *ctx, bool shows)
{
	(void)ctx;
	check(shows == m.flash_hidden);
	m.flash_hidden = !shows;
}

static void pic_output(void *ctx, bool level)
{
	(void)ctx;
	check(level == !m.pic.state.output);
}

static void acquire(void *ctx, void *lock)
{
	(void)ctx;
	check(m.held == NULL);
	m.held = lock;
}

static void release(void *ctx, void *lock)
{
	(void)ctx;
	check(m.held == lock);
	m.held = NULL;
}

static void move_ecam(void *ctx, uint64_t base, uint64_t size_bytes)
{
	(void)ctx;
	check(base == PCI_DECODE_OFF || (size_bytes >= 0x4000000 && base % size_bytes == 0 && base >> 36 == 0));
	pci_decode_move(&m.decode, m.ecam_window, base);
}

static void move_bar(void *ctx, unsigned bar, uint64_t base)
{
	uint64_t size_bytes = m.function.identity.bars[bar].size_bytes;

	(void)ctx;
	check(size_bytes != 0 && pci_decode_base(&m.decode, m.windows[bar]) != base);
	check(base == PCI_DECODE_OFF || (base != 0 && base % size_bytes == 0));
	pci_decode_move(&m.decode, m.windows[bar], base);
}

static void route(void *ctx, unsigned pirq, unsigned irq)
{
	(void)ctx;
	check(pirq < PCI_LPC_PIRQS && irq < 16 && irq != 1 && irq != 2 && irq != 8 && irq != 13);
}

/* Messages and pin exclude each other. */
static bool has_messages(void)
{
	return pci_function_has_msix(&m.function) || pci_function_has_msi(&m.function);
}

static void send_message(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)data;
	check(address % 4 == 0 && has_messages() && pci_function_is_master(&m.function));
}

static void set_pin(void *ctx, bool level)
{
	(void)ctx;
	check(!level || !has_messages());
	m.pin = level;
}

static void attach_window(bool is_io, uint64_t bytes, const struct device_ops *ops, void *dev, unsigned *index)
{
	const struct pci_window window = {.is_io = is_io, .size_bytes = bytes, .ops = ops, .dev = dev};

	check(pci_decode_attach(&m.decode, &window, index) == OK);
}

/* The registers behind two of the BARs are another model's. */
static void create_pci(void)
{
	const struct pci_identity identity = {
		.vendor = 0x1af4, .device = 0x1042, .has_pin = true, .has_msi = true, .is_express = true,
		.vector_count = 3, .msix_bar = BAR_MSIX,
		.bars = {[BAR_IO] = {.size_bytes = 4, .is_io = true},
			 [BAR_MSIX] = {.size_bytes = PCI_MSIX_REGION_SIZE},
			 [BAR_64] = {.size_bytes = BAR_64_BYTES, .is_64bit = true}},
	};
	const struct pci_function_wires wires = {.bar_moved = move_bar, .send = send_message, .pin = {.set = set_pin}};

	attach_window(false, PCI_ECAM_BUS_SIZE, &pci_ecam_ops, &m.pci, &m.ecam_window);
	attach_window(true, 4, &testdev_ops, &m.testdev, &m.windows[BAR_IO]);
	attach_window(false, PCI_MSIX_REGION_SIZE, &pci_msix_ops, &m.function, &m.windows[BAR_MSIX]);
	attach_window(false, BAR_64_BYTES, &pci_msix_ops, &m.function, &m.windows[BAR_64]);
	pci_host_init(&m.pci, &(struct pci_host_wires){.reset = ignore, .acquire = acquire, .release = release});
	pci_host_bridge_init(&m.bridge, &(struct pci_host_bridge_wires){.ecam_moved = move_ecam}, ECAM_BASE);
	pci_lpc_init(&m.lpc, &(struct pci_lpc_wires){.routed = route}, true);
	pci_function_init(&m.function, &identity, &wires);
	pci_function_place_bar(&m.function, BAR_MSIX, 0xc0000000);
	check(pci_host_attach(&m.pci, PCI_DEVFN(0, 0), &pci_host_bridge_ops, &m.bridge, &m.bridge) == OK);
	check(pci_host_attach(&m.pci, PCI_DEVFN(2, 0), &pci_function_ops, &m.function, &m.function) == OK);
	check(pci_host_attach(&m.pci, PCI_DEVFN(31, 0), &pci_lpc_ops, &m.lpc, &m.lpc) == OK);
}

static void attach(struct bus *bus, uint64_t base, uint64_t bytes, uint64_t first, const struct device_ops *ops,
		   void *dev)
{
	check(bus_attach(bus, &(struct io_region){base, bytes, first, ops, dev, NULL}) == OK);
}

static const struct fw_cfg_item fw_cfg_items[] = {{.key = 0, .size_bytes = 4, .bytes = "QEMU"}};

static void create_machine(void)
{
	m = (struct machine){.lines = 0, .debug = {ignore_byte, ignore_code, NULL}};
	pic8259_init(&m.pic, &(struct pic8259_wires){{pic_output, NULL}});
	ioapic_init(&m.ioapic, &(struct ioapic_wires){send, ignore, NULL}, 0, IOAPIC_VERSION_20);
	pit8254_init(&m.pit, &(struct pit8254_wires){{line_0, NULL}});
	rtc_cmos_init(&m.rtc, &(struct rtc_cmos_wires){{line_8, NULL}}, 1700000000, 0);
	uart16550_init(&m.uart, &(struct uart16550_wires){{line_4, NULL}, transmit, ignore, NULL}, UART_MSR_CONNECTED);
	uart16550_init(&m.com2, &(struct uart16550_wires){{line_3, NULL}, NULL, NULL, NULL}, 0);
	i8042_init(&m.i8042, &(struct i8042_wires){{line_1, NULL}, {line_12, NULL}, ignore, NULL});
	create_pci();
	acpi_pm_init(&m.pm, &(struct acpi_pm_wires){{line_9, NULL}, ignore, NULL}, false);
	testdev_init(&m.testdev, &(struct testdev_wires){set_test_line, NULL});
	hpet_init(&m.hpet, &(struct hpet_wires){{{line_20, NULL},
						 {line_21, NULL},
						 {line_22, NULL},
						 {line_23, NULL},
						 {hpet_0, NULL},
						 {hpet_1, NULL}},
						{hpet_legacy, NULL}});
	flash_init(&m.flash, &(struct flash_wires){flash_bytes, FLASH_BYTES, show_flash, NULL});
	fw_cfg_init(&m.fw_cfg, &(struct fw_cfg_wires){.read = NULL});
	fw_cfg_set_items(&m.fw_cfg, fw_cfg_items, 1);
	bus_init(&m.ports, 0xffff);
	bus_init(&m.mmio, UINT64_MAX);
	attach(&m.ports, 0x20, 2, PIC8259_MASTER, &pic8259_ops, &m.pic);
	attach(&m.ports, 0xa0, 2, PIC8259_SLAVE, &pic8259_ops, &m.pic);
	attach(&m.ports, 0x4d0, 2, PIC8259_ELCR, &pic8259_ops, &m.pic);
	attach(&m.ports, 0x40, 4, PIT8254_COUNTERS, &pit8254_ops, &m.pit);
	attach(&m.ports, 0x61, 1, PIT8254_PORT61, &pit8254_ops, &m.pit);
	attach(&m.ports, 0x60, 1, I8042_DATA, &i8042_ops, &m.i8042);
	attach(&m.ports, 0x64, 1, I8042_STATUS, &i8042_ops, &m.i8042);
	attach(&m.ports, 0x92, 1, I8042_PORT92, &i8042_ops, &m.i8042);
	attach(&m.ports, 0x70, RTC_CMOS_REGION_SIZE, 0, &rtc_cmos_ops, &m.rtc);
	attach(&m.ports, 0x80, 1, 0, &post_port_ops, &m.post);
	attach(&m.ports, 0xe9, 1, DEBUG_PORTS_TEXT, &debug_ports_ops, &m.debug);
	attach(&m.ports, 0x510, FW_CFG_PORTS_SIZE, FW_CFG_SELECT, &fw_cfg_ops, &m.fw_cfg);
	attach(&m.ports, 0x514, FW_CFG_DMA_SIZE, FW_CFG_DMA, &fw_cfg_ops, &m.fw_cfg);
	attach(&m.ports, 0xe0, TESTDEV_PORTS_SIZE, TESTDEV_SCRATCH, &testdev_ops, &m.testdev);
	attach(&m.ports, 0xe4, TESTDEV_PORTS_SIZE, TESTDEV_FLUSH, &testdev_ops, &m.testdev);
	attach(&m.ports, 0x2000, TESTDEV_LINE_COUNT, TESTDEV_LINES, &testdev_ops, &m.testdev);
	attach(&m.mmio, 0xff000000, TESTDEV_MEMORY_BYTES, TESTDEV_MEMORY, &testdev_ops, &m.testdev);
	attach(&m.ports, 0xf4, DEBUG_PORTS_EXIT_SIZE, DEBUG_PORTS_EXIT, &debug_ports_ops, &m.debug);
	attach(&m.ports, 0x3f8, UART16550_REGION_SIZE, 0, &uart16550_ops, &m.uart);
	attach(&m.ports, 0x2f8, UART16550_REGION_SIZE, 0, &uart16550_ops, &m.com2);
	attach(&m.ports, PM_BASE, ACPI_PM_REGION_SIZE, 0, &acpi_pm_ops, &m.pm);
	attach(&m.ports, 0xcf8, PCI_HOST_REGION_SIZE, 0, &pci_host_ops, &m.pci);
	attach(&m.mmio, FLASH_BASE, FLASH_BYTES, 0, &flash_ops, &m.flash);
	attach(&m.mmio, IOAPIC_BASE, IOAPIC_REGION_SIZE, 0, &ioapic_ops, &m.ioapic);
	attach(&m.mmio, HPET_BASE, HPET_REGION_SIZE, 0, &hpet_ops, &m.hpet);
}

/* A window that answers somewhere, else where ECAM may be. */
static uint64_t window_address(bool is_io, uint8_t which, uint8_t offset)
{
	const struct pci_window *window = &m.decode.windows[which % m.decode.window_count];
	uint64_t base = pci_decode_base(&m.decode, which % m.decode.window_count);

	if (window->is_io != is_io || base == PCI_DECODE_OFF)
		return ECAM_BASE + PCI_DEVFN(2, 0) * 0x1000 + offset;
	return base + (offset & 0x80 ? window->size_bytes - 2 : 0) + offset % 0x80 - 1;
}

/* Mostly addresses where something is: place names one near a region, offset any around it. */
static uint64_t pick_address(const struct bus *bus, uint8_t place, uint8_t offset)
{
	const struct io_region *region = &bus->regions[place % bus->region_count];

	if (bus == &m.mmio && place >= 192)
		return HPET_BASE + offset * 2; /* all of its registers */
	if (place >= 160)
		return window_address(bus == &m.ports, place, offset);
	if (bus == &m.mmio && place >= 128)
		return IOAPIC_BASE + (offset & 1 ? 0x10 : offset & 2 ? 0x40 : 0);
	return region->base + offset % (region->size + 2) - 1;
}

static void access_window(bool is_io, uint64_t address, unsigned width, bool writes, uint64_t value)
{
	struct io_region region;
	uint64_t got;

	if (!pci_decode_find(&m.decode, is_io, address, width, &region))
		return;
	if (writes) {
		io_region_write(&region, address, width, value, m.now_ns);
		return;
	}
	got = io_region_read(&region, address, width, m.now_ns);
	check(width >= 8 || got >> width * 8 == 0);
}

/* Configuration space of the functions that there are, any register. */
static void access_config(const uint8_t *step, uint64_t value)
{
	static const uint8_t devices[] = {0, 2, 31};
	unsigned width = 1U << step[2] % 3;

	bus_write(&m.ports, 0xcf8, 4, 0x80000000U | (uint32_t)devices[step[1] % 3] << 11 | (step[3] & 0xfcU), m.now_ns);
	if (step[2] & 0x40)
		bus_write(&m.ports, 0xcfc + step[3] % 4, width, value, m.now_ns);
	else
		(void)bus_read(&m.ports, 0xcfc + step[3] % 4, width, m.now_ns);
}

static void access_bus(struct bus *bus, const uint8_t *step, uint64_t value)
{
	unsigned width = step[2] & 0x80 ? step[2] & 15 : 1U << (step[2] & 3);
	uint64_t address = pick_address(bus, step[1], step[3]);
	uint64_t got;

	if ((width & (width - 1)) == 0 && width != 0 && bus_find(bus, address, width) == NULL) {
		access_window(bus == &m.ports, address, width, step[2] & 0x40, value);
		return;
	}
	if (step[2] & 0x40) {
		bus_write(bus, address, width, value, m.now_ns);
		return;
	}
	got = bus_read(bus, address, width, m.now_ns);
	check(width >= 8 || got >> width * 8 == 0);
}

static void tick_all(void)
{
	const struct {
		const struct device_ops *ops;
		void *dev;
	} timed[TIMED_DEVICES] = {{&pit8254_ops, &m.pit}, {&rtc_cmos_ops, &m.rtc}, {&acpi_pm_ops, &m.pm}, {&hpet_ops, &m.hpet}};
	uint64_t event_ns = NO_EVENT_NS;

	for (unsigned i = 0; i < TIMED_DEVICES; i++) {
		uint64_t due_ns;

		timed[i].ops->tick(timed[i].dev, m.now_ns);
		due_ns = timed[i].ops->next_event_ns(timed[i].dev);
		check(due_ns > m.now_ns);
		event_ns = due_ns < event_ns ? due_ns : event_ns;
	}
	if (event_ns < TIME_MAX_NS)
		m.now_ns = event_ns;
}

static void reset_one(uint8_t which)
{
	static const struct device_ops *const ops[] = {&pic8259_ops,  &ioapic_ops,   &pit8254_ops, &rtc_cmos_ops, &uart16550_ops,
						       &i8042_ops,    &pci_host_ops, &acpi_pm_ops, &hpet_ops,     &uart16550_ops,
						       &flash_ops};
	void *const devices[] = {&m.pic, &m.ioapic, &m.pit, &m.rtc, &m.uart, &m.i8042, &m.pci, &m.pm, &m.hpet, &m.com2, &m.flash};

	ops[which % 11]->reset(devices[which % 11]);
}

static void host_side(const uint8_t *step, uint64_t value)
{
	switch (step[1] % 13) {
	case 0:
		(void)pic8259_acknowledge(&m.pic);
		return;
	case 1:
		ioapic_eoi(&m.ioapic, step[3]);
		return;
	case 2:
		(void)uart16550_receive(&m.uart, step[3]);
		return;
	case 3:
		uart16550_drain(&m.uart);
		return;
	case 4:
		uart16550_set_modem(&m.uart, step[3]);
		return;
	case 5:
		uart16550_receive_break(&m.uart);
		return;
	case 6:
		(void)acpi_pm_press_power_button(&m.pm);
		return;
	case 7:
		reset_one(step[3]);
		return;
	case 10:
		pci_function_send(&m.function, step[3] % 4);
		return;
	case 11:
		pci_function_set_pin(&m.function, step[2] & 1);
		return;
	case 12:
		pci_function_reset(&m.function);
		return;
	case 8:
		pic8259_set_line(&m.pic, step[3], step[2] & 1);
		ioapic_set_line(&m.ioapic, step[3], step[2] & 1);
		return;
	default:
		if (m.now_ns < TIME_MAX_NS)
			m.now_ns += (value & (TIME_MAX_NS - 1)) >> (step[3] & 31);
		return;
	}
}

static void check_machine(void)
{
	uint64_t vectors[IOAPIC_VECTOR_WORDS];

	check(m.flash.state.left <= FLASH_LINE_BYTES && m.flash_hidden == (m.flash.state.command != 0xff));
	check(m.uart.state.rx.count <= UART_FIFO_BYTES && m.uart.state.tx.count <= UART_FIFO_BYTES);
	check(m.uart.state.rx.first < UART_FIFO_BYTES && m.uart.state.tx.first < UART_FIFO_BYTES);
	check(m.uart.state.line_level == (m.lines >> 4 & 1));
	check(m.pit.state.line_level == (m.lines & 1));
	check(m.held == NULL && m.function.state.pending >> 3 == 0);
	check(!m.pin || m.function.state.pin_level);
	check(pci_function_register(&m.function, 0, 4) == 0x10421af4);
	check(pci_function_register(&m.bridge.function, 0, 4) == 0x29c08086);
	ioapic_eoi_vectors(&m.ioapic, vectors);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t entry = m.ioapic.state.entries[pin];

		if (entry & 0x4000) /* remote IRR: its EOI is asked for */
			check(vectors[(entry & 0xff) / 64] >> (entry & 0xff) % 64 & 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	create_machine();
	for (unsigned i = 0; i < STEPS_MAX && size >= STEP_BYTES; i++, data += STEP_BYTES, size -= STEP_BYTES) {
		uint64_t value = (uint64_t)data[4] | (uint64_t)data[5] << 8 | (uint64_t)data[6] << 16 |
				 (uint64_t)data[7] << 24;

		value |= data[0] & 0x80 ? value << 31 : 0;
		m.now_ns += data[0] >> 4 & 7;
		if (data[0] & 4)
			access_config(data, value);
		switch (data[0] & 3) {
		case 0:
			access_bus(&m.ports, data, value);
			break;
		case 1:
			access_bus(&m.mmio, data, value);
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
