/* SPDX-License-Identifier: BSD-2-Clause */
/* Broken invariants stop the kernel (kernel/panic.c) or the host test (lib/test_host.c). */
#ifndef LIB_ASSERT_H
#define LIB_ASSERT_H

#include "config/config.h"
#include "lib/types.h"

void assert_failed(const char *cond, const char *file, int line) __noreturn __cold;

#define ASSERT(c)                                                                                  \
	do {                                                                                       \
		if (unlikely(!(c)))                                                                \
			assert_failed(#c, __FILE__, __LINE__);                                     \
	} while (0)

/* Only debug kernels look. */
#define DEBUG_ASSERT(c)                                                                            \
	do {                                                                                       \
		if (CONFIG_DEBUG)                                                                  \
			ASSERT(c);                                                                 \
	} while (0)

/* Reports a broken invariant that the kernel survives, once per place, with a backtrace. */
void warn_failed(const char *cond, const char *file, int line) __cold;
#define WARN_ON(c)                                                                                 \
	({                                                                                         \
		bool _bad = (c);                                                                   \
		if (unlikely(_bad))                                                                \
			warn_failed(#c, __FILE__, __LINE__);                                       \
		_bad;                                                                              \
	})

#endif
