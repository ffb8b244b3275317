/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals: handlers, masks, queues, siginfo, stops, waiting. */
#include "tests/abi/abi.h"

#include <pthread.h>
#include <sys/resource.h>

static volatile int hits[65];
static volatile int order[64];
static volatile int norder;
static siginfo_t last;
static volatile int inner_blocked;

static void
hit(int sig)
{
	hits[sig]++;
	if (norder < 64)
		order[norder++] = sig;
}

static void
info(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	last = *si;
	hit(sig);
}

static void
handle_info(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = info,
				.sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &sa, NULL);
}

static bool
pending(int sig)
{
	sigset_t s;

	sigpending(&s);
	return sigismember(&s, sig);
}

static bool
blocked(int sig)
{
	sigset_t s;

	sigprocmask(SIG_BLOCK, NULL, &s);
	return sigismember(&s, sig);
}

TEST(action_errors)
{
	struct sigaction sa = { .sa_handler = hit };

	fails(sigaction(SIGKILL, &sa, NULL), EINVAL);
	fails(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	is(sigaction(SIGKILL, NULL, &sa), 0);
	fails(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8L), EINVAL);
	fails(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8L), EINVAL);
	fails(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4L), EINVAL);
	fails(syscall(SYS_rt_sigaction, SIGUSR1, BAD, NULL, 8L), EFAULT);
	fails(syscall(SYS_rt_sigprocmask, 9, &sa, NULL, 8L), EINVAL);
	fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8L), EFAULT);
	fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &sa, NULL, 16L), EINVAL);
	fails(syscall(SYS_rt_sigpending, &sa, 9L), EINVAL);
	fails(syscall(SYS_rt_sigsuspend, &sa, 4L), EINVAL);
}

TEST(action_readback)
{
	struct sigaction sa, old;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = hit;
	sa.sa_flags = SA_RESTART | SA_NODEFER;
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaddset(&sa.sa_mask, SIGKILL);
	is(sigaction(SIGUSR1, &sa, NULL), 0);
	is(sigaction(SIGUSR1, NULL, &old), 0);
	check(old.sa_handler == hit);
	is(old.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO),
	   SA_RESTART | SA_NODEFER);
	is(sigismember(&old.sa_mask, SIGUSR2), 1);
	is(sigismember(&old.sa_mask, SIGKILL), 0);
}

