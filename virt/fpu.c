/* Eager switching of FPU state, debug registers and SYSCALL registers.
 * SDM Vol. 1, "Managing State Using the XSAVE Feature Set"; Vol. 3B, "Debug Registers". */
#include "virt/fpu.h"

#include <stddef.h>

#include "kernel/cpu_insn.h"
#include "kernel/msr.h"
#include "lib/base/string.h"
#include "virt/control_registers.h"
#include "virt/fpu_insn.h"
#include "virt/hv.h"
#include "virt/vcpu.h"

/* Others would need CPUID rows and room in the area. */
#define XCR0_SUPPORTED (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU)

/* The legacy region and the header: XSTATE_BV = 0 means that every component is in its initial state. */
struct fpu_image {
	_Alignas(64) uint16_t fcw;
	uint8_t others[22];
	uint32_t mxcsr;
	uint8_t rest[484];
	uint64_t xstate_bv;
	uint8_t header[56];
};
_Static_assert(offsetof(struct fpu_image, mxcsr) == 24 && sizeof(struct fpu_image) == 576, "FXSAVE area and XSAVE header");

#define XSTATE_SET 0x7ULL /* x87, SSE, AVX */

static const struct fpu_image initial_image = {.fcw = 0x37f, .mxcsr = 0x1f80};

static const uint32_t live_numbers[LIVE_MSR_COUNT] = {
	MSR_IA32_STAR, MSR_IA32_LSTAR, MSR_IA32_CSTAR, MSR_IA32_FMASK, MSR_KERNEL_GS_BASE, MSR_IA32_TSC_AUX,
	MSR_IA32_U_CET, MSR_IA32_PL0_SSP, MSR_IA32_PL0_SSP + 1, MSR_IA32_PL0_SSP + 2, MSR_IA32_PL3_SSP, MSR_IA32_XSS,
};

/* Constant after boot: what all CPUs have. */
static uint64_t xcr0_mask = XCR0_SUPPORTED;
static bool has_rdtscp = true;

void fpu_cpu_start(void)
{
	bool xsave = (cpuid(1, 0).ecx >> 26 & 1) != 0 && (read_cr4() & CR4_OSXSAVE) != 0;

	xcr0_mask &= xsave ? cpuid(0x0d, 0).eax : 0;
	has_rdtscp &= cpuid(0x80000000U, 0).eax >= 0x80000001U && (cpuid(0x80000001U, 0).edx >> 27 & 1) != 0;
	if (xsave)
		xsetbv(0, xcr0_mask);
	for (unsigned i = LIVE_CET; i < LIVE_MSR_COUNT; i++)
		(void)wrmsr_safe(live_numbers[i], 0); /* where there are such */
	write_cr0(read_cr0() | CR0_TS);
}

uint64_t fpu_xcr0_supported(void)
{
	return xcr0_mask;
}

void fpu_area_init(void *area)
{
	memcpy(area, &initial_image, sizeof(initial_image));
}

static void load_image(const void *area)
{
	if (xcr0_mask != 0)
		xrstor64(area, xcr0_mask);
	else
		fxrstor64(area);
}

static void save(struct vcpu *vcpu)
{
	if (xcr0_mask != 0) {
		if (vcpu->xcr0 != xcr0_mask)
			xsetbv(0, xcr0_mask);
		xsave64(vcpu->xsave_area, xcr0_mask);
	} else {
		fxsave64(vcpu->xsave_area);
	}
	vcpu->dr[0] = read_dr0();
	vcpu->dr[1] = read_dr1();
	vcpu->dr[2] = read_dr2();
	vcpu->dr[3] = read_dr3();
	vcpu->dr6 = read_dr6();
}

void fpu_take(struct hv_cpu *cpu, struct vcpu *vcpu)
{
	if (cpu->fpu_owner == vcpu)
		return;
	clts();
	if (cpu->fpu_owner != NULL)
		save(cpu->fpu_owner);
	load_image(vcpu->xsave_area);
	if (xcr0_mask != 0)
		xsetbv(0, vcpu->xcr0);
	write_cr0(read_cr0() | CR0_TS);
	write_dr0(vcpu->dr[0]);
	write_dr1(vcpu->dr[1]);
	write_dr2(vcpu->dr[2]);
	write_dr3(vcpu->dr[3]);
	write_dr6(vcpu->dr6);
	cpu->fpu_owner = vcpu;
}

