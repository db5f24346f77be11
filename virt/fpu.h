/* Guest state that the hardware does not switch: FPU, XCR0, debug registers, SYSCALL registers. It stays loaded through exits and
 * through the VM's own VMM; the FPU goes as soon as another VM or program takes the CPU, never lazily. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct hv_cpu;
struct vcpu;
struct vcpu_vectors;

/* Prepares this CPU. */
void fpu_cpu_start(void);
/* What guests may set in XCR0; 0: no XSAVE. Constant after boot. */
uint64_t fpu_xcr0_supported(void);

/* Loads a vCPU's state, saving the one before. Context: its thread; if another is loaded, it is of the same VM. */
void fpu_take(struct hv_cpu *cpu, struct vcpu *vcpu);
/* Saves and scrubs what is loaded; another_comes: fpu_take() overwrites it before this CPU enters ring 3 or a guest. Context: the
 * owner's VM slot is mapped. */
void fpu_release(struct hv_cpu *cpu, bool another_comes);

/* The registers of VCPU_GROUP_VECTORS, wherever they are; not loaded afterwards. Setting: *vectors is not checked, no value of it
 * can make XRSTOR fail. Context: its thread. */
const void *fpu_vectors(struct hv_cpu *cpu, struct vcpu *vcpu);
void fpu_set_vectors(struct hv_cpu *cpu, struct vcpu *vcpu, const struct vcpu_vectors *vectors);

/* As INIT leaves them, DR7 too. Context: its thread, loaded. */
void fpu_init_debug_registers(struct vcpu *vcpu);

/* The same for the SYSCALL registers, which need no scrubbing: SYSCALL is #UD in every program. */
void live_msrs_take(struct hv_cpu *cpu, struct vcpu *vcpu);
void live_msrs_release(struct hv_cpu *cpu);
/* INIT: of these, control-flow enforcement and IA32_XSS go back to zero. Context: the vCPU's thread, loaded. */
void live_msrs_init(struct vcpu *vcpu);

/* Makes a zeroed area a valid one. */
void fpu_area_init(void *area);
/* The guest executed XSETBV with a value that was checked. */
void fpu_set_xcr0(struct vcpu *vcpu, uint64_t value);
