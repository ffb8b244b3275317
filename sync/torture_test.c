/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of torture tests. */
#include "sync/torture_test.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/port.h"
#include "sync/test_port.h"

/* More threads than this are no better. */
#define THREADS_MAX 64

static void
thread_main(void *arg)
{
	struct torture_thread *th = arg;
	struct torture *t = th->torture;

	if (atomic_dec_and_test(&t->missing))
		WRITE_ONCE(t->end, ktime_get() + test_duration());
	t->fn(th);
}

u64
torture_run(struct torture *t, void (*fn)(struct torture_thread *th), unsigned int threads)
{
	static struct torture_thread th[THREADS_MAX];
	struct test_thread *handle[THREADS_MAX];
	unsigned int n = min(threads, (unsigned int)THREADS_MAX);
	u64 sum = 0;

	t->fn = fn;
	t->end = U64_MAX;
	t->over = 0;
	t->missing = n;
	for (unsigned int i = 0; i < n; i++) {
		th[i] = (struct torture_thread){.torture = t, .index = i, .seed = i + 1};
		handle[i] = test_spawn(i, thread_main, &th[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		test_join(handle[i]);
		sum += th[i].result;
	}
	return sum;
}

bool
torture_over(struct torture_thread *th)
{
	if (READ_ONCE(th->torture->over))
		return true;
	if (READ_ONCE(th->torture->missing) != 0)
		test_yield();
	if (++th->turns % 16 != 0)
		return false;
	if (ktime_get() < READ_ONCE(th->torture->end))
		return false;
	torture_stop(th);
	return true;
}

void
torture_stop(struct torture_thread *th)
{
	WRITE_ONCE(th->torture->over, 1);
}

void
torture_window(void)
{
	for (int i = 0; i < 20; i++)
		cpu_relax();
}
