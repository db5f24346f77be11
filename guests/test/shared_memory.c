/* Memory that VMs share (docs/shared-memory.md), told from each side by the command line: "writer" may write it and begins,
 * "reader" may only read it, "neighbour" has another region, "stranger" has none, "partner" answers a VM without a driver. Each
 * says TEST-PASS, or what it found. */
#include <stddef.h>

#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/pci.h"

#define VENDOR          0x1af4U
#define DEVICE          0x1110U
#define CAPABILITY_MSIX 0x11U
#define MSIX_ENABLE     0x8000U
#define LOCAL_APIC      0xfee00000U
#define VECTOR_0        0x60U
#define POSITION        8U
#define DOORBELL        12U
#define DEVICES_BASE    0xc0000000UL /* where a PC without firmware puts what its devices show */
#define DEVICES_END     0xd8000000UL
#define DEVICES_STEP    0x10000UL
#define NEW_PLACE       0xd0000000UL
#define BYTES           0x10000U
#define FLAG            (BYTES / 4 - 1)
#define FORBIDDEN       0x200U
#define READY           0x12345678U
#define PATIENCE_MS     2000U
#define PAGE_BYTES      0x1000U
#define PAGE_WORDS      (PAGE_BYTES / 4)

static volatile unsigned rung[3];

static INTERRUPT_HANDLER void on_first(struct interrupt_frame *frame)
{
	(void)frame;
	rung[0]++;
	apic_write(APIC_EOI, 0);
}

static INTERRUPT_HANDLER void on_second(struct interrupt_frame *frame)
{
	(void)frame;
	rung[1]++;
	apic_write(APIC_EOI, 0);
}

struct side {
	unsigned device;
	volatile uint32_t *registers, *memory;
};

static bool fails(const char *what)
{
	print("shared_memory: ");
	print(what);
	print("\n");
	return false;
}

static uint64_t deadline(void)
{
	return read_tsc() + flat_tsc_hz() / 1000 * PATIENCE_MS;
}

static bool is_rung(unsigned vector)
{
	uint64_t end = deadline();

	interrupts_on();
	while (rung[vector] == 0 && read_tsc() < end)
		__builtin_ia32_pause();
	interrupts_off();
	return rung[vector] == 1;
}

static void enable_vector(const struct side *side, unsigned entry)
{
	unsigned at = pci_capability(side->device, CAPABILITY_MSIX, 0);
	volatile uint32_t *words = (volatile uint32_t *)(uintptr_t)(pci_bar(side->device, 1) + entry * 16UL);

	words[0] = LOCAL_APIC;
	words[1] = 0;
	words[2] = VECTOR_0 + entry;
	words[3] = 0;
	pci_write16(side->device, at + 2, MSIX_ENABLE);
}

static bool find(struct side *side, unsigned position, unsigned vectors)
{
	if (!pci_find(VENDOR, DEVICE, 0, &side->device))
		return fails("no device");
	pci_write16(side->device, PCI_COMMAND, PCI_COMMAND_ALL);
	side->registers = (volatile uint32_t *)(uintptr_t)pci_bar(side->device, 0);
	side->memory = (volatile uint32_t *)(uintptr_t)pci_bar(side->device, 2);
	if (side->registers[POSITION / 4] != position)
		return fails("another number");
	interrupt_handle(VECTOR_0, on_first);
	interrupt_handle(VECTOR_0 + 1, on_second);
	for (unsigned i = 0; i < vectors; i++)
		enable_vector(side, i);
	return true;
}

static void ring(const struct side *side, unsigned peer, unsigned vector)
{
	side->registers[DOORBELL / 4] = peer << 16 | vector;
}

static uint32_t pattern(uint32_t index)
{
	return index * 2654435761U + 1;
}

static bool has_pattern(const volatile uint32_t *memory)
{
	for (uint32_t i = 0; i < FLAG; i++) {
		if (i != FORBIDDEN && memory[i] != pattern(i))
			return false;
	}
	return memory[FORBIDDEN] == 0 && memory[FLAG] == READY;
}

static bool writer(void)
{
	volatile uint32_t *moved = (volatile uint32_t *)NEW_PLACE;
	struct side side;

	if (!find(&side, 0, 2))
		return false;
	for (uint32_t i = 0; i < FLAG; i++)
		side.memory[i] = i == FORBIDDEN ? 0 : pattern(i);
	side.memory[FLAG] = READY;
	if (!is_rung(1) || rung[0] != 0)
		return fails("the reader has not rung");
	if (!has_pattern(side.memory))
		return fails("the memory has changed");
	ring(&side, 1, 1); /* it has no such vector */
	ring(&side, 2, 0); /* there is no such VM */
	ring(&side, 1, 0);
	pci_write32(side.device, PCI_BAR_0 + 8, (uint32_t)NEW_PLACE);
	if (side.memory[0] != UINT32_MAX || !has_pattern(moved))
		return fails("the memory has not moved with its register");
	pci_write16(side.device, PCI_COMMAND, 0);
	return moved[0] == UINT32_MAX || fails("the memory is there although it is switched off");
}

