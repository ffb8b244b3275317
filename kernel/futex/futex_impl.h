/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Futexes inside.
 *
 * Model: a word of user memory has a key: the space and the address if it is
 * private (or anonymous memory that is not shared), the page and the offset in
 * it if it is shared. Waiters of a key hang in the bucket that its hash names.
 * A waiter is on its task's stack and leaves when somebody took it out (`woken`)
 * or when it takes itself out after a timeout or a signal.
 *
 * A PI futex that has waiters has a struct futex_pi in its bucket, whose
 * pimutex the waiters queue for. Its word holds the owner's tid and
 * FUTEX_WAITERS; between an unlock and the new owner's first steps the tid is 0
 * and FUTEX_WAITERS keeps user space from taking the lock. The new owner writes
 * its tid itself, before it returns.
 *
 * Locking, in order: bucket->lock (two: in address order), the pimutex's locks,
 * task->pi_state_lock. User memory is read under a bucket's lock only with page
 * faults failing (we are pinned); then the lock is dropped, the page brought in,
 * and all done again.
 *
 * Ordering:
 *      waiter                          waker
 *      bucket->waiters + 1 (barrier)   word is written (by user space)
 *      lock, word is read              barrier (futex_wake)
 *      queue, park_prepare             bucket->waiters is read: 0, nothing to do
 */
#ifndef KERNEL_FUTEX_FUTEX_IMPL_H
#define KERNEL_FUTEX_FUTEX_IMPL_H

#include "kernel/futex/futex.h"
#include "kernel/task/task.h"
#include "kernel/uapi/futex.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "sync/pimutex.h"

struct page;

struct futex_key {
	/* space, or page (referenced while the key is in use) */
	u64 object;
	/*
	 * Address in the space, with FUTEX_KEY_ANON set if the call said "shared"
	 * (the two do not meet); offset in the page with FUTEX_KEY_SHARED set
	 */
	u64 place;
	struct page *page;
};
#define FUTEX_KEY_SHARED (1UL << 63)
#define FUTEX_KEY_ANON (1UL << 62)

struct futex_bucket {
	struct spinlock lock;
	/* a  waiters queued, or about to queue */
	u32 waiters;
	/* l  struct futex_waiter */
	struct list chain;
	/* l  struct futex_pi */
	struct list pi;
} __cacheline_aligned;

struct futex_pi {
	/* (bucket lock) */
	struct list link;
	struct futex_key key;
	struct pimutex mutex;
	/* (bucket lock)  waiters that use it; the last frees it */
	u32 refs;
	/* (bucket lock)  mirrors the pimutex's */
	struct task *owner;
	/* (owner's pi_state_lock) */
	struct list owner_link;
	/* (bucket lock)  an owner has exited while it held the lock */
	bool owner_died;
};

struct futex_waiter {
	/* (bucket lock) */
	struct list link;
	struct futex_key key;
	/* a  changes when the waiter is moved to another word; NULL once it is woken */
	struct futex_bucket *bucket;
	struct task *task;
	u32 bitset;
	/* FUTEX_WAIT_REQUEUE_PI: the PI futex that it shall be moved to, and how far it is */
	const struct futex_key *pi_target;
	struct futex_pi *pi;
	struct pi_waiter pi_waiter;
	bool pi_granted;
};

/* --- futex.c --- */
#define FUTEX_SHARED 1u
/* Access that the operation needs. */
#define FUTEX_KEY_WRITE 4u

/* 0, -EINVAL (alignment), -EFAULT. May sleep. futex_key_put() when done. */
int futex_key_get(u32 __user *uaddr, unsigned int flags, struct futex_key *key);
void futex_key_put(struct futex_key *key);
static inline bool
futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->place == b->place;
}
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
/* Pinned: -EFAULT when the page is not there. */
static inline int
futex_read(u32 *v, u32 __user *uaddr)
{
	return get_user_n(v, uaddr, sizeof(*v));
}
/* Brings the page of a word in for writing. 0 or -EFAULT. May sleep. */
int futex_fault_in(u32 __user *uaddr);

