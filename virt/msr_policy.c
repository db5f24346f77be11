/* The MSR policy. SDM Vol. 4, "Model-Specific Registers (MSRs)". */
#include "virt/msr_policy.h"

#include <stddef.h>

#include "kernel/cpu_insn.h"
#include "virt/control_registers.h"
#include "virt/hv.h"
#include "virt/interrupts.h"
#include "virt/msr_memory_types.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define MSR_TSC            0x10U
#define MSR_PLATFORM_ID    0x17U
#define MSR_APIC_BASE      0x1bU
#define MSR_FEATURE_CONTROL 0x3aU
#define MSR_TSC_ADJUST     0x3bU
#define MSR_BIOS_SIGN_ID   0x8bU
#define MSR_MTRR_CAP       0xfeU
#define MSR_MCG_CAP        0x179U
#define MSR_MCG_STATUS     0x17aU
#define MSR_MISC_ENABLE    0x1a0U
#define MSR_DEBUGCTL       0x1d9U
#define MSR_PAT            0x277U
#define MSR_EFER           0xc0000080U

#define MTRR_CAP_VALUE     (0x500U | MTRR_VARIABLE_COUNT) /* WC, fixed ranges */
#define MISC_ENABLE_FAST_STRINGS 0x1ULL
#define MISC_ENABLE_FIXED  0x1800ULL /* no branch trace, no PEBS */
#define MISC_ENABLE_READ_ONLY 0x1880ULL /* ... and, clear, no performance monitoring: writes are lost */
/* Stored only, but for the first without effect: fast strings, thermal control, SpeedStep, MONITOR, its lock, limit of CPUID, xTPR,
 * XD disable, turbo disable. */
#define MISC_ENABLE_WRITABLE 0x4400d50009ULL
#define PAT_AFTER_RESET    0x0007040600070406ULL

typedef bool (*msr_reader)(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
typedef bool (*msr_writer)(struct vcpu *vcpu, uint32_t msr, uint64_t value);

struct msr_row {
	uint32_t first, last;
	msr_reader read;   /* NULL: what the next two say */
	msr_writer write;  /* NULL: #GP */
	uint64_t constant;
	size_t field;      /* 0: none; else offset of a uint64_t in struct vcpu */
};

static bool write_ignored(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)vcpu;
	(void)msr;
	(void)value;
	return true;
}

static bool write_zero_only(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)vcpu;
	(void)msr;
	return value == 0;
}

static bool read_tsc(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = rdtsc() + vcpu->tsc_offset;
	return true;
}

static void move_tsc(struct vcpu *vcpu, uint64_t delta)
{
	vcpu->tsc_offset += delta;
	vcpu->tsc_adjust += delta;
	hv->set_tsc_offset(vcpu, vcpu->tsc_offset);
	interrupts_timer_changed(vcpu);
}

/* "IA32_TSC_ADJUST MSR Support": a write to the TSC moves the adjustment by as much, and the other way round. */
static bool write_tsc(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)msr;
	move_tsc(vcpu, value - (rdtsc() + vcpu->tsc_offset));
	return true;
}

static bool write_tsc_adjust(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)msr;
	move_tsc(vcpu, value - vcpu->tsc_adjust);
	return true;
}

static bool write_apic_base(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	struct apic_effects effects = {.flags = 0};

	(void)msr;
	hv->take_apic(vcpu);
	if (!local_apic_base_write(&vcpu->apic, value, &effects))
		return false;
	interrupts_apply(vcpu, &effects);
	return true;
}

static bool write_misc_enable(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)msr;
	if ((value & ~(MISC_ENABLE_WRITABLE | MISC_ENABLE_READ_ONLY)) != 0)
		return false;
	vcpu->misc_enable = (value & MISC_ENABLE_WRITABLE) | MISC_ENABLE_FIXED;
	return true;
}

static bool read_efer(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = hv->get_efer(vcpu);
	return true;
}

static bool write_efer(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t result;

	(void)msr;
	if (!efer_write(hv->get_efer(vcpu), value, hv->paging_enabled(vcpu), &result))
		return false;
	hv->set_efer(vcpu, result);
	return true;
}

static bool read_tsc_deadline(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = vcpu->apic.tsc_deadline;
	return vcpu->apic.deadline_offered;
}

/* In TSC-deadline mode msr_policy_write() does it; else the write is lost. */
static bool write_tsc_deadline(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)msr;
	(void)value;
	return vcpu->apic.deadline_offered;
}

