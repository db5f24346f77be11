/* Paths of boot files. FAT keeps case but does not tell names apart by it; UEFI gives names as they were written, GRUB gives short
 * ones in lower case: so paths are compared without regard to the case of ASCII letters. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

static inline char path_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether two texts are equal in their first len_bytes, or up to the end of both. */
static inline bool path_same(const char *a, const char *b, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		if (path_lower(a[i]) != path_lower(b[i]))
			return false;
		if (a[i] == '\0')
			break;
	}
	return true;
}
