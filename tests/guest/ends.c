/* Does each way to end have its own end? The command line says which: index.tsv has a line for each. */
#include <stddef.h>

#include "guests/flat/apic.h"
#include "tests/guest/lib/question.h"

#define RESET_CONTROL    0xcf9U
#define HARD_RESET       0x06U
#define FULL_RESET       0x0eU
#define KEYBOARD_COMMAND 0x64U
#define PULSE_RESET_LINE 0xfeU
#define PORT_A           0x92U
#define FAST_RESET       0x01U
#define NOBODY           0xd0000000UL

struct idt_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* Entries that are noise, and none that is valid. */
static uint64_t garbage[512];

static void end_by_exception(uint64_t table, uint16_t limit)
{
	const struct idt_register idtr = {.limit = limit, .base = table};

	for (unsigned i = 0; i < 512; i++)
		garbage[i] = 0x5a17e3c9d2b4f681ULL * (i + 1) & ~0x00000f0000000000ULL;
	__asm__ volatile("lidt %0\n\tint3" : : "m"(idtr));
}

static void keyboard(void) { out8(KEYBOARD_COMMAND, PULSE_RESET_LINE); }
static void hard_reset(void) { out8(RESET_CONTROL, HARD_RESET); }
static void full_reset(void) { out8(RESET_CONTROL, FULL_RESET); }
static void port_a(void) { out8(PORT_A, in8(PORT_A) | FAST_RESET); }
static void no_idt(void) { end_by_exception(0, 0); }
static void idt_garbage(void) { end_by_exception((uint64_t)(uintptr_t)garbage, sizeof(garbage) - 1); }
static void idt_nowhere(void) { end_by_exception(NOBODY, 0xfff); }
static void jump_nowhere(void) { ((void (*)(void))NOBODY)(); }

static void halt_for_good(void)
{
	interrupts_off();
	halt();
}

static void power_off(void)
{
	print("TEST-PASS it ends by ACPI S5\n");
	flat_power_off();
}

static const struct {
	const char *word;
	void (*end)(void);
} ends[] = {
	{"keyboard", keyboard}, {"hard-reset", hard_reset}, {"full-reset", full_reset}, {"port-a", port_a},
	{"no-idt", no_idt}, {"idt-garbage", idt_garbage}, {"idt-nowhere", idt_nowhere}, {"jump-nowhere", jump_nowhere},
	{"halt", halt_for_good}, {"power-off", power_off},
};

void question(const struct guest_flat_info *info)
{
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (flat_find((const char *)info->command_line_address, ends[i].word) != NULL)
			ends[i].end();
	}
	expect("it goes on", true, false);
}
