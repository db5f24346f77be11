/* What the manager maps where, in its own address space and in those of the programs that it starts. Every window is for
 * one thing at a time; the gaps are never mapped. */
#pragma once
#include "user/layout.h"

#define MANAGER_WINDOW_ACPI     (PROGRAM_WINDOWS_BASE + 0x010000000000ULL) /* a table of the firmware */
#define MANAGER_WINDOW_FILE     (PROGRAM_WINDOWS_BASE + 0x020000000000ULL) /* a boot file that is looked at */
#define MANAGER_WINDOW_IMAGE    (PROGRAM_WINDOWS_BASE + 0x030000000000ULL) /* a program that is being copied */
#define MANAGER_WINDOW_CONSOLE  (PROGRAM_WINDOWS_BASE + 0x040000000000ULL) /* setup page and channels of the console */
#define MANAGER_WINDOW_VMS      (PROGRAM_WINDOWS_BASE + 0x050000000000ULL) /* spec and report of each VM */
#define MANAGER_VM_WINDOW_BYTES 0x10000ULL

/* In each VMM: abi/vmm_spec.h names these by address. */
#define VMM_WINDOW_SPEC         PROGRAM_WINDOWS_BASE
#define VMM_WINDOW_REPORT       (PROGRAM_WINDOWS_BASE + 0x10000ULL)
#define VMM_WINDOW_TO_CONSOLE   (PROGRAM_WINDOWS_BASE + 0x100000ULL)
#define VMM_WINDOW_FROM_CONSOLE (PROGRAM_WINDOWS_BASE + 0x200000ULL)
#define VMM_WINDOW_KERNEL       (PROGRAM_WINDOWS_BASE + 0x010000000000ULL)
#define VMM_WINDOW_INITRD       (PROGRAM_WINDOWS_BASE + 0x020000000000ULL)
#define VMM_WINDOW_MODULES      (PROGRAM_WINDOWS_BASE + 0x030000000000ULL)
#define VMM_MODULE_WINDOW_BYTES 0x001000000000ULL /* 64 GiB for each */
#define VMM_WINDOW_MEMORY       (PROGRAM_WINDOWS_BASE + 0x100000000000ULL)

/* In the console: abi/console.h names these by address. */
#define CONSOLE_WINDOW_SETUP        PROGRAM_WINDOWS_BASE
#define CONSOLE_WINDOW_TO_CONSOLE   (PROGRAM_WINDOWS_BASE + 0x100000ULL)
#define CONSOLE_WINDOW_FROM_CONSOLE (PROGRAM_WINDOWS_BASE + 0x200000ULL)
#define CONSOLE_WINDOW_FRAMEBUFFER  (PROGRAM_WINDOWS_BASE + 0x010000000000ULL)
#define CONSOLE_WINDOW_TERMINALS    (PROGRAM_WINDOWS_BASE + 0x020000000000ULL) /* a pair of channels for each VM */
#define CONSOLE_TERMINAL_BYTES      0x200000ULL
#define CONSOLE_TERMINAL_HALF_BYTES 0x100000ULL
