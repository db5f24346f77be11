/* The devices of a PC, as a guest's drivers use them: clocks, interrupt controllers, serial ports, keyboard controller, CMOS, ACPI.
 * A line for each question. The VM has an HPET, one processor and 4 MiB. */
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define VECTOR        0x51U
#define PIC_VECTOR    0x48U
#define NMI           2U
#define IOAPIC        ((volatile uint32_t *)0xfec00000UL)
#define HPET(offset)  (*(volatile uint64_t *)(0xfed00000UL + (offset)))
#define TIMER(n)      (0x100U + (n) * 0x20U)
#define COMPARATOR(n) (0x108U + (n) * 0x20U)
#define ENTRY_MASKED  0x10000U
#define ENTRY_LEVEL   0x8000U
#define ENTRY_RIRR    0x4000U
#define ENTRY_LOGICAL 0x800U
#define ENTRY_NMI     0x400U
#define ENTRY_LOWEST  0x100U
#define APIC_TMR      0x180U
#define APIC_LVT_LINT0 0x350U
#define LVT_EXTINT    0x700U
#define HPET_EDGE     (0x04U | 20U << 9)
#define HPET_LEVEL    (HPET_EDGE | 0x02U)
#define HPET_PERIODIC 0x48U /* and VAL_SET */
#define MS            100000U /* ticks of the HPET */
#define COM2          0x2f8U
#define COM4          0x2e8U

static volatile unsigned count, nmi_count;
static volatile uint32_t level_seen;
static volatile unsigned quiet_at; /* the interrupt that ends what the HPET and COM4 ask for */

static INTERRUPT_HANDLER void on_interrupt(struct interrupt_frame *frame)
{
	(void)frame;
	count++;
	level_seen = apic_read(APIC_TMR + 0x10 * (VECTOR / 32)) >> VECTOR % 32 & 1;
	if (count == quiet_at) {
		HPET(0x20) = 1;
		(void)in8(COM4 + 2);
	}
	apic_write(APIC_EOI, 0);
}

static INTERRUPT_HANDLER void on_pic_interrupt(struct interrupt_frame *frame)
{
	(void)frame;
	count++;
	out8(0x20, 0x20);
}

static INTERRUPT_HANDLER void on_nmi(struct interrupt_frame *frame)
{
	(void)frame;
	nmi_count++;
}

/* Waits with interrupts on until *counter is wanted, or a while of the TSC has passed; whether it is. */
static bool counts_to(const volatile unsigned *counter, unsigned wanted, unsigned ms)
{
	uint64_t end = read_tsc() + flat_tsc_hz() / 1000 * ms;

	interrupts_on();
	while (*counter < wanted && read_tsc() < end)
		;
	interrupts_off();
	return *counter == wanted;
}

static void route(unsigned pin, uint32_t low, uint32_t high)
{
	IOAPIC[0] = 0x11 + pin * 2;
	IOAPIC[4] = high;
	IOAPIC[0] = 0x10 + pin * 2;
	IOAPIC[4] = low;
}

static uint32_t entry(unsigned pin)
{
	IOAPIC[0] = 0x10 + pin * 2;
	return IOAPIC[4];
}

static void hpet_start(unsigned timer, uint32_t config, uint64_t ticks)
{
	count = 0;
	HPET(0x10) = 0;
	HPET(0xf0) = 0;
	HPET(0x20) = UINT32_MAX;
	HPET(TIMER(timer)) = config;
	HPET(COMPARATOR(timer)) = ticks;
	HPET(0x10) = 1;
}

static void hpet_stop(void)
{
	HPET(0x10) = 0;
	for (unsigned n = 0; n < 3; n++)
		HPET(TIMER(n)) = 0;
	HPET(0x20) = UINT32_MAX;
}

