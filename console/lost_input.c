/* Typed bytes that were lost. */
#include "console/lost_input.h"

#include <stdbool.h>

#include "lib/base/format.h"

static bool is_news(struct lost_input *lost, uint64_t count, uint64_t now_ms)
{
	if (count != lost->seen_count) {
		lost->seen_count = count;
		lost->changed_ms = now_ms;
	}
	if (count == lost->told_count || count < 2 * lost->told_count || now_ms - lost->changed_ms < LOST_INPUT_QUIET_MS)
		return false;
	lost->told_count = count;
	return true;
}

size_t lost_input_words(struct lost_input *lost, uint64_t count, const char *vm, uint64_t now_ms,
			char out[LOST_INPUT_TEXT_BYTES])
{
	if (!is_news(lost, count, now_ms))
		return 0;
	if (vm == NULL)
		return format_text(out, LOST_INPUT_TEXT_BYTES, "E619 console: %lu typed bytes or more were lost at the serial "
				   "port: they came faster than they were taken; send less at once\n",
				   count);
	return format_text(out, LOST_INPUT_TEXT_BYTES, "E619 %s: %lu typed bytes were lost: the guest does not read them; "
			   "send less at once\n",
			   vm, count);
}
