/* IOAPICs of the PC and the interrupt objects behind handles. Intel 82093AA data sheet, "Register Description"; 8259A
 * data sheet. */
#include "kernel/irq.h"

#include <stdbool.h>
#include <stddef.h>

#include "abi/boot_info.h"
#include "abi/syscall.h"
#include "kernel/apic.h"
#include "kernel/config.h"
#include "kernel/cpu_insn.h"
#include "kernel/event.h"
#include "kernel/kernel_map.h"
#include "kernel/object.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/spinlock.h"

#define IOAPIC_SELECT     0x00
#define IOAPIC_WINDOW     0x10
#define IOAPIC_VERSION    0x01
#define IOAPIC_ROUTE      0x10
#define IOAPIC_DESTINATION_MAX 254U /* APIC IDs of 8 bits; 255 is all */
#define ROUTE_MASKED      0x10000U
#define ROUTE_LEVEL       0x8000U
#define ROUTE_ACTIVE_LOW  0x2000U
#define IRQ_OBJECTS_MAX   64U

struct irq {
	struct object object;
	struct pool *pool;
	struct event *event;
	uint64_t bits;
	uint32_t ioapic_index;
	uint32_t pin;
	uint32_t gsi;
	uint32_t vector;
	uint32_t route; /* low word of the redirection entry, unmasked */
};

struct ioapic {
	volatile uint32_t *registers;
	uint32_t gsi_base;
	uint32_t pin_count;
};

static struct {
	struct spinlock lock;
	struct ioapic ioapics[BOOT_IOAPICS_MAX];
	uint32_t ioapic_count;
	const struct boot_irq_route *isa; /* BOOT_ISA_IRQS */
	struct irq *by_vector[IRQ_OBJECTS_MAX]; /* vector - VECTOR_DEVICE_FIRST */
} irqs = {.lock = {.rank = RANK_IRQ}};

static uint32_t ioapic_read(const struct ioapic *ioapic, uint32_t index)
{
	ioapic->registers[IOAPIC_SELECT / 4] = index;
	return ioapic->registers[IOAPIC_WINDOW / 4];
}

static void ioapic_write(const struct ioapic *ioapic, uint32_t index, uint32_t value)
{
	ioapic->registers[IOAPIC_SELECT / 4] = index;
	ioapic->registers[IOAPIC_WINDOW / 4] = value;
}

static void mask_8259(void)
{
	static const uint8_t sequence[][2] = {
		{0x20, 0x11}, {0xa0, 0x11},                   /* ICW1: edge, cascade, ICW4 follows */
		{0x21, VECTOR_PIC_SPURIOUS}, {0xa1, VECTOR_PIC_SPURIOUS + 8}, /* ICW2: vectors, for spurious ones */
		{0x21, 0x04}, {0xa1, 0x02},                   /* ICW3: cascade on line 2 */
		{0x21, 0x01}, {0xa1, 0x01},                   /* ICW4: 8086 mode */
		{0x21, 0xff}, {0xa1, 0xff},                   /* OCW1: all masked */
	};

	for (unsigned i = 0; i < sizeof(sequence) / sizeof(sequence[0]); i++)
		out8(sequence[i][0], sequence[i][1]);
}

void irq_init(const struct boot_pc *pc)
{
	if (pc->has_8259)
		mask_8259();
	irqs.isa = pc->isa_irqs;
	for (uint32_t i = 0; i < pc->ioapic_count && i < BOOT_IOAPICS_MAX; i++) {
		struct ioapic *ioapic = &irqs.ioapics[irqs.ioapic_count];

		ioapic->registers = kernel_map_device(pc->ioapics[i].physical, 0x20, DEVICE_UNCACHED, true);
		if (ioapic->registers == NULL)
			continue;
		ioapic->gsi_base = pc->ioapics[i].gsi_base;
		ioapic->pin_count = (ioapic_read(ioapic, IOAPIC_VERSION) >> 16 & 0xff) + 1;
		for (uint32_t pin = 0; pin < ioapic->pin_count; pin++)
			ioapic_write(ioapic, IOAPIC_ROUTE + 2 * pin, ROUTE_MASKED);
		irqs.ioapic_count++;
	}
}

