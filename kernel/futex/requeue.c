/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving waiters from one word to another: FUTEX_REQUEUE, FUTEX_CMP_REQUEUE,
 * and from a plain word to a PI futex: FUTEX_WAIT_REQUEUE_PI and
 * FUTEX_CMP_REQUEUE_PI.
 *
 * Model of the PI form: the waiter queues on the first word and says which PI
 * futex it wants. The requeuer takes that lock for the first waiter if it is
 * free, and puts the others into its pimutex's queue on their behalf: they stay
 * asleep and become owners by its unlocks. A waiter that was moved has `pi`
 * set, and finishes as in pi.c.
 *
 * Locking: both buckets' locks, in address order.
 */
#include "kernel/futex/futex_impl.h"

#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

/* One requeue call: keys, buckets, results so far. */
struct requeue_op {
	const struct futex_requeue *r;
	struct futex_key from, to;
	struct futex_bucket *b1, *b2;
	/* What futex_pi_prepare() works with. */
	struct futex_pi_op target;
	int woken, moved;
};

/* --- plain --- */

static void
move_waiter(struct requeue_op *o, struct futex_waiter *w)
{
	list_del(&w->link);
	if (o->b1 != o->b2) {
		atomic_dec(&o->b1->waiters);
		atomic_inc(&o->b2->waiters);
	}
	/* Each waiter puts its key itself: the page's reference moves with it. */
	if (w->key.page)
		page_put(w->key.page);
	w->key = o->to;
	if (w->key.page)
		page_get(w->key.page);
	futex_enqueue(o->b2, w);
}

static int
requeue_plain(struct requeue_op *o, struct futex_waiter *w)
{
	if (w->pi_target)
		return -EINVAL;
	if (o->woken < o->r->wake) {
		o->woken++;
		futex_wake_waiter(w);
	} else {
		o->moved++;
		move_waiter(o, w);
	}
	return 0;
}

/* --- to a PI futex --- */

/* Takes w out of its bucket and makes it a waiter, or the owner, of pi. */
static void
pi_attach(struct requeue_op *o, struct futex_waiter *w, struct futex_pi *pi, bool granted)
{
	struct task *t = w->task;

	list_del(&w->link);
	atomic_dec(&o->b1->waiters);
	w->pi = pi;
	w->pi_granted = granted;
	smp_store_release(&w->bucket, NULL);
	if (granted)
		unpark(t);
}

static int
requeue_pi(struct requeue_op *o, struct futex_waiter *w)
{
	struct futex_pi *pi;
	int ret;

	if (!w->pi_target || !futex_key_equal(w->pi_target, &o->to))
		return -EINVAL;
	ret = futex_pi_prepare(&o->target, w->task);
	if (ret < 0 || ret == FUTEX_LOOK_AGAIN)
		return ret;
	pi = o->target.pi;
	if (ret == 0) {
		ret = pimutex_enqueue(&pi->mutex, &w->pi_waiter, w->task);
		if (ret < 0) {
			futex_pi_put(pi);
			return ret;
		}
	}
	pi_attach(o, w, pi, ret == FUTEX_TAKEN);
	if (ret == FUTEX_TAKEN && !pi)
		o->woken++;
	else
		o->moved++;
	return 0;
}

/* --- the call --- */

static int
requeue_locked(struct requeue_op *o)
{
	const struct futex_requeue *r = o->r;
	struct futex_waiter *w, *tmp;
	u32 now;
	int err = 0;

	if (r->expected) {
		err = futex_read(&now, r->from);
		if (err)
			return err;
		if (now != *r->expected)
			return -EAGAIN;
	}
	list_for_each_entry_safe(w, tmp, &o->b1->chain, link) {
		if (o->woken + o->moved >= r->wake + r->move)
			break;
		if (!futex_key_equal(&w->key, &o->from))
			continue;
		err = r->pi ? requeue_pi(o, w) : requeue_plain(o, w);
		/* A state needs memory, which is not made under locks: come back. */
		if (err || (r->pi && !o->target.fresh))
			break;
	}
	return err;
}

