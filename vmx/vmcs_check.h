/* The manual's checks on a VM entry, over a snapshot of the VMCS: what is wrong with it, in words. Pure.
 * SDM Vol. 3C, "Checks on VMX Controls and Host-State Area", "Checking and Loading Guest State". */
#pragma once
#include <stddef.h>

#include "vmx/vmcs_fields.h"
#include "vmx/vmx_capabilities.h"

/* Fills problems[0 .. max) with constant strings; returns how many there are in all, at most max. */
size_t vmcs_check(const struct vmcs_snapshot *snapshot, const struct vmx_capabilities *capabilities, const char *problems[],
		  size_t max);
