/* Exits that no instruction's operand is behind: task switches, and accesses of the CPU itself to tables and stacks. */
#pragma once

struct machine_vcpu;

/* VCPU_EXIT_MEMORY and VCPU_EXIT_LOCAL_APIC with VCPU_ACCESS_TABLE, _EVENT or _EXECUTE: delivers the event, raises the exception
 * that a PC raises, or stops the VM. Context: the vCPU's thread, exit with decode group. */
void exit_table(struct machine_vcpu *vcpu);
