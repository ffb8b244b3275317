/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads: pthreads, raw clone, TLS, exit and exec. */
#include "tests/abi/abi.h"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/prctl.h>

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
		      CLONE_THREAD | CLONE_SYSVSEM)

static __thread int tls = 5;
static __thread char tls_zero[100];
static int counter;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static long
futex(void *word, int op, int val, struct timespec *ts)
{
	return syscall(SYS_futex, word, op, val, ts, NULL, 0);
}

static void *
adds(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

TEST(mutex_and_join)
{
	pthread_t t[8];
	void *r;
	bool good = true;

	for (long i = 0; i < 8; i++)
		is(pthread_create(&t[i], NULL, adds, (void *)i), 0);
	for (long i = 0; i < 8; i++) {
		pthread_join(t[i], &r);
		good &= r == (void *)i;
	}
	check(good);
	is(counter, 16000);
}

static void *
uses_tls(void *arg)
{
	bool fresh = tls == 5 && tls_zero[50] == 0;

	tls = (int)(long)arg;
	tls_zero[50] = 1;
	sched_yield();
	return (void *)(long)(fresh && tls == (int)(long)arg);
}

TEST(thread_local)
{
	pthread_t t[4];
	void *r;

	tls = 77;
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, uses_tls, (void *)(i + 100));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &r);
		is(r, 1);
	}
	is(tls, 77);
}

static pid_t tids[2];

static void *
notes_ids(void *arg)
{
	(void)arg;
	tids[0] = gettid();
	tids[1] = getpid();
	return NULL;
}

TEST(identity)
{
	pthread_t t;

	pthread_create(&t, NULL, notes_ids, NULL);
	pthread_join(t, NULL);
	is(tids[1], getpid());
	check(tids[0] != getpid() && tids[0] > 0);
	fails(waitpid(tids[0], NULL, __WALL), ECHILD);
}

TEST(arch_prctl)
{
	unsigned long fs = 0, gs = 1;

	is(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs), 0);
	is(*(unsigned long *)fs, fs);
	is(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs), 0);
	is(gs, 0);
	is(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x123456789000), 0);
	is(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs), 0);
	is(gs, 0x123456789000);
	sched_yield();
	is(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs), 0);
	is(gs, 0x123456789000);
	/* ARCH_GET_XCOMP_SUPP, _PERM, _GUEST_PERM; x87, SSE and AVX are there in any case. */
	for (int op = 0x1021; op <= 0x1024; op++) {
		uint64_t x = 0;

		if (op == 0x1023)
			continue;
		is(syscall(SYS_arch_prctl, op, &x), 0);
		is(x & 7, 7);
		fails(syscall(SYS_arch_prctl, op, 8), EFAULT);
	}
	/* ARCH_REQ_XCOMP_PERM, ARCH_REQ_XCOMP_GUEST_PERM */
	for (int op = 0x1023; op <= 0x1025; op += 2) {
		fails(syscall(SYS_arch_prctl, op, 2), EOPNOTSUPP);
		fails(syscall(SYS_arch_prctl, op, 17), EOPNOTSUPP);
		fails(syscall(SYS_arch_prctl, op, 19), EINVAL);
		fails(syscall(SYS_arch_prctl, op, -1), EINVAL);
	}
	fails(syscall(SYS_arch_prctl, 0x1026, 0), EINVAL);
	fails(syscall(SYS_arch_prctl, ARCH_SET_FS, 1UL << 63), EPERM);
	fails(syscall(SYS_arch_prctl, ARCH_SET_GS, 1UL << 56), EPERM);
	fails(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
	fails(syscall(SYS_arch_prctl, ARCH_GET_FS, BAD), EFAULT);
}

/* A thread by the bare system call: runs on its own stack, exits, and the
 * word at its tid address is cleared and woken. */
static char raw_stack[65536] __attribute__((aligned(16)));
static volatile int raw_word, raw_ran;

static int
raw_thread(void *arg)
{
	raw_ran = (int)(long)arg;
	syscall(SYS_exit, 0);
	return 0;
}

