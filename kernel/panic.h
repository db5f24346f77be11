/* The end of the host's run: something is wrong in ring 0 itself. Never reachable by what a guest or a program does. */
#pragma once
#include <stdint.h>

struct trap_frame;

/* Stops the other CPUs, prints the message, registers, the stack with symbol names and the end of the log on serial port
 * and screen, and halts. Context: any, interrupts in any state. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for an exception: registers come from its frame. */
_Noreturn void panic_exception(const struct trap_frame *frame);

/* A proved invariant, checked in all builds. */
#define ASSERT(condition) \
	((condition) ? (void)0 : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition))
