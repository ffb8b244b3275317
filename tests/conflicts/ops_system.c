/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on signals, timers, clocks, credentials and limits, all the caller's own. */
#define _GNU_SOURCE
#include "tests/conflicts/conflicts.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* --- signals --- */

static void
on_signal(int number)
{
}

static void
setup_handler(struct side *s)
{
	must(sigaction(SIGUSR1 + s->number, &(struct sigaction){.sa_handler = on_signal}, NULL));
}

static void
run_raise(struct side *s)
{
	must(syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGUSR1 + s->number));
}

static void
run_kill_self(struct side *s)
{
	must(kill(getpid(), SIGUSR1 + s->number));
}

static void
setup_blocked(struct side *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + (int)s->number);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
}

/* Queues a signal with a value, and takes it. */
static void
run_sigqueue(struct side *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + (int)s->number);
	must(sigqueue(getpid(), SIGRTMIN + (int)s->number, (union sigval){.sival_int = 1}));
	must(sigwaitinfo(&set, NULL));
}

static void
run_sigaction(struct side *s)
{
	setup_handler(s);
}

static void
run_sigprocmask(struct side *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
}

static void
run_sigpending(struct side *s)
{
	sigset_t set;

	must(sigpending(&set));
}

static void
run_signalfd(struct side *s)
{
	sigset_t set;

	sigemptyset(&set);
	s->result = must(signalfd(-1, &set, 0));
}

static void
close_result(struct side *s)
{
	close(s->result);
}

/* --- timers and clocks --- */

static const struct itimerspec long_time = {.it_value = {.tv_sec = 1000}};

static void
run_timer_create(struct side *s)
{
	struct sigevent none = {.sigev_notify = SIGEV_NONE};

	must(timer_create(CLOCK_MONOTONIC, &none, (timer_t *)&s->object));
}

static void
after_timer_create(struct side *s)
{
	must(timer_delete((timer_t)s->object));
}

static void
run_timer_settime(struct side *s)
{
	must(timer_settime((timer_t)s->object, 0, &long_time, NULL));
}

static void
run_timerfd(struct side *s)
{
	s->result = must(timerfd_create(CLOCK_MONOTONIC, 0));
}

static void
setup_timerfd(struct side *s)
{
	s->fd = must(timerfd_create(CLOCK_MONOTONIC, 0));
}

static void
run_timerfd_settime(struct side *s)
{
	must(timerfd_settime(s->fd, 0, &long_time, NULL));
}

static void
run_setitimer(struct side *s)
{
	static const struct itimerval t = {.it_value = {.tv_sec = 1000}};

	must(setitimer(ITIMER_REAL, &t, NULL));
}

static void
run_nanosleep(struct side *s)
{
	static const struct timespec t = {.tv_nsec = 20000};

	must(nanosleep(&t, NULL));
}

static void
run_clock(struct side *s)
{
	struct timespec t;

	must(clock_gettime(CLOCK_MONOTONIC, &t));
}

static void
run_clock_call(struct side *s)
{
	struct timespec t;

	must(syscall(SYS_clock_gettime, CLOCK_REALTIME, &t));
}

static void
run_clock_cpu(struct side *s)
{
	struct timespec t;

	must(syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t));
}

static void
run_times(struct side *s)
{
	struct tms t;

	must(times(&t));
}

static void
run_getrusage(struct side *s)
{
	struct rusage r;

	must(getrusage(RUSAGE_SELF, &r));
}

/* --- who we are and what we may --- */

static void
run_getuid(struct side *s)
{
	must(syscall(SYS_getuid));
}

static void
run_setuid(struct side *s)
{
	must(syscall(SYS_setresuid, 0, 0, 0));
}

static void
run_setgroups(struct side *s)
{
	static const gid_t groups[] = {1, 2, 3};

	must(syscall(SYS_setgroups, array_size(groups), groups));
}

static void
run_getgroups(struct side *s)
{
	gid_t groups[16];

	must(getgroups(array_size(groups), groups));
}

static void
run_umask(struct side *s)
{
	must(umask(022));
}

static void
run_prctl_name(struct side *s)
{
	must(prctl(PR_SET_NAME, "pair", 0, 0, 0));
}

static void
run_getrlimit(struct side *s)
{
	struct rlimit r;

	must(getrlimit(RLIMIT_NOFILE, &r));
}

static void
run_setrlimit(struct side *s)
{
	static const struct rlimit r = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};

	must(setrlimit(RLIMIT_CORE, &r));
}

static void
run_getpriority(struct side *s)
{
	must(syscall(SYS_getpriority, PRIO_PROCESS, 0));
}

static void
run_setpriority(struct side *s)
{
	must(setpriority(PRIO_PROCESS, 0, 0));
}

static void
run_uname(struct side *s)
{
	struct utsname u;

	must(uname(&u));
}

static void
run_getrandom(struct side *s)
{
	char buffer[16];

	must(syscall(SYS_getrandom, buffer, sizeof(buffer), 0));
}

const struct op ops_system[] = {
	{"raise", run_raise, NULL, NULL, setup_handler, NULL},
	{"kill-self", run_kill_self, NULL, NULL, setup_handler, NULL},
	{"sigqueue", run_sigqueue, NULL, NULL, setup_blocked, NULL},
	{"sigaction", run_sigaction, NULL, NULL, NULL, NULL},
	{"sigprocmask", run_sigprocmask, NULL, NULL, NULL, NULL},
	{"sigpending", run_sigpending, NULL, NULL, NULL, NULL},
	{"signalfd", run_signalfd, NULL, close_result, NULL, NULL},
	{"timer-create", run_timer_create, NULL, after_timer_create, NULL, NULL},
	{"timer-settime", run_timer_settime, NULL, NULL, run_timer_create, NULL},
	{"timerfd", run_timerfd, NULL, close_result, NULL, NULL},
	{"timerfd-settime", run_timerfd_settime, NULL, NULL, setup_timerfd, NULL},
	{"setitimer", run_setitimer, NULL, NULL, NULL, NULL},
	{"nanosleep", run_nanosleep, NULL, NULL, NULL, NULL},
	{"clock", run_clock, NULL, NULL, NULL, NULL},
	{"clock-call", run_clock_call, NULL, NULL, NULL, NULL},
	{"clock-cpu", run_clock_cpu, NULL, NULL, NULL, NULL},
	{"times", run_times, NULL, NULL, NULL, NULL},
	{"getrusage", run_getrusage, NULL, NULL, NULL, NULL},
	{"getuid", run_getuid, NULL, NULL, NULL, NULL},
	{"setuid", run_setuid, NULL, NULL, NULL, NULL},
	{"setgroups", run_setgroups, NULL, NULL, NULL, NULL},
	{"getgroups", run_getgroups, NULL, NULL, NULL, NULL},
	{"umask", run_umask, NULL, NULL, NULL, NULL},
	{"prctl-name", run_prctl_name, NULL, NULL, NULL, NULL},
	{"getrlimit", run_getrlimit, NULL, NULL, NULL, NULL},
	{"setrlimit", run_setrlimit, NULL, NULL, NULL, NULL},
	{"getpriority", run_getpriority, NULL, NULL, NULL, NULL},
	{"setpriority", run_setpriority, NULL, NULL, NULL, NULL},
	{"uname", run_uname, NULL, NULL, NULL, NULL},
	{"getrandom", run_getrandom, NULL, NULL, NULL, NULL},
	{NULL},
};
