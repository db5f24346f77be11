/* Exits that no instruction's operand is behind: task switches, and accesses of the CPU itself to tables and stacks. */
#pragma once
#include <stdbool.h>

struct machine_vcpu;

/* VCPU_EXIT_MEMORY and VCPU_EXIT_LOCAL_APIC with VCPU_ACCESS_TABLE, _EVENT or _EXECUTE: delivers the event, raises the exception
 * that a PC raises, or stops the VM. Context: the vCPU's thread, exit with decode group. */
void exit_table(struct machine_vcpu *vcpu);

/* An access by an instruction that the decoder does not know: carries out IRET. False: it is another one. Same context. */
struct fetched_code;
bool exit_return(struct machine_vcpu *vcpu, const struct fetched_code *code);
