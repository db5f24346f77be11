/* The fake backend. */
#include "tests/fake/hv.h"

#include "virt/vcpu.h"

struct fake_hv fake_hv;

void fake_hv_reset(void)
{
	fake_hv = (struct fake_hv){.interrupt_open = true, .nmi_open = true, .injected_vector = -1};
}

static uint64_t get_efer(const struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_hv.efer;
}

static void set_efer(struct vcpu *vcpu, uint64_t efer)
{
	(void)vcpu;
	fake_hv.efer = efer;
}

static bool paging_enabled(const struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_hv.paging;
}

static void set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	(void)vcpu;
	fake_hv.tsc_offset = offset;
}

static bool event_pending(const struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_hv.event_pending;
}

static bool interrupt_open(const struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_hv.interrupt_open;
}

static bool nmi_open(const struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_hv.nmi_open;
}

static void inject_interrupt(struct vcpu *vcpu, uint8_t vector)
{
	(void)vcpu;
	fake_hv.injected_vector = vector;
	fake_hv.event_pending = true;
}

static void inject_nmi(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_hv.injected_nmi = true;
	fake_hv.event_pending = true;
}

static bool lend_apic(struct vcpu *vcpu)
{
	vcpu->apic_is_lent = fake_hv.lends;
	return fake_hv.lends;
}

static bool lent_apic_pending(const struct vcpu *vcpu)
{
	return vcpu->apic_is_lent && fake_hv.lent_pending;
}

static void take_apic(struct vcpu *vcpu)
{
	fake_hv.apic_takes += vcpu->apic_is_lent;
	vcpu->apic_is_lent = false;
}

static void set_windows(struct vcpu *vcpu, bool interrupt, bool nmi)
{
	(void)vcpu;
	fake_hv.interrupt_window = interrupt;
	fake_hv.nmi_window = nmi;
}

static enum status map(struct vm *vm, uint64_t gpa, uint64_t hpa, uint64_t len_bytes, unsigned rights, uint64_t *done_bytes)
{
	(void)vm, (void)gpa, (void)hpa, (void)rights;
	*done_bytes = len_bytes;
	return OK;
}

static void unmap(struct vm *vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes)
{
	(void)vm, (void)gpa;
	*done_bytes = len_bytes;
}

static enum hv_leave run(struct vcpu *vcpu)
{
	return fake_hv.run(vcpu);
}

static void take_cpu(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_hv.takes++;
}

static void set_registers(struct vcpu *vcpu, const struct vcpu_registers *registers)
{
	(void)vcpu;
	(void)registers;
	fake_hv.register_loads++;
	fake_hv.event_pending = false;
}

static void inject_exception(struct vcpu *vcpu, uint8_t vector, bool has_error_code, uint32_t error_code)
{
	(void)vcpu, (void)has_error_code, (void)error_code;
	fake_hv.exception = vector;
	fake_hv.register_loads_at_exception = fake_hv.register_loads;
	fake_hv.event_pending = true;
}

static void set_dr7(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	(void)value;
}

static void get_registers(struct vcpu *vcpu, struct vcpu_registers *out)
{
	(void)vcpu;
	out->cr0 = fake_hv.cr0;
}

static uint64_t get_switched_msr(const struct vcpu *vcpu, uint32_t msr)
{
	(void)vcpu;
	return msr == fake_hv.switched_msr ? fake_hv.switched_value : 0;
}

static void set_switched_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)vcpu;
	fake_hv.switched_msr = msr;
	fake_hv.switched_value = value;
}

static void reset_switched_msrs(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_hv.switched_resets++;
}

static void flush(const struct vm *vm)
{
	(void)vm;
	fake_hv.flushes++;
}

static void flush_linear(const struct vcpu *vcpu)
{
	(void)vcpu;
	fake_hv.linear_flushes++;
}

static void fill_decode_group(struct vcpu *vcpu)
{
	(void)vcpu;
}

static const struct hv_ops fake_ops = {
	.name = "fake",
	.map = map,
	.unmap = unmap,
	.run = run,
	.take_cpu = take_cpu,
	.fill_decode_group = fill_decode_group,
	.flush = flush,
	.flush_linear = flush_linear,
	.set_registers = set_registers,
	.set_dr7 = set_dr7,
	.get_registers = get_registers,
	.get_switched_msr = get_switched_msr,
	.set_switched_msr = set_switched_msr,
	.reset_switched_msrs = reset_switched_msrs,
	.lend_apic = lend_apic,
	.lent_apic_pending = lent_apic_pending,
	.take_apic = take_apic,
	.event_pending = event_pending,
	.interrupt_open = interrupt_open,
	.nmi_open = nmi_open,
	.inject_interrupt = inject_interrupt,
	.inject_nmi = inject_nmi,
	.inject_exception = inject_exception,
	.set_windows = set_windows,
	.get_efer = get_efer,
	.set_efer = set_efer,
	.paging_enabled = paging_enabled,
	.set_tsc_offset = set_tsc_offset,
};

const struct hv_ops *hv = &fake_ops;
