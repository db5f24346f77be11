/* Reading and writing the current VMCS. A field that this CPU supports cannot fail; anything else is our bug and panics with the
 * field's name. */
#pragma once
#include <stdint.h>

#include "vmx/vmcs_fields.h"
#include "vmx/vmx_insn.h"

_Noreturn void vmcs_access_failed(uint32_t encoding);

static inline uint64_t vmcs_read_encoding(uint32_t encoding)
{
	uint64_t value;

	if (!vmx_read(encoding, &value))
		vmcs_access_failed(encoding);
	return value;
}

static inline void vmcs_write_encoding(uint32_t encoding, uint64_t value)
{
	if (!vmx_write(encoding, value))
		vmcs_access_failed(encoding);
}

#define VMCS_ACCESSORS(suffix, type)                                                  \
	static inline type vmcs_read##suffix(vmcs_field##suffix field)                \
	{                                                                             \
		return (type)vmcs_read_encoding(field.encoding);                      \
	}                                                                             \
	static inline void vmcs_write##suffix(vmcs_field##suffix field, type value)   \
	{                                                                             \
		vmcs_write_encoding(field.encoding, value);                           \
	}
VMCS_ACCESSORS(16, uint16_t)
VMCS_ACCESSORS(32, uint32_t)
VMCS_ACCESSORS(64, uint64_t)
VMCS_ACCESSORS(_natural, uint64_t)
#undef VMCS_ACCESSORS

/* Reads every field of the list. */
void vmcs_snapshot(struct vmcs_snapshot *snapshot);
