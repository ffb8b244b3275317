/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleeping, interval timers and POSIX timers. */
#include "tests/abi/abi.h"

#include <pthread.h>
#include <sys/time.h>

#define MS 1000000L

static volatile int hits[65];
static volatile siginfo_t last;

static void
hit(int sig)
{
	hits[sig]++;
}

static void
info(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	last = *si;
	hits[sig]++;
}

static void
handle_info(int sig)
{
	struct sigaction sa = { .sa_sigaction = info, .sa_flags = SA_SIGINFO };

	sigaction(sig, &sa, NULL);
}

/* From now on sig comes in await() only, so that none comes before it. */
static void
hold(int sig)
{
	sigset_t one = sigs(sig, 0);

	sigprocmask(SIG_BLOCK, &one, NULL);
}

static void
pass(int sig)
{
	sigset_t one = sigs(sig, 0);

	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static int
await(int sig)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigdelset(&mask, sig);
	return sigsuspend(&mask);
}

static long
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

/* Burns CPU until @sig has come @n times or @ms of CPU time have passed. */
static void
burn(int sig, int n, long ms)
{
	long end = cpu_ns() + ms * MS;

	while (hits[sig] < n && cpu_ns() < end)
		for (volatile int i = 0; i < 10000; i++)
			;
}

TEST(nanosleep_call)
{
	struct timespec ts = { 0, 30 * MS };
	long t = now_ns();

	is(nanosleep(&ts, NULL), 0);
	check(now_ns() - t >= 30 * MS);
	check(now_ns() - t < 10 * NSEC);
	ts = (struct timespec){ 0, 0 };
	is(nanosleep(&ts, &ts), 0);
	ts.tv_nsec = NSEC;
	fails(nanosleep(&ts, NULL), EINVAL);
	ts.tv_nsec = -1;
	fails(nanosleep(&ts, NULL), EINVAL);
	ts = (struct timespec){ -1, 0 };
	fails(nanosleep(&ts, NULL), EINVAL);
	fails(nanosleep(BAD, NULL), EFAULT);
}

TEST(clock_nanosleep_call)
{
	struct timespec ts = { 0, 20 * MS };
	long t = now_ns();

	is(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), 0);
	check(now_ns() - t >= 20 * MS);
	t = now_ns();
	ts = (struct timespec){ (t + 20 * MS) / NSEC, (t + 20 * MS) % NSEC };
	is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
	check(now_ns() - t >= 20 * MS);
	is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 20 * MS;
	ts.tv_sec += ts.tv_nsec / NSEC;
	ts.tv_nsec %= NSEC;
	is(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL), 0);
	ts = (struct timespec){ 0, MS };
	is(clock_nanosleep(CLOCK_BOOTTIME, 0, &ts, NULL), 0);
	is(clock_nanosleep(CLOCK_TAI, 0, &ts, NULL), 0);
	is(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), EINVAL);
	is(clock_nanosleep(CLOCK_MONOTONIC_COARSE, 0, &ts, NULL), ENOTSUP);
	is(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &ts, NULL), ENOTSUP);
	is(clock_nanosleep(99, 0, &ts, NULL), EINVAL);
	ts.tv_nsec = NSEC;
	is(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), EINVAL);
}

/* A sleep on process CPU time ends when others have burnt it. */
static void *
burner(void *arg)
{
	burn(0, 1, 200);
	return arg;
}

TEST(cpu_clock_sleep)
{
	struct timespec ts = { 0, 50 * MS };
	pthread_t t;
	long before = cpu_ns();

	pthread_create(&t, NULL, burner, NULL);
	is(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ts, NULL), 0);
	check(cpu_ns() - before >= 45 * MS);
	pthread_join(t, NULL);
}

