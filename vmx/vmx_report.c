/* The words of E401 to E404. */
#include "vmx/vmx_report.h"

#include "lib/base/format.h"

static const char *plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

static size_t report_missing(const struct vmx_capabilities *capabilities, char *out, size_t size_bytes)
{
	size_t used = 0;
	bool end = false;

	for (unsigned i = 0; !end; i++) {
		const char *words = vmx_requirement_missing(capabilities, i, &end);

		if (words != NULL && used < size_bytes)
			used += format_text(out + used, size_bytes - used, "E404 this processor's VT-x lacks: %s\n", words);
	}
	return used;
}

size_t vmx_report_obstacles(const struct vmx_obstacles *obstacles, const struct vmx_capabilities *capabilities, char *out,
			    size_t size_bytes)
{
	if (obstacles->without_vmx != 0)
		return format_text(out, size_bytes,
				   "E401 Intel VT-x is missing on %u CPU%s; Bulkhead cannot run VMs without it\n",
				   obstacles->without_vmx, plural(obstacles->without_vmx));
	if (obstacles->locked_off != 0)
		return format_text(out, size_bytes,
				   "E402 VT-x is locked off by the firmware on %u CPU%s; switch on \"Intel Virtualization "
				   "Technology\" (VT-x, VMX) in the firmware setup, then power the PC off and on\n",
				   obstacles->locked_off, plural(obstacles->locked_off));
	if (obstacles->failed != 0)
		return format_text(out, size_bytes, "E403 VMXON failed on %u CPU%s; something else may hold VT-x on this PC\n",
				   obstacles->failed, plural(obstacles->failed));
	return report_missing(capabilities, out, size_bytes);
}
