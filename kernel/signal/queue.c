/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues of pending signals.
 *
 * Model: a pending signal is a bit in a set and, unless memory or a limit was
 * short, an entry in a list that carries its siginfo. Signals below SIGRTMIN
 * have at most one entry; real-time ones queue in order. Entries count against
 * RLIMIT_SIGPENDING of the receiver's user; those of POSIX timers are made
 * once and reused (SIGQUEUE_PREALLOC).
 *
 * Locking: process->lock of the receiver for lists and for flags of an entry.
 */
#include "kernel/signal/signal_impl.h"

#include "kernel/log.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

static struct slab_cache *sigqueue_cache;

void __init
signal_queue_init(void)
{
	sigqueue_cache = slab_cache_create("sigqueue", sizeof(struct sigqueue), 0, 0);
}

struct sigqueue *
sigqueue_alloc(struct task *t, u64 limit)
{
	struct sigqueue *q = slab_alloc(sigqueue_cache, GFP_ATOMIC);
	struct user *u;

	if (!q)
		return NULL;
	rcu_read_lock();
	u = task_cred(t)->user;
	if (!user_count_try_add(u, USER_SIGPENDING, 1, limit)) {
		rcu_read_unlock();
		slab_free(sigqueue_cache, q);
		return NULL;
	}
	rcu_read_unlock();
	/* The count keeps the user: kernel/cred_user.c. */
	q->user = u;
	q->flags = 0;
	list_init(&q->link);
	return q;
}

static void
queue_release(struct sigqueue *q)
{
	user_count_add(q->user, USER_SIGPENDING, -1);
	slab_free(sigqueue_cache, q);
}

/* q is in no list any more. */
void
sigqueue_free(struct sigqueue *q)
{
	if (!(q->flags & SIGQUEUE_PREALLOC))
		queue_release(q);
}

struct sigqueue *
signal_queue_alloc(void)
{
	struct sigqueue *q = sigqueue_alloc(current, rlimit(RLIMIT_SIGPENDING));

	if (q)
		q->flags = SIGQUEUE_PREALLOC;
	return q;
}

void
signal_queue_free(struct process *p, struct sigqueue *q)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	bool pending = !list_empty(&q->link);

	q->flags &= ~SIGQUEUE_PREALLOC;
	spin_unlock_irq(&p->lock, flags);
	if (!pending)
		queue_release(q);
}

/* --- sets --- */

void
signal_flush(struct sigpending *p)
{
	signal_flush_mask(p, ~0UL);
}

void
signal_flush_mask(struct sigpending *p, sigset_t mask)
{
	struct sigqueue *q, *tmp;

	if (!(p->set & mask))
		return;
	WRITE_ONCE(p->set, p->set & ~mask);
	list_for_each_entry_safe(q, tmp, &p->list, link) {
		if (!(sigmask(q->info.signo) & mask))
			continue;
		list_del_init(&q->link);
		sigqueue_free(q);
	}
}

int
signal_next(const struct sigpending *p, sigset_t blocked)
{
	sigset_t ready = p->set & ~blocked;

	if (!ready)
		return 0;
	if (ready & SIG_SYNCHRONOUS_MASK)
		ready &= SIG_SYNCHRONOUS_MASK;
	return ctz64(ready) + 1;
}

void
signal_collect(struct sigpending *p, int sig, struct siginfo *info, bool *timer)
{
	struct sigqueue *q, *first = NULL;
	bool more = false;

	list_for_each_entry(q, &p->list, link) {
		if (q->info.signo != sig)
			continue;
		if (first) {
			more = true;
			break;
		}
		first = q;
	}
	if (!more)
		WRITE_ONCE(p->set, p->set & ~sigmask(sig));
	if (!first) {
		/* There was no room for an entry: as if kill(2) had been called by nobody. */
		*info = (struct siginfo){.signo = sig, .code = SI_USER};
		return;
	}
	list_del_init(&first->link);
	memcpy(info, &first->info, SIGINFO_KERNEL_SIZE);
	memset((char *)info + SIGINFO_KERNEL_SIZE, 0, sizeof(*info) - SIGINFO_KERNEL_SIZE);
	if ((first->flags & SIGQUEUE_PREALLOC) && info->code == SI_TIMER)
		*timer = true;
	sigqueue_free(first);
}
