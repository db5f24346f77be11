/* One function per failure. None of this runs without the option. */
#include "kernel/selftest.h"

#include <stddef.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "kernel/boot_state.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/thread.h"
#include "lib/base/string.h"

static void divide_error(void)
{
	__asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" : : "a"(1) : "ecx", "edx");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void single_step(void)
{
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop" : : : "memory", "cc");
}

static void invalid_opcode(void)
{
	__asm__ volatile("ud2");
}

static void device_not_available(void)
{
	__asm__ volatile("fninit");
}

static void general_protection(void)
{
	(void)*(const volatile uint8_t *)(uintptr_t)0x0001000000000000ULL; /* not canonical */
}

static void page_fault(void)
{
	*(volatile uint32_t *)(uintptr_t)0xffffc00000000008ULL = 1;
}

static void write_text(void)
{
	extern uint8_t image_start[];

	*(volatile uint8_t *)image_start = 0;
}

static void execute_data(void)
{
	static uint8_t ret_instruction = 0xc3;

	__asm__ volatile("call *%0" : : "r"(&ret_instruction) : "memory");
}

/* A push just above a guard page: the page fault has no stack either, so the CPU goes on to a double fault. */
static void stack_overflow(void)
{
	uint64_t guard_end = (percpu_self()->idle->stack_top & ~(KERNEL_STACK_BYTES - 1)) + PAGE_SIZE_BYTES;

	__asm__ volatile("mov %0, %%rsp; push %%rax" : : "r"(guard_end) : "memory");
}

static void assertion(void)
{
	ASSERT(boot_info == NULL);
}

static void nmi(void)
{
	__asm__ volatile("int $2");
	log_info("selftest: NMI returned");
}

static const struct {
	const char *name;
	void (*run)(void);
} selftests[] = {
	{"divide", divide_error},	   {"breakpoint", breakpoint}, {"debug", single_step},	     {"opcode", invalid_opcode},
	{"fpu", device_not_available},	   {"protection", general_protection}, {"page", page_fault}, {"write-text", write_text},
	{"execute-data", execute_data},	   {"stack", stack_overflow},  {"assert", assertion},	     {"nmi", nmi},
};

void selftest_run(void)
{
	const char *name = boot_info->selftest;

	if (name[0] == '\0')
		return;
	for (unsigned i = 0; i < sizeof(selftests) / sizeof(selftests[0]); i++) {
		if (strcmp(name, selftests[i].name) == 0) {
			selftests[i].run();
			return;
		}
	}
	log_warn("E608 selftest=%s: no such test; docs/selftest.md lists them", name);
}
