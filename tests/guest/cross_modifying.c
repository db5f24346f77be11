/* What does a hypervisor carry out when another processor rewrites the instruction meanwhile: one of those that stood there, whole?
 * SDM Vol. 3A, "Handling Self- and Cross-Modifying Code". */
#include "guests/flat/apic.h"
#include "guests/flat/smp.h"
#include "tests/guest/lib/question.h"

#define IOAPIC 0xfec00000ULL
#define ROUNDS 4000U
#define LOADED 0x07000000U
#define KEPT   0x11111111U

/* OPCODE [RDI], EAX; RET. The opcode changes in one store of a byte. */
static volatile uint8_t code[16] __attribute__((aligned(16))) = {0x8b, 0x07, 0xc3};
static volatile bool stop;

static const uint8_t opcodes[] = {
	0x8b, /* MOV EAX, [RDI] */
	0x89, /* MOV [RDI], EAX */
	0x85, /* TEST [RDI], EAX */
	0x3b, /* CMP EAX, [RDI] */
};

static void rewrite(unsigned number)
{
	(void)number;
	for (unsigned i = 0; !stop; i++)
		code[0] = opcodes[i % sizeof(opcodes)];
}

/* The device keeps four bits of what is stored: whichever instruction ran, EAX is what was given or what was there. */
void question(const struct guest_flat_info *info)
{
	unsigned loaded = 0, kept = 0;

	(void)info;
	apic_enable(false);
	if (smp_start(rewrite) == 0) {
		expect("a second processor", 0, 1);
		return;
	}
	*(volatile uint32_t *)IOAPIC = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t rax = KEPT;

		*(volatile uint32_t *)(IOAPIC + 0x10) = LOADED;
		__asm__ volatile("call *%1" : "+a"(rax) : "r"(code), "D"(IOAPIC + 0x10) : "memory", "cc");
		loaded += rax == LOADED;
		kept += rax == KEPT;
	}
	stop = true;
	expect("each was one of the instructions", loaded + kept, ROUNDS);
	expect("and not always the same", loaded > 0 && kept > 0, true);
}
