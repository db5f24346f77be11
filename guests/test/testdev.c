/* QEMU's test device, with testdev = true: scratch ports, interrupt lines to the IOAPIC and the 8259, and memory that is reached as
 * device memory. */
#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/expect.h"
#include "guests/flat/flat.h"

#define SCRATCH       0xe0U
#define FLUSH         0xe4U
#define SCRATCH_AGAIN 0xe8U
#define LINES         0x2000U
#define MEMORY        0xff000000UL
#define MEMORY_BYTES  0x10000UL
#define IOAPIC        ((volatile uint32_t *)0xfec00000UL)
#define WINDOW        4U
#define PIN           14U
#define VECTOR        0x51U
#define APIC_IRR      0x200U
#define PIC_SLAVE     0xa0U
#define PIC_READ_IRR  0x0aU

static void scratch(void)
{
	static const uint32_t words[2] = {0x01020304, 0x05060708};
	const uint32_t *source = words;
	uint64_t left = 2;

	out32(SCRATCH, 0x11223344);
	out16(SCRATCH + 2, 0x5566);
	out8(SCRATCH, 0x77);
	expect("scratch ports of each width", in32(SCRATCH), 0x55663377);
	expect("the same bytes at E8h", in32(SCRATCH_AGAIN), 0x55663377);
	out8(SCRATCH_AGAIN + 1, 0x88);
	expect("port E9h is scratch", in32(SCRATCH), 0x55668877);
	out32(FLUSH, 0x100000);
	expect("flush leaves all as it is", in32(SCRATCH), 0x55668877);
	__asm__ volatile("rep outsl" : "+S"(source), "+c"(left) : "d"((uint16_t)SCRATCH) : "memory");
	expect("rep outsl ends with the last word", in32(SCRATCH), 0x05060708);
}

static void set_pin(uint32_t low)
{
	IOAPIC[0] = 0x10 + 2 * PIN;
	IOAPIC[WINDOW] = low;
	IOAPIC[0] = 0x10 + 2 * PIN + 1;
	IOAPIC[WINDOW] = apic_number() << 24;
}

static uint32_t is_requested(void)
{
	return apic_read(APIC_IRR + VECTOR / 32 * 0x10) >> VECTOR % 32 & 1;
}

/* The handler never runs: interrupts stay off, and the request shows in IRR. */
static void lines(void)
{
	apic_enable(false);
	set_pin(VECTOR);
	expect("no request before", is_requested(), 0);
	out8(LINES + PIN, 1);
	expect("a line that rises requests its vector", is_requested(), 1);
	out8(PIC_SLAVE, PIC_READ_IRR);
	expect("the 8259 sees the line", in8(PIC_SLAVE) >> (PIN - 8) & 1, 1);
	out8(LINES + PIN, 0);
}

static void memory_widths(void)
{
	for (uint64_t i = 0; i < 64; i++)
		*(volatile uint8_t *)(MEMORY + i) = (uint8_t)i;
	expect("bytes", *(volatile uint8_t *)(MEMORY + 63), 63);
	expect("word across", *(volatile uint16_t *)(MEMORY + 7), 0x0807);
	expect("doubleword across", *(volatile uint32_t *)(MEMORY + 13), 0x100f0e0d);
	expect("quadword across", *(volatile uint64_t *)(MEMORY + 29), 0x24232221201f1e1dULL);
	*(volatile uint64_t *)(MEMORY + 33) = 0xf8f7f6f5f4f3f2f1ULL;
	expect("quadword written across", *(volatile uint64_t *)(MEMORY + 32), 0xf7f6f5f4f3f2f120ULL);
	*(volatile uint32_t *)(MEMORY + MEMORY_BYTES - 4) = 0xcafe0123;
	expect("the last bytes", *(volatile uint16_t *)(MEMORY + MEMORY_BYTES - 2), 0xcafe);
	*(volatile uint8_t *)(MEMORY + MEMORY_BYTES) = 1;
	expect("nobody behind", *(volatile uint8_t *)(MEMORY + MEMORY_BYTES), 0xff);
}

static void memory_changes(void)
{
	volatile uint32_t *word = (volatile uint32_t *)(MEMORY + 0x100);
	uint32_t old = 0x5000, added = 7;

	*word = 0x1000;
	__asm__ volatile("lock addl $0x234, %0" : "+m"(*word));
	expect("lock add", *word, 0x1234);
	__asm__ volatile("xchgl %0, %1" : "+r"(old), "+m"(*word));
	expect("xchg reads", old, 0x1234);
	expect("xchg writes", *word, 0x5000);
	__asm__ volatile("lock xaddl %0, %1" : "+r"(added), "+m"(*word));
	expect("xadd", *word, 0x5007);
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	expect_for("testdev");
	exceptions_install();
	scratch();
	lines();
	memory_widths();
	memory_changes();
	expect_tell("testdev: answers right: ");
}
