/* SPDX-License-Identifier: BSD-2-Clause */
/* Robust lists and the mutexes built on them. */
#include "tests/abi/abi.h"

#include <linux/futex.h>
#include <pthread.h>

static struct robust_list_head *
robust(pid_t tid, size_t *len)
{
	struct robust_list_head *h = NULL;

	return syscall(SYS_get_robust_list, tid, &h, len) ? (void *)-1 : h;
}

TEST(robust_list_calls)
{
	struct robust_list_head head = { { &head.list }, 0, NULL };
	size_t len = 0;

	check(robust(0, &len) != (void *)-1);
	is(len, sizeof(head));
	in_child {
		is(syscall(SYS_set_robust_list, &head, sizeof(head)), 0);
		check(robust(0, &len) == &head);
		check(robust(getpid(), &len) == &head);
	}
	fails(syscall(SYS_set_robust_list, &head, 8L), EINVAL);
	fails(syscall(SYS_get_robust_list, 4999999, &head, &len), ESRCH);
	in_child {
		drop(USER);
		fails(syscall(SYS_get_robust_list, 1, &head, &len), EPERM);
	}
}

static pthread_mutex_t *rm;

static void *
dies_holding(void *arg)
{
	pthread_mutex_lock(rm);
	return arg;
}

static void
robust_init(bool pi)
{
	pthread_mutexattr_t a;

	rm = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	if (pi)
		pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	is(pthread_mutex_init(rm, &a), 0);
}

TEST(robust_mutex_thread)
{
	pthread_t t;

	robust_init(false);
	pthread_create(&t, NULL, dies_holding, NULL);
	pthread_join(t, NULL);
	is(pthread_mutex_lock(rm), EOWNERDEAD);
	is(pthread_mutex_consistent(rm), 0);
	is(pthread_mutex_unlock(rm), 0);
	is(pthread_mutex_lock(rm), 0);
	is(pthread_mutex_unlock(rm), 0);
}

static void
robust_process(bool pi)
{
	struct gate g = gate_new();
	pid_t c;

	robust_init(pi);
	c = fork();
	if (!c) {
		pthread_mutex_lock(rm);
		gate_open(&g);
		for (;;)
			pause();
	}
	gate_wait(&g);
	is(pthread_mutex_trylock(rm), EBUSY);
	in_child {
		msleep(50);
		kill(c, SIGKILL);
	}
	/* Asleep or not when the owner dies, we get it. */
	is(pthread_mutex_lock(rm), EOWNERDEAD);
	is(pthread_mutex_unlock(rm), 0);
	is(pthread_mutex_lock(rm), ENOTRECOVERABLE);
	is(reap(c), -SIGKILL);
}

TEST(robust_mutex_process)
{
	robust_process(false);
}

TEST(robust_mutex_pi)
{
	robust_process(true);
}

static void *
waits_for_owner(void *arg)
{
	(void)arg;
	return (void *)(long)pthread_mutex_lock(rm);
}

TEST(robust_waiter_wakes)
{
	struct gate g = gate_new();
	pthread_t t;
	void *r;
	pid_t c;

	robust_init(false);
	c = fork();
	if (!c) {
		pthread_mutex_lock(rm);
		gate_open(&g);
		for (;;)
			pause();
	}
	gate_wait(&g);
	pthread_create(&t, NULL, waits_for_owner, NULL);
	msleep(50);
	kill(c, SIGKILL);
	pthread_join(t, &r);
	is(r, EOWNERDEAD);
	is(reap(c), -SIGKILL);
}

/* The list is walked even when it is damaged: the exit must not hang. */
TEST(robust_list_bad)
{
	static struct robust_list_head h;
	static struct robust_list a, b;
	pid_t c;

	for (int i = 0; i < 3; i++) {
		c = fork();
		if (!c) {
			a.next = &b;
			b.next = i == 0 ? &a : i == 1 ? BAD : NULL;
			h.list.next = &a;
			syscall(SYS_set_robust_list, &h, sizeof(h));
			_exit(7);
		}
		is(reap(c), 7);
	}
}
