/* Device memory by many instructions, and what nobody owns: reads are all-ones, writes are ignored. IOAPIC: select at offset 0,
 * window at 10h; register 0 is its ID. Ends with an instruction that no version emulates. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define IOAPIC  ((volatile uint32_t *)0xfec00000UL)
#define WINDOW  4U
#define NOBODY  ((volatile uint32_t *)0xd0000000UL)
#define NO_PORT 0x278U

static void expect(const char *name, uint64_t value, uint64_t wanted)
{
	print(value == wanted ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	print("\n");
}

static void strings(void)
{
	static const char text[] = "by OUTS\n";
	const char *source = text;
	uint64_t count = sizeof(text) - 1;
	uint8_t bytes[3] = {0};
	uint8_t *target = bytes;

	__asm__ volatile("rep outsb" : "+S"(source), "+c"(count) : "d"((uint16_t)0x3f8) : "memory");
	expect("rep outsb counts", count, 0);
	expect("rep outsb moves", (uint64_t)(source - text), sizeof(text) - 1);
	count = 2;
	__asm__ volatile("rep insb" : "+D"(target), "+c"(count) : "d"((uint16_t)NO_PORT) : "memory");
	expect("rep insb reads", bytes[0] + bytes[1] * 256U + bytes[2] * 65536U, 0xffff);
}

void guest_main(const struct guest_flat_info *info)
{
	uint64_t count = 3;
	volatile uint32_t *target = IOAPIC;
	uint8_t zero;

	(void)info;
	exceptions_install();
	IOAPIC[0] = 0;
	IOAPIC[WINDOW] = 0x05000000;
	expect("write and read", IOAPIC[WINDOW], 0x05000000);
	__asm__ volatile("orl $0x02000000, %0" : "+m"(IOAPIC[WINDOW]));
	expect("or with memory", IOAPIC[WINDOW], 0x07000000);
	__asm__ volatile("testl $0x02000000, %1; setz %0" : "=q"(zero) : "m"(IOAPIC[WINDOW]) : "cc");
	expect("test with memory", zero, 0);
	expect("byte of a register", ((volatile uint8_t *)IOAPIC)[4 * WINDOW + 3], 0x07);
	expect("nobody's memory", *NOBODY, UINT32_MAX);
	*NOBODY = 1;
	expect("nobody's memory ignores writes", *NOBODY, UINT32_MAX);
	expect("nobody's port", in8(NO_PORT), 0xff);
	__asm__ volatile("rep stosl" : "+D"(target), "+c"(count) : "a"(0) : "memory");
	expect("rep stos", count, 0);
	strings();
	print("device_memory: FXSAVE now\n");
	__asm__ volatile("fxsave (%0)" : : "r"(NOBODY) : "memory");
	print("TEST-FAIL fxsave\n");
}
