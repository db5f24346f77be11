/* What a VMM said about its VM. Nothing in a report is believed beyond its own VM's message. */
#include "manager/vm_report.h"

#include "lib/base/format.h"
#include "lib/base/string.h"

static const char *const reason_words[VCPU_STOP_REASON_COUNT] = {
#define REASON_WORDS(name, words) [VCPU_STOP_##name] = words,
	VCPU_STOP_REASONS(REASON_WORDS)
#undef REASON_WORDS
};

/* A reason without a code is no failure. */
struct failure {
	const char *code;
	const char *remedy;
};

#define REPORT_IT  "a defect of Bulkhead: report it with the log"
#define ITS_OUTPUT "the guest's own fault: its last output says more"

static const struct failure failures[VCPU_STOP_REASON_COUNT] = {
	[VCPU_STOP_NONE] = {"E305", REPORT_IT},
	[VCPU_STOP_TRIPLE_FAULT] = {"E301", ITS_OUTPUT},
	[VCPU_STOP_ENTRY_FAILED] = {"E302", REPORT_IT},
	[VCPU_STOP_UNEXPECTED_EXIT] = {"E303", "report it with the log"},
	[VCPU_STOP_BAD_REPLY] = {"E304", REPORT_IT},
	[VCPU_STOP_VMM_FAULT] = {"E305", REPORT_IT},
	[VCPU_STOP_UNKNOWN_INSTRUCTION] = {"E306", "report it with the log and the guest's version"},
	[VCPU_STOP_FETCH_OUTSIDE_MEMORY] = {"E307", ITS_OUTPUT},
	[VCPU_STOP_HALTED_FOREVER] = {"E308", "the guest gave up: its last output says why"},
	[VCPU_STOP_OUT_OF_MEMORY] = {"E312", "lower the memory of other VMs in bulkhead.toml"},
	[VCPU_STOP_TABLE_OUTSIDE_MEMORY] = {"E314", ITS_OUTPUT},
	[VCPU_STOP_EVENT_NOT_EMULATED] = {"E315", "report it with the log and the guest's version"},
};

static const char *const words_of_status[STATUS_COUNT] = {
	[OK] = "no error",
	[ERR_INVALID] = "invalid argument",
	[ERR_MISALIGNED] = "misaligned address",
	[ERR_OUT_OF_RANGE] = "out of range",
	[ERR_EXISTS] = "exists already",
	[ERR_NOT_FOUND] = "not found",
	[ERR_NO_MEMORY] = "not enough memory",
	[ERR_NO_SPACE] = "a table is full",
	[ERR_BAD_HANDLE] = "wrong handle",
	[ERR_DENIED] = "not allowed",
	[ERR_UNSUPPORTED] = "this PC cannot do it",
	[ERR_BAD_FORMAT] = "damaged data",
	[ERR_TRUNCATED] = "the data ends too early",
	[ERR_AGAIN] = "not finished",
	[ERR_TIMED_OUT] = "timed out",
	[ERR_DEAD] = "it is being destroyed",
	[ERR_FAULT] = "cannot be read",
	[ERR_BUSY] = "in use",
	[ERR_OVERFLOW] = "number too large",
};

const char *status_words(enum status status)
{
	return (unsigned)status < STATUS_COUNT ? words_of_status[status] : "unknown error";
}

static void make_printable(char *text, size_t size_bytes)
{
	text[size_bytes - 1] = '\0';
	for (size_t i = 0; i < size_bytes && text[i] != '\0'; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
}

void vm_report_copy(const volatile struct vmm_report *shared, struct vmm_report *copy)
{
	const volatile uint8_t *from = (const volatile uint8_t *)shared;
	uint8_t *to = (uint8_t *)copy;

	for (size_t i = 0; i < sizeof(*copy); i++)
		to[i] = from[i];
	if (copy->state >= VMM_STATE_COUNT)
		copy->state = VMM_STARTING;
	if (copy->stop_reason >= VCPU_STOP_REASON_COUNT)
		copy->stop_reason = VCPU_STOP_VMM_FAULT;
	make_printable(copy->text, sizeof(copy->text));
}

struct vm_end vm_end_from(const struct space_status *space, const struct vmm_report *report)
{
	struct vm_end end = {.reason = VCPU_STOP_VMM_FAULT, .rip = report->rip, .exit_code = report->exit_code};

	memcpy(end.detail, report->detail, sizeof(end.detail));
	memcpy(end.text, report->text, sizeof(end.text));
	if (space->state == SPACE_FAULTED) {
		end.rip = space->rip;
		format_text(end.text, sizeof(end.text), "exception %u in its VMM, address 0x%lx, error code 0x%lx",
			    space->exception, space->fault_address, space->error_code);
	} else if (space->state == SPACE_KILLED) {
		end.reason = VCPU_STOP_STOPPED;
	} else if (report->state == VMM_STOPPED) {
		end.reason = (enum vcpu_stop_reason)report->stop_reason;
	} else if (report->state == VMM_REFUSED) {
		end.refused = true;
	} else {
		format_text(end.text, sizeof(end.text), "its VMM ended without a word, exit code %lu", space->exit_code);
	}
	return end;
}

size_t vm_end_line(const char *name, const struct vm_end *end, char *out, size_t size_bytes)
{
	const struct failure *failure = &failures[end->reason];
	const char *separator = end->text[0] != '\0' ? ": " : "";

	if (end->refused)
		return format_text(out, size_bytes, "%s", end->text);
	if (end->reason == VCPU_STOP_EXIT_CODE)
		return format_text(out, size_bytes, "%s: stopped: %s %lu", name, reason_words[end->reason], end->exit_code);
	if (failure->code == NULL)
		return format_text(out, size_bytes, "%s: stopped: %s%s%s", name, reason_words[end->reason], separator,
				   end->text);
	return format_text(out, size_bytes, "%s %s: stopped: %s%s%s (rip 0x%lx; %lx %lx %lx %lx); %s", failure->code, name,
			   reason_words[end->reason], separator, end->text, end->rip, end->detail[0], end->detail[1],
			   end->detail[2], end->detail[3], failure->remedy);
}

size_t vm_end_brief(const struct vm_end *end, char *out, size_t size_bytes)
{
	const struct failure *failure = &failures[end->reason];

	if (end->refused)
		return format_text(out, size_bytes, "%.4s refused; `log` says why", end->text);
	if (end->reason == VCPU_STOP_EXIT_CODE)
		return format_text(out, size_bytes, "%s %lu", reason_words[end->reason], end->exit_code);
	return format_text(out, size_bytes, "%s%s%s", failure->code != NULL ? failure->code : "",
			   failure->code != NULL ? " " : "", reason_words[end->reason]);
}
