/* What the VMM tells the manager: states of struct vmm_report, and the end of the program with it. */
#pragma once
#include "abi/vcpu.h"
#include "lib/base/error_codes.h"

struct machine;

/* The first vCPU runs now. */
void report_running(struct machine *machine);

/* The VM cannot be started: text is the whole message. Ends the program. Context: before vCPUs run. */
_Noreturn void report_refused(struct machine *machine, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* More about a stop that is coming, in words; only the first thread's counts. Context: any vCPU thread. */
void report_explain(struct machine *machine, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The VM has stopped: exit says why. Ends the program; a second vCPU's thread only itself. */
_Noreturn void report_stopped(struct machine *machine, const struct vcpu_exit *exit);
