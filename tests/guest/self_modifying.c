/* Is an instruction that was just written the one that runs, also where it is one that a hypervisor decodes and carries out? SDM
 * Vol. 3A, "Handling Self- and Cross-Modifying Code". */
#include "tests/guest/lib/question.h"

#define IOAPIC 0xfec00000ULL
#define ROUNDS 1000U

static uint8_t code[64] __attribute__((aligned(64)));

static uint64_t run(uint64_t rax)
{
	__asm__ volatile("call *%1" : "+a"(rax) : "r"(code), "D"(IOAPIC + 0x10) : "rcx", "rdx", "memory", "cc");
	return rax;
}

static void write_code(const uint8_t *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		((volatile uint8_t *)code)[i] = bytes[i];
	((volatile uint8_t *)code)[count] = 0xc3; /* RET */
}

static void plain(void)
{
	static const uint8_t load[] = {0xb8, 0, 0, 0, 0}; /* MOV EAX, 0 */
	unsigned right = 0;

	write_code(load, sizeof(load));
	for (uint32_t i = 0; i < ROUNDS; i++) {
		((volatile uint8_t *)code)[1] = (uint8_t)i;
		((volatile uint8_t *)code)[2] = (uint8_t)(i >> 8);
		right += run(0) == i;
	}
	expect("an immediate that changes", right, ROUNDS);
}

/* MOV [RDI], EAX and MOV EAX, [RDI] differ in one bit of the opcode. */
static void device_accesses(void)
{
	static const uint8_t store[] = {0x89, 0x07};
	static const uint8_t load[] = {0x8b, 0x07};
	unsigned right = 0;

	*(volatile uint32_t *)IOAPIC = 0;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		write_code(store, sizeof(store));
		run((i & 15) << 24);
		write_code(load, sizeof(load));
		right += (uint32_t)run(0) == (i & 15) << 24;
	}
	expect("stores and loads of a device in turn", right, ROUNDS);
}

/* An instruction that changes the one behind it, which its own length is not known from. */
static void next_instruction(void)
{
	static const uint8_t bytes[] = {
		0xc6, 0x05, 0x02, 0x00, 0x00, 0x00, 0x8b, /* MOV byte [RIP + 2], 8Bh */
		0x31, 0xc0,                               /* XOR EAX, EAX */
		0x89, 0x07,                               /* MOV [RDI], EAX becomes MOV EAX, [RDI] */
	};

	*(volatile uint32_t *)(IOAPIC + 0x10) = 0x0b000000;
	write_code(bytes, sizeof(bytes));
	expect("an instruction that the one before it changes", (uint32_t)run(0), 0x0b000000);
	expect("nothing was stored", *(volatile uint32_t *)(IOAPIC + 0x10), 0x0b000000);
}

/* REP INSB overwrites itself and what follows: the port reads all-ones, the string ends before the RET. */
static void string_over_itself(void)
{
	static const uint8_t bytes[] = {
		0x66, 0xba, 0x00, 0x03,                   /* MOV DX, 300h */
		0xb9, 0x03, 0x00, 0x00, 0x00,             /* MOV ECX, 3 */
		0x48, 0x8d, 0x3d, 0x02, 0x00, 0x00, 0x00, /* LEA RDI, [RIP + 2] */
		0xf3, 0x6c,                               /* REP INSB */
		0x31, 0xc0, 0xc3,                         /* XOR EAX, EAX; RET: become FFh */
	};

	write_code(bytes, sizeof(bytes));
	EXPECT_VECTOR("REP INSB over the instruction that follows", VECTOR_UD, "jmp *%0", "b"(code));
}

void question(const struct guest_flat_info *info)
{
	(void)info;
	plain();
	device_accesses();
	next_instruction();
	string_over_itself();
}
