/* Bounds and choices of ring 0, in one place. */
#pragma once
#include "abi/layout.h"

#define CPUS_MAX              256U  /* CPUs that ring 0 runs on; more are reported and left out */
#define KERNEL_STACK_BYTES    0x4000ULL /* a slot: one guard page, three pages of stack; slots are aligned to their size */
#define LOG_BYTES             0x10000U  /* kernel log ring */
#define SYSCALL_PAGES_MAX     512U      /* most pages one system call handles */
#define HANDLES_MAX           1024U     /* per program */
#define VIEWS_MAX             1024U     /* per program: what SPACE_MAP mapped in one piece */
#define PROGRAM_THREADS_MAX   320U
#define PROGRAM_CHILDREN_MAX  64U       /* programs that a VMM makes */
#define WAITERS_MAX           64U       /* threads that wait on one event */
#define POOL_STACKS_MAX       320U      /* threads that one VM's pool and all pools below it pay for */
#define VCPUS_PER_VM_MAX      64U

/* Interrupt vectors of ring 0. */
#define VECTOR_PIC_SPURIOUS   0x20U /* 0x20 - 0x2f: the 8259 pair, masked; only spurious ones arrive */
#define VECTOR_DEVICE_FIRST   0x30U
#define VECTOR_DEVICE_LAST    0xefU
#define VECTOR_RESCHEDULE     0xf0U /* look at the inbox */
#define VECTOR_POSTED         0xf1U /* posted-interrupt notification */
#define VECTOR_TIMER          0xf2U
#define VECTOR_SHOOTDOWN      0xf3U
#define VECTOR_KICK           0xf4U /* be in ring 0: makes a guest exit */
#define VECTOR_APIC_ERROR     0xfeU
#define VECTOR_APIC_SPURIOUS  0xffU
