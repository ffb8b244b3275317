/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the torture tests of percpu/, sync/ and mm/ need from kernel/: threads
 * bound to a CPU. Defined by kernel/ in kernels with CONFIG_TESTS, and by the
 * host's runner.
 */
#ifndef SYNC_TEST_PORT_H
#define SYNC_TEST_PORT_H

#include "lib/types.h"

struct space;
struct test_thread;

/*
 * Runs fn(arg) in a kernel thread that stays on `cpu` (online; a number too
 * large wraps around over the online CPUs). Never NULL: without memory it ends
 * the test run.
 */
struct test_thread *test_spawn(unsigned int cpu, void (*fn)(void *arg), void *arg);
/* Waits until fn has returned and frees the thread. */
void test_join(struct test_thread *t);
/* Lets other threads of this CPU run. */
void test_yield(void);
/* Sleeps about ns nanoseconds. */
void test_sleep(u64 ns);
/*
 * The calling thread runs in space s from now on, as a program's does, and takes over
 * a user reference of the caller's; NULL: in none, which gives it back. In the kernel
 * only.
 */
void test_use_space(struct space *s);
/* Number of CPUs that threads can be spawned on. */
unsigned int test_cpus(void);
/* How long a torture loop runs, ns (about 1 s at 2 CPUs; less under an emulator with many). */
u64 test_duration(void);
/* What random numbers begin with: another one each time that a test is repeated; 0 at first. */
u64 test_seed(void);

#endif
