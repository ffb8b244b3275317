/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Priority-inheriting mutexes.
 *
 * Model: a mutex keeps its waiters ordered by priority. The most urgent one, the
 * top waiter, is also in the tree of lenders of the holder; the holder's
 * effective priority is the smaller of its own and its top lender's. When that
 * changes and the holder itself waits for a mutex, it is put into its new place
 * there, which may change that mutex's top waiter, and so on along the chain:
 *
 *      waiter -> mutex -> holder = waiter -> mutex -> holder ...
 *
 * An unlock makes the top waiter the holder at once, so a mutex without a holder
 * has no waiters, and nobody is passed by.
 *
 * Deadlock: a task is put into the queue first, then the chain is walked; when
 * it leads back to the task, or is longer than CHAIN_MAX, the task leaves again
 * with -EDEADLK. Of tasks that close a cycle together at least one sees all of
 * it, as each queues before it walks; all of them may, and so that exactly one
 * leaves, whoever has seen a cycle looks again and leaves under cycle_lock. A
 * chain may change under a walker, which then may see a cycle that never was:
 * a cycle is real when two walks have met the same waits, as each of them then
 * lasted from the end of the first walk to the begin of the second.
 *
 * Ownership: a pi_waiter lies on the stack of the task that waits, and is left
 * alone by all others once `granted` is set or the task has dequeued it.
 *
 * Locking:
 *   1. cycle_lock    who leaves a cycle; only after one was seen
 *   2. mutex->lock   waiters, owner; the waiters' prio and seq
 *   3. task_pi.lock  lenders, blocked_on, prio; the lenders' lend_prio
 * Interrupts are off under 2 and 3, and two of a kind are never held. The chain is
 * walked from a task to the mutex it waits for, against that order, by trying:
 * blocked_on can only be cleared under both locks, so while the task's is held
 * the waiter and its mutex stay. The walker is pinned, which keeps the tasks that
 * it meets allocated.
 *
 * Contexts: lock may sleep; unlock and priority changes in any but interrupts.
 */
#include "sync/pimutex.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "percpu/pin.h"

/* Longest chain of holders. */
#define CHAIN_MAX (CONFIG_DEBUG ? 64 : 1024)

static LOCK_CLASS(cycle_class, RANK_PIMUTEX_CYCLE);
static LOCK_CLASS(pimutex_class, RANK_PIMUTEX);
static LOCK_CLASS(task_pi_class, RANK_TASK_PI);

static struct spinlock cycle_lock = SPINLOCK_INIT(cycle_class);

/* A walk that looks for a cycle through `origin`. */
struct cycle_search {
	struct task *origin;
	/* sum over the waits met: which one at which mutex */
	u64 path;
	bool found;
};

void
task_pi_init(struct task_pi *p, s32 prio)
{
	spin_init(&p->lock, &task_pi_class);
	p->lenders = RB_ROOT_CACHED;
	p->blocked_on = NULL;
	p->prio = prio;
	p->effective = prio;
}

void
pimutex_init(struct pimutex *m)
{
	spin_init(&m->lock, &pimutex_class);
	m->waiters = RB_ROOT_CACHED;
	m->owner = NULL;
	m->arrivals = 0;
}

s32
task_pi_prio(struct task *t)
{
	return READ_ONCE(task_pi(t)->effective);
}

static struct pi_waiter *
top_waiter(const struct pimutex *m)
{
	return rb_entry_or_null(rb_first_cached(&m->waiters), struct pi_waiter, node);
}