void fpu_init_debug_registers(struct vcpu *vcpu)
{
	write_dr0(0);
	write_dr1(0);
	write_dr2(0);
	write_dr3(0);
	write_dr6(DR6_AFTER_INIT);
	hv->set_dr7(vcpu, DR7_AFTER_INIT);
}

void fpu_release(struct hv_cpu *cpu, bool another_comes)
{
	if (cpu->fpu_owner == NULL)
		return;
	clts();
	save(cpu->fpu_owner);
	if (!another_comes)
		load_image(&initial_image);
	write_cr0(read_cr0() | CR0_TS);
	cpu->fpu_owner = NULL;
}

const void *fpu_vectors(struct hv_cpu *cpu, struct vcpu *vcpu)
{
	if (cpu->fpu_owner == vcpu)
		fpu_release(cpu, false);
	cpu->settled = NULL; /* the next run loads them again */
	return vcpu->xsave_area;
}

/* All but MXCSR, its mask and the header, where some values are refused by XRSTOR. SDM Vol. 1, "XSAVE Area". */
void fpu_set_vectors(struct hv_cpu *cpu, struct vcpu *vcpu, const struct vcpu_vectors *vectors)
{
	static const struct { uint16_t start, end; } parts[] = {{0, 24}, {32, 416}, {576, VCPU_VECTORS_BYTES}};

	(void)fpu_vectors(cpu, vcpu);
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		memcpy((uint8_t *)vcpu->xsave_area + parts[i].start, vectors->area + parts[i].start, parts[i].end - parts[i].start);
	((struct fpu_image *)vcpu->xsave_area)->xstate_bv |= XSTATE_SET & xcr0_mask;
}

void fpu_set_xcr0(struct vcpu *vcpu, uint64_t value)
{
	vcpu->xcr0 = value;
	xsetbv(0, value);
}

/* Values that a CPU took from the guest, by its mode. One that takes them only with the guest's CR4.LA57 keeps its own. */
static void load_checked(const struct vcpu *vcpu, unsigned i)
{
	(void)wrmsr_safe(live_numbers[i], vcpu->msrs[i]);
}

/* SWAPGS writes KERNEL_GS_BASE without an exit; of the others before LIVE_CET the CPU has what vcpu->msrs says. From LIVE_CET on, a
 * CPU may have some and not others. */
void live_msrs_release(struct hv_cpu *cpu)
{
	struct vcpu *owner = cpu->msr_owner;

	cpu->msr_owner = NULL;
	if (owner == NULL)
		return;
	owner->msrs[LIVE_KERNEL_GS_BASE] = rdmsr(MSR_KERNEL_GS_BASE);
	for (unsigned i = LIVE_CET; owner->uses_cet && i < LIVE_MSR_COUNT; i++) {
		(void)rdmsr_safe(live_numbers[i], &owner->msrs[i]);
		(void)wrmsr_safe(live_numbers[i], 0);
	}
}

void live_msrs_take(struct hv_cpu *cpu, struct vcpu *vcpu)
{
	const struct vcpu *before = cpu->msr_owner;
	unsigned count = has_rdtscp ? LIVE_CET : LIVE_TSC_AUX;

	live_msrs_release(cpu);
	for (unsigned i = 0; i < count; i++) {
		if (before == NULL || before->msrs[i] != vcpu->msrs[i])
			load_checked(vcpu, i);
	}
	for (unsigned i = LIVE_CET; vcpu->uses_cet && i < LIVE_MSR_COUNT; i++)
		load_checked(vcpu, i);
	cpu->msr_owner = vcpu;
}

/* Not the others: SDM Vol. 3A, "Processor State After Reset". */
void live_msrs_init(struct vcpu *vcpu)
{
	for (unsigned i = LIVE_CET; vcpu->uses_cet && i < LIVE_MSR_COUNT; i++) {
		(void)wrmsr_safe(live_numbers[i], 0);
		vcpu->msrs[i] = 0;
	}
	vcpu->uses_cet = false;
}
