/* The address space of a ring 3 program, as this project's programs use it. The kernel knows none of these but the two
 * fixed pages at its end (abi/syscall.h).
 *
 *   400000h                the program itself (user/program.ld)
 *   PROGRAM_WINDOWS_BASE   what whoever started the program mapped for it: named by abi/vmm_spec.h, abi/console.h
 *   PROGRAM_STACKS_BASE    stacks of threads that the program started: slots, the lower half of each left unmapped
 *   PROGRAM_STACK_TOP      end of the first thread's stack; below it PROGRAM_STACK_BYTES, below those nothing
 */
#pragma once

#define PROGRAM_BASE          0x400000ULL
#define PROGRAM_WINDOWS_BASE  0x100000000000ULL
#define PROGRAM_STACKS_BASE   0x700000000000ULL
#define PROGRAM_STACK_TOP     0x7f0000000000ULL
#define PROGRAM_STACK_BYTES   0x10000ULL
#define THREAD_STACK_BYTES    0x8000ULL
#define THREAD_SLOT_BYTES     0x10000ULL
#define THREADS_MAX           256U
