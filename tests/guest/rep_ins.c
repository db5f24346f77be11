/* Where does a REP INS or OUTS stop that runs into a page it may not touch, however many elements it wants? Registers must say how
 * far it came. SDM Vol. 2, "REP", "INS"; Vol. 1, "String Operations". */
#include "tests/guest/lib/paging.h"
#include "tests/guest/lib/question.h"

#define NOBODY       0xd0000000ULL
#define RIGHTS       (PAGE_PRESENT | PAGE_WRITABLE)
#define SILENT_PORT  0x300U /* nobody's: reads all-ones */
#define HUGE_COUNT   (1ULL << 40)

struct string_registers {
	uint64_t rcx, rsi, rdi;
};

static uint8_t pages[2][4096] __attribute__((aligned(4096)));
static struct string_registers end;

/* The registers as they are where the instruction faulted or was done: the handler changes RAX only. */
#define STRING(code, count, source, target)                                                                  \
	do {                                                                                                 \
		uint64_t rcx = (count), rsi = (source), rdi = (target);                                      \
                                                                                                             \
		flat_catch.vector = NO_EXCEPTION;                                                            \
		__asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, flat_catch(%%rip)\n\t" code             \
				 "\n1:\tmovq $0, flat_catch(%%rip)\n\tcld"                                   \
				 : "+c"(rcx), "+S"(rsi), "+D"(rdi) : "d"(SILENT_PORT) : "rax", "memory", "cc"); \
		end = (struct string_registers){rcx, rsi, rdi};                                              \
	} while (0)

static void expect_end(const char *name, uint64_t vector, uint64_t rcx, uint64_t rdi)
{
	expect(name, flat_catch.vector, vector);
	expect("its count", end.rcx, rcx);
	expect("its address", end.rdi, rdi);
}

static uint64_t sum_of(const uint8_t *bytes, unsigned count)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += bytes[i];
	return sum;
}

static void forwards(void)
{
	STRING("rep insb", 100, 0, PAGING_PAGE(2) - 16);
	expect_end("REP INSB into no page", VECTOR_PF, 84, PAGING_PAGE(2));
	expect("the fault's address", fault_address(), PAGING_PAGE(2));
	expect("the fault's error code", flat_catch.error_code, FAULT_WRITE);
	expect("what came before it", sum_of(pages[1] + 4080, 16), 16 * 0xff);
	STRING("rep insb", HUGE_COUNT, 0, PAGING_PAGE(0));
	expect_end("REP INSB of 2^40 bytes", VECTOR_PF, HUGE_COUNT - 8192, PAGING_PAGE(2));
	STRING("rep insl", 100, 0, PAGING_PAGE(2) - 6);
	expect_end("REP INSD across into no page", VECTOR_PF, 99, PAGING_PAGE(2) - 2);
	STRING("rep insb", 0, 0, PAGING_PAGE(2));
	expect_end("REP INSB of nothing", NO_EXCEPTION, 0, PAGING_PAGE(2));
	STRING("insb", 5, 0, PAGING_PAGE(2) - 1);
	expect_end("INSB counts nothing", NO_EXCEPTION, 5, PAGING_PAGE(2));
}

static void backwards(void)
{
	STRING("std\n\trep insb", 100, 0, PAGING_PAGE(1) + 9);
	expect_end("REP INSB downwards", NO_EXCEPTION, 0, PAGING_PAGE(1) - 91);
	paging_map(4, (uint64_t)(uintptr_t)pages[0], RIGHTS);
	STRING("std\n\trep insw", 100, 0, PAGING_PAGE(4) + 18);
	expect_end("REP INSW downwards into no page", VECTOR_PF, 90, PAGING_PAGE(4) - 2);
}

static void addresses(void)
{
	STRING("addr32 rep insb", 0xabcd00000003ULL, 0, 0xabcd00000000ULL | PAGING_PAGE(0));
	expect_end("REP INSB with 32-bit addresses", NO_EXCEPTION, 0, PAGING_PAGE(0) + 3);
	STRING("rep insb", 10, 0, 0x800000000000ULL);
	expect_end("REP INSB at no canonical address", VECTOR_GP, 10, 0x800000000000ULL);
	STRING("rep insb", 100, 0, PAGING_PAGE(5));
	expect_end("REP INSB into a read-only page", VECTOR_PF, 100, PAGING_PAGE(5));
	expect("its error code", flat_catch.error_code, FAULT_WRITE | FAULT_PRESENT);
	STRING("rep insb", 5000, 0, PAGING_PAGE(6) + 1);
	expect_end("REP INSB into nobody's page and no page", VECTOR_PF, 905, PAGING_PAGE(7));
	STRING("rep insb", 2000, 0, PAGING_PAGE(6) + 1);
	expect_end("REP INSB into nobody's page", NO_EXCEPTION, 0, PAGING_PAGE(6) + 2001);
}

static void outwards(void)
{
	STRING("rep outsb", 100, PAGING_PAGE(2) - 16, 7);
	expect_end("REP OUTSB from no page", VECTOR_PF, 84, 7);
	expect("where it stopped", end.rsi, PAGING_PAGE(2));
	expect("its error code", flat_catch.error_code, 0);
	STRING("rep outsl", 3, PAGING_PAGE(0) + 1, 7);
	expect_end("REP OUTSD", NO_EXCEPTION, 0, 7);
	expect("where it ended", end.rsi, PAGING_PAGE(0) + 13);
	STRING("rep outsb", 30, PAGING_PAGE(6), 7);
	expect_end("REP OUTSB from nobody's page", NO_EXCEPTION, 0, 7);
}

void question(const struct guest_flat_info *info)
{
	(void)info;
	paging_map(0, (uint64_t)(uintptr_t)pages[0], RIGHTS);
	paging_map(1, (uint64_t)(uintptr_t)pages[1], RIGHTS);
	paging_map(5, (uint64_t)(uintptr_t)pages[0], PAGE_PRESENT);
	paging_map(6, NOBODY, RIGHTS);
	forwards();
	backwards();
	addresses();
	outwards();
}
