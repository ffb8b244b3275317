/* SPDX-License-Identifier: BSD-2-Clause */
/* FUTEX_WAIT, FUTEX_WAKE and FUTEX_WAKE_OP. */
#include "kernel/futex/futex_impl.h"

#include "kernel/signal/signal.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

/* --- waiting --- */

/* Queues w if the word still holds val, ready to park. 0, -EAGAIN, -EFAULT (drop and try again). */
static int
wait_setup(u32 __user *uaddr, u32 val, struct futex_waiter *w)
{
	struct futex_bucket *b = futex_bucket_of(&w->key);
	u32 now;
	int err;

	/* A full barrier: pairs with the one in futex_wake(). */
	atomic_inc(&b->waiters);
	spin_lock(&b->lock);
	err = futex_read(&now, uaddr);
	if (!err && now != val)
		err = -EAGAIN;
	if (!err) {
		futex_enqueue(b, w);
		park_prepare(PARK_INTERRUPTIBLE);
	} else {
		atomic_dec(&b->waiters);
	}
	spin_unlock(&b->lock);
	return err;
}

int
futex_wait_start(u32 __user *uaddr, unsigned int flags, u32 val, struct futex_waiter *w)
{
	u32 now;
	int err;

	for (;;) {
		err = futex_key_get(uaddr, flags, &w->key);
		if (err)
			return err;
		err = wait_setup(uaddr, val, w);
		if (!err)
			return 0;
		futex_key_put(&w->key);
		if (err != -EFAULT)
			return err;
		/* Not there at the moment, or not at all. */
		if (get_user(now, uaddr))
			return -EFAULT;
	}
}

int
futex_sleep(struct futex_waiter *w, u64 deadline)
{
	int err = 0;

	for (;;) {
		if (!smp_load_acquire(&w->bucket)) {
			park_cancel();
			return 0;
		}
		if (err) {
			park_cancel();
			return futex_dequeue(w) ? err : 0;
		}
		err = park(deadline);
		park_prepare(PARK_INTERRUPTIBLE);
	}
}

static long
wait_restart(u64 args[4])
{
	struct futex_wait_op op = {
		.uaddr = (u32 __user *)args[0],
		.val = (u32)args[1],
		.flags = args[1] >> 32,
		.deadline = args[2],
		.bitset = args[3],
	};

	return futex_wait(&op);
}

int
futex_wait(const struct futex_wait_op *op)
{
	struct task *t = current;
	struct futex_waiter w;
	int err;

	if (!op->bitset)
		return -EINVAL;
	futex_waiter_init(&w, op->bitset);
	err = futex_wait_start(op->uaddr, op->flags, op->val, &w);
	if (err)
		return err;
	err = futex_sleep(&w, op->deadline);
	futex_key_put(&w.key);
	/* With a deadline the call must not begin again from its arguments. */
	if (err != -ERESTARTSYS || op->deadline == NO_DEADLINE)
		return err;
	t->restart_fn = wait_restart;
	t->restart_args[0] = (u64 __force)op->uaddr;
	t->restart_args[1] = (u64)op->flags << 32 | op->val;
	t->restart_args[2] = op->deadline;
	t->restart_args[3] = op->bitset;
	return -ERESTART_RESTARTBLOCK;
}

/* --- waking --- */

/* Wakes up to n of key whose bitset meets; the number, or -EINVAL for a PI futex. Lock held. */
static int
wake_locked(struct futex_bucket *b, const struct futex_key *key, int n, u32 bitset)
{
	struct futex_waiter *w, *tmp;
	int woken = 0;

	if (unlikely(!list_empty(&b->pi)) && futex_pi_find(b, key))
		return -EINVAL;
	list_for_each_entry_safe(w, tmp, &b->chain, link) {
		if (!futex_key_equal(&w->key, key))
			continue;
		if (w->pi_target)
			return -EINVAL;
		if (!(w->bitset & bitset))
			continue;
		futex_wake_waiter(w);
		if (++woken >= n)
			break;
	}
	return woken;
}