static int
requeue_keys(struct requeue_op *o)
{
	const struct futex_requeue *r = o->r;
	int err = futex_key_get(r->from, r->flags, &o->from);

	if (err)
		return err;
	err = futex_key_get(r->to, r->flags | (r->pi ? FUTEX_KEY_WRITE : 0), &o->to);
	if (!err && r->pi && futex_key_equal(&o->from, &o->to)) {
		futex_key_put(&o->to);
		err = -EINVAL;
	}
	if (err) {
		futex_key_put(&o->from);
		return err;
	}
	o->b1 = futex_bucket_of(&o->from);
	o->b2 = futex_bucket_of(&o->to);
	o->target.uaddr = r->to;
	o->target.key = &o->to;
	o->target.bucket = o->b2;
	return 0;
}

/* *again: there may be more to do. */
static int
requeue_once(struct requeue_op *o, bool *again)
{
	int err;

	*again = false;
	if (o->r->pi && !o->target.fresh) {
		o->target.fresh = kmalloc(sizeof(*o->target.fresh), GFP_KERNEL);
		if (!o->target.fresh)
			return -ENOMEM;
	}
	err = requeue_keys(o);
	if (err)
		return err;
	spin_lock_two(&o->b1->lock, &o->b2->lock);
	err = requeue_locked(o);
	spin_unlock_two(&o->b1->lock, &o->b2->lock);
	futex_key_put(&o->from);
	futex_key_put(&o->to);
	if (err == -EFAULT)
		*again = !futex_fault_in(o->r->from) && (!o->r->pi || !futex_fault_in(o->r->to));
	else
		*again = err == FUTEX_LOOK_AGAIN || (!err && o->r->pi && !o->target.fresh);
	return err == FUTEX_LOOK_AGAIN ? -EAGAIN : err;
}

int
futex_requeue(const struct futex_requeue *r)
{
	struct requeue_op o = {.r = r};
	bool again;
	int err;

	if (r->wake < 0 || r->move < 0)
		return -EINVAL;
	if (r->pi && (r->from == r->to || r->wake != 1))
		return -EINVAL;
	do {
		err = requeue_once(&o, &again);
		cond_resched();
	} while (again && !signal_pending());
	kfree(o.target.fresh);
	/* What was done before an error counts. */
	return o.woken + o.moved ? o.woken + o.moved : err;
}

/* --- the waiter of the PI form --- */

/* We were moved to pi's queue, or own it. Ends the wait for it. */
static int
finish_moved(u32 __user *uaddr2, const struct futex_key *key2, struct futex_waiter *w, u64 deadline)
{
	struct futex_bucket *b = futex_bucket_of(key2);
	struct futex_pi *pi = w->pi;
	bool got = w->pi_granted;
	int err = 0;

	if (!got) {
		err = pimutex_wait(&pi->mutex, &w->pi_waiter, PARK_INTERRUPTIBLE, deadline);
		got = err == 0 || pimutex_dequeue(&pi->mutex, &w->pi_waiter);
	}
	if (got)
		return futex_pi_acquired(uaddr2, b, pi);
	spin_lock(&b->lock);
	futex_pi_put(pi);
	spin_unlock(&b->lock);
	/* The first word has changed, so the call cannot begin again. */
	return err == -ERESTARTSYS ? -EAGAIN : err;
}

int
futex_wait_requeue_pi(u32 __user *uaddr, unsigned int flags, u32 val, u64 deadline,
		      u32 __user *uaddr2)
{
	struct futex_waiter w;
	struct futex_key key2;
	int err;

	if (uaddr == uaddr2)
		return -EINVAL;
	err = futex_key_get(uaddr2, flags | FUTEX_KEY_WRITE, &key2);
	if (err)
		return err;
	futex_waiter_init(&w, FUTEX_BITSET_MATCH_ANY);
	w.pi_target = &key2;
	err = futex_wait_start(uaddr, flags, val, &w);
	if (err) {
		futex_key_put(&key2);
		return err;
	}
	err = futex_sleep(&w, deadline);
	if (err) {
		/* Neither woken nor moved. */
		err = err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
	} else if (w.pi) {
		err = finish_moved(uaddr2, &key2, &w, deadline);
	}
	/* Without a state the requeuer took the free lock for us: its word is ours already. */
	futex_key_put(&w.key);
	futex_key_put(&key2);
	return err;
}
