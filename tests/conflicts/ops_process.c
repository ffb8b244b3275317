/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on processes and threads. What a child does belongs to the operation, since it
 * runs on its parent's CPU (it inherits the affinity) as far as it does so before the gate
 * closes.
 */
#define _GNU_SOURCE
#include "tests/conflicts/conflicts.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void
run_fork(struct side *s)
{
	s->child = must(fork());
	if (s->child == 0)
		_exit(0);
}

static void
after_fork(struct side *s)
{
	must(waitpid(s->child, NULL, 0));
}

static void
run_fork_wait(struct side *s)
{
	run_fork(s);
	after_fork(s);
}

static void
run_exec_wait(struct side *s)
{
	static char *const arguments[] = {"/child", NULL};

	s->child = must(vfork());
	if (s->child == 0) {
		execv(arguments[0], arguments);
		_exit(1);
	}
	after_fork(s);
}

/* A child that has ended and not been waited for. */
static void
before_wait(struct side *s)
{
	siginfo_t info;

	run_fork(s);
	must(waitid(P_PID, s->child, &info, WEXITED | WNOWAIT));
}

static void
run_wait_none(struct side *s)
{
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		must(-1);
}

static void
run_getpid(struct side *s)
{
	must(syscall(SYS_getpid));
}

static void
run_getppid(struct side *s)
{
	must(syscall(SYS_getppid));
}

static void
run_gettid(struct side *s)
{
	must(syscall(SYS_gettid));
}

static void
run_getpgid(struct side *s)
{
	must(getpgid(0));
}

/* --- a child that waits, to be looked at and woken --- */

static void
setup_child(struct side *s)
{
	s->child = must(fork());
	if (s->child == 0) {
		for (;;)
			pause();
	}
}

static void
run_kill_none(struct side *s)
{
	must(kill(s->child, 0));
}

static void
run_pidfd_open(struct side *s)
{
	s->result = must(syscall(SYS_pidfd_open, s->child, 0));
}

static void
close_result(struct side *s)
{
	close(s->result);
}

/* --- threads --- */

static void *
nothing(void *arg)
{
	return arg;
}

static void
run_thread(struct side *s)
{
	pthread_t t;

	if (pthread_create(&t, NULL, nothing, s) != 0 || pthread_join(t, NULL) != 0)
		must(-1);
}

static long
futex_call(_Atomic int *word, int op, int value)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

/* Answers each command by taking it back. On this side's CPU. */
static void *
answer(void *arg)
{
	struct side *s = arg;

	pin_to(s->number + 1);
	for (;;) {
		while (atomic_load(&s->helper.command) == 0)
			futex_call(&s->helper.command, FUTEX_WAIT, 0);
		atomic_store(&s->helper.command, 0);
		futex_call(&s->helper.command, FUTEX_WAKE, 1);
	}
	return NULL;
}

static void
setup_helper(struct side *s)
{
	if (pthread_create(&s->helper.thread, NULL, answer, s) != 0)
		must(-1);
}

/* Wakes a thread on this CPU and sleeps until it has answered. */
static void
run_switch(struct side *s)
{
	atomic_store(&s->helper.command, 1);
	futex_call(&s->helper.command, FUTEX_WAKE, 1);
	while (atomic_load(&s->helper.command) == 1)
		futex_call(&s->helper.command, FUTEX_WAIT, 1);
}

static void
run_futex_wake(struct side *s)
{
	must(futex_call(&s->word, FUTEX_WAKE, 1));
}

/* The word is 0: EAGAIN. */
static void
run_futex_wait(struct side *s)
{
	if (futex_call(&s->word, FUTEX_WAIT, 1) != -1 || errno != EAGAIN)
		must(-1);
}

static void
run_yield(struct side *s)
{
	must(sched_yield());
}

static void
run_setaffinity(struct side *s)
{
	pin_to(s->number + 1);
}

static void
run_getaffinity(struct side *s)
{
	cpu_set_t set;

	must(sched_getaffinity(0, sizeof(set), &set));
}

static void
run_setscheduler(struct side *s)
{
	struct sched_param p = {0};

	must(sched_setscheduler(0, SCHED_BATCH, &p));
}

static void
run_getparam(struct side *s)
{
	struct sched_param p;

	must(sched_getparam(0, &p));
}

const struct op ops_process[] = {
	{"fork", run_fork, NULL, after_fork, NULL, NULL},
	{"fork-wait", run_fork_wait, NULL, NULL, NULL, NULL},
	{"exec-wait", run_exec_wait, NULL, NULL, NULL, NULL},
	{"wait", after_fork, before_wait, NULL, NULL, NULL},
	{"wait-none", run_wait_none, NULL, NULL, NULL, NULL},
	{"thread", run_thread, NULL, NULL, NULL, NULL},
	{"getpid", run_getpid, NULL, NULL, NULL, NULL},
	{"getppid", run_getppid, NULL, NULL, NULL, NULL},
	{"gettid", run_gettid, NULL, NULL, NULL, NULL},
	{"getpgid", run_getpgid, NULL, NULL, NULL, NULL},
	{"kill-none", run_kill_none, NULL, NULL, setup_child, NULL},
	{"pidfd-open", run_pidfd_open, NULL, close_result, setup_child, NULL},
	{"switch", run_switch, NULL, NULL, setup_helper, NULL},
	{"futex-wake", run_futex_wake, NULL, NULL, NULL, NULL},
	{"futex-wait", run_futex_wait, NULL, NULL, NULL, NULL},
	{"yield", run_yield, NULL, NULL, NULL, NULL},
	{"setaffinity", run_setaffinity, NULL, NULL, NULL, NULL},
	{"getaffinity", run_getaffinity, NULL, NULL, NULL, NULL},
	{"setscheduler", run_setscheduler, NULL, NULL, NULL, NULL},
	{"getparam", run_getparam, NULL, NULL, NULL, NULL},
	{NULL},
};
