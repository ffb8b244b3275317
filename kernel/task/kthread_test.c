/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel threads, numbers, groups and limits: what of kernel/task needs no user space. */
#include "kernel/sched/sched.h"
#include "kernel/task/pgroup_impl.h"
#include "kernel/task/pid_impl.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "percpu/cpumask.h"
#include "sync/completion.h"

#define MANY 64

static int
return_42(void *arg)
{
	*(s32 *)arg = current->tid;
	return 42;
}

static int
until_stopped(void *arg)
{
	/* Who is stopped before it runs returns -EINTR without having been here. */
	if (arg)
		complete(arg);
	while (!kthread_should_stop()) {
		park_prepare(PARK_IDLE);
		if (kthread_should_stop())
			park_cancel();
		else
			park(NO_DEADLINE);
	}
	return 7;
}

/* A thread that has begun to run, or err_ptr. */
static struct task *
start(int cpu)
{
	struct completion begun;
	struct task *t;

	completion_init(&begun);
	t = kthread_create(cpu, until_stopped, &begun, "test");
	if (!is_err(t))
		completion_wait(&begun);
	return t;
}

TEST(kthread_result)
{
	s32 tid = 0;
	struct task *t = kthread_create(-1, return_42, &tid, "test_%d", 1);
	int ret;

	ASSERT_TRUE(!is_err(t));
	EXPECT_STR(t->comm, "test_1");
	EXPECT_GT(t->tid, 2);
	ret = kthread_stop(t);
	EXPECT_EQ(ret, tid ? 42 : -EINTR);
}

TEST(kthread_on_each_cpu)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct task *t = start((int)cpu);

		ASSERT_TRUE(!is_err(t));
		EXPECT(t->flags & TASK_KTHREAD);
		EXPECT_EQ(kthread_stop(t), 7);
	}
}

/* Numbers of threads that live are unique, found, and come back. */
TEST(pid_find_live)
{
	struct task *t[MANY];
	s32 tid;

	for (unsigned int i = 0; i < MANY; i++) {
		t[i] = start(-1);
		ASSERT_TRUE(!is_err(t[i]));
	}
	/* Threads of tests before this one may be on their way out. */
	EXPECT_GE(tasks_count(), MANY + 2);
	for (unsigned int i = 0; i < MANY; i++) {
		rcu_read_lock();
		EXPECT(task_find(t[i]->tid) == t[i]);
		EXPECT(process_find(t[i]->tid) == t[i]->process);
		EXPECT(rcu_load(t[i]->process->parent) == kthreadd_process);
		rcu_read_unlock();
		for (unsigned int j = 0; j < i; j++)
			EXPECT_NE(t[i]->tid, t[j]->tid);
	}
	tid = t[0]->tid;
	for (unsigned int i = 0; i < MANY; i++)
		EXPECT_EQ(kthread_stop(t[i]), 7);
	/* The number goes when the thread has released itself, soon after its result. */
	for (unsigned int i = 0; i < 1000 && pid_find_get(tid); i++)
		sched_yield_now();
	rcu_read_lock();
	EXPECT(task_find(tid) == NULL);
	rcu_read_unlock();
}

TEST(process_next_order)
{
	struct process *p;
	s32 last = 0;
	unsigned int n = 0;

	rcu_read_lock();
	for (p = process_next(1); p; p = process_next(p->tgid + 1)) {
		EXPECT_GT(p->tgid, last);
		last = p->tgid;
		n++;
	}
	EXPECT(process_next(1) == init_process);
	EXPECT(process_next(2) == kthreadd_process);
	rcu_read_unlock();
	EXPECT_GE(n, 2u);
}

TEST(pid_bad_numbers)
{
	struct pid *p;

	rcu_read_lock();
	EXPECT(pid_find(-1) == NULL);
	EXPECT(pid_find(0) == NULL);
	EXPECT(pid_find(PID_LIMIT) == NULL);
	EXPECT(pid_find(INT32_MAX) == NULL);
	rcu_read_unlock();
	EXPECT_EQ(pid_alloc(&p, 1), -EEXIST);
	EXPECT_EQ(pid_alloc(&p, PID_LIMIT), -EINVAL);
}

