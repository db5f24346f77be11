/* VM-entry checks by the letter, for the fields that Bulkhead uses. Pure. The order and wording follow SDM Vol. 3C, "Checks on VMX
 * Controls", "Checks on Host Control Registers, MSRs, and SSP", "Checks on Host Segment and Descriptor-Table Registers", "Checks on
 * the Guest State Area". Not checked: areas for MSR loading, APIC virtualization, SMM, which Bulkhead leaves off. */
#include "vmx/vmcs_check.h"

#include <stdbool.h>

#include "virt/reply.h"
#include "vmx/vmx_controls.h"

#define CR0_PE 0x1ULL
#define CR0_NE 0x20ULL
#define CR0_WP 0x10000ULL
#define CR0_NW 0x20000000ULL
#define CR0_CD 0x40000000ULL
#define CR0_PG 0x80000000ULL
#define CR4_PAE 0x20ULL
#define CR4_LA57 0x1000ULL
#define CR4_PCIDE 0x20000ULL
#define CR4_CET 0x800000ULL
#define EPT_POINTER_LEVELS 0x18ULL
#define EFER_LME 0x100ULL
#define EFER_LMA 0x400ULL

#define ATTRIBUTES_TYPE(a)    ((a) & 0xfU)
#define ATTRIBUTES_S          0x10U
#define ATTRIBUTES_DPL(a)     ((a) >> 5 & 3U)
#define ATTRIBUTES_PRESENT    0x80U
#define ATTRIBUTES_GRANULAR   0x8000U
#define ATTRIBUTES_RESERVED   0xfffe0f00U

struct findings {
	const char **problems;
	size_t count, max;
	unsigned linear_bits; /* 48, or 57 on processors with LA57 */
};

static void require(struct findings *findings, bool holds, const char *words)
{
	if (!holds && findings->count < findings->max)
		findings->problems[findings->count++] = words;
}