void futex_waiter_init(struct futex_waiter *w, u32 bitset);
/* bucket->lock is held; bucket->waiters has counted w already. */
void futex_enqueue(struct futex_bucket *b, struct futex_waiter *w);
/* Takes w out: true: it was still queued, nobody has woken it. Drops no key. */
bool futex_dequeue(struct futex_waiter *w);
/* w's bucket lock is held: takes it out and wakes its task. */
void futex_wake_waiter(struct futex_waiter *w);

/* --- wait.c --- */
/* Gets w's key and queues it if the word holds val; current is then prepared to park. */
int futex_wait_start(u32 __user *uaddr, unsigned int flags, u32 val, struct futex_waiter *w);
/* Parks until somebody takes w out (0), or -ETIMEDOUT, -ERESTARTSYS; then w is out too. */
int futex_sleep(struct futex_waiter *w, u64 deadline);
struct futex_wait_op {
	u32 __user *uaddr;
	unsigned int flags;
	/* Expected value; which wakers we listen to. */
	u32 val, bitset;
	/* Monotonic, NO_DEADLINE: none. */
	u64 deadline;
};
int futex_wait(const struct futex_wait_op *op);
int futex_wake(u32 __user *uaddr, unsigned int flags, int n, u32 bitset);

struct futex_wake_op {
	u32 __user *uaddr, *uaddr2;
	unsigned int flags;
	/* How many to wake at most on each. */
	int n, n2;
	/* What to do to *uaddr2, and the comparison that decides on its waiters. */
	u32 code;
};
int futex_wake_op(const struct futex_wake_op *w);

/* --- sys.c --- */
/* A time of the real-time clock as a deadline of the monotonic one. */
u64 futex_deadline_real(u64 ns);

/* --- requeue.c --- */
struct futex_requeue {
	u32 __user *from, *to;
	unsigned int flags;
	int wake, move;
	/* NULL: not compared */
	const u32 *expected;
	bool pi;
};
int futex_requeue(const struct futex_requeue *r);
int futex_wait_requeue_pi(u32 __user *uaddr, unsigned int flags, u32 val, u64 deadline,
			  u32 __user *uaddr2);

/* --- pi.c --- */
int futex_lock_pi(u32 __user *uaddr, unsigned int flags, u64 deadline, bool try_only);
int futex_unlock_pi(u32 __user *uaddr, unsigned int flags);
/* bucket lock is held */
struct futex_pi *futex_pi_find(struct futex_bucket *b, const struct futex_key *key);
void futex_pi_put(struct futex_pi *pi);
struct futex_pi_op {
	u32 __user *uaddr;
	const struct futex_key *key;
	struct futex_bucket *bucket;
	/* Memory for a state; NULL once it has become one. */
	struct futex_pi *fresh;
	/* Out: the state to wait for, with a reference. */
	struct futex_pi *pi;
};
/*
 * Takes the lock for t if it is free (FUTEX_TAKEN), else finds the state to wait
 * for (0). FUTEX_LOOK_AGAIN: the word changes; -EFAULT: bring the page in;
 * -EDEADLK, -ESRCH, -EPERM, -EINVAL. The bucket's lock is held.
 */
#define FUTEX_TAKEN 1
#define FUTEX_LOOK_AGAIN 2
int futex_pi_prepare(struct futex_pi_op *op, struct task *t);
/* current got pi's lock: writes its tid into the word, drops its reference. 0 or -EFAULT. */
int futex_pi_acquired(u32 __user *uaddr, struct futex_bucket *b, struct futex_pi *pi);
/* current exits: its PI futexes go to their next waiters. */
void futex_pi_exit(struct task *t);
/* current's lock is released to the next waiter. bucket lock is held. */
void futex_pi_release(struct futex_pi *pi);

#endif
