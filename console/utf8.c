/* Decodes UTF-8. RFC 3629, "UTF-8 definition". */
#include "console/utf8.h"

static unsigned start(struct utf8_decoder *decoder, uint8_t byte, uint32_t *out)
{
	if (byte < 0x80) {
		*out = byte;
		return 1;
	}
	if (byte >= 0xc2 && byte <= 0xdf)
		*decoder = (struct utf8_decoder){.code_point = byte & 0x1fU, .least = 0x80, .missing = 1};
	else if (byte >= 0xe0 && byte <= 0xef)
		*decoder = (struct utf8_decoder){.code_point = byte & 0x0fU, .least = 0x800, .missing = 2};
	else if (byte >= 0xf0 && byte <= 0xf4)
		*decoder = (struct utf8_decoder){.code_point = byte & 0x07U, .least = 0x10000, .missing = 3};
	else {
		*out = UTF8_REPLACEMENT;
		return 1;
	}
	return 0;
}

static bool is_scalar(const struct utf8_decoder *decoder)
{
	uint32_t c = decoder->code_point;

	return c >= decoder->least && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

unsigned utf8_decode(struct utf8_decoder *decoder, uint8_t byte, uint32_t out[2])
{
	if (decoder->missing == 0)
		return start(decoder, byte, out);
	if ((byte & 0xc0) != 0x80) {
		decoder->missing = 0;
		out[0] = UTF8_REPLACEMENT;
		return 1 + start(decoder, byte, out + 1);
	}
	decoder->code_point = decoder->code_point << 6 | (byte & 0x3fU);
	decoder->missing--;
	if (decoder->missing > 0)
		return 0;
	out[0] = is_scalar(decoder) ? decoder->code_point : UTF8_REPLACEMENT;
	return 1;
}