/* By the width that the processor supports, whatever CR4.LA57 says: bits 63 to the highest of them are equal. */
static bool is_canonical(const struct findings *findings, uint64_t address)
{
	unsigned unused = 64 - findings->linear_bits;

	return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

/* RIP may be the address behind the last canonical one: the bits above the width are equal. */
static bool rip_fits(const struct findings *findings, uint64_t rip)
{
	uint64_t above = rip >> findings->linear_bits;

	return above == 0 || above == UINT64_MAX >> findings->linear_bits;
}

static bool allowed(uint64_t value, struct vmx_allowed setting)
{
	return (~value & setting.must_be_1) == 0 && (value & ~(uint64_t)setting.may_be_1) == 0;
}

static void check_error_code(struct findings *f, const struct vmcs_snapshot *s, const struct vmx_capabilities *c)
{
	uint32_t info = (uint32_t)s->ENTRY_INTERRUPTION_INFO;
	bool has_one = (info & EVENT_HAS_ERROR_CODE) != 0, is_exception = EVENT_TYPE(info) == EVENT_HARDWARE_EXCEPTION;
	bool real_mode = (s->SECONDARY_PROC_CONTROLS & SECONDARY_PROC_UNRESTRICTED) != 0 && (s->GUEST_CR0 & CR0_PE) == 0;

	require(f, !has_one || is_exception, "entry event: only exceptions have error codes");
	require(f, !has_one || !real_mode, "entry event: an error code in real mode");
	require(f, !is_exception || real_mode || c->error_codes_are_free || has_one == exception_has_error_code(EVENT_VECTOR(info)),
		"entry event: an error code with the wrong vector, or none with a vector that has one");
	require(f, !has_one || (s->ENTRY_EXCEPTION_ERROR_CODE & 0xffff8000U) == 0, "entry event: error code above 15 bits");
}

static void check_event(struct findings *f, const struct vmcs_snapshot *s, const struct vmx_capabilities *c)
{
	uint32_t info = (uint32_t)s->ENTRY_INTERRUPTION_INFO, type = EVENT_TYPE(info);

	if ((info & EVENT_VALID) == 0)
		return;
	require(f, (info & 0x7ffff000U) == 0, "entry event: reserved bits are set");
	require(f, type != EVENT_RESERVED, "entry event: type 1 is reserved");
	require(f, type != EVENT_NMI || EVENT_VECTOR(info) == 2, "entry event: an NMI's vector is 2");
	require(f, type != EVENT_HARDWARE_EXCEPTION || EVENT_VECTOR(info) < 32, "entry event: exception vectors are below 32");
	check_error_code(f, s, c);
	require(f,
		type < EVENT_SOFTWARE_INTERRUPT || type > EVENT_SOFTWARE_EXCEPTION ||
		    (s->ENTRY_INSTRUCTION_LEN >= 1 && s->ENTRY_INSTRUCTION_LEN <= 15),
		"entry event: a software event needs an instruction length of 1 to 15");
	require(f, type != EVENT_EXTERNAL_INTERRUPT || ((s->GUEST_RFLAGS & RFLAGS_IF) != 0 && (s->GUEST_INTERRUPTIBILITY & 3) == 0),
		"entry event: an interrupt while the guest has them off");
	require(f, type != EVENT_NMI || (s->GUEST_INTERRUPTIBILITY & (INTERRUPTIBILITY_MOV_SS | INTERRUPTIBILITY_NMI)) == 0,
		"entry event: an NMI while NMIs are blocked");
}

static void check_controls(struct findings *f, const struct vmcs_snapshot *s, const struct vmx_capabilities *c)
{
	uint64_t ept = s->EPT_POINTER;

	require(f, allowed(s->PIN_CONTROLS, c->controls[VMX_PIN]), "pin-based controls: a bit that this CPU does not allow");
	require(f, allowed(s->PRIMARY_PROC_CONTROLS, c->controls[VMX_PRIMARY]),
		"primary processor controls: a bit that this CPU does not allow");
	require(f, allowed(s->SECONDARY_PROC_CONTROLS, c->controls[VMX_SECONDARY]),
		"secondary processor controls: a bit that this CPU does not allow");
	require(f, allowed(s->EXIT_CONTROLS, c->controls[VMX_EXIT]), "VM-exit controls: a bit that this CPU does not allow");
	require(f, allowed(s->ENTRY_CONTROLS, c->controls[VMX_ENTRY]), "VM-entry controls: a bit that this CPU does not allow");
	require(f, s->CR3_TARGET_COUNT <= 4, "CR3-target count above 4");
	require(f, (s->MSR_BITMAP & 0xfff) == 0, "MSR bitmap is not page-aligned");
	require(f, (s->PIN_CONTROLS & PIN_NMI) != 0 || (s->PIN_CONTROLS & PIN_VIRTUAL_NMIS) == 0,
		"virtual NMIs without NMI exiting");
	require(f, (s->PIN_CONTROLS & PIN_VIRTUAL_NMIS) != 0 || (s->PRIMARY_PROC_CONTROLS & PRIMARY_PROC_NMI_WINDOW) == 0,
		"NMI window without virtual NMIs");
	require(f, (s->SECONDARY_PROC_CONTROLS & SECONDARY_PROC_APIC_ACCESSES) == 0 || (s->APIC_ACCESS_ADDRESS & 0xfff) == 0,
		"APIC-access page is not page-aligned");
	require(f, (s->SECONDARY_PROC_CONTROLS & SECONDARY_PROC_VPID) == 0 || s->VPID != 0, "VPID 0 with VPIDs on");
	require(f,
		(s->SECONDARY_PROC_CONTROLS & SECONDARY_PROC_UNRESTRICTED) == 0 ||
		    (s->SECONDARY_PROC_CONTROLS & SECONDARY_PROC_EPT) != 0,
		"unrestricted guest without EPT");
	if ((s->SECONDARY_PROC_CONTROLS & SECONDARY_PROC_EPT) != 0) {
		require(f, (ept & 7) == 6 || (ept & 7) == 0, "EPT pointer: memory type");
		require(f, (ept & 0x38) == EPT_POINTER_LEVELS, "EPT pointer: not 4 levels");
		require(f, (ept & 0x40) == 0 || (c->ept_vpid & EPT_CAP_ACCESSED_DIRTY) != 0,
			"EPT pointer: accessed and dirty flags are not supported");
		require(f, (ept & 0xf80) == 0, "EPT pointer: reserved bits are set");
	}
	check_event(f, s, c);
}

static void check_host(struct findings *f, const struct vmcs_snapshot *s, const struct vmx_capabilities *c)
{
	require(f, (~s->HOST_CR0 & c->cr0_must_be_1) == 0 && (s->HOST_CR0 & ~c->cr0_may_be_1) == 0,
		"host CR0: a bit that VMX fixes");
	require(f, (~s->HOST_CR4 & c->cr4_must_be_1) == 0 && (s->HOST_CR4 & ~c->cr4_may_be_1) == 0,
		"host CR4: a bit that VMX fixes");
	require(f, (s->HOST_CR3 >> 52) == 0, "host CR3: beyond the physical address width");
	require(f, is_canonical(f, s->HOST_SYSENTER_ESP) && is_canonical(f, s->HOST_SYSENTER_EIP),
		"host SYSENTER registers: not canonical");
	require(f, (s->HOST_IA32_EFER & (EFER_LME | EFER_LMA)) == (EFER_LME | EFER_LMA), "host EFER: LMA and LME must be set");
	require(f,
		((s->HOST_CS_SELECTOR | s->HOST_SS_SELECTOR | s->HOST_DS_SELECTOR | s->HOST_ES_SELECTOR | s->HOST_FS_SELECTOR |
		  s->HOST_GS_SELECTOR | s->HOST_TR_SELECTOR) &
		 7) == 0,
		"host selectors: RPL and TI must be 0");
	require(f, s->HOST_CS_SELECTOR != 0 && s->HOST_TR_SELECTOR != 0, "host CS or TR: null selector");
	require(f,
		is_canonical(f, s->HOST_FS_BASE) && is_canonical(f, s->HOST_GS_BASE) && is_canonical(f, s->HOST_TR_BASE) &&
		    is_canonical(f, s->HOST_GDTR_BASE) && is_canonical(f, s->HOST_IDTR_BASE),
		"host descriptor bases: not canonical");
	require(f, (s->EXIT_CONTROLS & VM_EXIT_CTL_HOST_64BIT) != 0, "the host is in 64-bit mode and the exit controls deny it");
	require(f, (s->HOST_CR4 & CR4_PAE) != 0 && is_canonical(f, s->HOST_RIP), "host CR4.PAE or RIP");
}

static void check_guest_registers(struct findings *f, const struct vmcs_snapshot *s, const struct vmx_capabilities *c)
{
	bool unrestricted = (s->SECONDARY_PROC_CONTROLS & SECONDARY_PROC_UNRESTRICTED) != 0;
	bool long_mode = (s->ENTRY_CONTROLS & VM_ENTRY_CTL_IA32E_GUEST) != 0;
	uint64_t must_be_1 = c->cr0_must_be_1 & ~(unrestricted ? CR0_PE | CR0_PG : 0) & ~(CR0_CD | CR0_NW);
	uint64_t efer = s->GUEST_IA32_EFER, flags = s->GUEST_RFLAGS;

	require(f, (~s->GUEST_CR0 & must_be_1) == 0 && (s->GUEST_CR0 & ~c->cr0_may_be_1) == 0, "guest CR0: a bit that VMX fixes");
	require(f, (s->GUEST_CR0 & CR0_PG) == 0 || (s->GUEST_CR0 & CR0_PE) != 0, "guest CR0: PG without PE");
	require(f, (~s->GUEST_CR4 & c->cr4_must_be_1) == 0 && (s->GUEST_CR4 & ~c->cr4_may_be_1) == 0,
		"guest CR4: a bit that VMX fixes");
	require(f, (s->GUEST_CR4 & CR4_CET) == 0 || (s->GUEST_CR0 & CR0_WP) != 0, "guest CR4.CET without CR0.WP");
	require(f, !long_mode || ((s->GUEST_CR0 & CR0_PG) != 0 && (s->GUEST_CR4 & CR4_PAE) != 0),
		"IA-32e mode guest without PG and PAE");
	require(f, long_mode || (s->GUEST_CR4 & CR4_PCIDE) == 0, "guest CR4.PCIDE outside IA-32e mode");
	require(f, (s->GUEST_CR3 >> 52) == 0, "guest CR3: beyond the physical address width");
	require(f, (s->GUEST_DR7 >> 32) == 0, "guest DR7: upper half set");
	require(f, is_canonical(f, s->GUEST_SYSENTER_ESP) && is_canonical(f, s->GUEST_SYSENTER_EIP),
		"guest SYSENTER registers: not canonical");
	require(f, (efer & ~0xd01ULL) == 0, "guest EFER: reserved bits are set");
	require(f, ((efer & EFER_LMA) != 0) == long_mode, "guest EFER.LMA differs from \"IA-32e mode guest\"");
	require(f, (s->GUEST_CR0 & CR0_PG) == 0 || ((efer & EFER_LMA) != 0) == ((efer & EFER_LME) != 0),
		"guest EFER: LMA differs from LME with paging on");
	require(f, (flags & 0xffffffffffc08028ULL) == 0 && (flags & 2) != 0, "guest RFLAGS: reserved bits");
	require(f, (flags & RFLAGS_VM) == 0 || (!long_mode && (s->GUEST_CR0 & CR0_PE) != 0),
		"guest RFLAGS.VM outside protected mode");
	require(f,
		long_mode && (s->GUEST_CS_ATTRIBUTES & SEGMENT_LONG) != 0 ? rip_fits(f, s->GUEST_RIP) : (s->GUEST_RIP >> 32) == 0,
		"guest RIP");
}

/* Limit and granularity must agree. */
static bool limit_ok(uint64_t limit, uint64_t attributes)
{
	return ((limit & 0xfff) == 0xfff || (attributes & ATTRIBUTES_GRANULAR) == 0) &&
	       ((limit >> 20) == 0 || (attributes & ATTRIBUTES_GRANULAR) != 0);
}

static void check_virtual_8086(struct findings *f, uint64_t selector, uint64_t base, uint64_t limit, uint64_t attributes)
{
	require(f, base == (selector & 0xffff) << 4 && limit == 0xffff && attributes == 0xf3,
		"guest segments: virtual-8086 mode fixes base, limit, attributes");
}

static void check_data_segment(struct findings *f, uint64_t limit, uint64_t attributes)
{
	if ((attributes & SEGMENT_UNUSABLE) != 0)
		return;
	require(f, (attributes & 1) != 0 && (attributes & ATTRIBUTES_S) != 0 && (attributes & ATTRIBUTES_PRESENT) != 0,
		"guest data segment: must be accessed, code or data, present");
	require(f, (attributes & 8) == 0 || (attributes & 2) != 0, "guest data segment: code that cannot be read");
	require(f, (attributes & ATTRIBUTES_RESERVED) == 0 && limit_ok(limit, attributes),
		"guest data segment: reserved bits or limit");
}

static void check_code_and_stack(struct findings *f, const struct vmcs_snapshot *s)
{
	uint64_t cs = s->GUEST_CS_ATTRIBUTES, ss = s->GUEST_SS_ATTRIBUTES;
	bool long_mode = (s->ENTRY_CONTROLS & VM_ENTRY_CTL_IA32E_GUEST) != 0,
	     data_allowed = (s->SECONDARY_PROC_CONTROLS & SECONDARY_PROC_UNRESTRICTED) != 0;
	uint64_t type = ATTRIBUTES_TYPE(cs);

	require(f, type == 9 || type == 11 || type == 13 || type == 15 || (type == 3 && data_allowed), "guest CS: type");
	require(f,
		(cs & ATTRIBUTES_S) != 0 && (cs & ATTRIBUTES_PRESENT) != 0 && (cs & ATTRIBUTES_RESERVED) == 0 &&
		    (cs & SEGMENT_UNUSABLE) == 0,
		"guest CS: must be present code without reserved bits");
	require(f, type != 3 || ATTRIBUTES_DPL(cs) == 0, "guest CS: data type needs DPL 0");
	require(f, (type != 9 && type != 11) || ATTRIBUTES_DPL(cs) == ATTRIBUTES_DPL(ss), "guest CS: DPL differs from that of SS");
	require(f, !long_mode || (cs & SEGMENT_LONG) == 0 || (cs & SEGMENT_BIG) == 0, "guest CS: L and D are both set");
	require(f, limit_ok(s->GUEST_CS_LIMIT, cs) && (s->GUEST_CS_BASE >> 32) == 0, "guest CS: limit or base");
	require(
	    f, (ss & SEGMENT_UNUSABLE) != 0 || ((ATTRIBUTES_TYPE(ss) == 3 || ATTRIBUTES_TYPE(ss) == 7) && (ss & ATTRIBUTES_S) != 0),
	    "guest SS: type");
	require(f,
		(ss & SEGMENT_UNUSABLE) != 0 ||
		    ((ss & ATTRIBUTES_PRESENT) != 0 && (ss & ATTRIBUTES_RESERVED) == 0 && limit_ok(s->GUEST_SS_LIMIT, ss)),
		"guest SS: present, reserved bits, limit");
	require(f, (s->GUEST_CR0 & CR0_PE) != 0 || ATTRIBUTES_DPL(ss) == 0, "guest SS: DPL must be 0 in real mode");
}

static void check_guest_segments(struct findings *f, const struct vmcs_snapshot *s)
{
	uint64_t tr = s->GUEST_TR_ATTRIBUTES, ldtr = s->GUEST_LDTR_ATTRIBUTES;
	bool long_mode = (s->ENTRY_CONTROLS & VM_ENTRY_CTL_IA32E_GUEST) != 0;

#define EACH(X) X(CS) X(SS) X(DS) X(ES) X(FS) X(GS)
#define V8086(NAME)                                                                                                                \
	check_virtual_8086(f, s->GUEST_##NAME##_SELECTOR, s->GUEST_##NAME##_BASE, s->GUEST_##NAME##_LIMIT,                         \
			   s->GUEST_##NAME##_ATTRIBUTES);
#define DATA(NAME) check_data_segment(f, s->GUEST_##NAME##_LIMIT, s->GUEST_##NAME##_ATTRIBUTES);
	if ((s->GUEST_RFLAGS & RFLAGS_VM) != 0) {
		EACH(V8086)
	} else {
		check_code_and_stack(f, s);
		DATA(DS) DATA(ES) DATA(FS) DATA(GS)
	}
#undef DATA
#undef V8086
#undef EACH
	require(f, is_canonical(f, s->GUEST_TR_BASE) && is_canonical(f, s->GUEST_FS_BASE) && is_canonical(f, s->GUEST_GS_BASE),
		"guest TR, FS, GS base: not canonical");
	require(f, (s->GUEST_TR_SELECTOR & 4) == 0, "guest TR: selector in the LDT");
	require(f, ATTRIBUTES_TYPE(tr) == 11 || (!long_mode && ATTRIBUTES_TYPE(tr) == 3), "guest TR: must be a busy TSS");
	require(f,
		(tr & (ATTRIBUTES_S | SEGMENT_UNUSABLE)) == 0 && (tr & ATTRIBUTES_PRESENT) != 0 && limit_ok(s->GUEST_TR_LIMIT, tr),
		"guest TR: attributes or limit");
	require(f,
		(ldtr & SEGMENT_UNUSABLE) != 0 ||
		    (ATTRIBUTES_TYPE(ldtr) == 2 && (ldtr & ATTRIBUTES_S) == 0 && (ldtr & ATTRIBUTES_PRESENT) != 0),
		"guest LDTR: attributes");
	require(f, is_canonical(f, s->GUEST_GDTR_BASE) && is_canonical(f, s->GUEST_IDTR_BASE),
		"guest GDTR or IDTR base: not canonical");
	require(f, (s->GUEST_GDTR_LIMIT >> 16) == 0 && (s->GUEST_IDTR_LIMIT >> 16) == 0, "guest GDTR or IDTR limit above 16 bits");
}

static void check_guest_rest(struct findings *f, const struct vmcs_snapshot *s)
{
	uint64_t blocked = s->GUEST_INTERRUPTIBILITY;
	bool single_step = (s->GUEST_RFLAGS & RFLAGS_TF) != 0;

	require(f, s->GUEST_ACTIVITY <= 3, "guest activity state above 3");
	require(f, (blocked & ~0x1fULL) == 0, "guest interruptibility: reserved bits are set");
	require(f, (blocked & 3) != 3, "guest interruptibility: STI and MOV SS at once");
	require(f, (blocked & INTERRUPTIBILITY_STI) == 0 || (s->GUEST_RFLAGS & RFLAGS_IF) != 0,
		"guest interruptibility: STI with IF clear");
	require(f, (s->GUEST_PENDING_DEBUG & ~0x1500fULL) == 0, "guest pending debug exceptions: reserved bits are set");
	require(f, (blocked & 3) == 0 || ((s->GUEST_PENDING_DEBUG & PENDING_DEBUG_BS) != 0) == single_step,
		"guest pending debug exceptions: BS must equal TF in an interrupt shadow");
	require(f, s->GUEST_VMCS_LINK_POINTER == UINT64_MAX, "VMCS link pointer is not all ones");
}

size_t vmcs_check(const struct vmcs_snapshot *snapshot, const struct vmx_capabilities *capabilities, const char *problems[],
		  size_t max)
{
	struct findings findings = {.problems = problems, .max = max,
				    .linear_bits = (capabilities->cr4_may_be_1 & CR4_LA57) != 0 ? 57 : 48};

	check_controls(&findings, snapshot, capabilities);
	check_host(&findings, snapshot, capabilities);
	check_guest_registers(&findings, snapshot, capabilities);
	check_guest_segments(&findings, snapshot);
	check_guest_rest(&findings, snapshot);
	return findings.count;
}