TEST(itimer_real)
{
	struct itimerval it = { { 0, 0 }, { 0, 100000 } }, old;
	long t = now_ns();

	handle(SIGALRM, hit, 0);
	hold(SIGALRM);
	is(setitimer(ITIMER_REAL, &it, NULL), 0);
	is(getitimer(ITIMER_REAL, &old), 0);
	check(old.it_value.tv_sec == 0 && old.it_value.tv_usec > 0 &&
	      old.it_value.tv_usec <= 100000);
	fails(await(SIGALRM), EINTR);
	check(now_ns() - t >= 100 * MS);
	is(hits[SIGALRM], 1);
	getitimer(ITIMER_REAL, &old);
	is(old.it_value.tv_usec, 0);
	it.it_interval.tv_usec = 10000;
	it.it_value.tv_usec = 10000;
	setitimer(ITIMER_REAL, &it, NULL);
	for (int i = 0; i < 3; i++)
		await(SIGALRM);
	check(hits[SIGALRM] >= 4);
	memset(&it, 0, sizeof(it));
	is(setitimer(ITIMER_REAL, &it, &old), 0);
	is(old.it_interval.tv_usec, 10000);
	/* One that came before the timer stopped may still be held. */
	pass(SIGALRM);
	hits[SIGALRM] = 0;
	msleep(30);
	is(hits[SIGALRM], 0);
	it.it_value.tv_usec = 1000000;
	fails(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
	it.it_value.tv_usec = -1;
	fails(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
	fails(setitimer(9, &it, NULL), EINVAL);
	fails(getitimer(9, &it), EINVAL);
	fails(getitimer(ITIMER_REAL, BAD), EFAULT);
	fails(setitimer(ITIMER_REAL, BAD, NULL), EFAULT);
}

TEST(alarm_call)
{
	is(alarm(100), 0);
	is(alarm(50), 100);
	is(alarm(0), 50);
	is(alarm(0), 0);
	handle(SIGALRM, hit, 0);
	hold(SIGALRM);
	alarm(1);
	await(SIGALRM);
	is(hits[SIGALRM], 1);
}

TEST(itimer_cpu)
{
	struct itimerval it = { { 0, 0 }, { 0, 50000 } };
	long t;

	handle(SIGVTALRM, hit, 0);
	handle(SIGPROF, hit, 0);
	is(setitimer(ITIMER_VIRTUAL, &it, NULL), 0);
	msleep(100);
	is(hits[SIGVTALRM], 0);
	t = cpu_ns();
	burn(SIGVTALRM, 1, 3000);
	is(hits[SIGVTALRM], 1);
	check(cpu_ns() - t >= 30 * MS);
	is(setitimer(ITIMER_PROF, &it, NULL), 0);
	burn(SIGPROF, 1, 3000);
	is(hits[SIGPROF], 1);
	it.it_interval.tv_usec = 20000;
	is(setitimer(ITIMER_PROF, &it, NULL), 0);
	burn(SIGPROF, 4, 5000);
	check(hits[SIGPROF] >= 4);
}

static timer_t
make(clockid_t clock, int notify, int sig)
{
	struct sigevent ev = { .sigev_notify = notify, .sigev_signo = sig,
			       .sigev_value.sival_int = 77 };
	timer_t id = 0;

	if (syscall(SYS_timer_create, clock, &ev, &id))
		ok(false, "timer_create: %s", abi_errname(errno));
	return id;
}

static int
set(timer_t id, int flags, long first, long every)
{
	struct itimerspec s = {
		.it_value = { first / NSEC, first % NSEC },
		.it_interval = { every / NSEC, every % NSEC },
	};

	return syscall(SYS_timer_settime, id, flags, &s, NULL);
}

TEST(timer_errors)
{
	struct sigevent ev = { .sigev_notify = 9 };
	struct itimerspec s = { { 0, 0 }, { 0, NSEC } };
	int id;

	fails(syscall(SYS_timer_create, 99, NULL, &id), EINVAL);
	fails(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
	ev = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL,
				.sigev_signo = 65 };
	fails(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
	fails(syscall(SYS_timer_create, CLOCK_MONOTONIC, BAD, &id), EFAULT);
	fails(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, BAD), EFAULT);
	fails(syscall(SYS_timer_create, CLOCK_MONOTONIC_COARSE, NULL, &id),
	      EOPNOTSUPP);
	fails(syscall(SYS_timer_delete, 999), EINVAL);
	fails(syscall(SYS_timer_settime, 999, 0, &s, NULL), EINVAL);
	fails(syscall(SYS_timer_gettime, 999, &s), EINVAL);
	fails(syscall(SYS_timer_getoverrun, 999), EINVAL);
	is(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
	fails(syscall(SYS_timer_settime, id, 0, &s, NULL), EINVAL);
	fails(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL);
	is(syscall(SYS_timer_delete, id), 0);
	fails(syscall(SYS_timer_delete, id), EINVAL);
}

TEST(timer_signal)
{
	struct itimerspec s;
	timer_t id;

	handle_info(SIGUSR1);
	id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
	hold(SIGUSR1);
	is(set(id, 0, 100 * MS, 0), 0);
	is(syscall(SYS_timer_gettime, id, &s), 0);
	check(s.it_value.tv_nsec > 0 && s.it_value.tv_nsec <= 100 * MS);
	await(SIGUSR1);
	is(hits[SIGUSR1], 1);
	is(last.si_code, SI_TIMER);
	is(last.si_value.sival_int, 77);
	is(last.si_overrun, 0);
	is(last.si_timerid, (long)id);
	is(syscall(SYS_timer_gettime, id, &s), 0);
	is(s.it_value.tv_nsec, 0);
	/* The default is SIGALRM with the timer's id as the value. */
	handle_info(SIGALRM);
	is(syscall(SYS_timer_create, CLOCK_REALTIME, NULL, &id), 0);
	is(set(id, 0, MS, 0), 0);
	while (!hits[SIGALRM])
		msleep(1);
	is(last.si_value.sival_int, (int)(long)id);
}

TEST(timer_absolute)
{
	timer_t id;

	handle_info(SIGUSR1);
	id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
	hold(SIGUSR1);
	is(set(id, TIMER_ABSTIME, now_ns() + 20 * MS, 0), 0);
	await(SIGUSR1);
	is(hits[SIGUSR1], 1);
	is(set(id, TIMER_ABSTIME, 1, 0), 0);
	await(SIGUSR1);
	is(hits[SIGUSR1], 2);
}

TEST(timer_overrun)
{
	sigset_t s = sigs(SIGUSR1, 0);
	siginfo_t si;
	timer_t id;

	sigprocmask(SIG_BLOCK, &s, NULL);
	id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
	is(set(id, 0, 5 * MS, 5 * MS), 0);
	msleep(100);
	is(sigwaitinfo(&s, &si), SIGUSR1);
	is(si.si_code, SI_TIMER);
	check(si.si_overrun >= 10);
	check(syscall(SYS_timer_getoverrun, id) == si.si_overrun);
	is(sigwaitinfo(&s, &si), SIGUSR1);
	check(si.si_overrun < 100);
	is(set(id, 0, 0, 0), 0);
}

TEST(timer_thread_id)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID,
			       .sigev_signo = SIGUSR1 };
	timer_t id = 0;

	handle_info(SIGUSR1);
	ev._sigev_un._tid = gettid();
	is(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), 0);
	is(set(id, 0, MS, 0), 0);
	while (!hits[SIGUSR1])
		msleep(1);
	is(hits[SIGUSR1], 1);
	ev._sigev_un._tid = 1;
	fails(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
}

TEST(timer_none)
{
	struct itimerspec s;
	timer_t id = make(CLOCK_MONOTONIC, SIGEV_NONE, 0);

	is(set(id, 0, 1000 * NSEC, 0), 0);
	is(syscall(SYS_timer_gettime, id, &s), 0);
	check(s.it_value.tv_sec == 999);
	is(set(id, 0, MS, 0), 0);
	msleep(5);
	is(syscall(SYS_timer_gettime, id, &s), 0);
	is(s.it_value.tv_sec, 0);
	is(s.it_value.tv_nsec, 0);
}

static volatile int thread_calls;

static void
on_thread(union sigval v)
{
	thread_calls += v.sival_int;
}

TEST(timer_thread)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD,
			       .sigev_notify_function = on_thread,
			       .sigev_value.sival_int = 5 };
	struct itimerspec s = { { 0, 0 }, { 0, MS } };
	timer_t id;

	is(timer_create(CLOCK_MONOTONIC, &ev, &id), 0);
	is(timer_settime(id, 0, &s, NULL), 0);
	for (int i = 0; i < 1000 && !thread_calls; i++)
		msleep(2);
	is(thread_calls, 5);
	is(timer_delete(id), 0);
}

