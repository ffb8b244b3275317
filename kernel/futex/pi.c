/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PI futexes: FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI, FUTEX_UNLOCK_PI,
 * and what happens when an owner exits. futex_impl.h tells the protocol of the
 * word.
 *
 * Ownership: a struct futex_pi is made by the first waiter, held by each
 * waiter, and freed by the last one to go. Its owner does not hold it: without
 * waiters the word alone says who owns the lock.
 */
#include "kernel/futex/futex_impl.h"

#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

/* --- states; the bucket's lock is held --- */

struct futex_pi *
futex_pi_find(struct futex_bucket *b, const struct futex_key *key)
{
	struct futex_pi *pi;

	list_for_each_entry(pi, &b->pi, link)
		if (futex_key_equal(&pi->key, key))
			return pi;
	return NULL;
}

static void
owner_unlink(struct futex_pi *pi)
{
	struct task *t = pi->owner;

	if (!t)
		return;
	spin_lock(&t->pi_state_lock);
	list_del(&pi->owner_link);
	spin_unlock(&t->pi_state_lock);
	pi->owner = NULL;
}

/* False: t exits and has given up what it held already. */
static bool
owner_link(struct futex_pi *pi, struct task *t)
{
	bool ok;

	spin_lock(&t->pi_state_lock);
	ok = !t->pi_closed;
	if (ok)
		list_add_tail(&pi->owner_link, &t->pi_states);
	spin_unlock(&t->pi_state_lock);
	if (ok)
		pi->owner = t;
	return ok;
}

void
futex_pi_put(struct futex_pi *pi)
{
	if (--pi->refs)
		return;
	owner_unlink(pi);
	list_del(&pi->link);
	/* The key's page was referenced for the state itself. */
	futex_key_put(&pi->key);
	kfree(pi);
}

void
futex_pi_release(struct futex_pi *pi)
{
	struct task *next;

	owner_unlink(pi);
	pimutex_unlock(&pi->mutex);
	/* The top waiter has it now. It cannot be past its exit: it has yet to see the lock. */
	next = pimutex_owner(&pi->mutex);
	if (next)
		owner_link(pi, next);
}

/* --- taking --- */

/* Changes the word from old to new; pinned. 0, -EFAULT, FUTEX_LOOK_AGAIN: it was something else. */
static int
word_change(u32 __user *uaddr, u32 old, u32 new)
{
	u32 seen = old;
	int err = user_cmpxchg_u32(uaddr, &seen, new);

	if (err)
		return err;
	return seen == old ? 0 : FUTEX_LOOK_AGAIN;
}

/* The lock is owned by the tid in the word and has no state yet: makes one. */
static int
state_make(struct futex_pi_op *op, u32 word)
{
	struct task *owner = task_find(word & FUTEX_TID_MASK);
	struct futex_pi *pi = op->fresh;
	u32 again;

	if (!owner)
		goto out_gone;
	if (task_is_kthread(owner))
		return -EPERM;
	pimutex_init(&pi->mutex);
	pi->refs = 0;
	pi->owner = NULL;
	pi->owner_died = false;
	pi->key = *op->key;
	if (!owner_link(pi, owner))
		goto out_gone;
	pimutex_set_owner(&pi->mutex, owner);
	if (pi->key.page)
		page_get(pi->key.page);
	list_add(&pi->link, &op->bucket->pi);
	op->fresh = NULL;
	op->pi = pi;
	return 0;
out_gone:
	/* An owner that exits writes the word; if it did not, it never will. */
	if (futex_read(&again, op->uaddr))
		return -EFAULT;
	return again == word ? -ESRCH : FUTEX_LOOK_AGAIN;
}

/* Does the word agree with the state? A tid of 0 stands for a lock that is being handed over. */
static bool
word_matches(u32 word, const struct futex_pi *pi)
{
	u32 tid = word & FUTEX_TID_MASK;

	if (!(word & FUTEX_WAITERS))
		return false;
	return !tid || pi->owner_died || (pi->owner && (u32)pi->owner->tid == tid);
}

int
futex_pi_prepare(struct futex_pi_op *op, struct task *t)
{
	u32 word;
	int err = futex_read(&word, op->uaddr);

	if (err)
		return err;
	if ((word & FUTEX_TID_MASK) == (u32)t->tid)
		return -EDEADLK;
	op->pi = futex_pi_find(op->bucket, op->key);
	if (!op->pi && !(word & FUTEX_TID_MASK)) {
		err = word_change(op->uaddr, word, (word & FUTEX_OWNER_DIED) | (u32)t->tid);
		return err ? err : FUTEX_TAKEN;
	}
	if (!op->pi) {
		err = word_change(op->uaddr, word, word | FUTEX_WAITERS);
		if (!err)
			err = state_make(op, word | FUTEX_WAITERS);
		if (err)
			return err;
	} else if (!word_matches(word, op->pi)) {
		return -EINVAL;
	}
	op->pi->refs++;
	return 0;
}

/* The word gets our tid; FUTEX_WAITERS stays, so that we come by to unlock. May sleep. */
static int
word_claim(u32 __user *uaddr, bool died)
{
	u32 tid = current->tid | (died ? FUTEX_OWNER_DIED : 0);
	u32 old, seen;
	int err;

	err = get_user(old, uaddr);
	while (!err) {
		seen = old;
		err = user_cmpxchg_u32(uaddr, &seen,
				       tid | (old & (FUTEX_WAITERS | FUTEX_OWNER_DIED)));
		if (!err && seen == old)
			return 0;
		old = seen;
	}
	return err;
}

