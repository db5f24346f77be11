/* S3 of a machine without firmware of its own. */
#pragma once
#include "vmm/machine.h"

/* For the handler of OUT, behind a write to PM1 control whose answer is made: where the guest asked for S3, the vCPU stays at its
 * OUT until an event wakes the machine, and then goes on in real mode at the waking vector of the FACS. A machine without a
 * vector there is reset, as one is whose firmware finds none. Devices, local APICs and other vCPUs keep their state.
 * Source: ACPI Specification, "Waking and Sleeping", "Firmware ACPI Control Structure (FACS)". */
void sleep_answer(struct machine_vcpu *vcpu);
