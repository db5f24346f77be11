/* Decodes UTF-8 one byte at a time; wrong or overlong input becomes U+FFFD, never an error. Source: RFC 3629. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffdU

struct utf8_decoder {
	uint32_t code_point; /* so far */
	uint32_t least;      /* the smallest that needs this length */
	uint8_t missing;     /* bytes yet to come */
};

/* Takes a byte. Returns how many code points it completed, in out: none (within a character), one, or two (a character
 * that broke off, then this byte's own). All zeros is a fresh decoder. */
unsigned utf8_decode(struct utf8_decoder *decoder, uint8_t byte, uint32_t out[2]);
