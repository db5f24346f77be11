/* Text about the PC for HOST_REPORT_CPUS. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Notes a CPU that firmware lists and that did not start. */
void report_failed_cpu(uint32_t apic_id);
uint32_t report_failed_count(void);
/* A line a CPU; returns the bytes written. */
size_t report_cpus(char *out, size_t size_bytes);