TEST(masks)
{
	sigset_t s = sigs(SIGUSR1, SIGKILL);

	handle(SIGUSR1, hit, 0);
	is(sigprocmask(SIG_BLOCK, &s, NULL), 0);
	check(blocked(SIGUSR1) && !blocked(SIGKILL));
	raise(SIGUSR1);
	raise(SIGUSR1);
	is(hits[SIGUSR1], 0);
	check(pending(SIGUSR1));
	is(sigprocmask(SIG_UNBLOCK, &s, NULL), 0);
	is(hits[SIGUSR1], 1);
	check(!pending(SIGUSR1));
	/* Ignoring drops what is pending, but while blocked more may come. */
	sigprocmask(SIG_BLOCK, &s, NULL);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	check(!pending(SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &s, NULL);
	raise(SIGUSR1);
	check(!pending(SIGUSR1));
	sigprocmask(SIG_BLOCK, &s, NULL);
	raise(SIGUSR1);
	check(pending(SIGUSR1));
	handle(SIGUSR1, hit, 0);
	sigprocmask(SIG_UNBLOCK, &s, NULL);
	is(hits[SIGUSR1], 2);
}

TEST(default_actions)
{
	static const struct {
		int sig;
		int want;
	} rows[] = {
		{ SIGHUP, -SIGHUP }, { SIGINT, -SIGINT }, { SIGPIPE, -SIGPIPE },
		{ SIGALRM, -SIGALRM }, { SIGUSR1, -SIGUSR1 },
		{ SIGTERM, -SIGTERM }, { SIGIO, -SIGIO }, { SIGPWR, -SIGPWR },
		{ SIGVTALRM, -SIGVTALRM }, { SIGPROF, -SIGPROF },
		{ SIGSTKFLT, -SIGSTKFLT }, { 34, -34 },
		{ 64, -64 }, { SIGABRT, -SIGABRT },
		{ SIGXCPU, -SIGXCPU }, { SIGXFSZ, -SIGXFSZ },
		{ SIGSYS, -SIGSYS }, { SIGTRAP, -SIGTRAP },
		{ SIGCHLD, 7 }, { SIGURG, 7 }, { SIGWINCH, 7 }, { SIGCONT, 7 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t c = fork();

		if (!c) {
			raise(rows[i].sig);
			_exit(7);
		}
		ok(reap(c) == rows[i].want, "signal %d by default: %d",
		   rows[i].sig, rows[i].want);
	}
}

static void
note_mask(int sig)
{
	(void)sig;
	inner_blocked = blocked(SIGUSR1) | blocked(SIGUSR2) << 1 |
			blocked(SIGHUP) << 2;
}

TEST(mask_in_handler)
{
	struct sigaction sa = { .sa_handler = note_mask };

	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	is(inner_blocked, 3);
	check(!blocked(SIGUSR1) && !blocked(SIGUSR2));
	sa.sa_flags = SA_NODEFER;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	is(inner_blocked, 2);
}

static void
nests(int sig)
{
	if (++hits[sig] < 5)
		raise(sig);
	order[norder++] = hits[sig];
}

TEST(nodefer_and_resethand)
{
	struct sigaction sa;

	handle(SIGUSR1, nests, SA_NODEFER);
	raise(SIGUSR1);
	is(hits[SIGUSR1], 5);
	is(order[0], 5);
	handle(SIGUSR2, hit, SA_RESETHAND);
	raise(SIGUSR2);
	sigaction(SIGUSR2, NULL, &sa);
	check(sa.sa_handler == SIG_DFL);
	in_child {
		pid_t c = fork();

		if (!c)
			raise(SIGUSR2);
		is(reap(c), -SIGUSR2);
	}
}

/* Real-time signals queue in order with values; lower numbers first. */
TEST(queueing)
{
	sigset_t all, old;
	siginfo_t si;
	struct timespec ts = { 0, 0 };

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (int i = 0; i < 3; i++) {
		is(sigqueue(getpid(), SIGRTMIN + 1,
			    (union sigval){ .sival_int = i }), 0);
		is(sigqueue(getpid(), SIGRTMIN,
			    (union sigval){ .sival_int = 10 + i }), 0);
		is(sigqueue(getpid(), SIGUSR1,
			    (union sigval){ .sival_int = 20 + i }), 0);
	}
	is(sigtimedwait(&all, &si, &ts), SIGUSR1);
	is(si.si_value.sival_int, 20);
	is(si.si_code, SI_QUEUE);
	is(si.si_pid, getpid());
	for (int i = 0; i < 3; i++) {
		is(sigtimedwait(&all, &si, &ts), SIGRTMIN);
		is(si.si_value.sival_int, 10 + i);
	}
	for (int i = 0; i < 3; i++) {
		is(sigtimedwait(&all, &si, &ts), SIGRTMIN + 1);
		is(si.si_value.sival_int, i);
	}
	fails(sigtimedwait(&all, &si, &ts), EAGAIN);
}

/* Several at once: all handlers run, the lowest number's one last entered
 * first left: it is stacked on top. */
TEST(several_pending)
{
	sigset_t all, old;

	handle(SIGUSR1, hit, 0);
	handle(SIGUSR2, hit, 0);
	handle(SIGRTMIN + 2, hit, 0);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	raise(SIGRTMIN + 2);
	raise(SIGUSR2);
	raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, &old, NULL);
	is(norder, 3);
	is(order[0], SIGRTMIN + 2);
	is(order[1], SIGUSR2);
	is(order[2], SIGUSR1);
}

TEST(queue_limit)
{
	struct rlimit r = { 5, 5 };
	sigset_t s = sigs(SIGRTMIN, SIGUSR1);
	siginfo_t si;
	int n = 0;

	sigprocmask(SIG_BLOCK, &s, NULL);
	in_child {
		/* The count is of the user, so take one that has none. */
		drop(USER + 77);
		setrlimit(RLIMIT_SIGPENDING, &r);
		while (n < 100 && !sigqueue(getpid(), SIGRTMIN,
					    (union sigval){ .sival_int = n }))
			n++;
		check(errno == EAGAIN);
		is(n, 5);
		/* Ordinary signals always get through, without details. */
		is(kill(getpid(), SIGUSR1), 0);
		is(sigwaitinfo(&s, &si), SIGUSR1);
		is(sigwaitinfo(&s, &si), SIGRTMIN);
		is(sigqueue(getpid(), SIGRTMIN, (union sigval){ 0 }), 0);
	}
}

TEST(siginfo_of_senders)
{
	handle_info(SIGUSR1, 0);
	kill(getpid(), SIGUSR1);
	is(last.si_signo, SIGUSR1);
	is(last.si_code, SI_USER);
	is(last.si_pid, getpid());
	is(last.si_uid, 0);
	syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1);
	is(last.si_code, SI_TKILL);
	is(last.si_pid, getpid());
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_ptr = (void *)-7L });
	is(last.si_code, SI_QUEUE);
	is(last.si_value.sival_ptr, -7);
	in_child {
		setresuid(-1, USER, -1);
		setresuid(USER, -1, -1);
		fails(kill(getppid(), SIGUSR1), EPERM);
	}
	fails(sigqueue(4999999, SIGUSR1, (union sigval){ 0 }), ESRCH);
	fails(sigqueue(getpid(), 65, (union sigval){ 0 }), EINVAL);
	/* si_code of the kernel may be forged only for oneself. */
	{
		siginfo_t si = { .si_code = SI_USER };

		is(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &si), 0);
		in_child {
			fails(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1,
				      &si), EPERM);
		}
		is(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1,
			   &si), 0);
	}
}

