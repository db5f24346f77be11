/* Switching VMX on, on every CPU. SDM Vol. 3C, "Enabling and Entering VMX Operation", "Restrictions on VMX Operation". */
#include "vmx/vmx_cpu.h"

#include "kernel/msr.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "lib/base/format.h"
#include "lib/base/string.h"
#include "virt/hv.h"
#include "vmx/apic_access.h"
#include "vmx/vmx_insn.h"
#include "vmx/vmx_report.h"
#include "vmx/vmx_vcpu.h"

#define MSR_IA32_FEATURE_CONTROL   0x3aU
#define MSR_IA32_VMX_BASIC         0x480U
#define MSR_IA32_VMX_PINBASED      0x481U /* .. ENTRY 484h; TRUE_ ones from 48Dh */
#define MSR_IA32_VMX_MISC          0x485U
#define MSR_IA32_VMX_CR0_FIXED0    0x486U
#define MSR_IA32_VMX_CR4_FIXED0    0x488U
#define MSR_IA32_VMX_PROCBASED2    0x48bU
#define MSR_IA32_VMX_EPT_VPID_CAP  0x48cU
#define MSR_IA32_VMX_TRUE_PINBASED 0x48dU

#define VMX_BASIC_TRUE_CONTROLS (1ULL << 55)
#define VMX_BASIC_FREE_ERROR_CODES (1ULL << 56)
#define FEATURE_CONTROL_LOCKED  0x1ULL
#define FEATURE_CONTROL_VMX     0x4ULL
#define CR4_VMXE                0x2000ULL
#define CPUID_1_ECX_VMX         (1U << 5)
#define CPUID_7_ECX_LA57        (1U << 16)
#define INVVPID_ADDRESS         0U

struct vmx_capabilities vmx_capabilities;

/* What went wrong where, for the report; written while CPUs start, one after the other. */
static struct {
	bool first_seen;
	struct vmx_obstacles obstacles;
	bool usable;
} state;

struct vmx_cpu *vmx_cpu_self(void)
{
	const struct hv_cpu *cpu = percpu_self()->hypervisor;

	return cpu->backend;
}

bool vmx_detect(void)
{
	struct cpuid vendor = cpuid(0, 0);
	char text[13] = {0};

	memcpy(text, &vendor.ebx, 4);
	memcpy(text + 4, &vendor.edx, 4);
	memcpy(text + 8, &vendor.ecx, 4);
	return strcmp(text, "AuthenticAMD") != 0 && strcmp(text, "HygonGenuine") != 0;
}

static struct vmx_capabilities read_capabilities(void)
{
	struct vmx_capabilities found = {.has_vmx = (cpuid(1, 0).ecx & CPUID_1_ECX_VMX) != 0};
	static const enum vmx_control_word words[] = {VMX_PIN, VMX_PRIMARY, VMX_EXIT, VMX_ENTRY}; /* in the MSRs' order */
	uint64_t basic;

	if (!found.has_vmx)
		return found;
	found.wide_addresses = cpuid(0, 0).eax >= 7 && (cpuid(7, 0).ecx & CPUID_7_ECX_LA57) != 0;
	basic = rdmsr(MSR_IA32_VMX_BASIC);
	found.revision = (uint32_t)basic & 0x7fffffffU;
	found.error_codes_are_free = (basic & VMX_BASIC_FREE_ERROR_CODES) != 0;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t first = (basic & VMX_BASIC_TRUE_CONTROLS) != 0 ? MSR_IA32_VMX_TRUE_PINBASED : MSR_IA32_VMX_PINBASED;

		found.controls[words[i]] = vmx_allowed_from_msr(rdmsr(first + i));
	}
	if ((found.controls[VMX_PRIMARY].may_be_1 >> 31) != 0)
		found.controls[VMX_SECONDARY] = vmx_allowed_from_msr(rdmsr(MSR_IA32_VMX_PROCBASED2));
	if ((found.controls[VMX_SECONDARY].may_be_1 & 0x22) != 0) /* EPT or VPID: the register exists */
		found.ept_vpid = rdmsr(MSR_IA32_VMX_EPT_VPID_CAP);
	found.misc = rdmsr(MSR_IA32_VMX_MISC);
	found.cr0_must_be_1 = rdmsr(MSR_IA32_VMX_CR0_FIXED0);
	found.cr0_may_be_1 = rdmsr(MSR_IA32_VMX_CR0_FIXED0 + 1);
	found.cr4_must_be_1 = rdmsr(MSR_IA32_VMX_CR4_FIXED0);
	found.cr4_may_be_1 = rdmsr(MSR_IA32_VMX_CR4_FIXED0 + 1);
	return found;
}

