/* Names of VMCS fields for reports, and the snapshot. */
#include "vmx/vmcs.h"

#include <stddef.h>

#include "kernel/panic.h"

static const struct { uint32_t encoding; const char *name; } fields[] = {
#define FIELD_NAME(width, name, number) {number, #name},
	VMCS_FIELDS(FIELD_NAME)
	VMCS_OPTIONAL_FIELDS(FIELD_NAME)
#undef FIELD_NAME
};

_Noreturn void vmcs_access_failed(uint32_t encoding)
{
	uint64_t error = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].encoding == encoding) {
			if (!vmx_read(VMCS_INSTRUCTION_ERROR.encoding, &error))
				panic("VMCS field %s: no current VMCS", fields[i].name);
			panic("VMCS field %s cannot be accessed, instruction error %lu", fields[i].name, error);
		}
	}
	panic("VMCS field %x is not in the list", encoding);
}

void vmcs_snapshot(struct vmcs_snapshot *snapshot)
{
#define FIELD_READ(width, name, number) snapshot->name = vmcs_read##width(VMCS_##name);
	VMCS_FIELDS(FIELD_READ)
#undef FIELD_READ
}
