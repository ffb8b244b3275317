/* SPDX-License-Identifier: BSD-2-Clause */
/* futex: waiting, waking, bit sets, requeueing, WAKE_OP, time limits. */
#include "tests/abi/abi.h"

#include <linux/futex.h>
#include <pthread.h>

#define PRIV FUTEX_PRIVATE_FLAG

static uint32_t words[4];
static int results[16];
static volatile pid_t tids[16];

static long
futex(uint32_t *w, int op, uint32_t val, void *ts, uint32_t *w2, uint32_t v3)
{
	return syscall(SYS_futex, w, op, val, ts, w2, v3);
}

struct wait_args {
	int slot;
	uint32_t *word;
	int op;
	uint32_t bits;
};

static void *
waiter(void *arg)
{
	struct wait_args *a = arg;
	long r;

	tids[a->slot] = gettid();
	r = futex(a->word, a->op, *(volatile uint32_t *)a->word, NULL, NULL,
		  a->bits);
	results[a->slot] = r < 0 ? -errno : (int)r + 1000;
	return NULL;
}

/* Starts a waiter and returns when it sleeps. */
static pthread_t
start(int slot, uint32_t *word, int op, uint32_t bits)
{
	static struct wait_args args[16];
	pthread_t t;

	args[slot] = (struct wait_args){ slot, word, op, bits };
	results[slot] = 0;
	tids[slot] = 0;
	pthread_create(&t, NULL, waiter, &args[slot]);
	while (!tids[slot])
		sched_yield();
	until_asleep(tids[slot]);
	return t;
}

static int
awake(int n)
{
	int up = 0;

	msleep(20);
	for (int i = 0; i < n; i++)
		up += results[i] == 1000;
	return up;
}

