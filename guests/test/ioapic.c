/* The I/O APIC and several processors: who gets an interrupt, what TMR says of it, and when an input may send again. The test
 * device (docs/qemu-devices.md) moves the line. Four processors, x2APIC; with "xapic" on the command line, xAPIC. */
#include <stddef.h>

#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/smp.h"

#define PROCESSORS    4U
#define VECTOR        0x62U
#define NMI           2U
#define LINE          14U
#define LINE_PORT     (0x2000U + LINE)
#define IOAPIC        ((volatile uint32_t *)0xfec00000UL)
#define IOAPIC_EOI    16U
#define ENTRY_LOWEST  0x00100U
#define ENTRY_NMI     0x00400U
#define ENTRY_LOGICAL 0x00800U
#define ENTRY_RIRR    0x04000U
#define ENTRY_LEVEL   0x08000U
#define ENTRY_MASKED  0x10000U
#define APIC_TMR      0x180U
#define DESTINATION(n) ((uint32_t)(n) << 24)
#define EVERYBODY     0xffU
#define PATIENCE_MS   20U

static volatile unsigned taken[PROCESSORS], nmis[PROCESSORS];
static volatile bool level_seen, moves_elsewhere, masks_itself, lowers_line;
static volatile unsigned raise_for; /* processor 1 raises the line when this changes */

static uint32_t entry_low(void)
{
	IOAPIC[0] = 0x10 + LINE * 2;
	return IOAPIC[4];
}

static void write_low(uint32_t value)
{
	IOAPIC[0] = 0x10 + LINE * 2;
	IOAPIC[4] = value;
}

static void write_high(uint32_t value)
{
	IOAPIC[0] = 0x11 + LINE * 2;
	IOAPIC[4] = value;
}

static bool tmr(void)
{
	return (apic_read(APIC_TMR + 0x10 * (VECTOR / 32)) >> VECTOR % 32 & 1) != 0;
}

static INTERRUPT_HANDLER void on_interrupt(struct interrupt_frame *frame)
{
	(void)frame;
	level_seen = tmr();
	if (lowers_line)
		out8(LINE_PORT, 0);
	if (moves_elsewhere)
		write_high(DESTINATION(1));
	if (masks_itself)
		write_low(VECTOR | ENTRY_LEVEL | ENTRY_MASKED);
	taken[apic_number()]++;
	apic_write(APIC_EOI, 0);
}

static INTERRUPT_HANDLER void on_nmi(struct interrupt_frame *frame)
{
	(void)frame;
	nmis[apic_number()]++;
}

static unsigned total(void)
{
	return taken[0] + taken[1] + taken[2] + taken[3];
}

/* Interrupts on until so many came, or a while has passed; a moment more for those that must not come. */
static bool total_is(unsigned wanted)
{
	uint64_t ms = flat_tsc_hz() / 1000, end = read_tsc() + PATIENCE_MS * ms;

	interrupts_on();
	while (total() < wanted && read_tsc() < end)
		__builtin_ia32_pause();
	end = read_tsc() + ms;
	while (read_tsc() < end)
		__builtin_ia32_pause();
	interrupts_off();
	return total() == wanted;
}

static void program(uint32_t low, uint32_t destination)
{
	out8(LINE_PORT, 0);
	write_low(ENTRY_MASKED); /* edge: clears remote IRR */
	for (unsigned i = 0; i < PROCESSORS; i++)
		taken[i] = nmis[i] = 0;
	moves_elsewhere = masks_itself = false;
	lowers_line = true;
	write_high(DESTINATION(destination));
	write_low(low);
}

static bool raised(unsigned wanted)
{
	out8(LINE_PORT, 1);
	return total_is(wanted);
}

static bool physical(void)
{
	program(VECTOR | ENTRY_LEVEL, 1);
	return raised(1) && taken[1] == 1 && (entry_low() & ENTRY_RIRR) == 0;
}

static bool logical(void)
{
	program(VECTOR | ENTRY_LEVEL | ENTRY_LOGICAL, 0xd);
	return raised(3) && taken[1] == 0 && taken[0] == 1 && taken[2] == 1 && taken[3] == 1;
}

static bool everybody(void)
{
	program(VECTOR, EVERYBODY);
	return raised(PROCESSORS) && taken[0] == 1 && taken[1] == 1 && taken[2] == 1 && taken[3] == 1;
}