TEST(raw_clone)
{
	int ptid = 0;
	long tid;

	raw_word = -1;
	tid = works(clone(raw_thread, raw_stack + sizeof(raw_stack),
			  THREAD_FLAGS | CLONE_CHILD_CLEARTID |
			  CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
			  (void *)9, &ptid, NULL, &raw_word));
	is(ptid, tid);
	for (int i = 0; i < 1000 && raw_word; i++) {
		struct timespec ts = { 0, 10000000 };

		futex((void *)&raw_word, FUTEX_WAIT, raw_word, &ts);
	}
	is(raw_word, 0);
	is(raw_ran, 9);
	for (int i = 0; i < 1000 &&
	     !syscall(SYS_tgkill, getpid(), (int)tid, 0); i++)
		msleep(1);
	fails(syscall(SYS_tgkill, getpid(), (int)tid, 0), ESRCH);
}

static void *
sets_tid_address(void *arg)
{
	static int word = 1;

	*(int **)arg = &word;
	is(syscall(SYS_set_tid_address, &word), gettid());
	syscall(SYS_exit, 0);
	return NULL;
}

TEST(set_tid_address_call)
{
	int *volatile word = NULL;
	pthread_t t;

	pthread_create(&t, NULL, sets_tid_address, (void *)&word);
	for (int i = 0; i < 2000 && (!word || *(volatile int *)word); i++)
		msleep(1);
	is(*(volatile int *)word, 0);
}

static void *
sleeps_forever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *
exits_later(void *arg)
{
	msleep(50);
	_exit((int)(long)arg);
}

static void *
naps(void *arg)
{
	msleep(50);
	return arg;
}

TEST(exit_group_from_thread)
{
	pid_t c = fork();

	if (!c) {
		pthread_t t[3];

		for (int i = 0; i < 3; i++)
			pthread_create(&t[i], NULL, sleeps_forever, NULL);
		pthread_create(&t[0], NULL, exits_later, (void *)42);
		sleeps_forever(NULL);
	}
	is(reap(c), 42);
}

/* The leader's own exit leaves a zombie until the last thread has gone. */
TEST(leader_exits_first)
{
	pid_t c = fork();

	if (!c) {
		pthread_t t;

		pthread_create(&t, NULL, exits_later, (void *)6);
		syscall(SYS_exit, 3);
	}
	check(until_state(c, 'Z'));
	is(waitpid(c, NULL, WNOHANG), 0);
	is(reap(c), 6);
	c = fork();
	if (!c) {
		pthread_t t;

		pthread_create(&t, NULL, naps, NULL);
		syscall(SYS_exit, 3);
	}
	/* The last thread to go gives the status. */
	is(reap(c), 0);
}

static void *
execs(void *arg)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	execv("/proc/self/exe", (char *[]){ "x", "@after", pid, NULL });
	return arg;
}

HELPER(after)
{
	char text[16];

	/* One thread is left, and it has the leader's id. */
	if (atoi(argv[2]) != getpid() || gettid() != getpid())
		return 1;
	snprintf(text, sizeof(text), "%ld", field("/proc/self/status",
						  "Threads"));
	return strcmp(text, "1") ? 2 : 7;
}

TEST(exec_from_thread)
{
	pid_t c = fork();

	if (!c) {
		pthread_t t;

		for (int i = 0; i < 3; i++)
			pthread_create(&t, NULL, sleeps_forever, NULL);
		pthread_create(&t, NULL, execs, NULL);
		sleeps_forever(NULL);
	}
	is(reap(c), 7);
}

TEST(fork_from_thread_program)
{
	pthread_t t;
	pid_t c;

	pthread_create(&t, NULL, sleeps_forever, NULL);
	is(field("/proc/self/status", "Threads"), 2);
	c = fork();
	if (!c)
		_exit(field("/proc/self/status", "Threads") == 1 ? 7 : 1);
	is(reap(c), 7);
}

