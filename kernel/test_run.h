/* SPDX-License-Identifier: BSD-2-Clause */
/* In-kernel tests: test=GLOB on the command line runs them before init and powers off. */
#ifndef KERNEL_TEST_RUN_H
#define KERNEL_TEST_RUN_H

#include "lib/types.h"

void test_run_requested(void);

/* test_hotplug.c: CPUs leave and come from start to stop, which waits until all are there. */
void test_hotplug_start(void);
void test_hotplug_stop(void);
/* How often one did. */
u32 test_hotplug_count(void);
/* Between these none leaves or comes: a thread is made for a CPU. May sleep. */
void test_hotplug_hold(void);
void test_hotplug_release(void);

#endif
