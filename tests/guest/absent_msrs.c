/* Does every model-specific register either work or raise #GP? All of two ranges are read and written back; those that a PC without
 * PMU and VMX does not have must be absent. SDM Vol. 2, "RDMSR", "WRMSR". */
#include "tests/guest/lib/question.h"

#define LOW_END       0x2000U
#define HIGH_BASE     0xc0000000U
#define HIGH_END      0xc0002000U
#define X2APIC_BASE   0x800U
#define X2APIC_END    0x900U
#define PATTERN       0xdeadbeef00000000ULL

struct outcome {
	uint64_t vector, error_code, rax, rdx;
};

static uint64_t before_low __attribute__((used)), before_high __attribute__((used));
static uint64_t after_low __attribute__((used)), after_high __attribute__((used));

static struct outcome read(uint32_t msr)
{
	before_low = before_high = PATTERN;
	TRY("movq before_low(%%rip), %%rax\n\tmovq before_high(%%rip), %%rdx\n\tmovl %k0, %%ecx\n\t"
	    "rdmsr\n\tmovq %%rax, after_low(%%rip)\n\tmovq %%rdx, after_high(%%rip)", "r"((uint64_t)msr));
	return (struct outcome){flat_catch.vector, flat_catch.error_code, after_low, after_high};
}

static uint64_t write(uint32_t msr, uint64_t value)
{
	before_low = value & UINT32_MAX;
	before_high = value >> 32;
	TRY("movq before_low(%%rip), %%rax\n\tmovq before_high(%%rip), %%rdx\n\tmovl %k0, %%ecx\n\twrmsr", "r"((uint64_t)msr));
	return flat_catch.vector;
}

/* Writing back what was read changes nothing: it works, or the register is read-only. */
static void look_at(uint32_t msr, unsigned *present)
{
	struct outcome found = read(msr);
	uint64_t vector;

	if (found.vector != NO_EXCEPTION) {
		expect_quietly("RDMSR raises", msr, found.vector, VECTOR_GP);
		expect_quietly("its error code", msr, found.error_code, 0);
		return;
	}
	++*present;
	expect_quietly("RDMSR clears the upper halves", msr, (found.rax | found.rdx) >> 32, 0);
	if (msr >= X2APIC_BASE && msr < X2APIC_END)
		return;
	vector = write(msr, found.rdx << 32 | found.rax);
	if (vector != NO_EXCEPTION)
		expect_quietly("WRMSR raises", msr, vector, VECTOR_GP);
}

static void sweep(const char *name, uint32_t base, uint32_t end)
{
	unsigned present = 0;

	for (uint32_t msr = base; msr < end; msr++)
		look_at(msr, &present);
	expect(name, present > 0 && present < 300, true);
}

void question(const struct guest_flat_info *info)
{
	/* PMU, PDCM, VMX and those of another maker. */
	static const uint32_t absent[] = {0xc1, 0x186, 0x187, 0x309, 0x345, 0x38d, 0x38f, 0x390, 0x480, 0x48b, 0x491, 0x4c1, 0x1fff,
			0x40000000, 0x40000020, 0xc0010015, 0xc0010114, 0xffffffff, 0x80000000};

	(void)info;
	for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		expect_quietly("RDMSR of an absent register", absent[i], read(absent[i]).vector, VECTOR_GP);
		expect_quietly("WRMSR of an absent register", absent[i], write(absent[i], 0), VECTOR_GP);
	}
	sweep("registers from 0 on", 0, LOW_END);
	sweep("registers from C0000000h on", HIGH_BASE, HIGH_END);
}
