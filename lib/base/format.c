/* The formatter behind every message. One pass over the format; each conversion is decoded into a spec, then printed. */
#include "lib/base/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/string.h"

struct sink {
	char *out;
	size_t size_bytes;
	size_t used_bytes;
};

struct spec {
	bool left;
	bool zero;
	unsigned width;
	bool has_precision;
	unsigned precision;
	unsigned long_count; /* 0: int, 1: long, 2: long long */
	char conversion;
};

static void put(struct sink *sink, char c)
{
	if (sink->used_bytes + 1 < sink->size_bytes)
		sink->out[sink->used_bytes++] = c;
}

static void put_padded(struct sink *sink, const struct spec *spec, const char *text, size_t len)
{
	size_t padding = spec->width > len ? spec->width - len : 0;

	for (; !spec->left && padding > 0; padding--)
		put(sink, ' ');
	for (size_t i = 0; i < len; i++)
		put(sink, text[i]);
	for (; padding > 0; padding--)
		put(sink, ' ');
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value, unsigned base, bool negative)
{
	static const char lower[] = "0123456789abcdef";
	static const char upper[] = "0123456789ABCDEF";
	const char *digits = spec->conversion == 'X' ? upper : lower;
	char text[72];
	size_t at = sizeof(text);
	size_t zeros = spec->zero && !spec->left ? spec->width - (spec->width > 0 && negative) : 0;

	do {
		text[--at] = digits[value % base];
		value /= base;
	} while (value != 0);
	while (sizeof(text) - at < zeros && at > 1)
		text[--at] = '0';
	if (negative)
		text[--at] = '-';
	put_padded(sink, spec, text + at, sizeof(text) - at);
}

static unsigned read_count(const char **at, va_list *args)
{
	unsigned count = 0;

	if (**at == '*') {
		int value = va_arg(*args, int);

		(*at)++;
		return value > 0 ? (unsigned)value : 0;
	}
	while (**at >= '0' && **at <= '9')
		count = count * 10 + (unsigned)(*(*at)++ - '0');
	return count;
}

/* Decodes the conversion after a '%'; *at then stands behind it. */
static struct spec read_spec(const char **at, va_list *args)
{
	struct spec spec = {0};

	for (; **at == '-' || **at == '0'; (*at)++) {
		spec.left |= **at == '-';
		spec.zero |= **at == '0';
	}
	spec.width = read_count(at, args);
	if (**at == '.') {
		(*at)++;
		spec.has_precision = true;
		spec.precision = read_count(at, args);
	}
	for (; **at == 'l' || **at == 'z'; (*at)++)
		spec.long_count += 1;
	spec.conversion = **at;
	if (**at != '\0')
		(*at)++;
	return spec;
}

static void put_signed(struct sink *sink, const struct spec *spec, va_list *args)
{
	int64_t value = spec->long_count > 0 ? va_arg(*args, long long) : va_arg(*args, int);

	put_number(sink, spec, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, value < 0);
}

static void put_string(struct sink *sink, const struct spec *spec, const char *text)
{
	if (text == NULL)
		text = "(null)";
	put_padded(sink, spec, text, strnlen(text, spec->has_precision ? spec->precision : SIZE_MAX));
}

static void put_conversion(struct sink *sink, const struct spec *spec, va_list *args)
{
	char c;

	switch (spec->conversion) {
	case 'd':
	case 'i':
		put_signed(sink, spec, args);
		return;
	case 'u':
	case 'x':
	case 'X':
		put_number(sink, spec, spec->long_count > 0 ? va_arg(*args, unsigned long long) : va_arg(*args, unsigned),
			   spec->conversion == 'u' ? 10 : 16, false);
		return;
	case 'p':
		put_number(sink, spec, (uintptr_t)va_arg(*args, void *), 16, false);
		return;
	case 's':
		put_string(sink, spec, va_arg(*args, const char *));
		return;
	case 'c':
		c = (char)va_arg(*args, int);
		put_padded(sink, spec, &c, 1);
		return;
	case '%':
		put(sink, '%');
		return;
	default:
		put(sink, '?');
		return;
	}
}

size_t format_args(char *out, size_t size_bytes, const char *format, va_list args)
{
	struct sink sink = {.out = out, .size_bytes = size_bytes};
	va_list copy;

	va_copy(copy, args);
	while (*format != '\0') {
		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format++;
		struct spec spec = read_spec(&format, &copy);

		put_conversion(&sink, &spec, &copy);
	}
	va_end(copy);
	out[sink.used_bytes] = '\0';
	return sink.used_bytes;
}

size_t format_text(char *out, size_t size_bytes, const char *format, ...)
{
	va_list args;
	size_t used;

	va_start(args, format);
	used = format_args(out, size_bytes, format, args);
	va_end(args);
	return used;
}
