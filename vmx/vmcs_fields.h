/* The VMCS fields that are used, in the manual's order, with their widths: one list for names, types and snapshots.
 * SDM Vol. 3D, Appendix B, "Field Encoding in VMCS". */
#pragma once
#include <stdint.h>

/* X(width, name, encoding) */
#define VMCS_FIELDS(X) \
	/* 16-bit control fields */ \
	X(16, VPID, 0x0000) \
	/* 16-bit guest-state fields */ \
	X(16, GUEST_ES_SELECTOR, 0x0800) \
	X(16, GUEST_CS_SELECTOR, 0x0802) \
	X(16, GUEST_SS_SELECTOR, 0x0804) \
	X(16, GUEST_DS_SELECTOR, 0x0806) \
	X(16, GUEST_FS_SELECTOR, 0x0808) \
	X(16, GUEST_GS_SELECTOR, 0x080a) \
	X(16, GUEST_LDTR_SELECTOR, 0x080c) \
	X(16, GUEST_TR_SELECTOR, 0x080e) \
	/* 16-bit host-state fields */ \
	X(16, HOST_ES_SELECTOR, 0x0c00) \
	X(16, HOST_CS_SELECTOR, 0x0c02) \
	X(16, HOST_SS_SELECTOR, 0x0c04) \
	X(16, HOST_DS_SELECTOR, 0x0c06) \
	X(16, HOST_FS_SELECTOR, 0x0c08) \
	X(16, HOST_GS_SELECTOR, 0x0c0a) \
	X(16, HOST_TR_SELECTOR, 0x0c0c) \
	/* 64-bit control fields */ \
	X(64, MSR_BITMAP, 0x2004) \
	X(64, TSC_OFFSET, 0x2010) \
	X(64, APIC_ACCESS_ADDRESS, 0x2014) \
	X(64, EPT_POINTER, 0x201a) \
	/* 64-bit read-only data field */ \
	X(64, GUEST_PHYSICAL_ADDRESS, 0x2400) \
	/* 64-bit guest-state fields */ \
	X(64, GUEST_VMCS_LINK_POINTER, 0x2800) \
	X(64, GUEST_IA32_DEBUGCTL, 0x2802) \
	X(64, GUEST_IA32_EFER, 0x2806) \
	X(64, GUEST_PDPTE0, 0x280a) \
	X(64, GUEST_PDPTE1, 0x280c) \
	X(64, GUEST_PDPTE2, 0x280e) \
	X(64, GUEST_PDPTE3, 0x2810) \
	/* 64-bit host-state fields */ \
	X(64, HOST_IA32_EFER, 0x2c02) \
	/* 32-bit control fields */ \
	X(32, PIN_CONTROLS, 0x4000) \
	X(32, PRIMARY_PROC_CONTROLS, 0x4002) \
	X(32, EXCEPTION_BITMAP, 0x4004) \
	X(32, PAGE_FAULT_ERROR_MASK, 0x4006) \
	X(32, PAGE_FAULT_ERROR_MATCH, 0x4008) \
	X(32, CR3_TARGET_COUNT, 0x400a) \
	X(32, EXIT_CONTROLS, 0x400c) \
	X(32, EXIT_MSR_STORE_COUNT, 0x400e) \
	X(32, EXIT_MSR_LOAD_COUNT, 0x4010) \
	X(32, ENTRY_CONTROLS, 0x4012) \
	X(32, ENTRY_MSR_LOAD_COUNT, 0x4014) \
	X(32, ENTRY_INTERRUPTION_INFO, 0x4016) \
	X(32, ENTRY_EXCEPTION_ERROR_CODE, 0x4018) \
	X(32, ENTRY_INSTRUCTION_LEN, 0x401a) \
	X(32, SECONDARY_PROC_CONTROLS, 0x401e) \
	/* 32-bit read-only data fields */ \
	X(32, INSTRUCTION_ERROR, 0x4400) \
	X(32, EXIT_REASON, 0x4402) \
	X(32, EXIT_INTERRUPTION_INFO, 0x4404) \
	X(32, EXIT_INTERRUPTION_ERROR_CODE, 0x4406) \
	X(32, IDT_VECTORING_INFO, 0x4408) \
	X(32, IDT_VECTORING_ERROR_CODE, 0x440a) \
	X(32, EXIT_INSTRUCTION_LEN, 0x440c) \
	X(32, EXIT_INSTRUCTION_INFO, 0x440e) \
	/* 32-bit guest-state fields */ \
	X(32, GUEST_ES_LIMIT, 0x4800) \
	X(32, GUEST_CS_LIMIT, 0x4802) \
	X(32, GUEST_SS_LIMIT, 0x4804) \
	X(32, GUEST_DS_LIMIT, 0x4806) \
	X(32, GUEST_FS_LIMIT, 0x4808) \
	X(32, GUEST_GS_LIMIT, 0x480a) \
	X(32, GUEST_LDTR_LIMIT, 0x480c) \
	X(32, GUEST_TR_LIMIT, 0x480e) \
	X(32, GUEST_GDTR_LIMIT, 0x4810) \
	X(32, GUEST_IDTR_LIMIT, 0x4812) \
	X(32, GUEST_ES_ATTRIBUTES, 0x4814) \
	X(32, GUEST_CS_ATTRIBUTES, 0x4816) \
	X(32, GUEST_SS_ATTRIBUTES, 0x4818) \
	X(32, GUEST_DS_ATTRIBUTES, 0x481a) \
	X(32, GUEST_FS_ATTRIBUTES, 0x481c) \
	X(32, GUEST_GS_ATTRIBUTES, 0x481e) \
	X(32, GUEST_LDTR_ATTRIBUTES, 0x4820) \
	X(32, GUEST_TR_ATTRIBUTES, 0x4822) \
	X(32, GUEST_INTERRUPTIBILITY, 0x4824) \
	X(32, GUEST_ACTIVITY, 0x4826) \
	X(32, GUEST_SYSENTER_CS, 0x482a) \
	/* 32-bit host-state field */ \
	X(32, HOST_SYSENTER_CS, 0x4c00) \
	/* Natural-width control fields */ \
	X(_natural, CR0_MASK, 0x6000) \
	X(_natural, CR4_MASK, 0x6002) \
	X(_natural, CR0_SHADOW, 0x6004) \
	X(_natural, CR4_SHADOW, 0x6006) \
	/* Natural-width read-only data fields */ \
	X(_natural, EXIT_QUALIFICATION, 0x6400) \
	X(_natural, GUEST_LINEAR_ADDRESS, 0x640a) \
	/* Natural-width guest-state fields */ \
	X(_natural, GUEST_CR0, 0x6800) \
	X(_natural, GUEST_CR3, 0x6802) \
	X(_natural, GUEST_CR4, 0x6804) \
	X(_natural, GUEST_ES_BASE, 0x6806) \
	X(_natural, GUEST_CS_BASE, 0x6808) \
	X(_natural, GUEST_SS_BASE, 0x680a) \
	X(_natural, GUEST_DS_BASE, 0x680c) \
	X(_natural, GUEST_FS_BASE, 0x680e) \
	X(_natural, GUEST_GS_BASE, 0x6810) \
	X(_natural, GUEST_LDTR_BASE, 0x6812) \
	X(_natural, GUEST_TR_BASE, 0x6814) \
	X(_natural, GUEST_GDTR_BASE, 0x6816) \
	X(_natural, GUEST_IDTR_BASE, 0x6818) \
	X(_natural, GUEST_DR7, 0x681a) \
	X(_natural, GUEST_RSP, 0x681c) \
	X(_natural, GUEST_RIP, 0x681e) \
	X(_natural, GUEST_RFLAGS, 0x6820) \
	X(_natural, GUEST_PENDING_DEBUG, 0x6822) \
	X(_natural, GUEST_SYSENTER_ESP, 0x6824) \
	X(_natural, GUEST_SYSENTER_EIP, 0x6826) \
	/* Natural-width host-state fields */ \
	X(_natural, HOST_CR0, 0x6c00) \
	X(_natural, HOST_CR3, 0x6c02) \
	X(_natural, HOST_CR4, 0x6c04) \
	X(_natural, HOST_FS_BASE, 0x6c06) \
	X(_natural, HOST_GS_BASE, 0x6c08) \
	X(_natural, HOST_TR_BASE, 0x6c0a) \
	X(_natural, HOST_GDTR_BASE, 0x6c0c) \
	X(_natural, HOST_IDTR_BASE, 0x6c0e) \
	X(_natural, HOST_SYSENTER_ESP, 0x6c10) \
	X(_natural, HOST_SYSENTER_EIP, 0x6c12) \
	X(_natural, HOST_RSP, 0x6c14) \
	X(_natural, HOST_RIP, 0x6c16)

