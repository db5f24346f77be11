/* Output and checks that do not depend on how the program was started. */
#include "guests/boot/boot.h"

#define COM1           0x3f8U
#define COM1_LSR       0x3fdU
#define LSR_THRE       0x20U
#define CR0_PE         0x1U
#define CR0_PG         0x80000000U
#define EFLAGS_TF_IF_VM 0x20300U
#define LOW_MEMORY_END 0xa0000U
#define BIOS_DATA_END  0x500U
#define RSDP_AREA      0xe0000U
#define RSDP_AREA_END  0x100000U
#define RSDP_1_BYTES   20U /* what the first checksum covers */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
	return value;
}

void print(const char *text)
{
	for (; *text != '\0'; text++) {
		while ((in8(COM1_LSR) & LSR_THRE) == 0)
			__builtin_ia32_pause();
		out8(COM1, (uint8_t)*text);
	}
}

static void print_hex(uint32_t value)
{
	char digit[2] = "";

	for (int shift = 28; shift >= 0; shift -= 4) {
		digit[0] = "0123456789abcdef"[value >> shift & 0xf];
		print(digit);
	}
}

void expect(const char *name, bool holds)
{
	print(holds ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	print("\r\n");
}

void expect_number(const char *name, uint32_t value, uint32_t wanted)
{
	expect(name, value == wanted);
	if (value != wanted) {
		print_hex(value);
		print(", not ");
		print_hex(wanted);
		print("\r\n");
	}
}

bool same_bytes(const void *a, const void *b, uint32_t len_bytes)
{
	const volatile uint8_t *left = a, *right = b;

	for (uint32_t i = 0; i < len_bytes; i++) {
		if (left[i] != right[i])
			return false;
	}
	return true;
}

bool same_text(const char *a, const char *b)
{
	uint32_t length = 0;

	while (b[length] != '\0')
		length++;
	return same_bytes(a, b, length + 1);
}

static bool is_a20_open(void)
{
	volatile uint32_t *low = (volatile uint32_t *)0x8000, *high = (volatile uint32_t *)0x108000;

	*low = 1;
	*high = 2;
	return *low == 1 && *high == 2;
}

void check_state(void)
{
	expect_number("CR0: PE and no PG", boot_state.cr0 & (CR0_PE | CR0_PG), CR0_PE);
	expect_number("CR4", boot_state.cr4, 0);
	expect_number("EFLAGS: no TF, IF, VM", boot_state.eflags & EFLAGS_TF_IF_VM, 0);
	expect("A20", is_a20_open());
}

static uint8_t sum_of(const uint8_t *bytes, uint32_t len_bytes)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < len_bytes; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum;
}

/* The compiler takes small constant addresses for null pointers; through this it cannot. */
static const uint8_t *at_address(uint32_t address)
{
	__asm__("" : "+r"(address));
	return (const uint8_t *)address;
}

uint32_t check_firmware_area(void)
{
	const uint8_t *bios_data = at_address(0x400);
	uint32_t found = 0;

	for (uint32_t at = RSDP_AREA; at < RSDP_AREA_END && found == 0; at += 16) {
		if (same_bytes(at_address(at), "RSD PTR ", 8) && sum_of(at_address(at), RSDP_1_BYTES) == 0)
			found = at;
	}
	expect("RSDP where firmware has it", found != 0);
	expect_number("COM1 in the BIOS data area", bios_data[0] | (uint32_t)bios_data[1] << 8, COM1);
	expect_number("KiB of low memory in the BIOS data area", bios_data[0x13] | (uint32_t)bios_data[0x14] << 8,
		      LOW_MEMORY_END >> 10);
	expect_number("no extended BIOS data area", bios_data[0x0e] | (uint32_t)bios_data[0x0f] << 8, 0);
	return found;
}

void use_low_memory(void)
{
	volatile uint32_t *end = (volatile uint32_t *)LOW_MEMORY_END;

	for (volatile uint32_t *at = (volatile uint32_t *)at_address(BIOS_DATA_END); at < end; at++)
		*at = 0x5aa55aa5;
}
