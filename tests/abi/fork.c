/* SPDX-License-Identifier: BSD-2-Clause */
/* fork, vfork, clone and clone3: what is shared, what is copied, errors. */
#include "tests/abi/abi.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>

#define K4 4096

static char stack[1 << 16] __attribute__((aligned(16)));
static volatile int word;

#define TOP (stack + sizeof(stack))

TEST(ids)
{
	pid_t me = getpid();
	pid_t c;

	c = works(fork());
	if (!c) {
		bool good = getppid() == me && getpid() != me &&
			    gettid() == getpid() && getpgrp() == me &&
			    getsid(0) == me;

		_exit(good ? 7 : 1);
	}
	check(c > 0 && c != me);
	is(reap(c), 7);
	is(gettid(), me);
}

TEST(exit_codes)
{
	static const int codes[] = { 0, 1, 127, 128, 255, 256, -1, 0x12345 };
	pid_t c;

	for (int i = 0; i < 8; i++) {
		c = fork();
		if (!c)
			_exit(codes[i]);
		is(reap(c), codes[i] & 255);
	}
}

TEST(memory_is_copied)
{
	int *shared = mmap(NULL, K4, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int *private = mmap(NULL, K4, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*shared = *private = word = 1;
	in_child {
		is(*private, 1);
		*shared = *private = word = 2;
		is(*private, 2);
	}
	is(*shared, 2);
	is(*private, 1);
	is(word, 1);
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(what_is_inherited)
{
	struct itimerval it = { { 0, 0 }, { 100, 0 } };
	struct sigaction sa;
	struct rlimit r = { 100, 200 };
	sigset_t s = sigs(SIGUSR1, SIGUSR2);
	sigset_t now;
	char cwd[PATH_MAX], mine[PATH_MAX];

	handle(SIGHUP, nothing, SA_RESTART);
	signal(SIGINT, SIG_IGN);
	sigprocmask(SIG_BLOCK, &s, NULL);
	raise(SIGUSR1);
	setitimer(ITIMER_REAL, &it, NULL);
	umask(0123);
	setrlimit(RLIMIT_NOFILE, &r);
	setpriority(PRIO_PROCESS, 0, 5);
	getcwd(cwd, sizeof(cwd));
	in_child {
		sigaction(SIGHUP, NULL, &sa);
		check(sa.sa_handler == nothing && sa.sa_flags & SA_RESTART);
		sigaction(SIGINT, NULL, &sa);
		check(sa.sa_handler == SIG_IGN);
		sigprocmask(SIG_BLOCK, NULL, &now);
		check(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2));
		sigpending(&now);
		check(!sigismember(&now, SIGUSR1));
		getitimer(ITIMER_REAL, &it);
		check(it.it_value.tv_sec == 0 && it.it_value.tv_usec == 0);
		is(umask(0), 0123);
		getrlimit(RLIMIT_NOFILE, &r);
		check(r.rlim_cur == 100 && r.rlim_max == 200);
		is(getpriority(PRIO_PROCESS, 0), 5);
		getcwd(mine, sizeof(mine));
		same(mine, cwd);
	}
	is(umask(022), 0123);
}

TEST(chdir_is_private)
{
	char a[PATH_MAX], b[PATH_MAX];

	getcwd(a, sizeof(a));
	in_child {
		is(chdir("/"), 0);
		umask(0);
	}
	getcwd(b, sizeof(b));
	same(b, a);
	is(umask(022), 022);
}

TEST(vfork_order)
{
	pid_t c;

	word = 0;
	c = vfork();
	if (!c) {
		word = 5;
		msleep(50);
		word = 6;
		_exit(7);
	}
	is(word, 6);
	is(reap(c), 7);
	c = vfork();
	if (!c) {
		char *argv[] = { "x", "@after_exec", NULL };

		word = 8;
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	/* Exec has let us go before the program ended. */
	is(word, 8);
	is(waitpid(c, NULL, WNOHANG), 0);
	is(reap(c), 3);
}

HELPER(after_exec)
{
	msleep(200);
	return 3;
}

static int
child(void *arg)
{
	word = (int)(long)arg;
	return 9;
}

TEST(clone_vm)
{
	int st;
	pid_t c;

	word = 0;
	c = works(clone(child, TOP, CLONE_VM | CLONE_VFORK | SIGCHLD,
			(void *)41));
	is(word, 41);
	is(reap(c), 9);
	c = works(clone(child, TOP, SIGCHLD, (void *)42));
	is(reap(c), 9);
	is(word, 41);
	/* Another exit signal needs __WCLONE to be waited for. */
	handle(SIGUSR1, nothing, SA_RESTART);
	c = works(clone(child, TOP, SIGUSR1, NULL));
	fails(waitpid(c, &st, 0), ECHILD);
	is(waitpid(c, &st, __WCLONE), c);
	c = works(clone(child, TOP, 0, NULL));
	fails(waitpid(c, &st, 0), ECHILD);
	is(waitpid(c, &st, __WALL), c);
	is(WEXITSTATUS(st), 9);
}

TEST(clone_errors)
{
	fails(clone(child, TOP, CLONE_THREAD | SIGCHLD, NULL), EINVAL);
	fails(clone(child, TOP, CLONE_SIGHAND | SIGCHLD, NULL), EINVAL);
	fails(clone(child, TOP, CLONE_THREAD | CLONE_SIGHAND | SIGCHLD, NULL),
	      EINVAL);
	fails(clone(child, TOP, CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL),
	      EINVAL);
	in_child {
		drop(USER);
		fails(clone(child, TOP, CLONE_NEWUTS | SIGCHLD, NULL), EPERM);
	}
}

static int
change_dir(void *arg)
{
	(void)arg;
	umask(011);
	return chdir("/") ? 1 : 0;
}

TEST(clone_fs)
{
	char buf[PATH_MAX];

	is(reap(clone(change_dir, TOP, CLONE_VM | SIGCHLD, NULL)), 0);
	is(umask(022), 022);
	is(reap(clone(change_dir, TOP, CLONE_VM | CLONE_FS | SIGCHLD, NULL)), 0);
	is(umask(022), 011);
	getcwd(buf, sizeof(buf));
	same(buf, "/");
}

static int
change_handler(void *arg)
{
	(void)arg;
	signal(SIGHUP, SIG_IGN);
	return 0;
}

TEST(clone_sighand)
{
	struct sigaction sa;

	is(reap(clone(change_handler, TOP, CLONE_VM | SIGCHLD, NULL)), 0);
	sigaction(SIGHUP, NULL, &sa);
	check(sa.sa_handler == SIG_DFL);
	is(reap(clone(change_handler, TOP, CLONE_VM | CLONE_SIGHAND | SIGCHLD,
		      NULL)), 0);
	sigaction(SIGHUP, NULL, &sa);
	check(sa.sa_handler == SIG_IGN);
}

TEST(clone_parent)
{
	pid_t me = getpid();

	in_child {
		pid_t c = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL,
				  NULL, 0L);

		if (!c)
			_exit(getppid() == me ? 7 : 1);
		fails(waitpid(c, NULL, 0), ECHILD);
	}
	is(reap(-1), 7);
}

TEST(clone_tids)
{
	static pid_t ptid, ctid;
	pid_t c;

	ptid = ctid = 0;
	c = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
		    SIGCHLD, NULL, &ptid, &ctid, 0L);
	if (!c)
		_exit(ctid == getpid() ? 7 : 1);
	is(ptid, c);
	is(ctid, 0);
	is(reap(c), 7);
}

static long
clone3_(struct clone_args *a, size_t size)
{
	return syscall(SYS_clone3, a, size);
}

TEST(clone3_call)
{
	struct { struct clone_args a; uint64_t more; } big;
	struct clone_args a = { .exit_signal = SIGCHLD };
	pid_t c;

	c = works(clone3_(&a, sizeof(a)));
	if (!c)
		_exit(7);
	is(reap(c), 7);
	c = works(clone3_(&a, 64));
	if (!c)
		_exit(8);
	is(reap(c), 8);
	fails(clone3_(&a, 63), EINVAL);
	fails(clone3_(&a, 0), EINVAL);
	fails(clone3_(&a, 4097), E2BIG);
	memset(&big, 0, sizeof(big));
	big.a = a;
	big.more = 1;
	fails(clone3_(&big.a, sizeof(big)), E2BIG);
	fails(clone3_(BAD, sizeof(a)), EFAULT);
	a.exit_signal = 100;
	fails(clone3_(&a, sizeof(a)), EINVAL);
	a = (struct clone_args){ .flags = 1UL << 40 };
	fails(clone3_(&a, sizeof(a)), EINVAL);
	a = (struct clone_args){ .flags = CLONE_DETACHED };
	fails(clone3_(&a, sizeof(a)), EINVAL);
	a = (struct clone_args){ .flags = SIGCHLD };
	fails(clone3_(&a, sizeof(a)), EINVAL);
	a = (struct clone_args){ .stack = (uint64_t)stack };
	fails(clone3_(&a, sizeof(a)), EINVAL);
	a = (struct clone_args){ .stack_size = 4096 };
	fails(clone3_(&a, sizeof(a)), EINVAL);
	a = (struct clone_args){ .flags = CLONE_THREAD,
				 .exit_signal = SIGCHLD };
	fails(clone3_(&a, sizeof(a)), EINVAL);
}

TEST(clone3_clear_sighand)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND,
				.exit_signal = SIGCHLD };
	struct sigaction one, two;
	pid_t c;

	handle(SIGUSR1, nothing, 0);
	signal(SIGUSR2, SIG_IGN);
	c = works(clone3_(&a, sizeof(a)));
	if (!c) {
		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		_exit(one.sa_handler == SIG_DFL &&
		      two.sa_handler == SIG_IGN ? 7 : 1);
	}
	is(reap(c), 7);
	a.flags |= CLONE_SIGHAND | CLONE_VM;
	fails(clone3_(&a, sizeof(a)), EINVAL);
}

