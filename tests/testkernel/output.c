/* Output of the test kernel: COM1, the count of failed checks, and the end of the emulator's run. */
#include "boot/common/cpu.h"
#include "boot/common/serial.h"
#include "tests/testkernel/test.h"
#include "lib/base/format.h"

#define QEMU_DEBUG_EXIT_PORT 0xf4U
#define BOCHS_SHUTDOWN_PORT  0x8900U

/* Own state of this one-shot program: one CPU, no interrupts. */
static unsigned failures;

void print(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	(void)format_args(line, sizeof(line), format, args);
	va_end(args);
	serial_write(line);
}

void check(bool holds, const char *promise)
{
	if (holds)
		return;
	failures++;
	print("TEST-FAIL %s\n", promise);
}

unsigned failed_checks(void)
{
	return failures;
}

void power_off(void)
{
	static const char shutdown[] = "Shutdown";

	out8(QEMU_DEBUG_EXIT_PORT, failures == 0 ? 0x10 : 0x11);
	for (unsigned i = 0; i < sizeof(shutdown) - 1; i++)
		out8(BOCHS_SHUTDOWN_PORT, (uint8_t)shutdown[i]);
	for (;;)
		halt();
}