TEST(timer_cpu)
{
	timer_t id;

	handle_info(SIGUSR1);
	id = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1);
	is(set(id, 0, 30 * MS, 0), 0);
	msleep(60);
	is(hits[SIGUSR1], 0);
	burn(SIGUSR1, 1, 3000);
	is(hits[SIGUSR1], 1);
	is(last.si_code, SI_TIMER);
	id = make(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1);
	is(set(id, 0, 20 * MS, 0), 0);
	burn(SIGUSR1, 2, 3000);
	is(hits[SIGUSR1], 2);
}

TEST(not_inherited)
{
	struct itimerspec s;
	timer_t id = make(CLOCK_MONOTONIC, SIGEV_NONE, 0);

	is(set(id, 0, 1000 * NSEC, 0), 0);
	in_child {
		fails(syscall(SYS_timer_gettime, id, &s), EINVAL);
	}
	in_child {
		pid_t c = fork();

		if (!c) {
			timer_t k = make(CLOCK_MONOTONIC, SIGEV_NONE, 0);
			char arg[16];

			snprintf(arg, sizeof(arg), "%d", (int)(long)k);
			execv("/proc/self/exe", (char *[]){ "x", "@no_timer",
							    arg, NULL });
		}
		is(reap(c), 7);
	}
}

