/* VMX operation of the PC: each CPU's capabilities and VMXON, and whether VMs can run. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmx/vmx_capabilities.h"

struct percpu;
struct vcpu;

/* hv_cpu.backend. The host's registers are constant after the CPU started. */
struct vmx_cpu {
	uint64_t vmxon_physical;
	bool is_on;
	struct vcpu *current; /* whose VMCS is loaded */
	uint64_t gdtr_base, idtr_base, tr_base, sysenter_esp;
};

/* What all CPUs can do; constant after vmx_ready(). */
extern struct vmx_capabilities vmx_capabilities;

/* The functions of hv_ops. */
bool vmx_detect(void);
void vmx_cpu_start(struct percpu *cpu);
bool vmx_ready(void);
void vmx_cpu_stop(void);
size_t vmx_report(char *out, size_t size_bytes);
uint32_t vmx_offers(void);

struct vmx_cpu *vmx_cpu_self(void);
