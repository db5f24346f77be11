/* VMX as virt/ sees it. */
#include "virt/hv.h"
#include "vmx/inject.h"
#include "vmx/apicv.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_vcpu.h"

const struct hv_ops vmx_ops = {
	.name = "VT-x",
	.detect = vmx_detect,
	.cpu_start = vmx_cpu_start,
	.ready = vmx_ready,
	.cpu_stop = vmx_cpu_stop,
	.report = vmx_report,
	.vm_create = vmx_vm_create,
	.vm_destroy = vmx_vm_destroy,
	.map = vmx_map,
	.unmap = vmx_unmap,
	.flush = vmx_flush,
	.flush_linear = vmx_flush_linear,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_destroy = vmx_vcpu_destroy,
	.take_cpu = vmx_take_cpu,
	.leave_cpu = vmx_leave_cpu,
	.run = vmx_run,
	.event_pending = vmx_event_pending,
	.interrupt_open = vmx_interrupt_open,
	.nmi_open = vmx_nmi_open,
	.inject_interrupt = vmx_inject_interrupt,
	.inject_nmi = vmx_inject_nmi,
	.inject_exception = vmx_inject_exception,
	.lend_apic = vmx_lend_apic,
	.lent_apic_pending = vmx_lent_apic_pending,
	.take_apic = vmx_take_apic,
	.set_windows = vmx_set_windows,
	.advance = vmx_advance,
	.get_registers = vmx_get_registers,
	.set_registers = vmx_set_registers,
	.fill_decode_group = vmx_fill_decode_group,
	.set_dr7 = vmx_set_dr7,
	.set_flags = vmx_set_flags,
	.get_efer = vmx_get_efer,
	.set_efer = vmx_set_efer,
	.paging_enabled = vmx_paging_enabled,
	.set_tsc_offset = vmx_set_tsc_offset,
};