void irq_dispatch(uint32_t vector)
{
	struct irq *irq;

	spinlock_acquire(&irqs.lock);
	irq = vector - VECTOR_DEVICE_FIRST < IRQ_OBJECTS_MAX ? irqs.by_vector[vector - VECTOR_DEVICE_FIRST] : NULL;
	if (irq != NULL) {
		ioapic_write(&irqs.ioapics[irq->ioapic_index], IOAPIC_ROUTE + 2 * irq->pin, irq->route | ROUTE_MASKED);
		if (!object_get_unless_dying(&irq->object))
			irq = NULL;
	}
	spinlock_release(&irqs.lock);
	if (irq == NULL)
		return;
	event_signal(irq->event, irq->bits);
	object_put(&irq->object);
}

static bool irq_release(struct object *object)
{
	struct irq *irq = (struct irq *)object;
	struct pool *pool = irq->pool;

	/* irq_dispatch() takes its reference under the lock, so after this nobody finds the object any more. */
	spinlock_acquire(&irqs.lock);
	ioapic_write(&irqs.ioapics[irq->ioapic_index], IOAPIC_ROUTE + 2 * irq->pin, ROUTE_MASKED);
	irqs.by_vector[irq->vector - VECTOR_DEVICE_FIRST] = NULL;
	spinlock_release(&irqs.lock);
	object_put(event_object(irq->event));
	pool_free(pool, irq, sizeof(*irq));
	object_put(pool_object(pool));
	return true;
}

/* Finds IOAPIC, pin and mode of a line. */
static enum status route_of(uint32_t number, uint32_t flags, struct irq *irq)
{
	struct boot_irq_route route = {.gsi = number, .active_low = true, .level_triggered = true};

	if (flags & IRQ_ISA) {
		if (number >= BOOT_ISA_IRQS)
			return ERR_OUT_OF_RANGE;
		route = irqs.isa[number];
	}
	for (uint32_t i = 0; i < irqs.ioapic_count; i++) {
		if (route.gsi - irqs.ioapics[i].gsi_base < irqs.ioapics[i].pin_count) {
			irq->ioapic_index = i;
			irq->pin = route.gsi - irqs.ioapics[i].gsi_base;
			irq->gsi = route.gsi;
			irq->route = (route.active_low ? ROUTE_ACTIVE_LOW : 0) | (route.level_triggered ? ROUTE_LEVEL : 0);
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

/* Gives the line a vector, if nobody has it. Lock held. */
static enum status claim(struct irq *irq)
{
	uint32_t free_index = IRQ_OBJECTS_MAX;

	for (uint32_t i = 0; i < IRQ_OBJECTS_MAX; i++) {
		if (irqs.by_vector[i] == NULL)
			free_index = i < free_index ? i : free_index;
		else if (irqs.by_vector[i]->gsi == irq->gsi)
			return ERR_BUSY;
	}
	if (free_index == IRQ_OBJECTS_MAX)
		return ERR_NO_SPACE;
	irq->vector = VECTOR_DEVICE_FIRST + free_index;
	irq->route |= irq->vector;
	irqs.by_vector[free_index] = irq;
	return OK;
}

enum status irq_create(struct pool *pool, uint32_t number, uint32_t flags, struct event *event, uint64_t bits, struct object **out)
{
	struct irq *irq = pool_alloc(pool, sizeof(*irq));
	enum status status;

	if (irq == NULL)
		return ERR_NO_MEMORY;
	object_init(&irq->object, OBJECT_IRQ, irq_release);
	irq->pool = pool;
	irq->event = event;
	irq->bits = bits;
	/* An IOAPIC reaches APIC IDs of 8 bits. */
	status = percpus[0]->apic_id <= IOAPIC_DESTINATION_MAX ? route_of(number, flags, irq) : ERR_UNSUPPORTED;
	spinlock_acquire(&irqs.lock);
	if (status == OK)
		status = claim(irq);
	if (status == OK) {
		ioapic_write(&irqs.ioapics[irq->ioapic_index], IOAPIC_ROUTE + 2 * irq->pin + 1, percpus[0]->apic_id << 24);
		ioapic_write(&irqs.ioapics[irq->ioapic_index], IOAPIC_ROUTE + 2 * irq->pin, irq->route);
	}
	spinlock_release(&irqs.lock);
	if (status != OK) {
		pool_free(pool, irq, sizeof(*irq));
		return status;
	}
	object_get(pool_object(pool));
	object_get(event_object(event));
	*out = &irq->object;
	return OK;
}

void irq_acknowledge(struct object *object)
{
	const struct irq *irq = (const struct irq *)object;

	spinlock_acquire(&irqs.lock);
	ioapic_write(&irqs.ioapics[irq->ioapic_index], IOAPIC_ROUTE + 2 * irq->pin, irq->route);
	spinlock_release(&irqs.lock);
}