int
futex_wake(u32 __user *uaddr, unsigned int flags, int n, u32 bitset)
{
	struct futex_key key;
	struct futex_bucket *b;
	int ret;

	if (!bitset)
		return -EINVAL;
	ret = futex_key_get(uaddr, flags, &key);
	if (ret)
		return ret;
	b = futex_bucket_of(&key);
	/* User space has written the word: pairs with wait_setup(). */
	smp_mb();
	if (READ_ONCE(b->waiters)) {
		spin_lock(&b->lock);
		ret = wake_locked(b, &key, n, bitset);
		spin_unlock(&b->lock);
	}
	futex_key_put(&key);
	return ret;
}

int
futex_wake_user(u32 __user *uaddr, bool shared, int n)
{
	return futex_wake(uaddr, shared ? FUTEX_SHARED : 0, n, FUTEX_BITSET_MATCH_ANY);
}

/* --- wake-op --- */

struct word_op {
	unsigned int op, cmp;
	s32 oparg, cmparg;
};

static int
op_parse(u32 code, struct word_op *o)
{
	o->op = code >> 28 & 7;
	o->cmp = code >> 24 & 15;
	o->oparg = (s32)sign_extend64(code >> 12 & 0xfff, 11);
	o->cmparg = (s32)sign_extend64(code & 0xfff, 11);
	if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
		o->oparg = (s32)(1u << (o->oparg & 31));
	return o->op > FUTEX_OP_XOR || o->cmp > FUTEX_OP_CMP_GE ? -ENOSYS : 0;
}

static u32
op_apply(const struct word_op *o, u32 old)
{
	switch (o->op) {
	case FUTEX_OP_SET:
		return o->oparg;
	case FUTEX_OP_ADD:
		return old + o->oparg;
	case FUTEX_OP_OR:
		return old | o->oparg;
	case FUTEX_OP_ANDN:
		return old & ~o->oparg;
	default:
		return old ^ o->oparg;
	}
}

static bool
op_compare(const struct word_op *o, s32 old)
{
	switch (o->cmp) {
	case FUTEX_OP_CMP_EQ:
		return old == o->cmparg;
	case FUTEX_OP_CMP_NE:
		return old != o->cmparg;
	case FUTEX_OP_CMP_LT:
		return old < o->cmparg;
	case FUTEX_OP_CMP_GE:
		return old >= o->cmparg;
	case FUTEX_OP_CMP_LE:
		return old <= o->cmparg;
	default:
		return old > o->cmparg;
	}
}

/* Changes the word atomically; pinned. 1: the comparison holds; 0; -EFAULT. */
static int
op_on_user(const struct word_op *o, u32 __user *uaddr)
{
	u32 old, seen;
	int err = futex_read(&old, uaddr);

	while (!err) {
		seen = old;
		err = user_cmpxchg_u32(uaddr, &seen, op_apply(o, old));
		if (!err && seen == old)
			return op_compare(o, old);
		old = seen;
	}
	return err;
}

static int
wake_op_once(const struct futex_wake_op *w, const struct word_op *o, struct futex_key key[2])
{
	struct futex_bucket *b1 = futex_bucket_of(&key[0]), *b2 = futex_bucket_of(&key[1]);
	int ret, more;

	spin_lock_two(&b1->lock, &b2->lock);
	ret = op_on_user(o, w->uaddr2);
	if (ret >= 0) {
		more = ret;
		ret = wake_locked(b1, &key[0], w->n, FUTEX_BITSET_MATCH_ANY);
		if (more && ret >= 0) {
			more = wake_locked(b2, &key[1], w->n2, FUTEX_BITSET_MATCH_ANY);
			ret = more < 0 ? more : ret + more;
		}
	}
	spin_unlock_two(&b1->lock, &b2->lock);
	return ret;
}

int
futex_wake_op(const struct futex_wake_op *w)
{
	struct futex_key key[2];
	struct word_op o;
	int ret = op_parse(w->code, &o);

	if (ret)
		return ret;
	for (;;) {
		ret = futex_key_get(w->uaddr, w->flags, &key[0]);
		if (ret)
			return ret;
		ret = futex_key_get(w->uaddr2, w->flags | FUTEX_KEY_WRITE, &key[1]);
		if (ret) {
			futex_key_put(&key[0]);
			return ret;
		}
		ret = wake_op_once(w, &o, key);
		futex_key_put(&key[0]);
		futex_key_put(&key[1]);
		if (ret != -EFAULT || futex_fault_in(w->uaddr2))
			return ret;
	}
}
