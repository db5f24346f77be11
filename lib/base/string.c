/* Freestanding memory and string functions. The compiler also calls the four mem* functions by itself. */
#include "lib/base/string.h"

#include <stdint.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t len_bytes)
{
	void *to = dst;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(len_bytes) : : "memory");
	return dst;
}

void *memset(void *dst, int byte, size_t len_bytes)
{
	void *to = dst;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len_bytes) : "a"(byte) : "memory");
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
