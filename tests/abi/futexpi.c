/* SPDX-License-Identifier: BSD-2-Clause */
/* futex with priority inheritance: lock, try, unlock, requeue, owners. */
#include "tests/abi/abi.h"

#include <linux/futex.h>
#include <pthread.h>

#define PRIV FUTEX_PRIVATE_FLAG

static uint32_t lock, cond;
static volatile int state;
static volatile pid_t tids[8];
static int results[8];

static long
futex(uint32_t *w, int op, uint32_t val, void *ts, uint32_t *w2, uint32_t v3)
{
	return syscall(SYS_futex, w, op, val, ts, w2, v3);
}

static long
lock_pi(uint32_t *w, struct timespec *ts)
{
	return futex(w, FUTEX_LOCK_PI | PRIV, 0, ts, NULL, 0);
}

static long
unlock_pi(uint32_t *w)
{
	return futex(w, FUTEX_UNLOCK_PI | PRIV, 0, NULL, NULL, 0);
}

static void *
locker(void *arg)
{
	long i = (long)arg;

	tids[i] = gettid();
	results[i] = lock_pi(&lock, NULL) ? -errno : 1000;
	state++;
	if (results[i] == 1000)
		unlock_pi(&lock);
	return NULL;
}

static pthread_t
start(void *(*fn)(void *), long i)
{
	pthread_t t;

	tids[i] = 0;
	results[i] = 0;
	pthread_create(&t, NULL, fn, (void *)i);
	while (!tids[i])
		sched_yield();
	until_asleep(tids[i]);
	return t;
}

