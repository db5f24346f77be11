/* Which interrupt line each source of a machine drives, and the level of a line that has several. Sources are the inputs of
 * the relay (drivers/virt/irq_relay.h): 0 to 23 are the first device of the line with that number, further ones follow.
 * A line is asserted while any of its sources is. In the HPET's legacy replacement mode it has lines 0 and 8 for itself.
 * The pins of PCI devices drive one of the lines 16 to 19, and one below 16 where that is routed (drivers/virt/pci_lpc.h).
 * Knows no device and no controller. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define LINE_COUNT 24U
#define LINES_PCI_DEVICES      28U
#define LINES_PCI_DEVICE_FIRST 2U  /* its number on bus 0 */
#define LINES_PIRQS            4U  /* as many lines do PCI devices share */
#define LINES_PCI              16U /* pin A of device d drives line 16 + d % 4 */

enum line_source {
	SOURCE_PIT = 0,
	SOURCE_KEYBOARD = 1,
	SOURCE_COM2 = 3,
	SOURCE_COM1 = 4,
	SOURCE_RTC = 8,
	SOURCE_SCI = 9,
	SOURCE_MOUSE = 12,
	SOURCE_HPET_PINS = 20, /* to 23 */
	SOURCE_COM4 = LINE_COUNT,
	SOURCE_COM3,
	SOURCE_HPET_0,
	SOURCE_HPET_1,
	SOURCE_HPET_LEGACY, /* asserted: legacy replacement is on; drives no line */
	SOURCE_PCI,         /* the pins of PCI devices, from vmm/pci.c's first one on */
	SOURCE_ROUTES = SOURCE_PCI + LINES_PCI_DEVICES, /* an edge: routes changed; drives no line */
	SOURCE_COUNT
};

struct lines {
	uint64_t sources; /* their levels, by enum line_source */
	uint8_t routes[LINES_PIRQS]; /* of PIRQ A to D: a line below 16; 0: none */
};

/* A source changes: up to two lines may then have another level. Fills numbers[] and levels[] and returns how many.
 * Unknown sources: none. */
unsigned lines_set(struct lines *lines, unsigned source, bool level, unsigned numbers[2], bool levels[2]);

/* PIRQ pirq (0: A) drives line irq from now on, 0: none: the one that it drove and this one may have another level. As lines_set().
 * Others than 0 to 3, lines from 16 on: none. */
unsigned lines_route(struct lines *lines, unsigned pirq, unsigned irq, unsigned numbers[2], bool levels[2]);