TEST(errors)
{
	struct timespec bad = { 0, NSEC };
	struct timespec neg = { -1, 0 };

	fails(futex(words, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	fails(futex((void *)words + 1, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	fails(futex((void *)words + 2, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	fails(futex(BAD, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	fails(futex(BAD, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
	is(futex(BAD, FUTEX_WAKE | PRIV, 1, NULL, NULL, 0), 0);
	fails(futex(words, 99, 0, NULL, NULL, 0), ENOSYS);
	fails(futex(words, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
	fails(futex(words, FUTEX_WAIT, 0, &neg, NULL, 0), EINVAL);
	fails(futex(words, FUTEX_WAIT, 0, BAD, NULL, 0), EFAULT);
	fails(futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	fails(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
	fails(futex(words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0),
	      ENOSYS);
	is(futex(words, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	is(futex(words, FUTEX_WAKE | PRIV, INT_MAX, NULL, NULL, 0), 0);
	fails(futex(words, FUTEX_CMP_REQUEUE, 0, (void *)1, words + 1, 5),
	      EAGAIN);
	fails(futex(words, FUTEX_REQUEUE, 1, (void *)1, BAD, 0), EFAULT);
}

TEST(read_only_word)
{
	uint32_t *r = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	struct timespec ts = { 0, 1000000 };

	fails(futex(r, FUTEX_WAIT | PRIV, 0, &ts, NULL, 0), ETIMEDOUT);
	fails(futex(r, FUTEX_WAIT | PRIV, 1, &ts, NULL, 0), EAGAIN);
	is(futex(r, FUTEX_WAKE | PRIV, 1, NULL, NULL, 0), 0);
	mprotect(r, 4096, PROT_NONE);
	fails(futex(r, FUTEX_WAIT | PRIV, 0, &ts, NULL, 0), EFAULT);
}

TEST(wake_counts)
{
	pthread_t t[5];

	for (int i = 0; i < 5; i++)
		t[i] = start(i, words, FUTEX_WAIT | PRIV, 0);
	is(futex(words + 1, FUTEX_WAKE | PRIV, 5, NULL, NULL, 0), 0);
	is(futex(words, FUTEX_WAKE, 0, NULL, NULL, 0), 0);
	is(futex(words, FUTEX_WAKE | PRIV, 1, NULL, NULL, 0), 1);
	is(awake(5), 1);
	is(futex(words, FUTEX_WAKE | PRIV, 2, NULL, NULL, 0), 2);
	is(awake(5), 3);
	is(futex(words, FUTEX_WAKE | PRIV, INT_MAX, NULL, NULL, 0), 2);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	is(awake(5), 5);
}

/* First come, first woken. */
TEST(wake_order)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = start(i, words, FUTEX_WAIT | PRIV, 0);
	for (int i = 0; i < 4; i++) {
		is(futex(words, FUTEX_WAKE | PRIV, 1, NULL, NULL, 0), 1);
		pthread_join(t[i], NULL);
		is(results[i], 1000);
	}
}

TEST(bit_sets)
{
	pthread_t a = start(0, words, FUTEX_WAIT_BITSET | PRIV, 1);
	pthread_t b = start(1, words, FUTEX_WAIT_BITSET | PRIV, 6);

	is(futex(words, FUTEX_WAKE_BITSET | PRIV, 9, NULL, NULL, 8), 0);
	is(futex(words, FUTEX_WAKE_BITSET | PRIV, 9, NULL, NULL, 4), 1);
	pthread_join(b, NULL);
	is(results[1], 1000);
	is(results[0], 0);
	is(futex(words, FUTEX_WAKE | PRIV, 9, NULL, NULL, 0), 1);
	pthread_join(a, NULL);
}

TEST(time_limits)
{
	struct timespec ts = { 0, 20000000 };
	struct timespec abs;
	long t = now_ns();

	fails(futex(words, FUTEX_WAIT | PRIV, 0, &ts, NULL, 0), ETIMEDOUT);
	check(now_ns() - t >= 20000000);
	t = now_ns();
	abs = (struct timespec){ (t + 20000000) / NSEC, (t + 20000000) % NSEC };
	fails(futex(words, FUTEX_WAIT_BITSET | PRIV, 0, &abs, NULL, ~0U),
	      ETIMEDOUT);
	check(now_ns() - t >= 20000000);
	fails(futex(words, FUTEX_WAIT_BITSET | PRIV, 0, &abs, NULL, ~0U),
	      ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &abs);
	abs.tv_nsec += 20000000;
	abs.tv_sec += abs.tv_nsec / NSEC;
	abs.tv_nsec %= NSEC;
	t = now_ns();
	fails(futex(words, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME | PRIV, 0,
		    &abs, NULL, ~0U), ETIMEDOUT);
	check(now_ns() - t >= 15000000);
	ts = (struct timespec){ 0, 0 };
	fails(futex(words, FUTEX_WAIT, 0, &ts, NULL, 0), ETIMEDOUT);
}

TEST(requeue)
{
	pthread_t t[5];

	for (int i = 0; i < 5; i++)
		t[i] = start(i, words, FUTEX_WAIT | PRIV, 0);
	/* Wake one, move two: the result counts both here... */
	is(futex(words, FUTEX_CMP_REQUEUE | PRIV, 1, (void *)2, words + 1, 0),
	   3);
	is(awake(5), 1);
	is(futex(words, FUTEX_WAKE | PRIV, 9, NULL, NULL, 0), 2);
	is(futex(words + 1, FUTEX_WAKE | PRIV, 9, NULL, NULL, 0), 2);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 2; i++)
		t[i] = start(i, words, FUTEX_WAIT | PRIV, 0);
	/* ... and only the woken ones there. */
	is(futex(words, FUTEX_REQUEUE | PRIV, 0, (void *)9, words + 1, 0), 2);
	is(futex(words, FUTEX_WAKE | PRIV, 9, NULL, NULL, 0), 0);
	is(futex(words + 1, FUTEX_WAKE | PRIV, 9, NULL, NULL, 0), 2);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

TEST(wake_op)
{
	pthread_t a = start(0, words, FUTEX_WAIT | PRIV, 0);
	pthread_t b;

	words[1] = 5;
	b = start(1, words + 1, FUTEX_WAIT | PRIV, 0);
	/* word1 += 3, old value compared with 5: both are woken. */
	is(futex(words, FUTEX_WAKE_OP | PRIV, 1, (void *)1, words + 1,
		 FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5)), 2);
	is(words[1], 8);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	is(futex(words, FUTEX_WAKE_OP | PRIV, 1, (void *)1, words + 1,
		 FUTEX_OP(FUTEX_OP_SET, 100, FUTEX_OP_CMP_LT, 3)), 0);
	is(words[1], 100);
	futex(words, FUTEX_WAKE_OP | PRIV, 1, (void *)1, words + 1,
	      FUTEX_OP(FUTEX_OP_OR, 3, FUTEX_OP_CMP_NE, 0));
	is(words[1], 103);
	futex(words, FUTEX_WAKE_OP | PRIV, 1, (void *)1, words + 1,
	      FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_GT, 0));
	is(words[1], 102);
	futex(words, FUTEX_WAKE_OP | PRIV, 1, (void *)1, words + 1,
	      FUTEX_OP(FUTEX_OP_XOR, 0xf, FUTEX_OP_CMP_GE, 0));
	is(words[1], 102 ^ 15);
	futex(words, FUTEX_WAKE_OP | PRIV, 1, (void *)1, words + 1,
	      FUTEX_OP((FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT), 4,
		       FUTEX_OP_CMP_LE, 0));
	is(words[1], 16);
	fails(futex(words, FUTEX_WAKE_OP | PRIV, 1, (void *)1, words + 1,
		    FUTEX_OP(7, 1, 0, 0)), ENOSYS);
	fails(futex(words, FUTEX_WAKE_OP | PRIV, 1, (void *)1, BAD, 0), EFAULT);
}

TEST(shared_between_processes)
{
	uint32_t *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t c = fork();

	if (!c)
		_exit(futex(w, FUTEX_WAIT, 0, NULL, NULL, 0) ? 1 : 7);
	check(until_asleep(c));
	/* A private wake looks only into this address space. */
	is(futex(w, FUTEX_WAKE | PRIV, 1, NULL, NULL, 0), 0);
	is(futex(w, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	is(reap(c), 7);
}

/* Two mappings of one file at different addresses are one futex. */
TEST(shared_by_file)
{
	uint32_t *a, *b;
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	pthread_t t;

	ftruncate(fd, 8192);
	a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	t = start(0, a + 1024 + 5, FUTEX_WAIT, 0);
	is(futex(b + 4, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	is(futex(b + 5, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	pthread_join(t, NULL);
	is(results[0], 1000);
}

/* Anonymous private memory: a shared operation in one process works too. */
TEST(shared_op_on_private_memory)
{
	pthread_t t = start(0, words, FUTEX_WAIT, 0);

	is(futex(words, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	pthread_join(t, NULL);
	is(results[0], 1000);
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(signals)
{
	pid_t c;

	handle(SIGUSR1, nothing, 0);
	c = fork();
	if (!c) {
		if (futex(words, FUTEX_WAIT, 0, NULL, NULL, 0) != -1)
			_exit(1);
		_exit(errno == EINTR ? 7 : 2);
	}
	check(until_asleep(c));
	kill(c, SIGUSR1);
	is(reap(c), 7);
	/* SA_RESTART takes the wait up again, also a timed one. */
	handle(SIGUSR1, nothing, SA_RESTART);
	for (int timed = 0; timed < 2; timed++) {
		c = fork();
		if (!c) {
			struct timespec ts = { 0, 300000000 };
			long t = now_ns();
			long r = futex(words, FUTEX_WAIT, 0,
				       timed ? &ts : NULL, NULL, 0);

			if (r != -1)
				_exit(1);
			if (!timed)
				_exit(3);
			_exit((errno == ETIMEDOUT &&
			       now_ns() - t >= 300000000) ||
			      errno == EINTR ? 7 : 2);
		}
		check(until_asleep(c));
		kill(c, SIGUSR1);
		msleep(20);
		if (!timed) {
			check(until_asleep(c));
			kill(c, SIGKILL);
		}
		is(reap(c), timed ? 7 : -SIGKILL);
	}
}

static void *
storm(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		while (__atomic_exchange_n(&words[2], 1, __ATOMIC_ACQUIRE))
			futex(words + 2, FUTEX_WAIT | PRIV, 1, NULL, NULL, 0);
		results[0]++;
		__atomic_store_n(&words[2], 0, __ATOMIC_RELEASE);
		futex(words + 2, FUTEX_WAKE | PRIV, 1, NULL, NULL, 0);
	}
	return arg;
}

TEST(no_lost_wakeup)
{
	pthread_t t[6];

	results[0] = 0;
	for (int i = 0; i < 6; i++)
		pthread_create(&t[i], NULL, storm, NULL);
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	is(results[0], 12000);
}

TEST(waitv)
{
	struct futex_waitv v[2] = {
		{ .val = 0, .uaddr = (uint64_t)words, .flags = FUTEX_32 | PRIV },
		{ .val = 1, .uaddr = (uint64_t)(words + 1),
		  .flags = FUTEX_32 | PRIV },
	};
	struct timespec ts = { 0, 0 };

	if (syscall(SYS_futex_waitv, v, 2, 0, NULL, 0) < 0 && errno == ENOSYS) {
		skip("no futex_waitv");
		return;
	}
	fails(syscall(SYS_futex_waitv, v, 2, 0, NULL, 0), EAGAIN);
	fails(syscall(SYS_futex_waitv, v, 0, 0, NULL, 0), EINVAL);
	fails(syscall(SYS_futex_waitv, v, 200, 0, NULL, 0), EINVAL);
	v[1].val = 0;
	fails(syscall(SYS_futex_waitv, v, 2, 0, &ts, CLOCK_MONOTONIC),
	      ETIMEDOUT);
}
