/* Why VMs cannot run, in words: a line or more, each with a code. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "vmx/vmx_capabilities.h"

/* How many CPUs stand in the way. */
struct vmx_obstacles {
	uint32_t without_vmx; /* have no VMX */
	uint32_t locked_off;  /* have it locked off in IA32_FEATURE_CONTROL */
	uint32_t failed;      /* did not take VMXON */
};

/* The first kind of obstacle, else all requirements that capabilities do not meet. Returns the length as format_text() does. */
size_t vmx_report_obstacles(const struct vmx_obstacles *obstacles, const struct vmx_capabilities *capabilities, char *out,
			    size_t size_bytes);
