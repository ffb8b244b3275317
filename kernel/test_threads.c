/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads for the torture tests of the lower folders (sync/test_port.h). */
#include "sync/test_port.h"

#include "kernel/log.h"
#include "kernel/sched/sched.h"
#include "kernel/task/task.h"
#include "kernel/test_run.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "mm/slab.h"
#include "sync/completion.h"

struct test_thread {
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
	struct task *task;
};

static int
thread_main(void *arg)
{
	struct test_thread *t = arg;

	t->fn(t->arg);
	complete(&t->done);
	return 0;
}

/* The n-th online CPU, wrapping around. */
static unsigned int
pick_cpu(unsigned int n)
{
	unsigned int cpu;

	n %= cpumask_weight(&cpu_online_mask);
	for_each_online_cpu(cpu)
		if (n-- == 0)
			return cpu;
	return 0;
}

struct test_thread *
test_spawn(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	struct test_thread *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		panic("test_spawn: no memory");
	t->fn = fn;
	t->arg = arg;
	completion_init(&t->done);
	test_hotplug_hold();
	t->task = kthread_create((int)pick_cpu(cpu), thread_main, t, "test/%u", cpu);
	test_hotplug_release();
	if (is_err(t->task))
		panic("test_spawn: error %ld", ptr_err(t->task));
	return t;
}

void
test_join(struct test_thread *t)
{
	completion_wait(&t->done);
	task_put(t->task);
	kfree(t);
}

void
test_yield(void)
{
	sched_yield_now();
}

void
test_sleep(u64 ns)
{
	sleep_ns(ns);
}

void
test_use_space(struct space *s)
{
	exec_set_space(s);
}

unsigned int
test_cpus(void)
{
	return cpumask_weight(&cpu_online_mask);
}

u64
test_duration(void)
{
	return test_cpus() <= 2 ? NSEC_PER_SEC : NSEC_PER_SEC / 2;
}
