/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration (config/NAME.mk) may set, with defaults. Use: if (CONFIG_X). */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

/* Largest number of CPUs; the number in use is a run-time value. */
#ifndef CONFIG_MAX_CPUS
#define CONFIG_MAX_CPUS 1024
#endif
/* Largest number of memory nodes. */
#ifndef CONFIG_MAX_NODES
#define CONFIG_MAX_NODES 8
#endif
/* Asserts, lock ranks, poison, red zones, shrunken limits. */
#ifndef CONFIG_DEBUG
#define CONFIG_DEBUG 0
#endif
/* Allocations fail at random when the command line says fail_alloc=N (one of N). */
#ifndef CONFIG_FAIL_ALLOC
#define CONFIG_FAIL_ALLOC 0
#endif
#ifndef CONFIG_KASAN
#define CONFIG_KASAN 0
#endif
#ifndef CONFIG_KCSAN
#define CONFIG_KCSAN 0
#endif
/* The compiler's checks look at pointers too (kernel/check/ubsan.c). */
#ifndef CONFIG_UBSAN_POINTERS
#define CONFIG_UBSAN_POINTERS 0
#endif
/* Code that a task runs is told to it: /sys/kernel/debug/kcov. */
#ifndef CONFIG_KCOV
#define CONFIG_KCOV 0
#endif
/* In-kernel unit and torture tests. */
#ifndef CONFIG_TESTS
#define CONFIG_TESTS 1
#endif

#endif
