/* The counts of one program. */
#include "guests/flat/expect.h"

#include <stddef.h>

#include "guests/flat/flat.h"

static const char *name = "", *context;
static uint64_t right_count, all_count;

void expect_for(const char *program)
{
	name = program;
}

void expect_while(const char *doing)
{
	context = doing;
}

void expect(const char *what, uint64_t value, uint64_t wanted)
{
	all_count++;
	right_count += value == wanted;
	if (value == wanted)
		return;
	print("TEST-FAIL ");
	print(name);
	print(": ");
	if (context != NULL) {
		print(context);
		print(": ");
	}
	print(what);
	print(": ");
	print_hex(value);
	print("\n");
}

void expect_tell(const char *text)
{
	print(text);
	print_number(right_count);
	print(" of ");
	print_number(all_count);
	print("\n");
}
