/* The models and their wires. */
#include "tests/fake/fuzz_pc.h"

#define PM_BASE     0x600
#define FLASH_BASE  0xffff0000ULL
#define FLASH_BYTES 0x10000U

struct fuzz_pc pc;

/* One function per line: the line's number is its identity. */
#define LINE(number)                                                                                                   \
	static void line_##number(void *ctx, bool level)                                                               \
	{                                                                                                              \
		(void)ctx;                                                                                             \
		demand((pc.lines >> (number) & 1) != level);                                                             \
		pc.lines ^= 1U << (number);                                                                             \
		pic8259_set_line(&pc.pic, (number), level);                                                             \
		ioapic_set_line(&pc.ioapic, (number) == 0 ? 2 : (number), level);                                       \
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
		demand((pc.hpet_lines >> (bit) & 1) != level);   \
		pc.hpet_lines ^= 1U << (bit);                   \
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
	return pc.transmits++ % 5 != 0;
}

static void set_test_line(void *ctx, unsigned number, bool level)
{
	(void)ctx;
	demand(number < TESTDEV_LINE_COUNT);
	pic8259_set_line(&pc.pic, number, level);
	ioapic_set_line(&pc.ioapic, number == 0 ? 2 : number, level);
}

static void send(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	demand(address >> 20 == 0xfee && (data & ~0xc7ffU) == 0);
}

static uint8_t flash_bytes[FLASH_BYTES];

static void show_flash(void *ctx, bool shows)
{
	(void)ctx;
	demand(shows == pc.flash_hidden);
	pc.flash_hidden = !shows;
}

static void pic_output(void *ctx, bool level)
{
	(void)ctx;
	demand(level == !pc.pic.state.output);
}

static void attach(struct bus *bus, uint64_t base, uint64_t bytes, uint64_t first, const struct device_ops *ops,
		   void *dev)
{
	demand(bus_attach(bus, &(struct io_region){base, bytes, first, ops, dev, NULL}) == OK);
}

static const struct fw_cfg_item fw_cfg_items[] = {{.key = 0, .size_bytes = 4, .bytes = "QEMU"}};

void fuzz_pc_create(void)
{
	pc = (struct fuzz_pc){.lines = 0, .debug = {ignore_byte, ignore_code, NULL}};
	pic8259_init(&pc.pic, &(struct pic8259_wires){{pic_output, NULL}});
	ioapic_init(&pc.ioapic, &(struct ioapic_wires){send, ignore, NULL}, 0, IOAPIC_VERSION_20);
	pit8254_init(&pc.pit, &(struct pit8254_wires){{line_0, NULL}});
	rtc_cmos_init(&pc.rtc, &(struct rtc_cmos_wires){{line_8, NULL}}, 1700000000, 0);
	uart16550_init(&pc.uart, &(struct uart16550_wires){{line_4, NULL}, transmit, ignore, NULL}, UART_MSR_CONNECTED);
	uart16550_init(&pc.com2, &(struct uart16550_wires){{line_3, NULL}, NULL, NULL, NULL}, 0);
	i8042_init(&pc.i8042, &(struct i8042_wires){{line_1, NULL}, {line_12, NULL}, ignore, NULL});
	fuzz_pc_create_pci();
	acpi_pm_init(&pc.pm, &(struct acpi_pm_wires){{line_9, NULL}, ignore, NULL}, false);
	testdev_init(&pc.testdev, &(struct testdev_wires){set_test_line, NULL});
	hpet_init(&pc.hpet, &(struct hpet_wires){{{line_20, NULL},
						 {line_21, NULL},
						 {line_22, NULL},
						 {line_23, NULL},
						 {hpet_0, NULL},
						 {hpet_1, NULL}},
						{hpet_legacy, NULL}});
	flash_init(&pc.flash, &(struct flash_wires){flash_bytes, FLASH_BYTES, show_flash, NULL});
	fw_cfg_init(&pc.fw_cfg, &(struct fw_cfg_wires){.read = NULL});
	fw_cfg_set_items(&pc.fw_cfg, fw_cfg_items, 1);
	bus_init(&pc.ports, 0xffff);
	bus_init(&pc.mmio, UINT64_MAX);
	attach(&pc.ports, 0x20, 2, PIC8259_MASTER, &pic8259_ops, &pc.pic);
	attach(&pc.ports, 0xa0, 2, PIC8259_SLAVE, &pic8259_ops, &pc.pic);
	attach(&pc.ports, 0x4d0, 2, PIC8259_ELCR, &pic8259_ops, &pc.pic);
	attach(&pc.ports, 0x40, 4, PIT8254_COUNTERS, &pit8254_ops, &pc.pit);
	attach(&pc.ports, 0x61, 1, PIT8254_PORT61, &pit8254_ops, &pc.pit);
	attach(&pc.ports, 0x60, 1, I8042_DATA, &i8042_ops, &pc.i8042);
	attach(&pc.ports, 0x64, 1, I8042_STATUS, &i8042_ops, &pc.i8042);
	attach(&pc.ports, 0x92, 1, I8042_PORT92, &i8042_ops, &pc.i8042);
	attach(&pc.ports, 0x70, RTC_CMOS_REGION_SIZE, 0, &rtc_cmos_ops, &pc.rtc);
	attach(&pc.ports, 0x80, 1, 0, &post_port_ops, &pc.post);
	attach(&pc.ports, 0xe9, 1, DEBUG_PORTS_TEXT, &debug_ports_ops, &pc.debug);
	attach(&pc.ports, 0x510, FW_CFG_PORTS_SIZE, FW_CFG_SELECT, &fw_cfg_ops, &pc.fw_cfg);
	attach(&pc.ports, 0x514, FW_CFG_DMA_SIZE, FW_CFG_DMA, &fw_cfg_ops, &pc.fw_cfg);
	attach(&pc.ports, 0xe0, TESTDEV_PORTS_SIZE, TESTDEV_SCRATCH, &testdev_ops, &pc.testdev);
	attach(&pc.ports, 0xe4, TESTDEV_PORTS_SIZE, TESTDEV_FLUSH, &testdev_ops, &pc.testdev);
	attach(&pc.ports, 0x2000, TESTDEV_LINE_COUNT, TESTDEV_LINES, &testdev_ops, &pc.testdev);
	attach(&pc.mmio, 0xff000000, TESTDEV_MEMORY_BYTES, TESTDEV_MEMORY, &testdev_ops, &pc.testdev);
	attach(&pc.ports, 0xf4, DEBUG_PORTS_EXIT_SIZE, DEBUG_PORTS_EXIT, &debug_ports_ops, &pc.debug);
	attach(&pc.ports, 0x3f8, UART16550_REGION_SIZE, 0, &uart16550_ops, &pc.uart);
	attach(&pc.ports, 0x2f8, UART16550_REGION_SIZE, 0, &uart16550_ops, &pc.com2);
	attach(&pc.ports, PM_BASE, ACPI_PM_REGION_SIZE, 0, &acpi_pm_ops, &pc.pm);
	attach(&pc.ports, 0xcf8, PCI_HOST_REGION_SIZE, 0, &pci_host_ops, &pc.pci);
	attach(&pc.mmio, FLASH_BASE, FLASH_BYTES, 0, &flash_ops, &pc.flash);
	attach(&pc.mmio, FUZZ_PC_IOAPIC, IOAPIC_REGION_SIZE, 0, &ioapic_ops, &pc.ioapic);
	attach(&pc.mmio, FUZZ_PC_HPET, HPET_REGION_SIZE, 0, &hpet_ops, &pc.hpet);
}
