/* A PCI function's memory at the guest's shell: FILE is /sys/bus/pci/devices/FUNCTION/resourceN, which is mapped (Linux:
 * Documentation/PCI/sysfs-pci.rst). Numbers are decimal, or hexadecimal from 0x on.
 *
 *     pcimem FILE read OFFSET WIDTH           prints 1, 2, 4 or 8 bytes as one number
 *     pcimem FILE write OFFSET WIDTH VALUE    writes it: rings a doorbell, too
 *     pcimem FILE fill OFFSET BYTES SEED      fills with numbers that follow from the seed
 *     pcimem FILE check OFFSET BYTES SEED     says whether they are there */
#include "guests/linux/program.h"

enum { O_RDWR = 2, O_SYNC = 04010000, PROT_READ_WRITE = 3, MAP_SHARED = 1, PAGE_BYTES = 4096 };

const char program_name[] = "pcimem";

static volatile uint8_t *map(const char *path, uint64_t offset, uint64_t bytes)
{
	long file = must("open", SYS_OPEN, (long)path, O_RDWR | O_SYNC, 0);
	uint64_t first = offset & ~(uint64_t)(PAGE_BYTES - 1);
	long address = system_call(SYS_MMAP, 0, (long)(offset - first + bytes), PROT_READ_WRITE, MAP_SHARED, file, (long)first);

	if (address < 0 && address > -PAGE_BYTES)
		fail("mmap", address);
	return (volatile uint8_t *)address + (offset - first);
}

static uint64_t read_at(volatile uint8_t *at, uint64_t width)
{
	switch (width) {
	case 1: return *at;
	case 2: return *(volatile uint16_t *)(volatile void *)at;
	case 4: return *(volatile uint32_t *)(volatile void *)at;
	case 8: return *(volatile uint64_t *)(volatile void *)at;
	default: fail("a width is 1, 2, 4 or 8", 0);
	}
}

static void write_at(volatile uint8_t *at, uint64_t width, uint64_t value)
{
	switch (width) {
	case 1: *at = (uint8_t)value; return;
	case 2: *(volatile uint16_t *)(volatile void *)at = (uint16_t)value; return;
	case 4: *(volatile uint32_t *)(volatile void *)at = (uint32_t)value; return;
	case 8: *(volatile uint64_t *)(volatile void *)at = value; return;
	default: fail("a width is 1, 2, 4 or 8", 0);
	}
}

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state ^ *state >> 16;
}

static int fill_or_check(volatile uint8_t *memory, uint64_t bytes, uint32_t seed, int check)
{
	volatile uint32_t *words = (volatile uint32_t *)(volatile void *)memory;

	for (uint64_t i = 0; i < bytes / sizeof(*words); i++) {
		uint32_t expected = next(&seed);

		if (!check)
			words[i] = expected;
		else if (words[i] != expected)
			fail("another number, at byte", (long)(i * sizeof(*words)));
	}
	say(check ? "pcimem: equal\n" : "pcimem: filled\n");
	return 0;
}

int program(int count, char **words)
{
	if (count == 5 && same(words[2], "read")) {
		say_hex(read_at(map(words[1], number_of(words[3]), number_of(words[4])), number_of(words[4])));
		say("\n");
		return 0;
	}
	if (count == 6 && same(words[2], "write")) {
		write_at(map(words[1], number_of(words[3]), number_of(words[4])), number_of(words[4]), number_of(words[5]));
		return 0;
	}
	if (count == 6 && (same(words[2], "fill") || same(words[2], "check")))
		return fill_or_check(map(words[1], number_of(words[3]), number_of(words[4])), number_of(words[4]),
				     (uint32_t)number_of(words[5]), same(words[2], "check"));
	say("usage: pcimem FILE read OFFSET WIDTH | write OFFSET WIDTH VALUE | fill OFFSET BYTES SEED | check OFFSET BYTES SEED\n");
	return 2;
}
