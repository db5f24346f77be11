/* Prints the checks that code in other modes has noted (modes.inc). */
#include "tests/guest/lib/question.h"

#define RECORDS     0x20000UL
#define RECORDS_MAX 5000U

struct record {
	uint32_t name, value, wanted;
};

void print_checks(void);

void print_checks(void)
{
	const volatile uint32_t *count = (const volatile uint32_t *)RECORDS;
	const volatile struct record *records = (const volatile struct record *)(RECORDS + sizeof(*count));

	for (uint32_t i = 0; i < *count && i < RECORDS_MAX; i++)
		expect((const char *)(uintptr_t)records[i].name, records[i].value, records[i].wanted);
}