static bool reader(void)
{
	uint64_t end = deadline();
	struct side side;

	if (!find(&side, 1, 1))
		return false;
	while (side.memory[FLAG] != READY && read_tsc() < end)
		__builtin_ia32_pause();
	if (!has_pattern(side.memory))
		return fails("not what the writer wrote");
	side.memory[FORBIDDEN] = 1;
	side.memory[0] = 1;
	if (!has_pattern(side.memory))
		return fails("it could write");
	ring(&side, 0, 1);
	if (!is_rung(0) || rung[1] != 0)
		return fails("the writer has not rung");
	return has_pattern(side.memory) || fails("the memory has changed");
}

/* Whether there is nothing where a PC's devices are, but for the BARs of the device of `own` (NULL: it has none). */
static bool sees_nothing_else(const struct side *own)
{
	for (unsigned long at = DEVICES_BASE; at < DEVICES_END; at += DEVICES_STEP) {
		volatile uint32_t *word = (volatile uint32_t *)at;
		bool is_own = false;

		for (unsigned bar = 0; own != NULL && bar < 3; bar++)
			is_own = is_own || pci_bar(own->device, bar) == at;
		if (is_own)
			continue;
		*word = 1;
		if (*word != UINT32_MAX)
			return fails("there is something");
	}
	return true;
}

static bool stranger(void)
{
	unsigned device;

	if (pci_find(VENDOR, DEVICE, 0, &device))
		return fails("it has the device");
	return sees_nothing_else(NULL);
}

/* Its region, of a page, is its own wherever it puts it, and ends where it ends; its doorbell reaches nobody else's peers. */
static bool neighbour(void)
{
	volatile uint32_t *moved = (volatile uint32_t *)NEW_PLACE;
	struct side side;

	if (!find(&side, 0, 2))
		return false;
	for (uint32_t i = 0; i < PAGE_WORDS; i++) {
		if (side.memory[i] != 0)
			return fails("the memory is another's");
		side.memory[i] = i + 1;
	}
	for (uint32_t i = PAGE_WORDS; i < BYTES / 4; i += PAGE_WORDS) {
		side.memory[i] = 1;
		if (side.memory[i] != UINT32_MAX)
			return fails("the memory is longer than its region");
	}
	for (unsigned peer = 1; peer < 4; peer++) {
		ring(&side, peer, 0);
		ring(&side, peer, 1);
	}
	ring(&side, 0, 0);
	if (!is_rung(0) || rung[1] != 0 || !sees_nothing_else(&side))
		return fails("its own bell has not rung, or there is something");
	pci_write32(side.device, PCI_BAR_0 + 8, (uint32_t)NEW_PLACE);
	for (uint32_t i = 0; i < PAGE_WORDS; i++) {
		if (moved[i] != i + 1)
			return fails("the memory is another's in another place");
	}
	return moved[PAGE_WORDS] == UINT32_MAX || fails("the memory is longer in another place");
}

/* Vector 0: it adds up all words behind the first page, says the sum and leaves it in the first word. Vector 1: the end. */
static bool partner(void)
{
	unsigned answered = 0;
	struct side side;

	if (!find(&side, 1, 2))
		return false;
	print("partner: ready\n");
	while (rung[1] == 0 || answered != rung[0]) {
		uint32_t sum = 0;

		if (answered == rung[0]) {
			interrupts_on_and_halt();
			interrupts_off();
			continue;
		}
		answered++;
		for (uint32_t i = PAGE_WORDS; i < BYTES / 4; i++)
			sum += side.memory[i];
		side.memory[0] = sum;
		print("partner: rung, the sum is ");
		print_hex(sum);
		print("\n");
	}
	return true;
}

void guest_main(const struct guest_flat_info *info)
{
	static const struct {
		const char *name;
		bool (*run)(void);
	} sides[] = {{"writer", writer}, {"reader", reader}, {"neighbour", neighbour}, {"partner", partner}};
	const char *words = (const char *)info->command_line_address;
	bool (*run)(void) = stranger;

	for (unsigned i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		if (flat_find(words, sides[i].name) != NULL)
			run = sides[i].run;
	}
	exceptions_install();
	apic_enable(false);
	print(run() ? "TEST-PASS shared_memory " : "TEST-FAIL shared_memory ");
	print(words);
	print("\n");
}
