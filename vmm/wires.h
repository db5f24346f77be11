/* What hangs on the devices' wires: the relay, the kernel's MSI, EOI and ExtINT calls, the terminal, the end of the VM. */
#pragma once
#include <stdint.h>

struct machine;

/* Initializes every device of the machine with its wires. Called by machine_build(). */
void wires_connect(struct machine *machine, int64_t wall_clock_seconds);