HELPER(no_timer)
{
	struct itimerspec s;

	return syscall(SYS_timer_gettime, atoi(argv[2]), &s) == -1 &&
	       errno == EINVAL ? 7 : 1;
}

/* Deleting a timer withdraws its signal that waits. */
TEST(delete_with_pending)
{
	struct timespec none = { 0, 0 };
	sigset_t s = sigs(SIGUSR1, 0);
	siginfo_t si;
	timer_t id;

	sigprocmask(SIG_BLOCK, &s, NULL);
	id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
	is(set(id, 0, MS, 0), 0);
	msleep(20);
	is(syscall(SYS_timer_delete, id), 0);
	/* On Linux 6.1 the signal stays; what must hold: no second one. */
	sigtimedwait(&s, &si, &none);
	fails(sigtimedwait(&s, &si, &none), EAGAIN);
}

TEST(many)
{
	static timer_t id[200];
	int n = 0;

	handle(SIGRTMIN, hit, SA_RESTART);
	for (int i = 0; i < 200; i++) {
		id[i] = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN);
		n += !set(id[i], 0, (i % 20 + 1) * MS, 0);
	}
	is(n, 200);
	for (int i = 0; i < 1000 && hits[SIGRTMIN] < 200; i++)
		msleep(5);
	is(hits[SIGRTMIN], 200);
	for (int i = 0; i < 200; i++)
		n -= !syscall(SYS_timer_delete, id[i]);
	is(n, 0);
}

/* --- threads --- */

#define SHARED_TIMERS 8

static timer_t shared[SHARED_TIMERS];
static _Atomic int strange;

static void *
use_timers(void *arg)
{
	struct itimerspec it = { .it_interval = { 0, 50000 } }, old;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	unsigned int seed = (long)arg;

	for (int i = 0; i < 3000; i++) {
		int n = rand_r(&seed) % SHARED_TIMERS;
		timer_t own;

		it.it_value.tv_nsec = rand_r(&seed) % 3 * 20000;
		strange += timer_settime(shared[n], 0, &it, &old) != 0;
		strange += old.it_value.tv_nsec < 0 || old.it_value.tv_nsec > 50000 ||
			   old.it_value.tv_sec != 0;
		strange += timer_getoverrun(shared[n]) < 0;
		if (rand_r(&seed) % 8)
			continue;
		/* By id, which another thread may have had a moment ago. */
		strange += timer_create(CLOCK_MONOTONIC, &ev, &own) != 0;
		strange += timer_settime(own, 0, &it, NULL) != 0;
		strange += timer_gettime(own, &old) != 0;
		strange += timer_delete(own) != 0;
		/* If another thread has the number by now, it may not have set it yet. */
		strange += timer_gettime(own, &old) == 0 && old.it_interval.tv_nsec != 50000 &&
			   old.it_interval.tv_nsec != 0;
	}
	return NULL;
}

static void
ignore_it(int sig)
{
	(void)sig;
}

/* Timers are set, read, made and deleted by several threads while they go off. */
TEST(timers_of_threads)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec off = {}, left;
	pthread_t t[4];

	signal(SIGUSR1, ignore_it);
	for (int i = 0; i < SHARED_TIMERS; i++)
		works(timer_create(i % 2 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &ev, &shared[i]));
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, use_timers, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	is(strange, 0);
	for (int i = 0; i < SHARED_TIMERS; i++) {
		works(timer_settime(shared[i], 0, &off, NULL));
		works(timer_gettime(shared[i], &left));
		is(left.it_value.tv_nsec + left.it_value.tv_sec, 0);
		works(timer_delete(shared[i]));
		fails(timer_gettime(shared[i], &left), EINVAL);
	}
}
