/* What a VMM said about its VM, checked, and the line that the user gets to read when a VM ended. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/syscall.h"
#include "abi/vcpu.h"
#include "abi/vmm_spec.h"

/* Copies a report that its VMM may be writing, and makes the copy sane: known state and reason, printable text. */
void vm_report_copy(const volatile struct vmm_report *shared, struct vmm_report *copy);

/* How a VM ended. */
struct vm_end {
	enum vcpu_stop_reason reason;
	bool refused;     /* it never ran: text is the whole message */
	uint64_t rip;
	uint64_t detail[4];
	uint64_t exit_code; /* VCPU_STOP_EXIT_CODE */
	char text[VMM_TEXT_BYTES];
};

/* From the state of the VMM's space (not SPACE_RUNNING) and a copied report. */
struct vm_end vm_end_from(const struct space_status *space, const struct vmm_report *report);

/* "E301 web: stopped: triple fault: ...; REMEDY", "web: stopped: the guest powered off" or "web: stopped: the guest ended with
 * exit code 33" into out; returns its length. */
size_t vm_end_line(const char *name, const struct vm_end *end, char *out, size_t size_bytes);

/* The same for a list: "E301 triple fault: ..."; returns its length. */
size_t vm_end_brief(const struct vm_end *end, char *out, size_t size_bytes);

/* Words for enum status in messages of the manager. */
const char *status_words(enum status status);
