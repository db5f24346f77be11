/* The report. It takes no lock, trusts nothing but the code it runs, and reads the stack only within its own 16 KiB slot. */
#include "kernel/panic.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include "kernel/apic.h"
#include "kernel/cpu_insn.h"
#include "kernel/emergency_console.h"
#include "kernel/hypervisor.h"
#include "kernel/log.h"
#include "kernel/panic_internal.h"
#include "kernel/percpu.h"
#include "kernel/symbols.h"
#include "kernel/trap.h"
#include "lib/base/format.h"
#include "lib/base/string.h"

#define BACKTRACE_DEPTH 16U
#define LOG_TAIL_BYTES  800U

static _Atomic uint32_t panicking; /* 0, or the panicking CPU's index + 1 */

bool panic_in_progress(void)
{
	return panicking != 0;
}

void panic_stop_this_cpu(void)
{
	for (;;) {
		interrupts_off();
		halt();
	}
}

static void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void print(const char *format, ...)
{
	char line[256];
	va_list args;
	size_t used;

	va_start(args, format);
	used = format_args(line, sizeof(line), format, args);
	va_end(args);
	emergency_write(line, used);
}

/* of_caller: address is a return address, which may lie behind the end of a function that ends in a call. */
static void print_address(const char *what, uint64_t address, bool of_caller)
{
	uint64_t offset = 0;
	const char *name = symbol_name(address - of_caller, &offset);

	print("  %s %016lx %s", what, address, name != NULL ? name : "?");
	print(name != NULL ? "+0x%lx\n" : "\n", offset);
}

/* Follows frame pointers while they stay in the current stack's slot and rise. */
static void print_backtrace(uint64_t rip, uint64_t rbp)
{
	uint64_t slot = rbp & ~(KERNEL_STACK_BYTES - 1);

	print_address("at  ", rip, false);
	for (unsigned i = 0; i < BACKTRACE_DEPTH; i++) {
		const uint64_t *frame = (const uint64_t *)(uintptr_t)rbp;

		if (rbp % 8 != 0 || (rbp & ~(KERNEL_STACK_BYTES - 1)) != slot || rbp - slot > KERNEL_STACK_BYTES - 64 ||
		    (rbp >> 47) == 0)
			return;
		print_address("from", frame[1], true);
		if (frame[0] <= rbp)
			return;
		rbp = frame[0];
	}
}

static void print_log_tail(void)
{
	static char tail[LOG_TAIL_BYTES];
	size_t count = log_tail(tail, sizeof(tail));

	print("The log ended:\n");
	emergency_write(tail, count);
}

/* True for the one CPU that reports. */
static bool begin(void)
{
	uint32_t nobody = 0;

	interrupts_off();
	if (!atomic_compare_exchange_strong(&panicking, &nobody, percpu_self()->index + 1))
		return false;
	if (percpu_count > 1)
		apic_send_nmi_to_others();
	emergency_screen_home();
	return true;
}

static _Noreturn void end(void)
{
	print_log_tail();
	print("E602 Bulkhead stopped because of an error in itself. Switch the PC off and on; please report the lines above.\n");
	panic_stop_this_cpu();
}

void panic(const char *format, ...)
{
	char line[200];
	va_list args;

	if (!begin())
		panic_stop_this_cpu();
	va_start(args, format);
	format_args(line, sizeof(line), format, args);
	va_end(args);
	print("\n*** panic on cpu%u: %s\n", percpu_self()->index, line);
	print_backtrace((uintptr_t)__builtin_return_address(0), *(const uint64_t *)__builtin_frame_address(0));
	end();
}

static void print_registers(const struct trap_frame *f)
{
	print("rax %016lx rcx %016lx rdx %016lx rbx %016lx\n", f->rax, f->rcx, f->rdx, f->rbx);
	print("rsp %016lx rbp %016lx rsi %016lx rdi %016lx\n", f->rsp, f->rbp, f->rsi, f->rdi);
	print("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", f->r8, f->r9, f->r10, f->r11);
	print("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", f->r12, f->r13, f->r14, f->r15);
	print("rip %016lx rflags %08lx cs %04lx ss %04lx\n", f->rip, f->rflags, f->cs, f->ss);
	print("cr0 %08lx cr2 %016lx cr3 %016lx cr4 %08lx\n", read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

void panic_exception(const struct trap_frame *frame)
{
	static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "coprocessor overrun",
					    "#TS", "#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC", "#MC", "#XM"};

	if (!begin())
		panic_stop_this_cpu();
	print("\n*** exception %lu (%s) on cpu%u in %s, error code %lx\n", frame->vector,
	      frame->vector < sizeof(names) / sizeof(names[0]) ? names[frame->vector] : "reserved", percpu_self()->index,
	      trap_from_user(frame) ? "ring 3" : "ring 0", frame->error_code);
	print_registers(frame);
	print_backtrace(frame->rip, frame->rbp);
	end();
}
