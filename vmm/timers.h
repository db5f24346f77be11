/* The I/O thread: device clocks, terminal input and output, the power button. */
#pragma once

struct machine;

/* Serves the machine for ever; the program ends when a vCPU's thread ends it. Context: the first thread, vCPUs run. */
_Noreturn void timers_serve(struct machine *machine);