/* Registers that have nothing to do with what the hardware may have of the local APIC; guests use them often. */
static bool is_apart(uint32_t msr)
{
	uint32_t offset = (msr - MSR_X2APIC_FIRST) * 16;

	return offset == APIC_ICR_LOW || offset == APIC_LVT_TIMER || (offset >= APIC_INITIAL && offset <= APIC_DIVIDE);
}

static bool read_x2apic(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	if (vcpu->apic_is_lent && !is_apart(msr))
		hv->take_apic(vcpu);
	return local_apic_msr_read(&vcpu->apic, msr, rdtsc(), value);
}

static bool write_x2apic(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	struct apic_effects effects = {.flags = 0};

	if (vcpu->apic_is_lent && !is_apart(msr))
		hv->take_apic(vcpu);
	if (!local_apic_msr_write(&vcpu->apic, msr, value, rdtsc(), &effects))
		return false;
	interrupts_apply(vcpu, &effects);
	return true;
}

static bool steal_time_offered(const struct vcpu *vcpu)
{
	return (vcpu->vm->paravirtual & PARAVIRTUAL_STEAL_TIME) != 0;
}

static bool read_steal_time(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = vcpu->steal.msr;
	return steal_time_offered(vcpu);
}

static bool write_steal_time(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)msr;
	return steal_time_offered(vcpu) && steal_time_write_msr(vcpu, value);
}

static bool is_switched(uint32_t msr)
{
	return msr == MSR_IA32_S_CET || msr == MSR_IA32_INTERRUPT_SSP_TABLE;
}

/* Control-flow enforcement, which the host leaves off in CR4: what these registers hold means nothing to it. */
static bool read_cet(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	if ((vcpu->vm->xss_mask & XSS_CET) == 0)
		return false;
	if (!is_switched(msr))
		return rdmsr_safe(msr, value);
	*value = hv->get_switched_msr(vcpu, msr);
	return true;
}

/* The CPU says what it takes. */
static bool write_cet(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if ((vcpu->vm->xss_mask & XSS_CET) == 0 || !wrmsr_safe(msr, value))
		return false;
	if (is_switched(msr))
		hv->set_switched_msr(vcpu, msr, value);
	else
		vcpu->uses_cet = true;
	return true;
}

static bool read_xss(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = vcpu->msrs[LIVE_XSS];
	return vcpu->vm->xsaves_shown;
}

static bool write_xss(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (!vcpu->vm->xsaves_shown || (value & ~vcpu->vm->xss_mask) != 0)
		return false;
	if (value == vcpu->msrs[LIVE_XSS])
		return true;
	if (!wrmsr_safe(msr, value))
		return false;
	vcpu->uses_cet = true;
	vcpu->msrs[LIVE_XSS] = value;
	return true;
}

/* The CPU itself, which has the vCPU's, says what it takes; find() has just left the register's row. */
static bool write_live(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (!wrmsr_safe(msr, value))
		return false;
	*(uint64_t *)((uint8_t *)vcpu + vcpu->msr_row->field) = value;
	return true;
}

#define CONSTANT(msr, value, writer) {.first = (msr), .last = (msr), .write = (writer), .constant = (value)}
#define STORED(msr, name, writer) {.first = (msr), .last = (msr), .write = (writer), .field = offsetof(struct vcpu, name)}
#define COMPUTED(from, to, reader, writer) {.first = (from), .last = (to), .read = (reader), .write = (writer)}

