/* SPDX-License-Identifier: BSD-2-Clause */
/* futex(2): decodes operation, clock and timeout. */
#include "kernel/futex/futex_impl.h"

#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

u64
futex_deadline_real(u64 ns)
{
	s64 offset = clock_real_offset();

	/* A time before boot has passed; one out of reach never comes. */
	if (offset > 0 && ns <= (u64)offset)
		return 0;
	return ns - offset < NO_DEADLINE ? ns - offset : NO_DEADLINE - 1;
}

static bool
takes_timeout(unsigned int cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
	       cmd == FUTEX_LOCK_PI2 || cmd == FUTEX_WAIT_REQUEUE_PI;
}

static int
deadline_get(u64 *deadline, unsigned int cmd, bool real, const struct timespec __user *uts)
{
	u64 ns;
	int err;

	if (!uts)
		return 0;
	err = get_user_timespec(&ns, uts);
	if (err)
		return err;
	/* Only FUTEX_WAIT counts from now. */
	if (cmd == FUTEX_WAIT)
		*deadline = deadline_after(ns);
	else if (real || cmd == FUTEX_LOCK_PI)
		*deadline = futex_deadline_real(ns);
	else
		*deadline = ns;
	return 0;
}

/* What ts means where it is no timeout: how many to move, or to wake on the second word. */
static int
second_number(const struct timespec __user *ts)
{
	return (int)(unsigned long __force)ts;
}

static long
do_wait(const struct futex_wait_op *w, unsigned int cmd, u32 __user *uaddr2)
{
	switch (cmd) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(w->uaddr, w->flags, w->deadline, false);
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(w->uaddr, w->flags, w->val, w->deadline, uaddr2);
	default:
		return futex_wait(w);
	}
}

long
sys_futex(u32 __user *uaddr, int op, u32 val, const struct timespec __user *ts, u32 __user *uaddr2,
	  u32 val3)
{
	unsigned int cmd = op & FUTEX_CMD_MASK;
	unsigned int flags = op & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;
	struct futex_wait_op w = {uaddr, flags, val, FUTEX_BITSET_MATCH_ANY, NO_DEADLINE};
	struct futex_wake_op o = {uaddr, uaddr2, flags, val, second_number(ts), val3};
	struct futex_requeue r = {uaddr, uaddr2, flags, val, second_number(ts), &val3, false};
	int err;

	if (op & FUTEX_CLOCK_REALTIME && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_WAIT_REQUEUE_PI &&
	    cmd != FUTEX_LOCK_PI2)
		return -ENOSYS;
	if (takes_timeout(cmd)) {
		err = deadline_get(&w.deadline, cmd, op & FUTEX_CLOCK_REALTIME, ts);
		if (err)
			return err;
		if (cmd == FUTEX_WAIT_BITSET)
			w.bitset = val3;
		return do_wait(&w, cmd, uaddr2);
	}
	switch (cmd) {
	case FUTEX_WAKE:
		return futex_wake(uaddr, flags, val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr, flags, val, val3);
	case FUTEX_REQUEUE:
		r.expected = NULL;
		return futex_requeue(&r);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(&r);
	case FUTEX_CMP_REQUEUE_PI:
		r.pi = true;
		return futex_requeue(&r);
	case FUTEX_WAKE_OP:
		return futex_wake_op(&o);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(uaddr, flags, NO_DEADLINE, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(uaddr, flags);
	default:
		return -ENOSYS;
	}
}