/* Down to the limit and back: no number is lost, the error is EAGAIN. */
TEST(pid_exhaust)
{
	enum { ROOM = 8 };
	static struct pid *taken[512];
	s32 was = pid_max_get();
	unsigned int n = 0;

	EXPECT_EQ(pid_max_set(PID_RESERVED), -EINVAL);
	EXPECT_EQ(pid_max_set(PID_LIMIT + 1), -EINVAL);
	ASSERT_EQ(pid_max_set(PID_RESERVED + ROOM), 0);
	while (n < ARRAY_SIZE(taken) && pid_alloc(&taken[n], 0) == 0)
		n++;
	EXPECT_GT(n, 0u);
	EXPECT_LE(n, (unsigned int)ROOM);
	for (unsigned int i = 0; i < n; i++) {
		EXPECT_LT(taken[i]->nr, PID_RESERVED + ROOM);
		pid_unuse(taken[i]);
	}
	EXPECT_EQ(pid_alloc(&taken[0], 0), 0);
	pid_unuse(taken[0]);
	EXPECT_EQ(pid_max_set(was), 0);
	EXPECT_EQ(pid_max_get(), was);
}

TEST(pid_raise_max)
{
	s32 was = pid_max_get();
	struct pid *p;

	if (was >= PID_LIMIT)
		TEST_SKIP("pid_max is at its end");
	ASSERT_EQ(pid_max_set(was + 64), 0);
	EXPECT_EQ(pid_alloc(&p, was + 3), 0);
	EXPECT_EQ(p->nr, was + 3);
	pid_unuse(p);
	EXPECT_EQ(pid_max_set(was), 0);
	EXPECT_EQ(pid_alloc(&p, was + 3), -EINVAL);
}

TEST(threads_max_reached)
{
	s64 was = threads_max_get();
	struct task *t;

	EXPECT_EQ(threads_max_set(0), -EINVAL);
	ASSERT_EQ(threads_max_set(1), 0);
	t = start(-1);
	EXPECT(is_err(t) && ptr_err(t) == -EAGAIN);
	EXPECT_EQ(threads_max_set(was), 0);
	t = start(-1);
	ASSERT_TRUE(!is_err(t));
	EXPECT_EQ(kthread_stop(t), 7);
}

static int
count_member(struct process *p, void *arg)
{
	++*(unsigned int *)arg;
	return 0;
}

TEST(pgroup_members)
{
	struct pid *pgrp;
	unsigned int n = 0, m = 0;
	struct task *t;

	rcu_read_lock();
	pgrp = rcu_load(current->process->pgrp);
	rcu_read_unlock();
	EXPECT_EQ(pgroup_for_each(pgrp, count_member, &n), 0);
	t = start(-1);
	ASSERT_TRUE(!is_err(t));
	EXPECT_EQ(pgroup_for_each(pgrp, count_member, &m), 0);
	EXPECT_EQ(m, n + 1);
	EXPECT_EQ(kthread_stop(t), 7);
	m = 0;
	EXPECT_EQ(session_for_each(pgrp, count_member, &m), 0);
	EXPECT_GE(m, n);
}

/* Many CPUs make and end threads at once; all numbers and counts come back. */
static int
churn(void *arg)
{
	for (unsigned int i = 0; i < 50; i++) {
		struct task *t = start(-1);

		if (is_err(t))
			return (int)ptr_err(t);
		if (kthread_stop(t) != 7)
			return -EIO;
	}
	return 0;
}

static int
churn_main(void *arg)
{
	int ret;

	complete(arg);
	ret = churn(NULL);

	while (!kthread_should_stop()) {
		park_prepare(PARK_IDLE);
		if (kthread_should_stop())
			park_cancel();
		else
			park(NO_DEADLINE);
	}
	return ret;
}

TEST(kthread_churn)
{
	struct task *t[8];
	s64 before = tasks_count();
	unsigned int n = min(nr_cpus, 8u);
	struct completion begun;

	for (unsigned int i = 0; i < n; i++) {
		completion_init(&begun);
		t[i] = kthread_create((int)i, churn_main, &begun, "churn/%u", i);
		ASSERT_TRUE(!is_err(t[i]));
		completion_wait(&begun);
	}
	for (unsigned int i = 0; i < n; i++)
		EXPECT_EQ(kthread_stop(t[i]), 0);
	/* Threads of earlier tests may still have been on their way out. */
	for (unsigned int i = 0; i < 100000 && tasks_count() > before; i++)
		sched_yield_now();
	EXPECT_LE(tasks_count(), before);
}