static bool lowest_priority(void)
{
	for (unsigned i = 0; i < 3; i++) {
		program(VECTOR | ENTRY_LOGICAL | ENTRY_LOWEST, 0xf);
		if (!raised(1))
			return false;
	}
	return true;
}

static bool nobody(void)
{
	program(VECTOR, 9);
	return raised(0);
}

static bool nmi_to_one(void)
{
	uint64_t end = read_tsc() + flat_tsc_hz() / 1000 * PATIENCE_MS;

	program(ENTRY_NMI | ENTRY_LEVEL, 2); /* as an edge */
	out8(LINE_PORT, 1);
	while (nmis[2] == 0 && read_tsc() < end)
		__builtin_ia32_pause();
	return nmis[2] == 1 && nmis[0] + nmis[1] + nmis[3] == 0 && (entry_low() & ENTRY_RIRR) == 0;
}

/* "Trigger mode register": of the interrupt that was accepted last. */
static bool tmr_follows(void)
{
	program(VECTOR, 0);
	if (!raised(1) || level_seen || tmr())
		return false;
	program(VECTOR | ENTRY_LEVEL, 0);
	if (tmr() || !raised(1) || !level_seen || !tmr())
		return false;
	program(VECTOR, 0);
	return tmr() && raised(1) && !level_seen && !tmr();
}

static bool raised_by_another(void)
{
	program(VECTOR | ENTRY_LEVEL, 0);
	raise_for++;
	return total_is(1) && level_seen && taken[0] == 1;
}

/* A new destination while in service: the old processor's EOI counts. */
static bool moved_in_service(void)
{
	program(VECTOR | ENTRY_LEVEL, 0);
	moves_elsewhere = true;
	if (!raised(1) || taken[0] != 1 || (entry_low() & ENTRY_RIRR) != 0)
		return false;
	moves_elsewhere = false;
	return raised(2) && taken[1] == 1;
}

/* The line stays: masked in service it waits, and is sent as soon as it is unmasked. */
static bool masked_in_service(void)
{
	program(VECTOR | ENTRY_LEVEL, 0);
	lowers_line = false;
	masks_itself = true;
	if (!raised(1) || (entry_low() & ENTRY_RIRR) != 0)
		return false;
	write_low(VECTOR | ENTRY_LEVEL);
	return total_is(2);
}

/* What comes while it is in service is one interrupt with it; the end in the I/O APIC's own register counts too. */
static bool ended_by_its_own_register(void)
{
	program(VECTOR | ENTRY_LEVEL, 0);
	out8(LINE_PORT, 1);
	out8(LINE_PORT, 0);
	out8(LINE_PORT, 1);
	if ((entry_low() & ENTRY_RIRR) == 0)
		return false;
	out8(LINE_PORT, 0);
	IOAPIC[IOAPIC_EOI] = VECTOR;
	return (entry_low() & ENTRY_RIRR) == 0 && total_is(1);
}

static void processor(unsigned number)
{
	unsigned seen = raise_for;

	if (!apic_in_x2apic())
		apic_write(APIC_LDR, 1U << (24 + number));
	interrupts_on();
	for (;;) {
		if (number == 1 && raise_for != seen) {
			seen = raise_for;
			out8(LINE_PORT, 1);
		}
		__builtin_ia32_pause();
	}
}

static const struct {
	const char *name;
	bool (*holds)(void);
} questions[] = {
	{"physical", physical},
	{"logical", logical},
	{"everybody", everybody},
	{"lowest_priority", lowest_priority},
	{"nobody", nobody},
	{"nmi_to_one", nmi_to_one},
	{"tmr_follows", tmr_follows},
	{"raised_by_another", raised_by_another},
	{"moved_in_service", moved_in_service},
	{"masked_in_service", masked_in_service},
	{"ended_by_its_own_register", ended_by_its_own_register},
};

void guest_main(const struct guest_flat_info *info)
{
	const char *words = (const char *)info->command_line_address;

	exceptions_install();
	interrupt_handle(VECTOR, on_interrupt);
	interrupt_handle(NMI, on_nmi);
	apic_enable(flat_find(words, "xapic") != NULL);
	if (!apic_in_x2apic())
		apic_write(APIC_LDR, DESTINATION(1));
	if (smp_start(processor) != PROCESSORS - 1)
		print("TEST-FAIL processors\n");
	for (unsigned i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		print(questions[i].holds() ? "TEST-PASS " : "TEST-FAIL ");
		print(questions[i].name);
		print("\n");
	}
	print("ioapic: done\n");
}