int
futex_pi_acquired(u32 __user *uaddr, struct futex_bucket *b, struct futex_pi *pi)
{
	int err = word_claim(uaddr, READ_ONCE(pi->owner_died));

	spin_lock(&b->lock);
	/* A lock that was free in between came without an unlocker to link us. */
	if (pi->owner != current)
		owner_link(pi, current);
	if (err)
		futex_pi_release(pi);
	else
		pi->owner_died = false;
	futex_pi_put(pi);
	spin_unlock(&b->lock);
	return err;
}

/* Waits in pi's queue. A reference on pi is given up. */
static int
lock_wait(u32 __user *uaddr, struct futex_bucket *b, struct futex_pi *pi, u64 deadline)
{
	struct pi_waiter w;
	int err = pimutex_enqueue(&pi->mutex, &w, current);
	bool got = err == 1;

	if (err == 0) {
		err = pimutex_wait(&pi->mutex, &w, PARK_INTERRUPTIBLE, deadline);
		got = err == 0 || pimutex_dequeue(&pi->mutex, &w);
	}
	if (got)
		return futex_pi_acquired(uaddr, b, pi);
	spin_lock(&b->lock);
	futex_pi_put(pi);
	spin_unlock(&b->lock);
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

/* One try: 0 taken, FUTEX_LOOK_AGAIN or an error. */
static int
lock_once(struct futex_pi_op *op, u64 deadline, bool try_only)
{
	int ret;

	spin_lock(&op->bucket->lock);
	ret = futex_pi_prepare(op, current);
	if (ret == 0 && try_only) {
		futex_pi_put(op->pi);
		ret = -EWOULDBLOCK;
	}
	spin_unlock(&op->bucket->lock);
	if (ret == 0)
		return lock_wait(op->uaddr, op->bucket, op->pi, deadline);
	return ret == FUTEX_TAKEN ? 0 : ret;
}

int
futex_lock_pi(u32 __user *uaddr, unsigned int flags, u64 deadline, bool try_only)
{
	struct futex_pi_op op = {.uaddr = uaddr};
	struct futex_key key;
	int ret;

	do {
		/* A word that comes and goes (the owner exits) is looked at until it settles. */
		cond_resched();
		if (!op.fresh)
			op.fresh = kmalloc(sizeof(*op.fresh), GFP_KERNEL);
		if (!op.fresh)
			return -ENOMEM;
		ret = futex_key_get(uaddr, flags | FUTEX_KEY_WRITE, &key);
		if (ret)
			break;
		op.key = &key;
		op.bucket = futex_bucket_of(&key);
		ret = lock_once(&op, deadline, try_only);
		futex_key_put(&key);
		if (ret == -EFAULT)
			ret = futex_fault_in(uaddr) ? -EFAULT : FUTEX_LOOK_AGAIN;
		if (ret == FUTEX_LOOK_AGAIN && signal_pending())
			ret = -ERESTARTNOINTR;
	} while (ret == FUTEX_LOOK_AGAIN);
	kfree(op.fresh);
	return ret;
}

/* --- giving back --- */

/* Bucket lock held. */
static int
unlock_locked(u32 __user *uaddr, struct futex_bucket *b, const struct futex_key *key, u32 word)
{
	struct futex_pi *pi = futex_pi_find(b, key);
	int err;

	if (!pi)
		return word_change(uaddr, word, 0);
	if (pi->owner != current)
		return -EINVAL;
	/* With nobody in the queue (they have just given up, or come soon) the same holds. */
	err = word_change(uaddr, word, FUTEX_WAITERS);
	if (!err)
		futex_pi_release(pi);
	return err;
}

int
futex_unlock_pi(u32 __user *uaddr, unsigned int flags)
{
	struct futex_bucket *b;
	struct futex_key key;
	u32 word;
	int err;

	for (;;) {
		err = get_user(word, uaddr);
		if (err)
			return -EFAULT;
		if ((word & FUTEX_TID_MASK) != (u32)current->tid)
			return -EPERM;
		err = futex_key_get(uaddr, flags | FUTEX_KEY_WRITE, &key);
		if (err)
			return err;
		b = futex_bucket_of(&key);
		spin_lock(&b->lock);
		err = unlock_locked(uaddr, b, &key, word);
		spin_unlock(&b->lock);
		futex_key_put(&key);
		if (err == -EFAULT && !futex_fault_in(uaddr))
			err = FUTEX_LOOK_AGAIN;
		if (err != FUTEX_LOOK_AGAIN)
			return err;
	}
}

/* --- the owner exits --- */

/* The bucket of the first state that t owns; NULL: none, and if t exits there never will be. */
static struct futex_bucket *
first_bucket(struct task *t, struct futex_pi **pi)
{
	struct futex_bucket *b = NULL;

	spin_lock(&t->pi_state_lock);
	*pi = list_first_or_null(&t->pi_states, struct futex_pi, owner_link);
	/* While it is in the list it is not freed, so its key may be read. */
	if (*pi)
		b = futex_bucket_of(&(*pi)->key);
	else
		t->pi_closed = t->flags & TASK_EXITING;
	spin_unlock(&t->pi_state_lock);
	return b;
}

void
futex_pi_exit(struct task *t)
{
	struct futex_bucket *b;
	struct futex_pi *pi, *at;

	while ((b = first_bucket(t, &pi)) != NULL) {
		spin_lock(&b->lock);
		/* Its last waiter may have freed it in between. */
		list_for_each_entry(at, &b->pi, link) {
			if (at == pi && pi->owner == t) {
				pi->owner_died = true;
				futex_pi_release(pi);
				break;
			}
		}
		spin_unlock(&b->lock);
	}
}