/* Sorted, so that a look-up takes few steps. */
static const struct msr_row rows[] = {
	COMPUTED(MSR_TSC, MSR_TSC, read_tsc, write_tsc),
	CONSTANT(MSR_PLATFORM_ID, 0, NULL),
	STORED(MSR_APIC_BASE, apic.base, write_apic_base),
	CONSTANT(MSR_FEATURE_CONTROL, 1, NULL), /* locked, VMX off */
	STORED(MSR_TSC_ADJUST, tsc_adjust, write_tsc_adjust),
	/* A microcode revision, in the upper half: Linux switches TSC-deadline off on some models below it. */
	CONSTANT(MSR_BIOS_SIGN_ID, 0x7fffffffULL << 32, write_ignored),
	CONSTANT(MSR_MTRR_CAP, MTRR_CAP_VALUE, NULL),
	CONSTANT(MSR_MCG_CAP, 0, NULL),
	CONSTANT(MSR_MCG_STATUS, 0, write_zero_only),
	STORED(MSR_MISC_ENABLE, misc_enable, write_misc_enable),
	CONSTANT(MSR_DEBUGCTL, 0, write_zero_only),
	COMPUTED(MSR_MTRR_PHYS0, MSR_MTRR_PHYS0 + 2 * MTRR_VARIABLE_COUNT - 1, msr_read_mtrr, msr_write_mtrr_variable),
	COMPUTED(MSR_MTRR_FIX64K, MSR_MTRR_FIX64K, msr_read_mtrr, msr_write_mtrr_fixed),
	COMPUTED(MSR_MTRR_FIX16K, MSR_MTRR_FIX16K + 1, msr_read_mtrr, msr_write_mtrr_fixed),
	COMPUTED(MSR_MTRR_FIX4K, MSR_MTRR_FIX4K + 7, msr_read_mtrr, msr_write_mtrr_fixed),
	STORED(MSR_PAT, pat, msr_write_pat),
	COMPUTED(MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE, msr_read_mtrr, msr_write_mtrr_default),
	COMPUTED(MSR_IA32_U_CET, MSR_IA32_U_CET, read_cet, write_cet),
	COMPUTED(MSR_IA32_S_CET, MSR_IA32_S_CET, read_cet, write_cet),
	COMPUTED(MSR_IA32_PL0_SSP, MSR_IA32_INTERRUPT_SSP_TABLE, read_cet, write_cet),
	COMPUTED(MSR_IA32_TSC_DEADLINE, MSR_IA32_TSC_DEADLINE, read_tsc_deadline, write_tsc_deadline),
	COMPUTED(MSR_X2APIC_FIRST, MSR_X2APIC_FIRST + 0xff, read_x2apic, write_x2apic),
	COMPUTED(MSR_IA32_XSS, MSR_IA32_XSS, read_xss, write_xss),
	COMPUTED(MSR_KVM_STEAL_TIME, MSR_KVM_STEAL_TIME, read_steal_time, write_steal_time),
	COMPUTED(MSR_EFER, MSR_EFER, read_efer, write_efer),
	STORED(MSR_IA32_STAR, msrs[LIVE_STAR], write_live),
	STORED(MSR_IA32_LSTAR, msrs[LIVE_LSTAR], write_live),
	STORED(MSR_IA32_CSTAR, msrs[LIVE_CSTAR], write_live),
	STORED(MSR_IA32_FMASK, msrs[LIVE_FMASK], write_live),
	STORED(MSR_IA32_TSC_AUX, msrs[LIVE_TSC_AUX], write_live),
};

const uint32_t msr_passthrough[] = {
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	0xc0000100U /* FS_BASE */, 0xc0000101U /* GS_BASE */, 0xc0000102U /* KERNEL_GS_BASE */,
};
const uint32_t msr_passthrough_count = sizeof(msr_passthrough) / sizeof(msr_passthrough[0]);
const uint32_t msr_readable[] = {MSR_IA32_STAR, MSR_IA32_LSTAR, MSR_IA32_CSTAR, MSR_IA32_FMASK, MSR_IA32_TSC_AUX};
const uint32_t msr_readable_count = sizeof(msr_readable) / sizeof(msr_readable[0]);

static const struct msr_row *search(uint32_t msr)
{
	size_t low = 0, high = sizeof(rows) / sizeof(rows[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (msr > rows[middle].last)
			low = middle + 1;
		else if (msr < rows[middle].first)
			high = middle;
		else
			return &rows[middle];
	}
	return NULL;
}

static const struct msr_row *find(struct vcpu *vcpu, uint32_t msr)
{
	const struct msr_row *row = vcpu->msr_row;

	if (msr >= row->first && msr <= row->last)
		return row;
	row = search(msr);
	if (row != NULL)
		vcpu->msr_row = row;
	return row;
}

bool msr_policy_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const struct msr_row *row = find(vcpu, msr);

	if (row == NULL)
		return false;
	if (row->read != NULL)
		return row->read(vcpu, msr, value);
	*value = row->field == 0 ? row->constant : *(const uint64_t *)((const uint8_t *)vcpu + row->field);
	return true;
}

/* Kept apart: the way of a timer tick needs no stack for it. */
static __attribute__((noinline)) bool write_by_row(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	const struct msr_row *row = find(vcpu, msr);

	return row != NULL && row->write != NULL && row->write(vcpu, msr, value);
}

bool msr_policy_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (msr != MSR_IA32_TSC_DEADLINE || !local_apic_set_tsc_deadline(&vcpu->apic, value))
		return write_by_row(vcpu, msr, value);
	interrupts_timer_changed(vcpu);
	return true;
}

void msr_policy_reset(struct vcpu *vcpu)
{
	vcpu->msr_row = rows;
	vcpu->pat = PAT_AFTER_RESET;
	vcpu->misc_enable = MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_FIXED;
	vcpu->mtrr = (struct vcpu_mtrr){.default_type = 0};
}