/* Firmware may leave IA32_FEATURE_CONTROL unlocked, locked with VMX, or locked without: only the last stops us. */
static bool feature_control_allows(void)
{
	uint64_t value = 0;

	if (!rdmsr_safe(MSR_IA32_FEATURE_CONTROL, &value))
		return true; /* absent: nothing to unlock (some emulators and hypervisors) */
	if ((value & FEATURE_CONTROL_LOCKED) == 0) {
		if (!wrmsr_safe(MSR_IA32_FEATURE_CONTROL, value | FEATURE_CONTROL_VMX | FEATURE_CONTROL_LOCKED))
			return false;
		value = rdmsr(MSR_IA32_FEATURE_CONTROL);
	}
	return (value & FEATURE_CONTROL_VMX) != 0;
}

/* Processors with LA57 check addresses by the width they support. An emulator that goes by CR4.LA57 of the moment would refuse the
 * entry of a guest whose GS base has 57 bits, and refuses this too. SDM Vol. 3A, "Canonicality Checking"; Vol. 3C, "INVVPID". */
static bool takes_wide_addresses(const struct vmx_capabilities *found)
{
	const struct invalidation wide = {.first = 1, .second = 1ULL << 55};

	return (~found->ept_vpid & (VPID_CAP_INVVPID | VPID_CAP_ADDRESS)) == 0 && vmx_invvpid(INVVPID_ADDRESS, &wide);
}

static bool enter_vmx(struct vmx_cpu *cpu, const struct vmx_capabilities *found)
{
	uint32_t *region = pool_page_alloc(root_pool);

	if (region == NULL)
		panic("no memory for a VMXON region");
	region[0] = found->revision;
	cpu->vmxon_physical = direct_physical(region);
	write_cr0((read_cr0() | found->cr0_must_be_1) & found->cr0_may_be_1);
	write_cr4((read_cr4() | found->cr4_must_be_1 | CR4_VMXE) & found->cr4_may_be_1);
	return vmx_on(cpu->vmxon_physical);
}

/* A task-state segment's base, from the two halves of its descriptor. */
static uint64_t tss_base(const uint64_t *gdt)
{
	uint64_t low = gdt[SELECTOR_TSS / 8], high = gdt[SELECTOR_TSS / 8 + 1];

	return (low >> 16 & 0xffffff) | (low >> 56 & 0xff) << 24 | high << 32;
}

void vmx_cpu_start(struct percpu *percpu)
{
	struct vmx_capabilities found = read_capabilities();
	struct vmx_cpu *cpu = pool_alloc(root_pool, sizeof(*cpu));

	if (cpu == NULL)
		panic("no memory for a CPU's VMX state");
	((struct hv_cpu *)percpu->hypervisor)->backend = cpu;
	vmx_capabilities = state.first_seen ? vmx_capabilities_intersect(&vmx_capabilities, &found) : found;
	state.first_seen = true;
	if (!found.has_vmx) {
		state.obstacles.without_vmx++;
		return;
	}
	if (!feature_control_allows()) {
		state.obstacles.locked_off++;
		return;
	}
	cpu->is_on = enter_vmx(cpu, &found);
	vmx_capabilities.wide_addresses &= cpu->is_on && takes_wide_addresses(&found);
	state.obstacles.failed += cpu->is_on ? 0 : 1;
	cpu->gdtr_base = sgdt().base;
	cpu->idtr_base = sidt().base;
	cpu->tr_base = tss_base(percpu->gdt);
	cpu->sysenter_esp = rdmsr(MSR_IA32_SYSENTER_ESP);
}

bool vmx_ready(void)
{
	bool end = false, all_there = state.obstacles.without_vmx + state.obstacles.locked_off + state.obstacles.failed == 0;

	for (unsigned i = 0; !end; i++) {
		if (vmx_requirement_missing(&vmx_capabilities, i, &end) != NULL)
			all_there = false;
	}
	if (all_there && (vmx_msr_bitmap_create() != OK || apic_access_page_create() != OK))
		panic("no memory for the MSR bitmap or the APIC-access page");
	state.usable = all_there;
	return all_there;
}

void vmx_cpu_stop(void)
{
	struct vmx_cpu *cpu = vmx_cpu_self();

	if (cpu == NULL || !cpu->is_on)
		return;
	cpu->is_on = false;
	vmx_off();
	write_cr4(read_cr4() & ~CR4_VMXE);
}

uint32_t vmx_offers(void)
{
	return vmx_offers_of(&vmx_capabilities);
}

size_t vmx_report(char *out, size_t size_bytes)
{
	if (state.usable)
		return format_text(out, size_bytes, "VT-x: EPT %s, VPID %s\n",
				   (vmx_capabilities.ept_vpid & EPT_CAP_1G) != 0 ? "4K 2M 1G" :
				   (vmx_capabilities.ept_vpid & EPT_CAP_2M) != 0 ? "4K 2M" : "4K",
				   (vmx_capabilities.ept_vpid & VPID_CAP_INVVPID) != 0 ? "yes" : "no");
	return vmx_report_obstacles(&state.obstacles, &vmx_capabilities, out, size_bytes);
}
