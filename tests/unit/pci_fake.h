/* A PCI function for tests, with a BAR of each kind, a pin, a message of MSI and four vectors of MSI-X, and what it told on its
 * wires. */
#pragma once
#include "drivers/virt/pci_config.h"
#include "drivers/virt/pci_decode.h"
#include "drivers/virt/pci_function.h"
#include "tests/unit/unit.h"

#define FAKE_BAR_IO   0U
#define FAKE_BAR_MSIX 1U
#define FAKE_BAR_64   2U

static struct pci_function fake;
static struct {
	uint64_t bars[PCI_BARS_MAX];
	unsigned moves, messages;
	uint64_t address;
	uint32_t data;
	bool pin;
} told;

static void fake_bar_moved(void *ctx, unsigned bar, uint64_t base)
{
	assert_ptr_equal(ctx, &told);
	assert_int_not_equal(told.bars[bar], base);
	told.bars[bar] = base;
	told.moves++;
}

static void fake_send(void *ctx, uint64_t address, uint32_t data)
{
	assert_ptr_equal(ctx, &told);
	told.messages++;
	told.address = address;
	told.data = data;
}

static void fake_pin(void *ctx, bool level)
{
	assert_ptr_equal(ctx, &told);
	told.pin = level;
}

static int fake_setup(void **state)
{
	const struct pci_identity identity = {
		.vendor = 0x1af4, .device = 0x1042, .subsystem_vendor = 0x1af4, .subsystem = 0x1100,
		.class_code = 0x018000, .revision = 1, .has_pin = true, .has_msi = true, .is_express = true,
		.vector_count = 4, .msix_bar = FAKE_BAR_MSIX,
		.bars = {
			[FAKE_BAR_IO] = {.size_bytes = 0x80, .is_io = true},
			[FAKE_BAR_MSIX] = {.size_bytes = PCI_MSIX_REGION_SIZE},
			[FAKE_BAR_64] = {.size_bytes = 0x4000, .is_64bit = true, .is_prefetchable = true},
		},
	};
	const struct pci_function_wires wires = {
		.bar_moved = fake_bar_moved, .send = fake_send, .pin = {.set = fake_pin, .ctx = &told}, .ctx = &told};

	(void)state;
	told.moves = told.messages = 0;
	told.pin = false;
	for (unsigned bar = 0; bar < PCI_BARS_MAX; bar++)
		told.bars[bar] = PCI_DECODE_OFF;
	pci_function_init(&fake, &identity, &wires);
	return 0;
}

static inline uint32_t get(unsigned reg, unsigned width)
{
	return pci_function_ops.read(&fake, reg, width);
}

static inline void put(unsigned reg, unsigned width, uint32_t value)
{
	pci_function_ops.write(&fake, reg, width, value);
}