TEST(thread_directed)
{
	fails(syscall(SYS_tgkill, getpid(), -1, SIGUSR1), EINVAL);
	fails(syscall(SYS_tgkill, -1, gettid(), SIGUSR1), EINVAL);
	fails(syscall(SYS_tgkill, getpid(), 4999999, SIGUSR1), ESRCH);
	fails(syscall(SYS_tgkill, getppid(), gettid(), SIGUSR1), ESRCH);
	fails(syscall(SYS_tgkill, getpid(), gettid(), 65), EINVAL);
	is(syscall(SYS_tgkill, getpid(), gettid(), 0), 0);
	fails(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
	handle(SIGUSR1, hit, 0);
	is(syscall(SYS_tkill, gettid(), SIGUSR1), 0);
	is(hits[SIGUSR1], 1);
}

TEST(child_info)
{
	sigset_t s = sigs(SIGCHLD, 0);
	siginfo_t si;
	pid_t c;

	sigprocmask(SIG_BLOCK, &s, NULL);
	c = fork();
	if (!c)
		_exit(5);
	is(sigwaitinfo(&s, &si), SIGCHLD);
	is(si.si_code, CLD_EXITED);
	is(si.si_status, 5);
	is(si.si_pid, c);
	reap(c);
	c = fork();
	if (!c)
		for (;;)
			pause();
	until_asleep(c);
	kill(c, SIGSTOP);
	is(sigwaitinfo(&s, &si), SIGCHLD);
	is(si.si_code, CLD_STOPPED);
	is(si.si_status, SIGSTOP);
	kill(c, SIGCONT);
	is(sigwaitinfo(&s, &si), SIGCHLD);
	is(si.si_code, CLD_CONTINUED);
	is(si.si_status, SIGCONT);
	kill(c, SIGKILL);
	is(sigwaitinfo(&s, &si), SIGCHLD);
	is(si.si_code, CLD_KILLED);
	is(si.si_status, SIGKILL);
	reap(c);
	/* SA_NOCLDSTOP: no signal for stops. */
	handle(SIGCHLD, hit, SA_NOCLDSTOP);
	c = fork();
	if (!c)
		for (;;)
			pause();
	kill(c, SIGSTOP);
	check(until_state(c, 'T'));
	check(!pending(SIGCHLD));
	kill(c, SIGKILL);
	is(sigwaitinfo(&s, &si), SIGCHLD);
	reap(c);
}

TEST(stop_and_continue)
{
	int st;
	pid_t c = fork();

	if (!c) {
		handle(SIGCONT, hit, 0);
		while (!hits[SIGCONT])
			pause();
		_exit(7);
	}
	until_asleep(c);
	kill(c, SIGSTOP);
	is(waitpid(c, &st, WUNTRACED), c);
	/* Stopped: other signals wait, except SIGKILL. */
	kill(c, SIGWINCH);
	is(task_state(c), 'T');
	kill(c, SIGCONT);
	is(reap(c), 7);
	c = fork();
	if (!c) {
		raise(SIGSTOP);
		_exit(1);
	}
	is(waitpid(c, &st, WUNTRACED), c);
	kill(c, SIGTERM);
	msleep(20);
	is(task_state(c), 'T');
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
	/* SIGCONT discards a pending stop, and the other way round. */
	{
		sigset_t s = sigs(SIGTSTP, SIGCONT);

		sigprocmask(SIG_BLOCK, &s, NULL);
		raise(SIGTSTP);
		check(pending(SIGTSTP));
		raise(SIGCONT);
		check(!pending(SIGTSTP) && pending(SIGCONT));
		handle(SIGCONT, hit, 0);
		raise(SIGCONT);
		check(pending(SIGCONT));
		raise(SIGTSTP);
		check(!pending(SIGCONT));
		signal(SIGTSTP, SIG_IGN);
	}
}

TEST(suspend)
{
	sigset_t usr = sigs(SIGUSR1, SIGUSR2);
	sigset_t only2 = sigs(SIGUSR2, 0);
	pid_t me = getpid();
	pid_t c;

	handle(SIGUSR1, hit, SA_RESTART);
	sigprocmask(SIG_BLOCK, &usr, NULL);
	raise(SIGUSR1);
	fails(sigsuspend(&only2), EINTR);
	is(hits[SIGUSR1], 1);
	check(blocked(SIGUSR1) && blocked(SIGUSR2));
	c = fork();
	if (!c) {
		until_asleep(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	fails(sigsuspend(&only2), EINTR);
	is(hits[SIGUSR1], 2);
	is(reap(c), 0);
}

TEST(wait_for_signal)
{
	struct timespec ts = { 0, 50000000 };
	sigset_t s = sigs(SIGUSR1, SIGUSR2);
	pid_t me = getpid();
	siginfo_t si;
	pid_t c;
	long t;
	int sig;

	sigprocmask(SIG_BLOCK, &s, NULL);
	t = now_ns();
	fails(sigtimedwait(&s, &si, &ts), EAGAIN);
	check(now_ns() - t >= 50000000);
	ts.tv_nsec = NSEC;
	fails(sigtimedwait(&s, &si, &ts), EINVAL);
	c = fork();
	if (!c) {
		until_asleep(me);
		kill(me, SIGUSR2);
		_exit(0);
	}
	is(sigwaitinfo(&s, &si), SIGUSR2);
	is(si.si_pid, c);
	is(reap(c), 0);
	raise(SIGUSR1);
	is(sigwait(&s, &sig), 0);
	is(sig, SIGUSR1);
	/* Another signal's handler interrupts the wait. */
	handle(SIGHUP, hit, SA_RESTART);
	c = fork();
	if (!c) {
		until_asleep(me);
		kill(me, SIGHUP);
		_exit(0);
	}
	fails(sigwaitinfo(&s, &si), EINTR);
	is(hits[SIGHUP], 1);
	is(reap(c), 0);
}

TEST(pause_call)
{
	pid_t me = getpid();
	pid_t c;

	handle(SIGUSR1, hit, SA_RESTART);
	c = fork();
	if (!c) {
		until_asleep(me);
		kill(me, SIGCHLD);
		msleep(20);
		kill(me, SIGUSR1);
		_exit(0);
	}
	fails(pause(), EINTR);
	is(hits[SIGUSR1], 1);
	reap(c);
}

static void *
thread_waits(void *arg)
{
	sigset_t none;

	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	*(pid_t *)arg = gettid();
	while (!hits[SIGUSR1])
		pause();
	return NULL;
}

/* A process signal goes to a thread that does not block it. */
TEST(delivery_to_any_thread)
{
	sigset_t s = sigs(SIGUSR1, 0);
	volatile pid_t tid = 0;
	pthread_t t;

	handle(SIGUSR1, hit, 0);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	pthread_create(&t, NULL, thread_waits, (void *)&tid);
	while (!tid)
		msleep(1);
	until_asleep(tid);
	kill(getpid(), SIGUSR1);
	is(pthread_join(t, NULL), 0);
	is(hits[SIGUSR1], 1);
}

/* --- threads that set and take signals at the same time --- */

static volatile int stop_now;
static volatile int torn;

static void
other(int sig)
{
	(void)sig;
}

/* Two actions that differ in everything. */
static void
make_action(struct sigaction *sa, bool second)
{
	memset(sa, 0, sizeof(*sa));
	sa->sa_handler = second ? other : hit;
	sa->sa_flags = second ? SA_RESTART | SA_ONSTACK : SA_NODEFER;
	sigemptyset(&sa->sa_mask);
	sigaddset(&sa->sa_mask, second ? SIGHUP : SIGUSR2);
}

static bool
is_action(const struct sigaction *sa)
{
	bool second = sa->sa_handler == other;

	return (second || sa->sa_handler == hit) &&
	       !!(sa->sa_flags & SA_RESTART) == second && !!(sa->sa_flags & SA_NODEFER) != second &&
	       sigismember(&sa->sa_mask, SIGHUP) == second &&
	       sigismember(&sa->sa_mask, SIGUSR2) != second;
}

static void *
set_actions(void *arg)
{
	struct sigaction sa, old;
	int sig = (long)arg;

	for (int i = 0; i < 20000; i++) {
		make_action(&sa, i & 1);
		sigaction(sig, &sa, &old);
		torn += !is_action(&old);
	}
	return NULL;
}

static void *
read_actions(void *arg)
{
	struct sigaction sa;
	int sig = (long)arg;

	while (!stop_now) {
		sigaction(sig, NULL, &sa);
		torn += !is_action(&sa);
	}
	return NULL;
}

TEST(action_is_set_whole)
{
	struct sigaction sa;
	pthread_t set[4], reader;

	make_action(&sa, false);
	for (int i = 0; i < 2; i++)
		sigaction(SIGUSR1 + i * 32, &sa, NULL);
	pthread_create(&reader, NULL, read_actions, (void *)(long)SIGUSR1);
	/* Two to a signal; the two signals may be neighbours in the kernel's table. */
	for (int i = 0; i < 4; i++)
		pthread_create(&set[i], NULL, set_actions, (void *)(long)(SIGUSR1 + i % 2 * 32));
	for (int i = 0; i < 4; i++)
		pthread_join(set[i], NULL);
	stop_now = true;
	pthread_join(reader, NULL);
	is(torn, 0);
}

/* A fork in the middle copies whole actions too. */
TEST(fork_copies_whole_actions)
{
	struct sigaction sa;
	pthread_t t;

	make_action(&sa, false);
	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&t, NULL, set_actions, (void *)(long)SIGUSR1);
	for (int i = 0; i < 100; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			sigaction(SIGUSR1, NULL, &sa);
			_exit(!is_action(&sa));
		}
		waitpid(pid, &status, 0);
		torn += status != 0;
	}
	pthread_join(t, NULL);
	is(torn, 0);
}

static _Atomic int taken;

static void
take(int sig)
{
	(void)sig;
	taken++;
}

static void *
raise_often(void *arg)
{
	int n = (long)arg;

	for (int i = 0; i < n; i++)
		raise(SIGUSR1);
	return NULL;
}

static void *
kill_often(void *arg)
{
	sigset_t set;

	/* For the others to take. */
	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	while (!stop_now) {
		kill(getpid(), SIGUSR2);
		sched_yield();
	}
	return NULL;
}

/* A signal that a thread sends to itself is taken before the call returns, whatever else comes. */
TEST(raise_in_threads)
{
	pthread_t t[3], killer;

	signal(SIGUSR1, take);
	signal(SIGUSR2, other);
	pthread_create(&killer, NULL, kill_often, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, raise_often, (void *)5000L);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	stop_now = true;
	pthread_join(killer, NULL);
	is(taken, 15000);
}

static void *
block_and_unblock(void *arg)
{
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	while (!stop_now) {
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
	return NULL;
}

/* Threads that block and unblock leave no signal of the process lying: somebody takes it. */
TEST(masks_lose_nothing)
{
	pthread_t t[3];
	sigset_t set;
	int lost = 0;

	signal(SIGUSR1, take);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, block_and_unblock, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3000 && !lost; i++) {
		int before = taken;
		long end = now_ns() + 5 * NSEC;

		kill(getpid(), SIGUSR1);
		while (taken == before && now_ns() < end)
			sched_yield();
		lost += taken == before;
	}
	is(lost, 0);
	stop_now = true;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}

static void *
raise_urgent(void *arg)
{
	raise(SIGURG);
	return arg;
}

/* Of threads that take a signal with SA_RESETHAND one runs the handler; the default is nothing. */
TEST(resethand_once)
{
	struct sigaction sa = { .sa_handler = take, .sa_flags = SA_RESETHAND };
	pthread_t t[3];
	int wrong = 0;

	for (int i = 0; i < 200; i++) {
		taken = 0;
		sigaction(SIGURG, &sa, NULL);
		for (int k = 0; k < 3; k++)
			pthread_create(&t[k], NULL, raise_urgent, NULL);
		for (int k = 0; k < 3; k++)
			pthread_join(t[k], NULL);
		wrong += taken != 1;
	}
	is(wrong, 0);
}
