/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host programs only, by -include: takes back names of the C library's
 * internal headers that lib/types.h defines.
 */
#ifndef LIB_HOST_H
#define LIB_HOST_H

#include <sys/cdefs.h>
#undef __always_inline

#endif