TEST(clone3_set_tid)
{
	pid_t want = 31999;
	struct clone_args a = { .exit_signal = SIGCHLD,
				.set_tid = (uint64_t)&want,
				.set_tid_size = 1 };
	pid_t c;

	c = works(clone3_(&a, sizeof(a)));
	if (!c)
		_exit(getpid() == 31999 ? 7 : 1);
	is(c, 31999);
	is(reap(c), 7);
	want = getpid();
	fails(clone3_(&a, sizeof(a)), EEXIST);
	want = 0;
	fails(clone3_(&a, sizeof(a)), EINVAL);
	want = 31999;
	a.set_tid_size = 40;
	fails(clone3_(&a, sizeof(a)), EINVAL);
	a.set_tid_size = 1;
	in_child {
		drop(USER);
		fails(clone3_(&a, sizeof(a)), EPERM);
	}
}

TEST(many_in_a_row)
{
	bool good = true;

	for (int i = 0; i < 300; i++) {
		pid_t c = fork();

		if (!c)
			_exit(i & 127);
		good &= reap(c) == (i & 127);
	}
	check(good);
}

/* Forks within forks; every level passes its count up. */
TEST(deep)
{
	int depth = 0;
	pid_t c;

	while (depth < 40 && !(c = fork()))
		depth++;
	if (depth == 40)
		_exit(1);
	if (depth > 0)
		_exit(reap(c) + 1);
	is(reap(c), 40);
}

