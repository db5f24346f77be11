/* QEMU's ports for test programs: text by port E9h, the end with a code by port F4h. Command line: "value=16 width=4" is what is
 * written there, and how wide in bytes. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define TEXT_PORT 0xe9U
#define EXIT_PORT 0xf4U

static void print_by_port(const char *text)
{
	for (; *text != '\0'; text++)
		out8(TEXT_PORT, (uint8_t)*text);
}

static void end_with(uint32_t value, uint64_t width_bytes)
{
	if (width_bytes == 1)
		out8(EXIT_PORT, (uint8_t)value);
	else if (width_bytes == 2)
		out16(EXIT_PORT, (uint16_t)value);
	else
		__asm__ volatile("outl %0, %1" : : "a"(value), "d"((uint16_t)EXIT_PORT));
}

void guest_main(const struct guest_flat_info *info)
{
	const char *words = (const char *)info->command_line_address;

	print_by_port(in8(TEXT_PORT) == TEXT_PORT ? "TEST-PASS port E9h\n" : "TEST-FAIL port E9h\n");
	end_with((uint32_t)flat_number(words, "value=", 16), flat_number(words, "width=", 4));
	print("TEST-FAIL goes on behind its end\n");
}