static uint8_t cmos(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

static void cmos_write(uint8_t index, uint8_t value)
{
	out8(0x70, index);
	out8(0x71, value);
}

static bool hpet_edge_by_ioapic(void)
{
	route(20, VECTOR, 0);
	hpet_start(0, HPET_EDGE, MS);
	return counts_to(&count, 1, 50) && level_seen == 0 && HPET(0x20) == 0;
}

static bool hpet_periodic(void)
{
	hpet_start(0, HPET_EDGE | HPET_PERIODIC, MS);
	return counts_to(&count, 5, 100) && HPET(0xf0) >= 5 * MS;
}

/* The line stays asserted over two EOIs: each sends again. */
static bool hpet_level_is_sent_again(void)
{
	route(20, VECTOR | ENTRY_LEVEL, 0);
	quiet_at = 3;
	hpet_start(0, HPET_LEVEL, MS);
	return counts_to(&count, 3, 50) && level_seen == 1 && !counts_to(&count, 4, 3) && (entry(20) & ENTRY_RIRR) == 0;
}

static bool remote_irr_until_eoi(void)
{
	quiet_at = 1;
	hpet_start(0, HPET_LEVEL, 1);
	while ((HPET(0x20) & 1) == 0)
		;
	return (entry(20) & ENTRY_RIRR) != 0 && counts_to(&count, 1, 50) && (entry(20) & ENTRY_RIRR) == 0;
}

static bool masked_level_waits(void)
{
	route(20, VECTOR | ENTRY_LEVEL | ENTRY_MASKED, 0);
	hpet_start(0, HPET_LEVEL, 1);
	if (counts_to(&count, 1, 2))
		return false;
	route(20, VECTOR | ENTRY_LEVEL, 0);
	return counts_to(&count, 1, 50);
}

static bool logical_lowest_priority(void)
{
	route(20, VECTOR | ENTRY_LOGICAL | ENTRY_LOWEST, 0x01000000);
	hpet_start(0, HPET_EDGE, MS);
	return counts_to(&count, 1, 50);
}

static bool nmi_by_ioapic(void)
{
	route(20, ENTRY_NMI, 0);
	hpet_start(0, HPET_EDGE, MS);
	return counts_to(&nmi_count, 1, 50) && count == 0;
}

static bool hpet_takes_irq0(void)
{
	route(20, ENTRY_MASKED, 0);
	route(2, VECTOR, 0);
	out8(0x43, 0x34);
	out8(0x40, 0xa9);
	out8(0x40, 0x04); /* the 8254: 1 ms */
	hpet_start(0, HPET_EDGE | HPET_PERIODIC, 20 * MS);
	HPET(0x10) = 3;
	if (!counts_to(&count, 1, 100) || counts_to(&count, 2, 5))
		return false;
	hpet_stop();
	count = 0;
	return counts_to(&count, 3, 20);
}

static bool pit_by_8259(void)
{
	route(2, ENTRY_MASKED, 0);
	out8(0x20, 0x11);
	out8(0x21, PIC_VECTOR);
	out8(0x21, 0x04);
	out8(0x21, 0x01);
	out8(0x21, 0xfe);
	apic_write(APIC_LVT_LINT0, LVT_EXTINT);
	count = 0;
	if (!counts_to(&count, 3, 20))
		return false;
	out8(0x21, 0xff);
	count = 0;
	return !counts_to(&count, 1, 3);
}

static bool pit_one_shot_by_port61(void)
{
	uint8_t refresh;

	out8(0x61, 0x01);
	out8(0x43, 0xb0);
	out8(0x42, 0x00);
	out8(0x42, 0x10);
	out8(0x43, 0xe8); /* status of counter 2 */
	if ((in8(0x42) & 0xbf) != 0x30 || (in8(0x61) & 0x20) != 0)
		return false;
	while ((in8(0x61) & 0x20) == 0)
		;
	refresh = in8(0x61) & 0x10;
	while ((in8(0x61) & 0x10) == refresh)
		;
	return true;
}

static bool rtc_periodic(void)
{
	route(8, VECTOR, 0);
	cmos_write(0x0a, 0x26);
	cmos_write(0x0b, 0x42);
	count = 0;
	for (unsigned i = 1; i <= 3; i++) {
		if (!counts_to(&count, i, 20) || cmos(0x0c) != 0xc0)
			return false;
	}
	cmos_write(0x0b, 0x02);
	route(8, ENTRY_MASKED, 0);
	return cmos(0x32) == 0x20;
}

static bool cmos_tells_memory(void)
{
	return cmos(0x15) == 0x80 && cmos(0x16) == 2 && cmos(0x17) == 0 && cmos(0x18) == 12 && cmos(0x34) == 0 && cmos(0x5f) == 0;
}

/* COM2 and COM4 are there, nothing is connected, and they share line 3. */
static bool serial_ports_share_a_line(void)
{
	route(3, VECTOR | ENTRY_LEVEL, 0);
	count = 0;
	out8(COM2 + 4, 0x08);
	out8(COM4 + 4, 0x08);
	out8(COM4 + 7, 0x5a);
	if (in8(COM2 + 6) != 0 || in8(COM2 + 5) != 0x60 || in8(COM4 + 7) != 0x5a)
		return false;
	out8(COM2 + 1, 0x02);
	out8(COM4 + 1, 0x02);
	if ((entry(3) & ENTRY_RIRR) == 0 || in8(COM2 + 2) != 0x02)
		return false;
	out8(COM2 + 1, 0);
	quiet_at = 3; /* until then COM4 still asserts it */
	return counts_to(&count, 3, 50) && in8(COM4 + 2) == 0x01 && (entry(3) & ENTRY_RIRR) == 0;
}

static bool keyboard_controller(void)
{
	out8(0x64, 0xaa);
	if ((in8(0x64) & 1) == 0 || in8(0x60) != 0x55)
		return false;
	out8(0x64, 0xd0);
	return (in8(0x60) & 3) == 3 && (in8(0x92) & 2) == 2;
}

/* Port 61h and nobody's 62h; the clock's index and data in one. */
static bool wide_accesses_reach_each_port(void)
{
	uint16_t value;

	out16(0x61, 0xff02);
	__asm__ volatile("inw %1, %0" : "=a"(value) : "d"((uint16_t)0x61));
	if ((value & 0xff0f) != 0xff02)
		return false;
	out16(0x70, 0x5a50);
	return cmos(0x50) == 0x5a;
}

static uint32_t pm_timer(void)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "d"((uint16_t)0x608));
	return value;
}

