/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions with the names and meanings of C and POSIX.
 *
 * In the kernel all are ours and the compiler may expand calls of constant
 * size in place. In a host program those of the C library are used and only
 * the additions come from here; the host tests rename ours (lib/host_names.h)
 * so that both exist.
 *
 * mem_copy_raw and its sisters never call a sanitizer: they are for the
 * sanitizer itself and for code that runs before its shadow exists.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

#if __STDC_HOSTED__ && !defined(LIB_OWN_STRING)
#include <string.h>
#else

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
void *memrchr(const void *s, int c, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strchrnul(const char *s, int c);
char *strstr(const char *s, const char *needle);
char *strpbrk(const char *s, const char *accept);
size_t strspn(const char *s, const char *accept);
size_t strcspn(const char *s, const char *reject);
char *strsep(char **sp, const char *delim);
char *strcpy(char *restrict dst, const char *restrict src);

#endif

#if !__STDC_HOSTED__ && !defined(LIB_PLAIN_NAMES)
#define memcpy(...) __builtin_memcpy(__VA_ARGS__)
#define memmove(...) __builtin_memmove(__VA_ARGS__)
#define memset(...) __builtin_memset(__VA_ARGS__)
#define memcmp(...) __builtin_memcmp(__VA_ARGS__)
#define strlen(...) __builtin_strlen(__VA_ARGS__)
#define strcmp(...) __builtin_strcmp(__VA_ARGS__)
#define strncmp(...) __builtin_strncmp(__VA_ARGS__)
#define strchr(...) __builtin_strchr(__VA_ARGS__)
#define strcpy(...) __builtin_strcpy(__VA_ARGS__)
#endif

/* Without the checks of a sanitizer. */
void *mem_copy_raw(void *dst, const void *src, size_t n);
void *mem_move_raw(void *dst, const void *src, size_t n);
void *mem_set_raw(void *dst, int c, size_t n);

/* First byte that equals c, or s + n. */
void *memscan(const void *s, int c, size_t n);

/* First byte that differs from c, or NULL. */
void *memchr_inv(const void *s, int c, size_t n);

/* First place of the m bytes at needle in the n bytes at s, or NULL. */
void *mem_find(const void *s, size_t n, const void *needle, size_t m);

/* Clears memory that held a secret; the compiler never drops it. */
void mem_wipe(void *p, size_t n);

/* Whether equal, in a time that depends on n only. */
bool mem_equal_const_time(const void *a, const void *b, size_t n);

/*
 * Copies at most size - 1 bytes and always terminates (size > 0).
 * strscpy returns the length copied, or -E2BIG when src was cut or size is 0.
 * strlcpy and strlcat return the length they tried to make (BSD).
 */
long strscpy(char *dst, const char *src, size_t size);
size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcat(char *dst, const char *src, size_t size);

static inline bool
str_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* If s starts with prefix, the place behind it; else NULL. */
static inline const char *
str_after_prefix(const char *s, const char *prefix)
{
	while (*prefix != '\0') {
		if (*s++ != *prefix++)
			return NULL;
	}
	return s;
}

/* First character of s that is not white space. */
char *str_skip_space(const char *s);

/* Cuts white space off both ends in place; returns the new start. */
char *str_trim(char *s);

#endif
