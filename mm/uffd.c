/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * userfaultfd: page faults that a program answers.
 *
 * Model: a range is registered by giving its runs another region, which names the
 * handle (struct uffd), what it wants to be told of, and, by ->plain, the region
 * that says what is shown. So registering is a change of runs as mprotect is,
 * mappings that are told of by the same handle in the same way are one, and paths
 * that know nothing of this see a region like any other. An entry with PTE_WP is
 * told of before it is written; in shared memory it is remembered where there is
 * no page, too (entry_is_marker()).
 *
 *      told of         when
 *      MISSING         no page: neither in the table nor in the page cache
 *      MINOR           the page cache has one, the table none
 *      WP              a write, and the entry has PTE_WP
 *
 * States of a fault: it queues itself in ->faults, is moved to ->served when it is
 * read, and goes on when a range with its page is woken, or the handle is closed.
 * It then looks again at what is there, as after any other wait.
 *
 * Ownership: regions, the handle, and events hold references on the struct; it
 * keeps a reference on the space. Waiters lie on their own stacks and are in a
 * list only while they wait.
 *
 * Locking: ->lock covers the lists; no other lock is taken inside.
 *
 * Ordering:
 *      uffd_wait_fault                 uffd_fill, uffd_protect
 *      queues itself (->lock)          entry is written (table's lock)
 *      looks at the entry              wakes the range (->lock)
 *        (table's lock)
 *
 * Who fills after the look finds the fault in the queue; who did before is seen.
 */
#include "mm/uffd.h"

#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/uffd_impl.h"

static LOCK_CLASS(uffd_class, RANK_LEAF);

/* A fault that waits, on its task's stack. */
struct uffd_wait {
	/* (u->lock)  empty: in no list */
	struct list link;
	unsigned long va;
	struct uffd_msg msg;
	/* (u->lock; read any time) */
	bool woken;
};

struct uffd *
uffd_create(struct space *s, u32 flags, u32 features)
{
	struct uffd *u = kzalloc(sizeof(*u), GFP_KERNEL);

	if (!u)
		return NULL;
	u->refs = 1;
	u->flags = flags;
	u->features = features;
	space_get(s);
	u->space = s;
	spin_init(&u->lock, &uffd_class);
	list_init(&u->faults);
	list_init(&u->served);
	list_init(&u->events);
	waitq_init(&u->readers);
	waitq_init(&u->waiters);
	return u;
}

void
uffd_put(struct uffd *u)
{
	if (!atomic_dec_and_test(&u->refs))
		return;
	space_put(u->space);
	kfree(u);
}

bool
uffd_choose_features(struct uffd *u, u32 features)
{
	u32 none = 0;

	return atomic_try_cmpxchg(&u->features, &none, features | UFFD_READY);
}

/* --- faults --- */

static void
fill_message(struct uffd_msg *m, const struct uffd *u, unsigned long va, u32 access,
	     enum uffd_reason reason)
{
	u32 features = READ_ONCE(u->features);

	m->event = UFFD_EVENT_PAGEFAULT;
	m->arg[0] = (access & FAULT_WRITE ? UFFD_PAGEFAULT_FLAG_WRITE : 0) |
		    (reason == UFFD_WP ? UFFD_PAGEFAULT_FLAG_WP : 0) |
		    (reason == UFFD_MINOR ? UFFD_PAGEFAULT_FLAG_MINOR : 0);
	m->arg[1] = features & UFFD_FEATURE_EXACT_ADDRESS ? va : align_down(va, PAGE_SIZE);
	m->arg[2] = features & UFFD_FEATURE_THREAD_ID ? mm_port_tid() : 0;
}

/* Is what the fault at va was for still so? */
static bool
must_wait(struct space *s, const struct region *r, unsigned long va, enum uffd_reason reason)
{
	struct pt *t = pt_lock_walk(s, va, 0);
	const struct run *run = runs_find(t, va);
	bool cached = false, wait = false;
	u64 e;

	if (run && meta_region(run->meta) == r) {
		e = t->level == 0 ? t->table[slot_index(va, 0)] : 0;
		if (r->cache)
			cached = pagecache_peek(r->cache, region_index(r, va)) != NULL;
		if (reason == UFFD_WP)
			wait = e & PTE_WP && !entry_is_marker(e);
		else
			wait = (!e || entry_is_marker(e)) && cached == (reason == UFFD_MINOR);
	}
	pt_unlock(t);
	return wait;
}

/* Will nobody be asked? */
static bool
refused(const struct uffd *u, u32 access)
{
	return access & FAULT_NOWAIT || READ_ONCE(u->features) & UFFD_FEATURE_SIGBUS ||
	       (!(access & FAULT_USER) && u->flags & UFFD_USER_MODE_ONLY) || mm_port_exiting();
}

/* False: the handle has been closed. */
static bool
queue_fault(struct uffd *u, struct uffd_wait *w)
{
	bool queued;

	w->woken = false;
	spin_lock(&u->lock);
	queued = !u->released;
	if (queued)
		list_add_tail(&w->link, &u->faults);
	spin_unlock(&u->lock);
	return queued;
}

static void
unqueue_fault(struct uffd *u, struct uffd_wait *w)
{
	spin_lock(&u->lock);
	if (!w->woken)
		list_del(&w->link);
	spin_unlock(&u->lock);
}

/*
 * The handle of r has gone, and r's range was not there when its others were made
 * ordinary: it moved or grew meanwhile, or there was no memory. It is from va on now.
 */
static int
make_plain(struct space *s, struct region *r, unsigned long va)
{
	struct run run;

	va = align_down(va, PAGE_SIZE);
	if (!space_next_run(s, va, va + PAGE_SIZE, &run, false))
		return 0;
	return uffd_change(s, va, max(run.end, va + PAGE_SIZE), r, r->plain);
}

int
uffd_wait_fault(struct space *s, struct region *r, unsigned long va, u32 access,
		enum uffd_reason reason)
{
	struct uffd *u = r->uffd;
	struct uffd_wait w;
	int err = 0;

	if (READ_ONCE(u->gone))
		return make_plain(s, r, va);
	if (refused(u, access))
		return -EFAULT;
	w.va = align_down(va, PAGE_SIZE);
	fill_message(&w.msg, u, va, access, reason);
	if (!queue_fault(u, &w)) {
		/* Its ranges are about to be ordinary ones. */
		wait_event(&u->waiters, READ_ONCE(u->gone));
		return 0;
	}
	if (must_wait(s, r, va, reason)) {
		waitq_wake_all(&u->readers);
		if (access & FAULT_USER)
			err = wait_event_interruptible(&u->waiters, READ_ONCE(w.woken));
		else
			err = wait_event_killable(&u->waiters, READ_ONCE(w.woken));
	}
	unqueue_fault(u, &w);
	if (!err)
		return 0;
	return access & FAULT_USER ? -EINTR : -EFAULT;
}

static void
wake_list(struct list *l, unsigned long start, unsigned long end)
{
	struct uffd_wait *w, *next;

	list_for_each_entry_safe(w, next, l, link) {
		if (w->va < start || w->va >= end)
			continue;
		list_del(&w->link);
		WRITE_ONCE(w->woken, true);
	}
}

void
uffd_wake(struct uffd *u, unsigned long start, unsigned long end)
{
	spin_lock(&u->lock);
	wake_list(&u->faults, start, end);
	wake_list(&u->served, start, end);
	spin_unlock(&u->lock);
	waitq_wake_all(&u->waiters);
}

/* --- the handle --- */

/* The oldest fault that has not been read. Lock held. */
static bool
next_fault(struct uffd *u, struct uffd_msg *msg)
{
	struct uffd_wait *w = list_first_or_null(&u->faults, struct uffd_wait, link);

	if (!w)
		return false;
	list_move_tail(&w->link, &u->served);
	*msg = w->msg;
	return true;
}

int
uffd_next(struct uffd *u, struct uffd_msg *msg, struct uffd_event **fork, struct uffd **child)
{
	struct uffd_event *e = NULL;
	int err = 0;

	*fork = NULL;
	*child = NULL;
	spin_lock(&u->lock);
	if (!next_fault(u, msg)) {
		e = list_first_or_null(&u->events, struct uffd_event, link);
		err = e ? 0 : -EAGAIN;
	}
	if (e) {
		list_del(&e->link);
		*msg = e->msg;
		e->state = e->child ? EVENT_READING : EVENT_DONE;
		if (e->child) {
			*fork = e;
			*child = e->child;
		}
	}
	spin_unlock(&u->lock);
	if (e && !*fork)
		waitq_wake_all(&u->waiters);
	return err;
}

void
uffd_fork_read(struct uffd *u, struct uffd_event *fork, bool taken)
{
	spin_lock(&u->lock);
	fork->state = taken ? EVENT_DONE : EVENT_QUEUED;
	if (!taken)
		list_add(&fork->link, &u->events);
	spin_unlock(&u->lock);
	waitq_wake_all(&u->waiters);
	if (!taken)
		waitq_wake_all(&u->readers);
}

bool
uffd_readable(struct uffd *u)
{
	bool any;

	spin_lock(&u->lock);
	any = !list_empty(&u->faults) || !list_empty(&u->events);
	spin_unlock(&u->lock);
	return any;
}

void
uffd_count(struct uffd *u, unsigned long *pending, unsigned long *total)
{
	spin_lock(&u->lock);
	*pending = list_count(&u->faults);
	*total = *pending + list_count(&u->served);
	spin_unlock(&u->lock);
}

/* All of u's ranges are as before. */
static void
forget_ranges(struct uffd *u)
{
	struct space *s = u->space;
	unsigned long va = 0;
	struct run r;

	if (!space_try_get_user(s))
		return;
	for (; space_next_run(s, va, USER_END, &r, true); va = r.end) {
		struct region *g = meta_region(r.meta);

		/* What there is no memory for becomes so at its next fault. */
		if (g->flags & REGION_UFFD && g->uffd == u)
			(void)!uffd_change(s, r.start, r.end, g, g->plain);
		meta_hold(r.meta, -1);
	}
	space_put_user(s);
}

void
uffd_release(struct uffd *u)
{
	struct region *regions[UFFD_REGIONS];
	unsigned int i;

	spin_lock(&u->lock);
	WRITE_ONCE(u->released, true);
	wake_list(&u->faults, 0, USER_END);
	wake_list(&u->served, 0, USER_END);
	for (i = 0; i < UFFD_REGIONS; i++) {
		regions[i] = u->regions[i];
		u->regions[i] = NULL;
	}
	spin_unlock(&u->lock);
	waitq_wake_all(&u->waiters);
	forget_ranges(u);
	WRITE_ONCE(u->gone, true);
	waitq_wake_all(&u->waiters);
	for (i = 0; i < UFFD_REGIONS; i++)
		if (regions[i])
			region_put(regions[i]);
	uffd_put(u);
}
