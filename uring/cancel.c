/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cancelling requests that are under way: IORING_OP_ASYNC_CANCEL, the end of a ring or of
 * a task. Who finds one takes it from what it waits for; it ends where its task's work is
 * run. What a worker runs is interrupted, and ends as an interrupted call does.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

#define CANCEL_FLAGS                                                                               \
	(IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY |              \
	 IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_USERDATA | IORING_ASYNC_CANCEL_OP)

static bool
take(struct request *r, u32 from)
{
	return atomic_try_cmpxchg(&r->state, &from, (u32)REQ_WORK);
}

int
cancel_locked(struct request *r, struct request **owned)
{
	u32 state = READ_ONCE(r->state);
	bool taken = false;

	spin_assert_held(&r->ring->req_lock);
	if (state == REQ_TIMER && r->opcode == IORING_OP_TIMEOUT) {
		if (!take(r, state))
			return -EALREADY;
		r->next = *owned;
		*owned = r;
		return 0;
	}
	/* Of a LINK_TIMEOUT nobody asks but the end of all. */
	if (r->opcode == IORING_OP_LINK_TIMEOUT)
		return -ENOENT;
	if (state == REQ_POLL) {
		taken = take(r, state);
	} else if (state == REQ_QUEUED) {
		taken = pool_remove(r);
	} else if (state == REQ_DEFERRED) {
		list_del(&r->queue_link);
		taken = true;
	}
	r->cancel = true;
	if (!taken) {
		if (r->worker)
			worker_interrupt(r->worker);
		return -EALREADY;
	}
	WRITE_ONCE(r->state, REQ_WORK);
	request_push(r);
	return 0;
}

static bool
matches(const struct cancel_key *k, const struct request *r)
{
	u32 by = k->flags &
		 (IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_OP | IORING_ASYNC_CANCEL_USERDATA);

	/* A LINK_TIMEOUT goes with what it limits. */
	if (r->task != k->task || r->opcode == IORING_OP_LINK_TIMEOUT)
		return false;
	if (k->flags & IORING_ASYNC_CANCEL_ANY)
		return true;
	if (by & IORING_ASYNC_CANCEL_FD && r->file != k->file)
		return false;
	if (by & IORING_ASYNC_CANCEL_OP && r->opcode != k->opcode)
		return false;
	return (by && !(by & IORING_ASYNC_CANCEL_USERDATA)) || r->user_data == k->user_data;
}

int
cancel_matching(const struct cancel_key *k)
{
	bool all = k->flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY);
	struct request *r, *next, *owned = NULL;
	unsigned long f = spin_lock_irq(&k->ring->req_lock);
	int ret = -ENOENT, nr = 0;

	list_for_each_entry_safe(r, next, &k->ring->reqs, ring_link) {
		int one;

		if (r->cancel || r == k->except || !matches(k, r))
			continue;
		one = cancel_locked(r, &owned);
		ret = one;
		nr++;
		if (!all)
			break;
	}
	spin_unlock_irq(&k->ring->req_lock, f);
	timeouts_end(owned, -ECANCELED);
	return all ? nr : ret;
}

void
ring_cancel_all(struct ring *ring, struct uring_task *t)
{
	struct request *r, *next, *owned = NULL;
	unsigned long f = spin_lock_irq(&ring->req_lock);

	list_for_each_entry_safe(r, next, &ring->reqs, ring_link)
		if (!t || r->task == t)
			(void)cancel_locked(r, &owned);
	spin_unlock_irq(&ring->req_lock, f);
	timeouts_end(owned, -ECANCELED);
}

/* --- IORING_OP_ASYNC_CANCEL --- */

int
prep_cancel(struct request *r, const struct uring_sqe *sqe)
{
	u32 flags = sqe->op_flags;

	if (r->flags & RQ_SELECT)
		return -EINVAL;
	if (sqe->off || sqe->file_index || flags & ~CANCEL_FLAGS)
		return -EINVAL;
	if (flags & (IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_OP) &&
	    flags & IORING_ASYNC_CANCEL_ANY)
		return -EINVAL;
	r->args = (struct op_args){.a = sqe->addr, .len = sqe->len, .flags = flags};
	return 0;
}

long
issue_cancel(struct request *r, u32 how)
{
	struct cancel_key k = {.ring = r->ring,
			       .flags = r->args.flags,
			       .user_data = r->args.a,
			       .opcode = (u8)r->args.len,
			       .task = r->task,
			       .except = r};
	int ret;

	if (k.flags & IORING_ASYNC_CANCEL_FD) {
		if (r->flags & RQ_FIXED_FILE || k.flags & IORING_ASYNC_CANCEL_FD_FIXED) {
			ring_lock(r->ring, how);
			k.file = ring_file(r->ring, (u32)r->fd);
			ring_unlock(r->ring, how);
		} else {
			k.file = fd_get_file((unsigned int)r->fd);
		}
		if (!k.file)
			return -EBADF;
	}
	ret = cancel_matching(&k);
	if (k.file)
		file_put(k.file);
	return ret;
}

/* --- IORING_REGISTER_SYNC_CANCEL --- */

static bool
any_left(const struct cancel_key *k)
{
	struct request *r;
	bool any = false;
	unsigned long f = spin_lock_irq(&k->ring->req_lock);

	list_for_each_entry(r, &k->ring->reqs, ring_link)
		any |= matches(k, r);
	spin_unlock_irq(&k->ring->req_lock, f);
	return any;
}

/* Cancels, and waits until nothing is left that matches. */
static int
cancel_and_wait(const struct cancel_key *k, u64 deadline)
{
	struct uring_task *t = current->uring;
	int ret = cancel_matching(k), err = 0;

	if (ret != -EALREADY && ret <= 0)
		return ret;
	while (any_left(k)) {
		while (task_work_run(t))
			;
		if (!any_left(k))
			break;
		if (err)
			return err == -ETIMEDOUT ? -ETIME : -EINTR;
		err = wait_event_interruptible_until(&t->wait, READ_ONCE(t->work) || !any_left(k),
						     deadline);
	}
	return ret == -EALREADY ? 0 : ret;
}

int
cancel_sync(struct ring *ring, const void __user *arg)
{
	struct cancel_key k = {.ring = ring, .task = current->uring};
	struct uring_sync_cancel sc;
	u64 deadline = NO_DEADLINE;
	int ret;

	if (copy_from_user(&sc, arg, sizeof(sc)))
		return -EFAULT;
	if (sc.flags & ~CANCEL_FLAGS || sc.pad[0] | sc.pad[1] | sc.pad[2] | sc.pad[3])
		return -EINVAL;
	k.flags = sc.flags;
	k.user_data = sc.addr;
	if (sc.flags & IORING_ASYNC_CANCEL_FD) {
		k.file = sc.flags & IORING_ASYNC_CANCEL_FD_FIXED ? ring_file(ring, (u32)sc.fd)
								 : fd_get_file((u32)sc.fd);
		if (!k.file)
			return -EBADF;
	}
	if (sc.sec != -1 || sc.nsec != -1)
		deadline = deadline_after(timespec_to_ns(&(struct timespec){sc.sec, sc.nsec}));
	mutex_unlock(&ring->mutex);
	ret = cancel_and_wait(&k, deadline);
	if (k.file)
		file_put(k.file);
	mutex_lock(&ring->mutex);
	return ret;
}
