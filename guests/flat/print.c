/* Text on COM1, polled. PC16550D, "Line Status Register". */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define COM1            0x3f8U
#define COM1_LSR        (COM1 + 5U)
#define LSR_THRE        0x20U
#define NUMBER_DIGITS   20U

static void print_byte(char byte)
{
	while ((in8(COM1_LSR) & LSR_THRE) == 0)
		__builtin_ia32_pause();
	out8(COM1, (uint8_t)byte);
}

void print(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			print_byte('\r');
		print_byte(*text);
	}
}

void print_number(uint64_t value)
{
	char digits[NUMBER_DIGITS + 1];
	unsigned at = NUMBER_DIGITS;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	print(digits + at);
}

void print_hex(uint64_t value)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		print_byte("0123456789abcdef"[value >> shift & 0xf]);
}
