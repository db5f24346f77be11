/* Between panic() and the NMI handler of the CPUs it stops. */
#pragma once
#include <stdbool.h>

bool panic_in_progress(void);
_Noreturn void panic_stop_this_cpu(void);
