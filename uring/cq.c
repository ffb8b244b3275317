/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completions: the ring that the program reads, and what finds no room in it.
 *
 * Model: a completion goes to the ring if there is room and nothing has overflown
 * before; else to a list, and IORING_SQ_CQ_OVERFLOW says so to the program, whose next
 * io_uring_enter(2) moves it. Without memory for that it is lost, and counted.
 *
 * Ordering:
 *	ring_post			the program
 *	the entry, then cq_tail		cq_tail, then the entry
 *	(release)			(acquire)
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/sched/sched.h"
#include "kernel/task/task.h"
#include "lib/string.h"
#include "uring/uring_impl.h"

/* cq_lock held: the place of the next one; NULL: the ring is full. */
static struct uring_cqe *
next_cqe(struct ring *ring)
{
	u32 used = ring->cq_tail - smp_load_acquire(&ring->shared->cq_head);
	size_t at = ring->cq_tail & (ring->cq_entries - 1);

	/* The program may have written anything into its head. */
	if (used >= ring->cq_entries)
		return NULL;
	return (struct uring_cqe *)(ring->shared->cqes + (at << ring->cqe_shift));
}

static void
put_cqe(struct ring *ring, struct uring_cqe *to, const struct uring_cqe *cqe)
{
	WRITE_ONCE(to->user_data, cqe->user_data);
	WRITE_ONCE(to->res, cqe->res);
	WRITE_ONCE(to->flags, cqe->flags);
	if (ring->cqe_shift == 5)
		memset(to + 1, 0, sizeof(*to));
	ring->cq_tail++;
	smp_store_release(&ring->shared->cq_tail, ring->cq_tail);
}

/* cq_lock held. */
static bool
add_overflow(struct ring *ring, const struct uring_cqe *cqe)
{
	struct overflow *o = kmalloc(sizeof(*o), GFP_ATOMIC | GFP_NOWARN);

	if (!o) {
		ring->lost = true;
		WRITE_ONCE(ring->shared->cq_overflow, ring->shared->cq_overflow + 1);
		return false;
	}
	o->cqe = *cqe;
	list_add_tail(&o->link, &ring->overflow);
	if (!ring->nr_overflow)
		atomic_or(&ring->shared->sq_flags, IORING_SQ_CQ_OVERFLOW);
	WRITE_ONCE(ring->nr_overflow, ring->nr_overflow + 1);
	return true;
}

static bool
post_locked(struct ring *ring, const struct uring_cqe *cqe)
{
	struct uring_cqe *to = ring->nr_overflow ? NULL : next_cqe(ring);

	if (!to)
		return add_overflow(ring, cqe);
	put_cqe(ring, to, cqe);
	return true;
}

static void
tell(struct ring *ring)
{
	struct ring_eventfd *e;

	waitq_wake(&ring->wait, 0, POLLIN | POLLRDNORM);
	if (likely(!READ_ONCE(ring->eventfd)))
		return;
	rcu_read_lock();
	e = rcu_load(ring->eventfd);
	if (e && !(READ_ONCE(ring->shared->cq_flags) & IORING_CQ_EVENTFD_DISABLED) &&
	    (!e->async_only || (current->uring_worker && !current->uring_worker->manager)))
		eventfd_signal(e->eventfd, 1);
	rcu_read_unlock();
}

static __always_inline bool
post(struct ring *ring, const struct uring_cqe *cqe, bool counted)
{
	unsigned long f = spin_lock_irq(&ring->cq_lock);
	struct request *due = NULL;
	bool done = post_locked(ring, cqe);

	if (counted) {
		ring->cq_counted++;
		if (!list_empty(&ring->counting))
			due = timeouts_due(ring);
	}
	spin_unlock_irq(&ring->cq_lock, f);
	tell(ring);
	if (due)
		timeouts_end(due, 0);
	return done;
}

bool
ring_post(struct ring *ring, u64 user_data, s32 res, u32 flags)
{
	return post(ring, &(struct uring_cqe){user_data, res, flags}, true);
}

void
ring_post_request(struct request *r)
{
	struct uring_cqe cqe = {r->user_data, r->res, r->cflags};

	(void)post(r->ring, &cqe, !(r->flags & RQ_UNCOUNTED));
}

void
ring_move_overflow(struct ring *ring)
{
	struct uring_cqe *to;
	struct overflow *o;
	unsigned long f = spin_lock_irq(&ring->cq_lock);
	bool moved = false;

	while ((o = list_first_or_null(&ring->overflow, struct overflow, link)) != NULL &&
	       (to = next_cqe(ring)) != NULL) {
		list_del(&o->link);
		WRITE_ONCE(ring->nr_overflow, ring->nr_overflow - 1);
		put_cqe(ring, to, &o->cqe);
		kfree(o);
		moved = true;
	}
	if (!ring->nr_overflow)
		atomic_and(&ring->shared->sq_flags, ~IORING_SQ_CQ_OVERFLOW);
	spin_unlock_irq(&ring->cq_lock, f);
	if (moved)
		waitq_wake(&ring->wait, 0, POLLIN | POLLRDNORM);
}

void
ring_drop_overflow(struct ring *ring)
{
	struct overflow *o;

	while ((o = list_first_or_null(&ring->overflow, struct overflow, link)) != NULL) {
		list_del(&o->link);
		kfree(o);
	}
}
