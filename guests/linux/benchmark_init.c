/* First program of the benchmark guest: reads the TSC before anything else, prints it and switches off.
 *
 * Owns nothing else: no libc, so that no start-up code runs before the reading. Linux system calls as in syscall(2);
 * _start as in the System V ABI, AMD64 supplement, "Process Initialization".
 */
#include <stddef.h>
#include <stdint.h>

enum { SYS_WRITE = 1, SYS_IOCTL = 16, SYS_REBOOT = 169 };
enum { TCSBRK = 0x5409 };

static long system_call(long number, long first, long second, long third, const char *fourth)
{
	long result;
	register const char *r10 __asm__("r10") = fourth;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* The stack is aligned to 16 here, as at a jump, not as after a call. */
__attribute__((noreturn, used, force_align_arg_pointer)) void _start(void);

void _start(void)
{
	uint64_t value = tsc();
	char line[] = "\ninit-tsc:                     \n";
	size_t at = sizeof(line) - 3;

	do {
		line[at--] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	(void)system_call(SYS_WRITE, 1, (long)line, sizeof(line) - 1, NULL);
	/* tcdrain(3): the line must leave before the power does. */
	(void)system_call(SYS_IOCTL, 1, TCSBRK, 1, NULL);
	/* LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF of reboot(2). */
	(void)system_call(SYS_REBOOT, (long)0xfee1dead, 672274793, 0x4321fedc, NULL);
	for (;;)
		;
}