/* 3.579545 MHz against 100 MHz; sleep type 2 is no state of this PC, and nothing sleeps. */
static bool acpi_registers(void)
{
	uint32_t before, passed;

	hpet_start(0, 0, UINT64_MAX);
	before = pm_timer();
	while (HPET(0xf0) < 10 * MS)
		;
	passed = (pm_timer() - before) & 0xffffff;
	hpet_stop();
	out16(0x604, 0x2801);
	return passed > 35700 && passed < 40000 && (in8(0x604) & 1) == 1;
}

static const struct {
	const char *name;
	bool (*holds)(void);
} questions[] = {
	{"hpet_edge_by_ioapic", hpet_edge_by_ioapic},
	{"hpet_periodic", hpet_periodic},
	{"hpet_level_is_sent_again", hpet_level_is_sent_again},
	{"remote_irr_until_eoi", remote_irr_until_eoi},
	{"masked_level_waits", masked_level_waits},
	{"logical_lowest_priority", logical_lowest_priority},
	{"nmi_by_ioapic", nmi_by_ioapic},
	{"hpet_takes_irq0", hpet_takes_irq0},
	{"pit_by_8259", pit_by_8259},
	{"pit_one_shot_by_port61", pit_one_shot_by_port61},
	{"rtc_periodic", rtc_periodic},
	{"cmos_tells_memory", cmos_tells_memory},
	{"serial_ports_share_a_line", serial_ports_share_a_line},
	{"keyboard_controller", keyboard_controller},
	{"wide_accesses_reach_each_port", wide_accesses_reach_each_port},
	{"acpi_registers", acpi_registers},
};

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	exceptions_install();
	interrupt_handle(VECTOR, on_interrupt);
	interrupt_handle(PIC_VECTOR, on_pic_interrupt);
	interrupt_handle(NMI, on_nmi);
	apic_enable(false);
	for (unsigned i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		bool holds = questions[i].holds();

		hpet_stop();
		print(holds ? "TEST-PASS " : "TEST-FAIL ");
		print(questions[i].name);
		print("\n");
	}
	print("platform: done\n");
}
