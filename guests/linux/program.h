/* What the small programs of the Linux guest share: Linux system calls without a libc, words and numbers. Each program owns main().
 *
 * No libc, so that they stay small in the initramfs. System calls: syscalls(2) and the kernel's uapi headers for the numbers. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
	SYS_READ = 0, SYS_WRITE = 1, SYS_OPEN = 2, SYS_CLOSE = 3, SYS_MMAP = 9, SYS_IOCTL = 16, SYS_SOCKET = 41, SYS_CONNECT = 42,
	SYS_ACCEPT = 43, SYS_SHUTDOWN = 48, SYS_BIND = 49, SYS_LISTEN = 50, SYS_EXIT_GROUP = 231
};

/* A system call's result: negative numbers down to -4095 are errors of errno(3). */
long system_call(long number, long a, long b, long c, long d, long e, long f);
void say(const char *text);
void say_number(uint64_t value);
void say_hex(uint64_t value);
/* Ends the program with status 1: "NAME: FAILED: what: error N". */
__attribute__((noreturn)) void fail(const char *what, long error);
/* As system_call(), ending the program where it fails. */
long must(const char *what, long number, long a, long b, long c);
int same(const char *one, const char *other);
/* A number, decimal or from "0x" on hexadecimal; ends the program where the word is none. */
uint64_t number_of(const char *word);

/* Each program's own. */
extern const char program_name[];
int program(int count, char **words);
