/* SPDX-License-Identifier: BSD-2-Clause */
/* futex_waitv(2): waits for any of up to 128 words. */
#include "kernel/futex/futex_impl.h"

#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/time.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

struct waitv {
	struct futex_waiter w;
	u32 __user *uaddr;
	u32 val;
	unsigned int flags;
};

static int
waitv_read(struct waitv *v, unsigned int n, const struct futex_waitv __user *user)
{
	struct futex_waitv in;

	for (unsigned int i = 0; i < n; i++) {
		if (copy_from_user(&in, &user[i], sizeof(in)))
			return -EFAULT;
		if (in.reserved || (in.flags & ~(FUTEX_32 | FUTEX_PRIVATE_FLAG)) ||
		    !(in.flags & FUTEX_32))
			return -EINVAL;
		v[i].uaddr = (u32 __user *)in.uaddr;
		v[i].val = in.val;
		v[i].flags = in.flags & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;
		futex_waiter_init(&v[i].w, FUTEX_BITSET_MATCH_ANY);
	}
	return 0;
}

/* Takes the first n out; the highest number that had been woken, or -1. */
static int
waitv_end(struct waitv *v, unsigned int n)
{
	int woken = -1;

	for (unsigned int i = 0; i < n; i++) {
		if (!futex_dequeue(&v[i].w))
			woken = i;
		futex_key_put(&v[i].w.key);
	}
	return woken;
}

/* Queues on all: 0; 1 with *woken; or an error. */
static int
waitv_begin(struct waitv *v, unsigned int n, int *woken)
{
	for (unsigned int i = 0; i < n; i++) {
		int err = futex_wait_start(v[i].uaddr, v[i].flags, v[i].val, &v[i].w);

		if (!err)
			continue;
		park_cancel();
		*woken = waitv_end(v, i);
		return *woken >= 0 ? 1 : err;
	}
	return 0;
}

static bool
waitv_any_woken(struct waitv *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!smp_load_acquire(&v[i].w.bucket))
			return true;
	return false;
}

static long
waitv_do(struct waitv *v, unsigned int n, u64 deadline)
{
	int woken, err = waitv_begin(v, n, &woken);

	if (err)
		return err == 1 ? woken : err;
	for (;;) {
		park_prepare(PARK_INTERRUPTIBLE);
		if (err || waitv_any_woken(v, n))
			break;
		err = park(deadline);
	}
	park_cancel();
	woken = waitv_end(v, n);
	if (woken >= 0)
		return woken;
	return err;
}

long
sys_futex_waitv(void __user *waiters, unsigned int n, unsigned int flags,
		struct timespec __user *uts, int clock)
{
	u64 deadline = NO_DEADLINE;
	struct waitv *v;
	long ret;

	if (flags || !n || n > FUTEX_WAITV_MAX || !waiters)
		return -EINVAL;
	if (uts) {
		if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
			return -EINVAL;
		ret = get_user_timespec(&deadline, uts);
		if (ret)
			return ret;
		if (clock == CLOCK_REALTIME)
			deadline = futex_deadline_real(deadline);
	}
	v = kcalloc(n, sizeof(*v), GFP_KERNEL);
	if (!v)
		return -ENOMEM;
	ret = waitv_read(v, n, waiters);
	if (!ret)
		ret = waitv_do(v, n, deadline);
	kfree(v);
	return ret;
}
