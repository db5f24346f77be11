/* What the files of the test kernel share. It runs on the loader's page tables and stack and prints to COM1. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/boot_info.h"

/* output.c */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints a failed promise, with its words; counts it. */
void check(bool holds, const char *promise);
unsigned failed_checks(void);
_Noreturn void power_off(void);

static inline const void *direct(uint64_t physical)
{
	return (const void *)(uintptr_t)(0xffff800000000000ULL + physical);
}

/* paging.c: the page tables hold just what abi/boot_info.h says. */
void check_paging(const struct boot_info *info);
/* Maps the 2 MiB page around physical read-only and returns where physical is; valid until the next call. */
const volatile uint8_t *window(const struct boot_info *info, uint64_t physical);

/* memory.c: the memory map, and that nothing lies where it must not. */
void check_memory(const struct boot_info *info);
