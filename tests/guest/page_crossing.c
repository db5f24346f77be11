/* What does an access do whose bytes lie on two pages, one of memory and one of a device, of nobody, not present or read-only?
 * SDM Vol. 3A, "Page-Fault Exceptions". */
#include "tests/guest/lib/paging.h"
#include "tests/guest/lib/question.h"

#define NOBODY  0xd0000000ULL
#define IOAPIC  0xfec00000ULL
#define PATTERN 0x8877665544332211ULL
#define RIGHTS  (PAGE_PRESENT | PAGE_WRITABLE)

static uint8_t page[4096] __attribute__((aligned(4096)));

static uint64_t mask_of(unsigned bytes)
{
	return bytes == 8 ? UINT64_MAX : (1ULL << bytes * 8) - 1;
}

static uint64_t load(uint64_t address, unsigned width)
{
	if (width == 2)
		return *(volatile uint16_t *)(uintptr_t)address;
	if (width == 4)
		return *(volatile uint32_t *)(uintptr_t)address;
	return *(volatile uint64_t *)(uintptr_t)address;
}

static void store(uint64_t address, unsigned width, uint64_t value)
{
	if (width == 2)
		*(volatile uint16_t *)(uintptr_t)address = (uint16_t)value;
	else if (width == 4)
		*(volatile uint32_t *)(uintptr_t)address = (uint32_t)value;
	else
		*(volatile uint64_t *)(uintptr_t)address = value;
}

static uint64_t end_of_page(void)
{
	return *(volatile uint64_t *)(uintptr_t)(page + 4088);
}

/* `before` bytes in memory, the others on nobody's page behind it. */
static void cross_into_nobody(unsigned width, unsigned before)
{
	uint64_t address = PAGING_PAGE(1) - before;
	uint64_t detail = width * 16 + before;

	*(volatile uint64_t *)(uintptr_t)(page + 4088) = 0;
	store(address, width, PATTERN);
	expect_quietly("store from memory into nobody's page", detail, end_of_page(),
		       (PATTERN & mask_of(before)) << (8 - before) * 8);
	expect_quietly("load from memory and nobody's page", detail, load(address, width),
		       mask_of(width) & ((PATTERN & mask_of(before)) | ~mask_of(before)));
}

/* The same the other way round. */
static void cross_from_nobody(unsigned width, unsigned before)
{
	uint64_t address = PAGING_PAGE(3) - before;
	uint64_t detail = width * 16 + before;
	unsigned after = width - before;
	uint64_t wanted = (PATTERN & mask_of(width)) >> before * 8;

	*(volatile uint64_t *)(uintptr_t)page = 0;
	store(address, width, PATTERN);
	expect_quietly("store from nobody's page into memory", detail, *(volatile uint64_t *)(uintptr_t)page, wanted);
	expect_quietly("load from nobody's page and memory", detail, load(address, width),
		       mask_of(before) | (wanted & mask_of(after)) << before * 8);
}

static void expect_fault(const char *name, uint64_t error_code, uint64_t address)
{
	expect(name, flat_catch.vector, VECTOR_PF);
	expect("its error code", flat_catch.error_code, error_code);
	expect("its address", fault_address(), address);
}

/* Nothing of an access that faults is carried out. */
static void cross_into_faults(void)
{
	uint64_t address = PAGING_PAGE(5) - 4;

	*(volatile uint64_t *)(uintptr_t)(page + 4088) = 0;
	paging_map(4, (uint64_t)(uintptr_t)page, RIGHTS);
	paging_map(5, 0, 0);
	TRY("movq %0, -4(%0)", "b"(PAGING_PAGE(5)));
	expect_fault("store from memory into no page", FAULT_WRITE, PAGING_PAGE(5));
	expect("nothing was stored", end_of_page(), 0);
	paging_map(5, (uint64_t)(uintptr_t)page, PAGE_PRESENT);
	TRY("movq %0, -4(%0)", "b"(PAGING_PAGE(5)));
	expect_fault("store from memory into a read-only page", FAULT_WRITE | FAULT_PRESENT, PAGING_PAGE(5));
	expect("nothing was stored there either", end_of_page(), 0);
	paging_map(4, NOBODY, RIGHTS);
	paging_map(5, 0, 0);
	TRY("movq -4(%0), %%rax", "b"(PAGING_PAGE(5)));
	expect_fault("load from nobody's page and no page", 0, PAGING_PAGE(5));
	TRY("movq %0, -4(%0)", "b"(PAGING_PAGE(5)));
	expect_fault("store into nobody's page and no page", FAULT_WRITE, PAGING_PAGE(5));
	paging_map(4, 0, 0);
	paging_map(5, NOBODY, RIGHTS);
	TRY("movq -4(%0), %%rax", "b"(PAGING_PAGE(5)));
	expect_fault("load from no page and nobody's page", 0, address);
	TRY("lock addq $1, -4(%0)", "b"(PAGING_PAGE(5)));
	expect_fault("read-modify-write of no page and nobody's page", FAULT_WRITE, address);
}

/* A device's registers lie at the page's start: its end is nobody's, and the page behind is memory. */
static void cross_from_device(void)
{
	paging_map(6, IOAPIC, RIGHTS);
	paging_map(7, (uint64_t)(uintptr_t)page, RIGHTS);
	*(volatile uint32_t *)(uintptr_t)page = 0;
	store(PAGING_PAGE(7) - 4, 8, PATTERN);
	expect("store from a device's page into memory", *(volatile uint32_t *)(uintptr_t)page, PATTERN >> 32);
	expect("load from a device's page and memory", load(PAGING_PAGE(7) - 4, 8) >> 32, PATTERN >> 32);
}

static void end_of_memory(uint64_t end)
{
	store(end - 4, 8, PATTERN);
	expect("load over the end of memory", load(end - 4, 8), (PATTERN & UINT32_MAX) | 0xffffffff00000000ULL);
	expect("load at the end of memory", load(end - 8, 8) >> 32, PATTERN & UINT32_MAX);
	expect("load behind the end of memory", load(end, 8), UINT64_MAX);
}

void question(const struct guest_flat_info *info)
{
	paging_map(0, (uint64_t)(uintptr_t)page, RIGHTS);
	paging_map(1, NOBODY, RIGHTS);
	paging_map(2, NOBODY, RIGHTS);
	paging_map(3, (uint64_t)(uintptr_t)page, RIGHTS);
	for (unsigned width = 2; width <= 8; width *= 2) {
		for (unsigned before = 1; before < width; before++) {
			cross_into_nobody(width, before);
			cross_from_nobody(width, before);
		}
	}
	expect("every width and place", true, true);
	cross_into_faults();
	cross_from_device();
	end_of_memory(info->memory_bytes);
}
