/* From the manager's specification to a machine that can run: memory, ACPI tables, image, vCPUs. */
#pragma once

struct machine;
struct vmm_spec;

/* Fills *machine (all zeros before). What the VM cannot start with is reported to the manager and ends the program.
 * Context: the first thread. */
void start_machine(struct machine *machine, const struct vmm_spec *spec);

/* Starts the threads of all vCPUs; the guest runs. */
void start_vcpus(struct machine *machine);
