/* The IDT. SDM Vol. 3A, "64-Bit Mode IDT". */
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define CODE_SELECTOR  0x10U /* docs/guest-flat.md */
#define INTERRUPT_GATE 0x8e00U
#define ENTRY_COUNT    33U
#define GATE_COUNT     256U

struct gate {
	uint16_t offset_low, selector;
	uint16_t attributes, offset_middle;
	uint32_t offset_high, reserved;
};

struct idt_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern const uint64_t flat_entries[ENTRY_COUNT];
_Noreturn void flat_exception(uint64_t vector, uint64_t error_code, uint64_t rip);

static struct gate idt[GATE_COUNT];

_Noreturn void flat_exception(uint64_t vector, uint64_t error_code, uint64_t rip)
{
	print("exception ");
	print_number(vector);
	print(" error ");
	print_hex(error_code);
	print(" at ");
	print_hex(rip);
	print("\n");
	flat_power_off();
}

static void set_gate(unsigned vector, uint64_t entry)
{
	idt[vector] = (struct gate){
		.offset_low = (uint16_t)entry,
		.selector = CODE_SELECTOR,
		.attributes = INTERRUPT_GATE,
		.offset_middle = (uint16_t)(entry >> 16),
		.offset_high = (uint32_t)(entry >> 32),
	};
}

void interrupt_handle(uint8_t vector, interrupt_handler *handler)
{
	set_gate(vector, (uint64_t)(uintptr_t)handler);
}

void exceptions_load(void)
{
	const struct idt_register idtr = {.limit = sizeof(idt) - 1, .base = (uint64_t)(uintptr_t)idt};

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void exceptions_install(void)
{
	for (unsigned vector = 0; vector < ENTRY_COUNT; vector++)
		set_gate(vector, flat_entries[vector]);
	exceptions_load();
}
