/* Checks and the exit code. */
#include "tests/guest/lib/question.h"

#define EXIT_PORT 0xf4U
#define NOTHING_CHECKED 2U

static unsigned passed_count, failed_count;

_Noreturn void debug_exit(uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "d"((uint16_t)EXIT_PORT));
	for (;;) {
		interrupts_off();
		halt();
	}
}

static void print_difference(uint64_t value, uint64_t wanted)
{
	print(": ");
	print_hex(value);
	print(", not ");
	print_hex(wanted);
	print("\n");
}

void expect(const char *name, uint64_t value, uint64_t wanted)
{
	bool right = value == wanted;

	passed_count += right;
	failed_count += !right;
	print(right ? "TEST-PASS " : "TEST-FAIL ");
	print(name);
	if (right)
		print("\n");
	else
		print_difference(value, wanted);
}

bool expect_quietly(const char *name, uint64_t detail, uint64_t value, uint64_t wanted)
{
	if (value == wanted) {
		passed_count++;
		return true;
	}
	failed_count++;
	print("TEST-FAIL ");
	print(name);
	print(" ");
	print_hex(detail);
	print_difference(value, wanted);
	return false;
}

void guest_main(const struct guest_flat_info *info)
{
	exceptions_install();
	question(info);
	debug_exit(failed_count > 0 ? 1 : passed_count > 0 ? 0 : NOTHING_CHECKED);
}