TEST(uncontended)
{
	is(lock_pi(&lock, NULL), 0);
	is(lock, gettid());
	fails(lock_pi(&lock, NULL), EDEADLK);
	fails(futex(&lock, FUTEX_TRYLOCK_PI | PRIV, 0, NULL, NULL, 0), EDEADLK);
	is(unlock_pi(&lock), 0);
	is(lock, 0);
	fails(unlock_pi(&lock), EPERM);
	is(futex(&lock, FUTEX_TRYLOCK_PI | PRIV, 0, NULL, NULL, 0), 0);
	is(lock, gettid());
	is(unlock_pi(&lock), 0);
	lock = 4000000;
	fails(lock_pi(&lock, NULL), ESRCH);
	fails(unlock_pi(&lock), EPERM);
	lock = 0;
	fails(futex(BAD, FUTEX_LOCK_PI | PRIV, 0, NULL, NULL, 0), EFAULT);
	fails(futex((void *)&lock + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EINVAL);
}

TEST(contended)
{
	pthread_t t;

	is(lock_pi(&lock, NULL), 0);
	t = start(locker, 1);
	is(lock, gettid() | FUTEX_WAITERS);
	is(unlock_pi(&lock), 0);
	pthread_join(t, NULL);
	is(results[1], 1000);
	is(lock, 0);
}

static void *
holder(void *arg)
{
	(void)arg;
	lock_pi(&lock, NULL);
	tids[0] = gettid();
	while (!state)
		msleep(1);
	unlock_pi(&lock);
	return NULL;
}

TEST(time_limit)
{
	struct timespec ts;
	pthread_t t;

	state = 0;
	t = start(holder, 0);
	fails(futex(&lock, FUTEX_TRYLOCK_PI | PRIV, 0, NULL, NULL, 0), EAGAIN);
	fails(unlock_pi(&lock), EPERM);
	clock_gettime(CLOCK_REALTIME, &ts);
	fails(lock_pi(&lock, &ts), ETIMEDOUT);
	ts.tv_nsec += 20000000;
	ts.tv_sec += ts.tv_nsec / NSEC;
	ts.tv_nsec %= NSEC;
	fails(lock_pi(&lock, &ts), ETIMEDOUT);
	ts.tv_nsec = NSEC;
	fails(lock_pi(&lock, &ts), EINVAL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (futex(&lock, FUTEX_LOCK_PI2 | PRIV, 0, &ts, NULL, 0) == -1 &&
	    errno == ENOSYS)
		skip("no FUTEX_LOCK_PI2");
	else
		fails(futex(&lock, FUTEX_LOCK_PI2 | PRIV, 0, &ts, NULL, 0),
		      ETIMEDOUT);
	state = 1;
	pthread_join(t, NULL);
	is(lock_pi(&lock, NULL), 0);
	is(unlock_pi(&lock), 0);
}

/* The highest waiter is served first. */
static void *
fifo_locker(void *arg)
{
	long i = (long)arg;
	struct sched_param p = { .sched_priority = i * 10 };

	sched_setscheduler(0, SCHED_FIFO, &p);
	tids[i] = gettid();
	lock_pi(&lock, NULL);
	results[i] = ++state;
	unlock_pi(&lock);
	return NULL;
}

TEST(priority_order)
{
	pthread_t t[3];

	state = 0;
	is(lock_pi(&lock, NULL), 0);
	t[0] = start(fifo_locker, 1);
	t[1] = start(fifo_locker, 3);
	t[2] = start(fifo_locker, 2);
	is(unlock_pi(&lock), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	is(results[3], 1);
	is(results[2], 2);
	is(results[1], 3);
}

/* Field 18 of /proc/TID/stat: the priority as the scheduler sees it. */
static long
priority_of(pid_t tid)
{
	char path[64], buf[512];
	char *p;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	get(path, buf, sizeof(buf));
	p = strrchr(buf, ')') + 2;
	for (int i = 3; i < 18; i++)
		p = strchr(p, ' ') + 1;
	return atol(p);
}

/* The holder, in the ordinary class, runs with the waiter's priority. */
TEST(inheritance)
{
	pthread_t h, w;

	state = 0;
	h = start(holder, 0);
	check(priority_of(tids[0]) >= 0);
	w = start(fifo_locker, 4);
	is(priority_of(tids[0]), -41);
	state = 1;
	pthread_join(h, NULL);
	pthread_join(w, NULL);
}

/* A -> B -> A through two locks is found. */
static uint32_t lock2;

static void *
crosser(void *arg)
{
	(void)arg;
	lock_pi(&lock2, NULL);
	tids[5] = gettid();
	results[5] = lock_pi(&lock, NULL) ? -errno : 1000;
	unlock_pi(&lock);
	unlock_pi(&lock2);
	return NULL;
}

TEST(deadlock)
{
	pthread_t t;

	is(lock_pi(&lock, NULL), 0);
	t = start(crosser, 5);
	fails(lock_pi(&lock2, NULL), EDEADLK);
	is(unlock_pi(&lock), 0);
	pthread_join(t, NULL);
	is(results[5], 1000);
}

static void *
requeue_waiter(void *arg)
{
	long i = (long)arg;

	tids[i] = gettid();
	results[i] = futex(&cond, FUTEX_WAIT_REQUEUE_PI | PRIV, 0, NULL, &lock,
			   0) ? -errno : 1000;
	state++;
	if (results[i] == 1000)
		unlock_pi(&lock);
	return NULL;
}

TEST(requeue)
{
	pthread_t t[3];

	state = 0;
	for (int i = 0; i < 3; i++)
		t[i] = start(requeue_waiter, i);
	is(lock_pi(&lock, NULL), 0);
	is(futex(&cond, FUTEX_CMP_REQUEUE_PI | PRIV, 1, (void *)5, &lock, 0), 3);
	msleep(20);
	is(state, 0);
	is(unlock_pi(&lock), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
		is(results[i], 1000);
	}
	is(lock, 0);
}

/* With the lock free the first waiter gets it at once. */
TEST(requeue_to_free_lock)
{
	pthread_t t = start(requeue_waiter, 0);

	is(futex(&cond, FUTEX_CMP_REQUEUE_PI | PRIV, 1, (void *)0, &lock, 0), 1);
	pthread_join(t, NULL);
	is(results[0], 1000);
	is(lock, 0);
}

TEST(requeue_errors)
{
	struct timespec ts;
	pthread_t t;

	fails(futex(&cond, FUTEX_CMP_REQUEUE_PI | PRIV, 2, (void *)5, &lock, 0),
	      EINVAL);
	fails(futex(&cond, FUTEX_CMP_REQUEUE_PI | PRIV, 1, (void *)5, &cond, 0),
	      EINVAL);
	fails(futex(&cond, FUTEX_CMP_REQUEUE_PI | PRIV, 1, (void *)5, &lock, 9),
	      EAGAIN);
	fails(futex(&cond, FUTEX_WAIT_REQUEUE_PI | PRIV, 0, NULL, &cond, 0),
	      EINVAL);
	fails(futex(&cond, FUTEX_WAIT_REQUEUE_PI | PRIV, 7, NULL, &lock, 0),
	      EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	fails(futex(&cond, FUTEX_WAIT_REQUEUE_PI | PRIV, 0, &ts, &lock, 0),
	      ETIMEDOUT);
	t = start(requeue_waiter, 0);
	/* A plain wake must not release such a waiter. */
	fails(futex(&cond, FUTEX_WAKE | PRIV, 1, NULL, NULL, 0), EINVAL);
	is(futex(&cond, FUTEX_CMP_REQUEUE_PI | PRIV, 1, (void *)0, &lock, 0), 1);
	pthread_join(t, NULL);
}

/* A dead owner of a PI lock on the robust list. */
static void *
dies(void *arg)
{
	static struct robust_list_head h;
	static struct { struct robust_list l; uint32_t word; } *node;

	node = arg;
	h.list.next = &node->l;
	h.futex_offset = sizeof(struct robust_list);
	node->l.next = &h.list;
	syscall(SYS_set_robust_list, &h, sizeof(h));
	lock_pi(&node->word, NULL);
	tids[6] = gettid();
	syscall(SYS_exit, 0);
	return NULL;
}

TEST(owner_died)
{
	static struct { struct robust_list l; uint32_t word; } node;
	pthread_t t;

	pthread_create(&t, NULL, dies, &node);
	while (!(*(volatile uint32_t *)&node.word & FUTEX_OWNER_DIED))
		msleep(1);
	is(node.word & FUTEX_TID_MASK, 0);
	is(lock_pi(&node.word, NULL), 0);
	is(node.word & FUTEX_TID_MASK, gettid());
	is(unlock_pi(&node.word), 0);
}

static int shared_count;

static void *
pi_storm(void *arg)
{
	uint32_t me = gettid();

	for (int i = 0; i < 1000; i++) {
		uint32_t zero = 0, mine = me;

		if (!__atomic_compare_exchange_n(&lock, &zero, me, 0,
				__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
		    lock_pi(&lock, NULL))
			return (void *)1;
		shared_count++;
		if (!__atomic_compare_exchange_n(&lock, &mine, 0, 0,
				__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
		    unlock_pi(&lock))
			return (void *)2;
	}
	return arg;
}

TEST(exclusion_under_load)
{
	pthread_t t[4];
	void *r;

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, pi_storm, NULL);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &r);
		is(r, 0);
	}
	is(shared_count, 4000);
	is(lock, 0);
}

TEST(pthread_interface)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;

	pthread_mutexattr_init(&a);
	is(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT), 0);
	is(pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK), 0);
	is(pthread_mutex_init(&m, &a), 0);
	is(pthread_mutex_lock(&m), 0);
	is(pthread_mutex_lock(&m), EDEADLK);
	is(pthread_mutex_unlock(&m), 0);
	is(pthread_mutex_unlock(&m), EPERM);
}