/* Only where the secondary control of the same name is there: not in snapshots. */
#define VMCS_OPTIONAL_FIELDS(X) \
	X(64, XSS_EXITING_BITMAP, 0x202c) \
	X(64, ENCLS_EXITING_BITMAP, 0x202e) \
	X(64, ENCLV_EXITING_BITMAP, 0x2036) \
	X(16, POSTED_VECTOR, 0x0002) \
	X(16, GUEST_INTERRUPT_STATUS, 0x0810) \
	X(64, VIRTUAL_APIC_ADDRESS, 0x2012) \
	X(64, POSTED_DESCRIPTOR, 0x2016) \
	X(64, EOI_EXIT_0, 0x201c) \
	X(64, EOI_EXIT_1, 0x201e) \
	X(64, EOI_EXIT_2, 0x2020) \
	X(64, EOI_EXIT_3, 0x2022) \
	X(32, TPR_THRESHOLD, 0x401c) \
	X(32, PLE_GAP, 0x4020) \
	X(32, PLE_WINDOW, 0x4022) \
	X(_natural, GUEST_IA32_S_CET, 0x6828) \
	X(_natural, GUEST_SSP, 0x682a) \
	X(_natural, GUEST_INTERRUPT_SSP_TABLE, 0x682c)

/* One type a width: the compiler refuses the wrong accessor, and a field where a value belongs. */
typedef struct { uint32_t encoding; } vmcs_field16;
typedef struct { uint32_t encoding; } vmcs_field32;
typedef struct { uint32_t encoding; } vmcs_field64;
typedef struct { uint32_t encoding; } vmcs_field_natural;

#define VMCS_FIELD_CONSTANT(width, name, number) \
	static const vmcs_field##width VMCS_##name __attribute__((unused)) = {number};
VMCS_FIELDS(VMCS_FIELD_CONSTANT)
VMCS_OPTIONAL_FIELDS(VMCS_FIELD_CONSTANT)
#undef VMCS_FIELD_CONSTANT

/* The width is in the encoding too: bits 14:13. */
#define VMCS_WIDTH_16 0U
#define VMCS_WIDTH_64 1U
#define VMCS_WIDTH_32 2U
#define VMCS_WIDTH__natural 3U
#define VMCS_FIELD_ASSERT(width, name, number) _Static_assert((number) >> 13 == VMCS_WIDTH_##width, "width of " #name);
VMCS_FIELDS(VMCS_FIELD_ASSERT)
VMCS_OPTIONAL_FIELDS(VMCS_FIELD_ASSERT)
#undef VMCS_FIELD_ASSERT

/* All of them at one moment, for vmcs_check.c. */
struct vmcs_snapshot {
#define VMCS_FIELD_MEMBER(width, name, number) uint64_t name;
	VMCS_FIELDS(VMCS_FIELD_MEMBER)
#undef VMCS_FIELD_MEMBER
};