static void *
faults(void *arg)
{
	*(volatile int *)BAD = 1;
	return arg;
}

TEST(fault_kills_all)
{
	pid_t c = fork();

	if (!c) {
		pthread_t t;

		pthread_create(&t, NULL, faults, NULL);
		sleeps_forever(NULL);
	}
	is(reap(c), -SIGSEGV);
}

static sem_t sem_a, sem_b;

static void *
ponger(void *arg)
{
	for (int i = 0; i < 500; i++) {
		sem_wait(&sem_a);
		sem_post(&sem_b);
	}
	return arg;
}

TEST(semaphores)
{
	struct timespec ts;
	pthread_t t;

	sem_init(&sem_a, 0, 0);
	sem_init(&sem_b, 0, 0);
	pthread_create(&t, NULL, ponger, NULL);
	for (int i = 0; i < 500; i++) {
		sem_post(&sem_a);
		sem_wait(&sem_b);
	}
	pthread_join(t, NULL);
	clock_gettime(CLOCK_REALTIME, &ts);
	fails(sem_timedwait(&sem_b, &ts), ETIMEDOUT);
}

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int woken;

static void *
cond_waiter(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&cond, &mutex);
	woken++;
	pthread_mutex_unlock(&mutex);
	return arg;
}

TEST(conditions)
{
	struct timespec ts;
	pthread_t t[6];

	for (int i = 0; i < 6; i++)
		pthread_create(&t[i], NULL, cond_waiter, NULL);
	for (int n = 0; woken < 6 && n < 2000; n++) {
		pthread_mutex_lock(&mutex);
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
		msleep(1);
	}
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	is(woken, 6);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 10000000;
	ts.tv_sec += ts.tv_nsec / NSEC;
	ts.tv_nsec %= NSEC;
	pthread_mutex_lock(&mutex);
	is(pthread_cond_timedwait(&cond, &mutex, &ts), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

static int cleaned;

static void
cleanup(void *arg)
{
	cleaned += (int)(long)arg;
}

static void *
cancelled(void *arg)
{
	pthread_cleanup_push(cleanup, (void *)3);
	for (;;)
		msleep(1000);
	pthread_cleanup_pop(0);
	return arg;
}

TEST(cancellation)
{
	pthread_t t;
	void *r;

	pthread_create(&t, NULL, cancelled, NULL);
	msleep(20);
	is(pthread_cancel(t), 0);
	is(pthread_join(t, &r), 0);
	check(r == PTHREAD_CANCELED);
	is(cleaned, 3);
}

TEST(many)
{
	pthread_t t[100];
	pthread_attr_t a;
	int made = 0;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	for (int i = 0; i < 100; i++)
		made += !pthread_create(&t[i], &a, sleeps_forever, NULL);
	is(made, 100);
	is(field("/proc/self/status", "Threads"), 101);
	for (int i = 0; i < 100; i++)
		pthread_cancel(t[i]);
	for (int i = 0; i < 100; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 500; i++) {
		if (field("/proc/self/status", "Threads") == 1)
			break;
		msleep(2);
	}
	is(field("/proc/self/status", "Threads"), 1);
	for (int i = 0; i < 200; i++) {
		pthread_create(&t[0], &a, notes_ids, NULL);
		pthread_join(t[0], NULL);
	}
	is(tids[1], getpid());
}

static void *
names_itself(void *arg)
{
	char name[17] = "";

	prctl(PR_SET_NAME, "worker-thread");
	prctl(PR_GET_NAME, name);
	return (void *)(long)(strcmp(name, "worker-thread") == 0 && !arg);
}

TEST(names)
{
	char mine[17] = "", buf[64];
	pthread_t t;
	void *r;

	prctl(PR_SET_NAME, "main-name");
	pthread_create(&t, NULL, names_itself, NULL);
	pthread_join(t, &r);
	is(r, 1);
	prctl(PR_GET_NAME, mine);
	same(mine, "main-name");
	get("/proc/self/comm", buf, sizeof(buf));
	same(buf, "main-name\n");
}
