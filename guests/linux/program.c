/* Start and shared parts of the small programs of the Linux guest (guests/linux/program.h).
 *
 * The start as in the System V ABI, AMD64 supplement, "Process Initialization". */
#include "guests/linux/program.h"

enum { HEX_DIGITS = 16, NUMBER_DIGITS = 20 };

long system_call(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

void say(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	(void)system_call(SYS_WRITE, 1, (long)text, (long)length, 0, 0, 0);
}

void say_number(uint64_t value)
{
	char digits[NUMBER_DIGITS + 1] = {0};
	size_t at = NUMBER_DIGITS;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	say(digits + at);
}

void say_hex(uint64_t value)
{
	char digits[HEX_DIGITS + 1] = {0};
	size_t at = HEX_DIGITS;

	do {
		digits[--at] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value != 0);
	say("0x");
	say(digits + at);
}

__attribute__((noreturn)) static void end(int status)
{
	for (;;)
		(void)system_call(SYS_EXIT_GROUP, status, 0, 0, 0, 0, 0);
}

void fail(const char *what, long error)
{
	say(program_name);
	say(": FAILED: ");
	say(what);
	say(": error ");
	say_number((uint64_t)(error < 0 ? -error : error));
	say("\n");
	end(1);
}

long must(const char *what, long number, long a, long b, long c)
{
	long result = system_call(number, a, b, c, 0, 0, 0);

	if (result < 0)
		fail(what, result);
	return result;
}

int same(const char *one, const char *other)
{
	while (*one != '\0' && *one == *other) {
		one++;
		other++;
	}
	return *one == *other;
}

static unsigned digit_of(char letter)
{
	if (letter >= '0' && letter <= '9')
		return (unsigned)(letter - '0');
	if ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'f')
		return (unsigned)((letter | 0x20) - 'a') + 10;
	return UINT32_MAX;
}

uint64_t number_of(const char *word)
{
	uint64_t value = 0;
	unsigned base = word[0] == '0' && word[1] == 'x' ? 16 : 10;

	if (base == 16)
		word += 2;
	do {
		unsigned digit = digit_of(*word);

		if (digit >= base)
			fail("not a number", 0);
		value = value * base + digit;
	} while (*++word != '\0');
	return value;
}

/* At the first instruction RSP points at the count of words, and the words follow. */
__attribute__((noreturn, used)) void start(long *stack);
__attribute__((noreturn)) void start(long *stack)
{
	end(program((int)stack[0], (char **)(stack + 1)));
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");