static void
waiters_insert(struct pimutex *m, struct pi_waiter *w)
{
	struct rb_node **link = &m->waiters.root.node, *parent = NULL;
	bool leftmost = true;

	while (*link != NULL) {
		struct pi_waiter *at = rb_entry(*link, struct pi_waiter, node);

		parent = *link;
		if (w->prio < at->prio || (w->prio == at->prio && w->seq < at->seq)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link(&w->node, parent, link);
	rb_insert_cached(&w->node, &m->waiters, leftmost);
}

static void
lenders_insert(struct task_pi *p, struct pi_waiter *w)
{
	struct rb_node **link = &p->lenders.root.node, *parent = NULL;
	bool leftmost = true;

	w->lend_prio = w->prio;
	while (*link != NULL) {
		parent = *link;
		if (w->lend_prio < rb_entry(parent, struct pi_waiter, lend)->lend_prio) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link(&w->lend, parent, link);
	rb_insert_cached(&w->lend, &p->lenders, leftmost);
}

/* Recomputes t's effective priority; true if it changed. task_pi.lock held. */
static bool
effective_update(struct task *t)
{
	struct task_pi *p = task_pi(t);
	struct pi_waiter *top =
		rb_entry_or_null(rb_first_cached(&p->lenders), struct pi_waiter, lend);
	s32 prio = top != NULL ? min(p->prio, top->lend_prio) : p->prio;

	if (prio == p->effective)
		return false;
	WRITE_ONCE(p->effective, prio);
	task_pi_changed(t);
	return true;
}

/*
 * The mutex's top waiter was `old` (NULL: none) and is now another, or the same
 * with another priority: its holder t borrows anew. True if that changed t's
 * effective priority. m->lock held.
 */
static bool
lender_replace(struct task *t, struct pi_waiter *old, struct pi_waiter *top)
{
	struct task_pi *p = task_pi(t);
	bool changed;

	spin_lock(&p->lock);
	if (old != NULL)
		rb_erase_cached(&old->lend, &p->lenders);
	if (top != NULL)
		lenders_insert(p, top);
	changed = effective_update(t);
	spin_unlock(&p->lock);
	return changed;
}

/*
 * Locks the mutex that t waits for; NULL: it waits for none. Puts t's waiter
 * into its place if t's priority has changed since: *old is the top waiter
 * before, and *moved says whether it did.
 */
static struct pimutex *
chain_lock(struct task *t, struct pi_waiter **old, bool *moved)
{
	struct task_pi *p = task_pi(t);
	struct pi_waiter *w;
	struct pimutex *m;

	for (;;) {
		spin_lock(&p->lock);
		w = p->blocked_on;
		m = w != NULL ? w->mutex : NULL;
		if (m == NULL || spin_try_lock(&m->lock))
			break;
		spin_unlock(&p->lock);
		cpu_relax();
	}
	*moved = false;
	if (m != NULL) {
		*old = top_waiter(m);
		*moved = w->prio != p->effective;
	}
	if (*moved) {
		rb_erase_cached(&w->node, &m->waiters);
		w->prio = p->effective;
		waiters_insert(m, w);
	}
	spin_unlock(&p->lock);
	return m;
}

/*
 * One step along the chain: from t, whose priority may have changed, to the
 * holder of what it waits for, or NULL at the end. A priority that stays the
 * same ends the walk too, unless a cycle is looked for.
 */
static struct task *
chain_step(struct task *t, struct cycle_search *cycle)
{
	struct pi_waiter *old, *top;
	struct task *owner = NULL;
	bool moved, changed = false;
	struct pimutex *m = chain_lock(t, &old, &moved);

	if (m == NULL)
		return NULL;
	owner = m->owner;
	top = top_waiter(m);
	if (cycle != NULL) {
		/* The lock keeps t waiting here. */
		cycle->path = hash_2u64(cycle->path ^ (u64)m, task_pi(t)->blocked_on->seq);
		cycle->found = owner == cycle->origin;
	}
	/* The top waiter is another one, or the same one, t's, has moved. */
	if (moved && (top != old || top->task == t))
		changed = lender_replace(owner, old, top);
	spin_unlock(&m->lock);
	return changed || cycle != NULL ? owner : NULL;
}

/* Takes a change of t's priority along the chain, and looks for a cycle if that is not NULL. */
static void
chain_walk(struct task *t, struct cycle_search *cycle)
{
	unsigned long flags;

	pin();
	for (u32 depth = 0; t != NULL && !(cycle != NULL && cycle->found); depth++) {
		if (depth == CHAIN_MAX) {
			if (cycle != NULL)
				*cycle = (struct cycle_search){.found = true};
			break;
		}
		flags = irq_save();
		t = chain_step(t, cycle);
		irq_restore(flags);
	}
	unpin();
}

/* Does the chain lead from t back to t, or on and on? path: the waits met. */
static bool
chain_has_cycle(struct task *t, u64 *path)
{
	struct cycle_search cycle = {.origin = t};

	chain_walk(t, &cycle);
	*path = cycle.path;
	return cycle.found;
}

/*
 * t, which has just queued with w, has seen a cycle. Leaves the queue when it
 * is real and no other task in it has left: -EDEADLK, or 1 if the mutex was
 * ours by then. 0: waits.
 */
static int
cycle_leave(struct pimutex *m, struct pi_waiter *w, struct task *t)
{
	u64 before, path;
	int ret = 0;

	spin_lock(&cycle_lock);
	for (bool again = chain_has_cycle(t, &path); again;) {
		before = path;
		again = chain_has_cycle(t, &path);
		if (again && path == before) {
			ret = pimutex_dequeue(m, w) ? 1 : -EDEADLK;
			break;
		}
	}
	spin_unlock(&cycle_lock);
	return ret;
}

void
task_pi_set_prio(struct task *t, s32 prio)
{
	struct task_pi *p = task_pi(t);
	unsigned long flags = spin_lock_irq(&p->lock);
	bool changed;

	p->prio = prio;
	changed = effective_update(t);
	spin_unlock_irq(&p->lock, flags);
	if (changed)
		chain_walk(t, NULL);
}

void
pimutex_set_owner(struct pimutex *m, struct task *t)
{
	unsigned long flags = spin_lock_irq(&m->lock);

	ASSERT(m->owner == NULL && top_waiter(m) == NULL);
	WRITE_ONCE(m->owner, t);
	spin_unlock_irq(&m->lock, flags);
}

struct task *
pimutex_owner(const struct pimutex *m)
{
	return READ_ONCE(m->owner);
}

bool
pimutex_has_waiters(struct pimutex *m)
{
	unsigned long flags = spin_lock_irq(&m->lock);
	bool any = top_waiter(m) != NULL;

	spin_unlock_irq(&m->lock, flags);
	return any;
}

struct task *
pimutex_top_waiter_locked(struct pimutex *m)
{
	struct pi_waiter *top = top_waiter(m);

	spin_assert_held(&m->lock);
	return top != NULL ? top->task : NULL;
}

bool
pimutex_try_lock(struct pimutex *m)
{
	unsigned long flags = spin_lock_irq(&m->lock);
	bool got = m->owner == NULL;

	if (got)
		WRITE_ONCE(m->owner, sync_current());
	spin_unlock_irq(&m->lock, flags);
	return got;
}

/* Adds w for t to the waiters, and to the holder's lenders if it is the top one. */
static void
enqueue_locked(struct pimutex *m, struct pi_waiter *w, struct task *t)
{
	struct pi_waiter *old = top_waiter(m);
	struct task_pi *p = task_pi(t);

	w->task = t;
	w->mutex = m;
	w->granted = 0;
	w->seq = m->arrivals++;
	spin_lock(&p->lock);
	ASSERT(p->blocked_on == NULL);
	p->blocked_on = w;
	w->prio = p->effective;
	spin_unlock(&p->lock);
	waiters_insert(m, w);
	if (top_waiter(m) == w)
		lender_replace(m->owner, old, w);
}

int
pimutex_enqueue(struct pimutex *m, struct pi_waiter *w, struct task *t)
{
	unsigned long flags;
	struct task *owner;
	u64 path;
	int ret = 0;

	/* Keeps the holder allocated for the walk. */
	pin();
	flags = spin_lock_irq(&m->lock);
	owner = m->owner;
	if (owner == NULL) {
		WRITE_ONCE(m->owner, t);
		ret = 1;
	} else if (owner == t) {
		ret = -EDEADLK;
	} else {
		enqueue_locked(m, w, t);
	}
	spin_unlock_irq(&m->lock, flags);
	if (ret == 0 && chain_has_cycle(t, &path))
		ret = cycle_leave(m, w, t);
	unpin();
	return ret;
}

int
pimutex_wait(struct pimutex *m, struct pi_waiter *w, enum park_mode mode, u64 deadline)
{
	int ret = 0;

	for (;;) {
		park_prepare(mode);
		if (smp_load_acquire(&w->granted)) {
			ret = 0;
			break;
		}
		if (ret != 0)
			break;
		ret = park(deadline);
	}
	park_cancel();
	return ret;
}

bool
pimutex_dequeue(struct pimutex *m, struct pi_waiter *w)
{
	struct task_pi *p = task_pi(w->task);
	struct task *owner;
	unsigned long flags;
	bool changed = false;

	pin();
	flags = spin_lock_irq(&m->lock);
	if (w->granted) {
		spin_unlock_irq(&m->lock, flags);
		unpin();
		return true;
	}
	owner = m->owner;
	if (top_waiter(m) == w) {
		rb_erase_cached(&w->node, &m->waiters);
		changed = lender_replace(owner, w, top_waiter(m));
	} else {
		rb_erase_cached(&w->node, &m->waiters);
	}
	spin_lock(&p->lock);
	p->blocked_on = NULL;
	spin_unlock(&p->lock);
	spin_unlock_irq(&m->lock, flags);
	if (changed)
		chain_walk(owner, NULL);
	unpin();
	return false;
}

int
pimutex_lock(struct pimutex *m, enum park_mode mode, u64 deadline)
{
	struct pi_waiter w;
	int ret;

	assert_may_sleep();
	ret = pimutex_enqueue(m, &w, sync_current());
	if (ret != 0)
		return ret > 0 ? 0 : ret;
	ret = pimutex_wait(m, &w, mode, deadline);
	if (ret != 0 && pimutex_dequeue(m, &w))
		ret = 0;
	return ret;
}

/* Makes the top waiter the holder; returns its task, to be woken. m->lock held. */
static struct task *
hand_over(struct pimutex *m, struct pi_waiter *w)
{
	struct task *t = w->task;
	struct task_pi *p = task_pi(t);
	struct pi_waiter *next;

	rb_erase_cached(&w->node, &m->waiters);
	/* What it lent to the old holder ends; the next in line lends to the new one. */
	lender_replace(m->owner, w, NULL);
	next = top_waiter(m);
	WRITE_ONCE(m->owner, t);
	spin_lock(&p->lock);
	p->blocked_on = NULL;
	if (next != NULL)
		lenders_insert(p, next);
	effective_update(t);
	spin_unlock(&p->lock);
	smp_store_release(&w->granted, 1);
	return t;
}

void
pimutex_unlock(struct pimutex *m)
{
	struct pi_waiter *top;
	struct task *wake = NULL;
	unsigned long flags;

	/* Keeps the task that we wake allocated. */
	pin();
	flags = spin_lock_irq(&m->lock);
	ASSERT(m->owner == sync_current());
	top = top_waiter(m);
	if (top != NULL)
		wake = hand_over(m, top);
	else
		WRITE_ONCE(m->owner, NULL);
	spin_unlock_irq(&m->lock, flags);
	if (wake != NULL)
		unpark(wake);
	unpin();
}
