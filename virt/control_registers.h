/* Rules for CR0, CR4, CR8, EFER and for the registers a VMM sets. Pure. SDM Vol. 3A, "Control Registers". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "kernel/msr.h"

#define CR0_PE 0x1ULL
#define CR0_ET 0x10ULL
#define CR0_TS 0x8ULL
#define CR0_NE 0x20ULL
#define CR0_WP 0x10000ULL
#define CR0_NW 0x20000000ULL
#define CR0_CD 0x40000000ULL
#define CR0_PG 0x80000000ULL
#define CR0_DEFINED 0xe005003fULL

#define CR3_PCID       0xfffULL

#define CR4_PAE        0x20ULL
#define CR4_MCE        0x40ULL
#define CR4_UMIP       0x800ULL
#define CR4_LA57       0x1000ULL
#define CR4_VMXE       0x2000ULL
#define CR4_FSGSBASE   0x10000ULL
#define CR4_PCIDE      0x20000ULL
#define CR4_OSXSAVE    0x40000ULL
#define CR4_SMEP       0x100000ULL
#define CR4_SMAP       0x200000ULL
#define CR4_PKE        0x400000ULL
#define CR4_CET        0x800000ULL

/* SDM Vol. 1, "XSAVE-Supported Features and State-Component Bitmaps". */
#define XCR0_X87    0x1ULL
#define XCR0_SSE    0x2ULL
#define XCR0_AVX    0x4ULL
#define XCR0_AVX512 0xe0ULL
#define XCR0_PKRU   0x200ULL
#define XSS_CET     0x1800ULL /* user and supervisor state */

#define EFER_LME 0x100ULL
#define EFER_LMA 0x400ULL

/* The CR4 bits that this guest may set, from what CPUID tells it (leaf 1 ECX, leaf 7 EBX, ECX and EDX). */
uint64_t cr4_allowed(uint32_t leaf1_ecx, uint32_t leaf7_ebx, uint32_t leaf7_ecx, uint32_t leaf7_edx);

/* Whether a MOV to CR0 by the guest raises no #GP, as far as CR0, CR4 and EFER decide it. */
bool cr0_write_allowed(uint64_t value, uint64_t cr4, uint64_t efer, bool cs_is_long);

/* Whether a MOV to CR4 raises no #GP. allowed: cr4_allowed(). now: CR0, CR3, CR4 and EFER count. */
bool cr4_write_allowed(uint64_t value, uint64_t allowed, const struct vcpu_registers *now);

/* WRMSR of IA32_EFER: LMA is kept, LME must not change while paging is on, reserved bits fault. False: #GP. */
MUST_CHECK bool efer_write(uint64_t old, uint64_t value, bool paging_enabled, uint64_t *result);

/* XSETBV: index 0; x87 always; AVX needs SSE; AVX-512's three parts together and with AVX; nothing outside mask. */
bool xcr0_write_allowed(uint32_t index, uint64_t value, uint64_t mask);

/* Whether a VMM may give a vCPU these registers. What is left unchecked the CPU checks at VM entry, which then fails.
 * ERR_INVALID otherwise. */
MUST_CHECK enum status registers_check(const struct vcpu_registers *registers, uint64_t cr4_allowed_mask);

/* The state after INIT, for a vCPU's reset and SIPI. SDM Vol. 3A, "Processor State After Reset". */
extern const struct vcpu_registers registers_after_init;
