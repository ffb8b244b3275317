/* SPDX-License-Identifier: BSD-2-Clause */
/* Shell patterns without a notion of path: '*' matches '/' too. */
#ifndef LIB_GLOB_H
#define LIB_GLOB_H

#include "lib/types.h"

/*
 * Whether all of s matches pattern: '*' any run, '?' one character, [a-z],
 * [!a-z] or [^a-z] a set, '\' takes the next character as it is. A '[' that
 * is never closed is an ordinary character. Time is at most the product of
 * the lengths; no recursion.
 */
bool glob_match(const char *pattern, const char *s);

#endif
