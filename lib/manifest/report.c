/* Messages: kept printable, bounded in number, each with its code and place. Nothing here decides what is wrong. */
#include "lib/manifest/report.h"

#include "lib/base/format.h"
#include "lib/base/string.h"

#define SUGGEST_NAME_BYTES 32U

static const char *const code_names[] = {
#define CODE_NAME(code, meaning) [code] = #code,
	ERROR_CODES(CODE_NAME)
#undef CODE_NAME
};

bool manifest_message_is_note(const struct manifest_message *message)
{
	return message->code == E120;
}

/* File contents go to terminals: no control bytes, no escape sequences. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

/* Each refused VM has at least one message, whatever else is wrong. */
static bool has_room(const struct manifest *manifest, const struct manifest_vm *vm, bool is_note)
{
	if (manifest->message_count >= MANIFEST_MESSAGES_MAX)
		return false;
	if (vm != NULL && vm->message_count == 0 && !is_note)
		return true;
	return manifest->message_count < MANIFEST_MESSAGES_SHARED &&
	       (vm == NULL || vm->message_count < MANIFEST_MESSAGES_PER_VM);
}

void manifest_report_args(struct manifest *manifest, int32_t vm_index, uint32_t line, enum error_code code,
			  const char *format, va_list args)
{
	struct manifest_vm *vm = vm_index >= 0 ? &manifest->vms[vm_index] : NULL;
	bool is_note = code == E120;
	struct manifest_message *message;

	manifest->error_count += !is_note;
	if (vm != NULL && !is_note)
		vm->refused = true;
	if (!has_room(manifest, vm, is_note)) {
		manifest->messages_left_out++;
		return;
	}
	message = &manifest->messages[manifest->message_count++];
	message->code = code;
	message->line = line;
	message->column = 0;
	message->vm_index = vm_index;
	format_args(message->text, sizeof(message->text), format, args);
	make_printable(message->text);
	if (vm != NULL)
		vm->message_count += !is_note;
}

void manifest_report(struct manifest *manifest, int32_t vm_index, uint32_t line, enum error_code code,
		     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	manifest_report_args(manifest, vm_index, line, code, format, args);
	va_end(args);
}

size_t manifest_message_format(const struct manifest *manifest, const struct manifest_message *message, char *out,
			       size_t size_bytes)
{
	const char *code = code_names[message->code];

	if (message->line == 0)
		return format_text(out, size_bytes, "%s %s: %s", code, manifest->file_name, message->text);
	if (message->column == 0)
		return format_text(out, size_bytes, "%s %s line %u: %s", code, manifest->file_name, message->line,
				   message->text);
	return format_text(out, size_bytes, "%s %s line %u, column %u: %s", code, manifest->file_name, message->line,
			   message->column, message->text);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance of two names shorter than SUGGEST_NAME_BYTES, one row of the matrix at a time. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[SUGGEST_NAME_BYTES + 1];
	size_t width = strlen(b);

	for (size_t i = 0; i <= width; i++)
		row[i] = i;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < width; j++) {
			size_t replaced = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = least(replaced, least(row[j], row[j + 1]) + 1);
		}
	}
	return row[width];
}

void manifest_suggest(const char *wrong, const char *const *names, size_t count, const char *remedy, char *out,
		      size_t size_bytes)
{
	size_t length = strnlen(wrong, SUGGEST_NAME_BYTES);
	size_t limit = length >= 4 ? 2 : 1;
	const char *best = NULL;

	for (size_t i = 0; i < count && length < SUGGEST_NAME_BYTES; i++) {
		size_t distance = edit_distance(wrong, names[i]);

		if (distance <= limit && distance < strlen(names[i])) {
			limit = distance - (distance > 0);
			best = names[i];
		}
	}
	if (best != NULL)
		format_text(out, size_bytes, "; did you mean \"%s\"?", best);
	else
		format_text(out, size_bytes, "; %s", remedy);
}
