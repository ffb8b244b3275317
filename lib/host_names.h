/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host programs only, by -include: gives our implementations of functions
 * that the C library also has names of their own, so that both can be in one
 * program. It goes in front of lib/mem.c, lib/string.c, lib/fmt.c and their
 * tests; everything else on the host uses the C library's.
 */
#ifndef LIB_HOST_NAMES_H
#define LIB_HOST_NAMES_H

#define LIB_OWN_STRING

#define memcpy lib_memcpy
#define memmove lib_memmove
#define memset lib_memset
#define memcmp lib_memcmp
#define memchr lib_memchr
#define memrchr lib_memrchr
#define strlen lib_strlen
#define strnlen lib_strnlen
#define strcmp lib_strcmp
#define strncmp lib_strncmp
#define strcasecmp lib_strcasecmp
#define strncasecmp lib_strncasecmp
#define strchr lib_strchr
#define strrchr lib_strrchr
#define strchrnul lib_strchrnul
#define strstr lib_strstr
#define strpbrk lib_strpbrk
#define strspn lib_strspn
#define strcspn lib_strcspn
#define strsep lib_strsep
#define strcpy lib_strcpy
#define snprintf lib_snprintf
#define vsnprintf lib_vsnprintf

#endif
