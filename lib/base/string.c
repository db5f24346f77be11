/* Freestanding memory and string functions. The compiler also calls the four mem* functions by itself. */
#include "lib/base/string.h"

#include <stdint.h>

#define WORD_BYTES 8U

/* By words: processors without "enhanced REP MOVSB" (CPUID leaf 7) move or store no more than a byte at a time else. From the
 * lowest address on, so that a destination below an overlapping source is right, too. The rest's register is read late: it must be
 * one of its own, even where the compiler knows both counts to be equal. */
void *memcpy(void *restrict dst, const void *restrict src, size_t len_bytes)
{
	size_t count = len_bytes / WORD_BYTES;
	void *to = dst;

	__asm__ volatile("rep movsq\n\tmov %k3, %%ecx\n\trep movsb"
			 : "+&D"(to), "+&S"(src), "+&c"(count)
			 : "r"(len_bytes % WORD_BYTES)
			 : "memory");
	return dst;
}

void *memset(void *dst, int byte, size_t len_bytes)
{
	size_t count = len_bytes / WORD_BYTES;
	void *to = dst;

	__asm__ volatile("rep stosq\n\tmov %k3, %%ecx\n\trep stosb"
			 : "+&D"(to), "+&c"(count)
			 : "a"((unsigned char)byte * 0x0101010101010101ULL), "r"(len_bytes % WORD_BYTES)
			 : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t len_bytes)
{
	unsigned char *to = dst;
	const unsigned char *from = src;

	if ((uintptr_t)to - (uintptr_t)from >= len_bytes)
		return memcpy(dst, src, len_bytes);
	while (len_bytes > 0) {
		len_bytes--;
		to[len_bytes] = from[len_bytes];
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t len_bytes)
{
	const unsigned char *left = a;
	const unsigned char *right = b;

	for (size_t i = 0; i < len_bytes; i++) {
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t max_bytes)
{
	size_t len = 0;

	while (len < max_bytes && s[len] != '\0')
		len++;
	return len;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t max_bytes)
{
	for (size_t i = 0; i < max_bytes; i++) {
		if (a[i] != b[i])
			return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
		if (a[i] == '\0')
			return 0;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (*s == '\0')
			return NULL;
	}
}