/* --- fork beside threads that write --- */

#define SNAPSHOT (32L << 20)
#define MAPS 512

static struct snapshot {
	/* first and last page of what is copied */
	volatile unsigned long *first, *last;
	/* a word on a page behind: what was mapped last */
	char *volatile *newest;
	volatile bool over;
} snapshot;

static void
snapshot_make(void)
{
	char *p = mmap(NULL, SNAPSHOT + K4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 0, SNAPSHOT + K4);
	snapshot.first = (void *)p;
	snapshot.last = (void *)(p + SNAPSHOT - K4);
	snapshot.newest = (void *)(p + SNAPSHOT);
	snapshot.over = false;
}

static void *
writes_in_order(void *arg)
{
	for (unsigned long n = 1; !snapshot.over; n++) {
		*snapshot.first = n;
		*snapshot.last = n;
	}
	return NULL;
}

/* A child has all that a thread wrote up to some moment, and nothing of later. */
TEST(snapshot_of_a_writer)
{
	int wrong = 0;
	pthread_t t;

	snapshot_make();
	pthread_create(&t, NULL, writes_in_order, NULL);
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (!pid) {
			unsigned long a = *snapshot.first, b = *snapshot.last;

			_exit(a != b && a != b + 1);
		}
		wrong += reap(pid) != 0;
	}
	snapshot.over = true;
	pthread_join(t, NULL);
	is(wrong, 0);
	munmap((void *)snapshot.first, SNAPSHOT + K4);
}

static void *
maps_and_tells(void *arg)
{
	char **old = arg;

	for (int i = 0; !snapshot.over; i++) {
		char *p = mmap(NULL, K4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*p = 1;
		*snapshot.newest = p;
		/* What goes was told of long ago. */
		if (old[i % MAPS])
			munmap(old[i % MAPS], K4);
		old[i % MAPS] = p;
	}
	return NULL;
}

/* So it is with mappings: what a thread told of after it had mapped it is there. */
TEST(snapshot_of_mappings)
{
	static char *old[MAPS];
	int wrong = 0;
	pthread_t t;

	snapshot_make();
	pthread_create(&t, NULL, maps_and_tells, old);
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (!pid) {
			char *p = *snapshot.newest;

			signal(SIGSEGV, SIG_DFL);
			_exit(p && *p != 1);
		}
		wrong += reap(pid) != 0;
	}
	snapshot.over = true;
	pthread_join(t, NULL);
	is(wrong, 0);
	for (int i = 0; i < MAPS; i++)
		munmap(old[i], K4);
	munmap((void *)snapshot.first, SNAPSHOT + K4);
}
