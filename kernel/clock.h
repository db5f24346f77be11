/* The TSC is the clock. This finds its frequency. */
#pragma once
#include <stdint.h>


/* Sets tsc_hz: CPUID leaf 15H, else the ACPI PM timer, else the 8254; compares with a second source and warns. Boot CPU. */
void clock_init(uint16_t pm_timer_port);
void clock_wait_us(uint64_t us);
