/* Model-specific registers that may not exist, and the names of those that ring 0 uses itself. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define MSR_IA32_APIC_BASE      0x1bU
#define MSR_IA32_SYSENTER_CS    0x174U
#define MSR_IA32_SYSENTER_ESP   0x175U
#define MSR_IA32_SYSENTER_EIP   0x176U
#define MSR_IA32_PAT            0x277U
#define MSR_IA32_U_CET          0x6a0U
#define MSR_IA32_S_CET          0x6a2U
#define MSR_IA32_PL0_SSP        0x6a4U /* .. PL3 6a7h */
#define MSR_IA32_PL3_SSP        0x6a7U
#define MSR_IA32_INTERRUPT_SSP_TABLE 0x6a8U
#define MSR_IA32_TSC_DEADLINE   0x6e0U
#define MSR_X2APIC_FIRST        0x800U
#define MSR_IA32_XSS            0xda0U
#define MSR_IA32_EFER           0xc0000080U
#define MSR_IA32_STAR           0xc0000081U
#define MSR_IA32_LSTAR          0xc0000082U
#define MSR_IA32_CSTAR          0xc0000083U
#define MSR_IA32_FMASK          0xc0000084U
#define MSR_KERNEL_GS_BASE      0xc0000102U
#define MSR_IA32_TSC_AUX        0xc0000103U

#define EFER_SCE 0x001ULL
#define EFER_NXE 0x800ULL

/* False: the CPU raised #GP; *value is then unchanged. kernel/faultable.asm. */
bool rdmsr_safe(uint32_t msr, uint64_t *value);
bool wrmsr_safe(uint32_t msr, uint64_t value);
