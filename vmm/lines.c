/* The wiring of a PC's interrupt lines as a table. */
#include "vmm/lines.h"

#define BIT(n) (1ULL << (n))

/* Of the sources behind the first 24. */
static const uint8_t further_lines[SOURCE_PCI - LINE_COUNT] = {
	[SOURCE_COM4 - LINE_COUNT] = SOURCE_COM2,
	[SOURCE_COM3 - LINE_COUNT] = SOURCE_COM1,
	[SOURCE_HPET_0 - LINE_COUNT] = SOURCE_PIT,
	[SOURCE_HPET_1 - LINE_COUNT] = SOURCE_RTC,
};

/* The PCI devices whose pins drive this one of four lines, as bits: every fourth. */
static uint64_t pci_sources_of(unsigned line)
{
	const uint64_t every_fourth = 0x1111111111111111ULL & (BIT(LINES_PCI_DEVICES) - 1);

	return every_fourth << (line - LINES_PCI - LINES_PCI_DEVICE_FIRST) % 4 << SOURCE_PCI;
}

/* The PCI devices whose pins are routed to a line below 16, as bits. */
static uint64_t routed_to(const struct lines *lines, unsigned line)
{
	uint64_t sources = 0;

	for (unsigned pirq = 0; pirq < LINES_PIRQS; pirq++) {
		if (lines->routes[pirq] != 0 && lines->routes[pirq] == line)
			sources |= pci_sources_of(LINES_PCI + pirq);
	}
	return sources;
}

/* All that drive a line but for what is routed there, as bits. */
static uint64_t sources_of(const struct lines *lines, unsigned line)
{
	bool hpet_replaces = (lines->sources & BIT(SOURCE_HPET_LEGACY)) != 0;

	switch (line) {
	case SOURCE_PIT:
		return hpet_replaces ? BIT(SOURCE_HPET_0) : BIT(SOURCE_PIT);
	case SOURCE_RTC:
		return hpet_replaces ? BIT(SOURCE_HPET_1) : BIT(SOURCE_RTC);
	case SOURCE_COM1:
		return BIT(SOURCE_COM1) | BIT(SOURCE_COM3);
	case SOURCE_COM2:
		return BIT(SOURCE_COM2) | BIT(SOURCE_COM4);
	case LINES_PCI: case LINES_PCI + 1: case LINES_PCI + 2: case LINES_PCI + 3:
		return BIT(line) | pci_sources_of(line);
	default:
		return BIT(line);
	}
}

static unsigned line_of(unsigned source)
{
	if (source < LINE_COUNT)
		return source;
	if (source < SOURCE_PCI)
		return further_lines[source - LINE_COUNT];
	return LINES_PCI + (source - SOURCE_PCI + LINES_PCI_DEVICE_FIRST) % 4;
}

static bool level_of(const struct lines *lines, unsigned line)
{
	return (lines->sources & (sources_of(lines, line) | routed_to(lines, line))) != 0;
}

unsigned lines_set(struct lines *lines, unsigned source, bool level, unsigned numbers[2], bool levels[2])
{
	unsigned count = 1;

	if (source >= SOURCE_COUNT || source == SOURCE_ROUTES)
		return 0;
	lines->sources = level ? lines->sources | BIT(source) : lines->sources & ~BIT(source);
	numbers[0] = line_of(source);
	if (source == SOURCE_HPET_LEGACY) {
		numbers[0] = SOURCE_PIT;
		numbers[1] = SOURCE_RTC;
		count = 2;
	}
	if (source >= SOURCE_PCI && source < SOURCE_ROUTES && lines->routes[numbers[0] - LINES_PCI] != 0) {
		numbers[1] = lines->routes[numbers[0] - LINES_PCI];
		count = 2;
	}
	for (unsigned i = 0; i < count; i++)
		levels[i] = level_of(lines, numbers[i]);
	return count;
}

unsigned lines_route(struct lines *lines, unsigned pirq, unsigned irq, unsigned numbers[2], bool levels[2])
{
	unsigned count = 0;

	if (pirq >= LINES_PIRQS || irq >= LINES_PCI || lines->routes[pirq] == irq)
		return 0;
	if (lines->routes[pirq] != 0)
		numbers[count++] = lines->routes[pirq];
	if (irq != 0)
		numbers[count++] = irq;
	lines->routes[pirq] = (uint8_t)irq;
	for (unsigned i = 0; i < count; i++)
		levels[i] = level_of(lines, numbers[i]);
	return count;
}
