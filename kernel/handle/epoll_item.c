/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The items of epoll sets.
 *
 * Model: an item stays queued on its handle's wait queues; their callbacks put it on
 * a ready list and wake one waiter of the set. A set keeps its items, and the list of
 * those that may be ready, in one box. When CPUs take turns with changing what it
 * watches it gets BOXES boxes instead, each with a mutex, a tree and a ready list; a
 * hash of the handle says in which its items are. The seed of the hash is chosen so
 * that the two handles that met last are kept apart.
 *
 * Order: in boxes each item that gets ready is stamped with the time, and a wait takes
 * the oldest of all boxes first. So what got ready first is told first, with boxes or
 * without.
 *
 * Ownership: items hold no reference on their handle. When the last reference of a
 * handle goes, epoll_file_release() takes its items out of their sets before the
 * handle is freed.
 *
 * Making boxes: first.mutex is held, so nobody changes the set or waits for events
 * meanwhile; callbacks go on. An item moves under first.lock, and a callback that has
 * locked its box looks whether it still is. first.asking is set from then on, so who
 * looks at the first box takes the set for ready, comes for its mutex, and finds boxes.
 *
 * Locking: box->mutex (RANK_EPOLL; several in their order) covers the items; box->lock
 * (a spinlock under wait queue locks) the ready list; link_locks the lists of items in
 * handles. What concerns sets that watch sets is done under epoll_nest_mutex
 * (epoll_nest.c), taken before the mutexes. A callback runs under the lock of a
 * handle's queue and wakes the set's queues, which are locks of the same rank:
 * sets form no loops, so the order from what is watched to who watches is one.
 *
 * Rejected: an item in the box of the CPU that adds it: to find it again, all boxes
 * would have to be looked at, or all sets that watch the handle.
 */
#include "kernel/handle/epoll_impl.h"
#include "kernel/handle/handle.h"
#include "kernel/sched/sched.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "mm/slab.h"
#include "percpu/percpu.h"

#define LINK_LOCKS 256
#define TURNS 4
#define SEEDS 32u

static LOCK_CLASS(epoll_class, RANK_EPOLL);
static LOCK_CLASS(epoll_ready_class, RANK_WAITQ_NESTED);
static LOCK_CLASS(epoll_link_class, RANK_LEAF);
static struct {
	struct spinlock lock __cacheline_aligned;
} link_locks[LINK_LOCKS] = {[0 ... LINK_LOCKS - 1] = {SPINLOCK_INIT(epoll_link_class)}};

static_assert(sizeof(struct epoll_box) <= CACHE_LINE || CONFIG_DEBUG);

static struct spinlock *
link_lock(const struct file *f)
{
	return &link_locks[hash_ptr(f) % LINK_LOCKS].lock;
}

/* --- sets and boxes --- */

static void
box_init(struct epoll_box *box)
{
	mutex_init(&box->mutex, &epoll_class);
	spin_init(&box->lock, &epoll_ready_class);
	list_init(&box->ready);
}

struct epoll *
epoll_alloc(void)
{
	struct epoll *ep = kzalloc(sizeof(*ep), GFP_KERNEL);

	if (!ep)
		return NULL;
	box_init(&ep->first);
	list_init(&ep->subs);
	waitq_init(&ep->wait);
	waitq_init(&ep->poll_wait);
	ep->refs = 1;
	return ep;
}

void
epoll_put(struct epoll *ep)
{
	if (atomic_dec_and_test(&ep->refs)) {
		kfree(ep->boxes);
		kfree(ep);
	}
}

static u32
box_number(const struct file *f, u32 seed)
{
	return (u32)hash_u64((u64)f + seed) % BOXES;
}

static struct epoll_box *
box_of(struct epoll *ep, const struct file *f)
{
	struct epoll_box *boxes = smp_load_acquire(&ep->boxes);

	return boxes ? &boxes[box_number(f, ep->seed)] : &ep->first;
}

struct epoll_box *
epoll_box_nth(struct epoll *ep, u32 i)
{
	struct epoll_box *boxes = smp_load_acquire(&ep->boxes);

	if (!boxes)
		return i == 0 ? &ep->first : NULL;
	return i < BOXES ? &boxes[i] : NULL;
}

struct epoll_box *__no_thread_safety
epoll_box_lock(struct epoll *ep, const struct file *f)
{
	struct epoll_box *box = box_of(ep, f);

	mutex_lock_nested(&box->mutex);
	if (box == box_of(ep, f))
		return box;
	/* Boxes were made meanwhile. */
	mutex_unlock(&box->mutex);
	box = box_of(ep, f);
	mutex_lock_nested(&box->mutex);
	return box;
}

/* Unless a callback was faster. */
void
item_ready(struct item *it, bool first)
{
	struct epoll_box *box = it->box;

	if (!list_empty(&it->ready_link))
		return;
	if (box != &it->ep->first && !first)
		it->stamp = ktime_get();
	if (first)
		list_add(&it->ready_link, &box->ready);
	else
		list_add_tail(&it->ready_link, &box->ready);
}

/* From a callback: under the lock of the box that it is in. */
static void
item_ready_lock(struct item *it)
{
	struct epoll_box *box = READ_ONCE(it->box);

	spin_lock(&box->lock);
	while (box != it->box) {
		spin_unlock(&box->lock);
		box = READ_ONCE(it->box);
		spin_lock(&box->lock);
	}
	item_ready(it, false);
	spin_unlock(&box->lock);
}

/* --- wakeups --- */

static int
item_wake(struct waiter *w, unsigned long key)
{
	struct item *it = container_of(w, struct item_wait, waiter)->item;
	struct epoll *ep = it->ep;
	u32 events = READ_ONCE(it->events);
	bool slept;

	if (!(events & ~PRIVATE_BITS) || (key && !(key & events)))
		return 0;
	item_ready_lock(it);
	/* The handle's queue is locked; sets are a tree, so no queue is met twice. */
	slept = waitq_active(&ep->wait);
	waitq_wake_nested(&ep->wait, 1, 0);
	waitq_wake_nested(&ep->poll_wait, 0, POLLIN | POLLRDNORM);
	/* EPOLLEXCLUSIVE: where nobody waits, the wakeup is for another set. */
	return slept;
}

struct item_table {
	struct poll_table pt;
	struct item *item;
};

static void
item_queue(struct poll_table *pt, struct file *f, struct waitq *q)
{
	struct item *it = container_of(pt, struct item_table, pt)->item;
	struct item_wait *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w) {
		it->failed = true;
		return;
	}
	w->item = it;
	w->waiter.wake = item_wake;
	w->waiter.flags = WAITER_KEEP | (it->events & EPOLLEXCLUSIVE ? WAITER_EXCLUSIVE : 0);
	w->next = it->waits;
	it->waits = w;
	waitq_add(q, &w->waiter);
}

/* --- items --- */

static int
item_compare(const struct item *it, const struct file *f, u32 fd)
{
	if (it->file != f)
		return it->file < f ? -1 : 1;
	return it->fd < fd ? -1 : it->fd > fd;
}

struct item *
item_find(struct epoll_box *box, const struct file *f, u32 fd)
{
	struct rb_node *n = box->items.node;

	while (n) {
		struct item *it = rb_entry(n, struct item, node);
		int c = item_compare(it, f, fd);

		if (c == 0)
			return it;
		n = c > 0 ? n->left : n->right;
	}
	return NULL;
}

static void
item_insert(struct epoll_box *box, struct item *it)
{
	struct rb_node **link = &box->items.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item_compare(rb_entry(parent, struct item, node), it->file, it->fd) > 0
			       ? &parent->left
			       : &parent->right;
	}
	rb_link(&it->node, parent, link);
	rb_insert(&it->node, &box->items);
}

void
item_free(struct item *it)
{
	struct epoll_box *box = it->box;
	struct item_wait *w;
	unsigned long f;

	while ((w = it->waits) != NULL) {
		it->waits = w->next;
		waitq_del(w->waiter.queue, &w->waiter);
		kfree(w);
	}
	f = spin_lock_irq(&box->lock);
	list_del_init(&it->ready_link);
	spin_unlock_irq(&box->lock, f);
	rb_erase(&it->node, &box->items);
	spin_lock(link_lock(it->file));
	list_del_init(&it->file_link);
	spin_unlock(link_lock(it->file));
	list_del_init(&it->sub_link);
	kfree(it);
}

static void
release_items(struct file *f)
{
	struct item *it;
	struct epoll_box *box;
	struct epoll *ep;
	u32 fd = 0;

	for (;;) {
		ep = NULL;
		spin_lock(link_lock(f));
		it = list_first_or_null(&f->epoll_links, struct item, file_link);
		if (it && atomic_inc_not_zero(&it->ep->refs)) {
			ep = it->ep;
			fd = it->fd;
		}
		spin_unlock(link_lock(f));
		if (!it)
			return;
		if (!ep) {
			cond_resched();
			continue;
		}
		box = epoll_box_lock(ep, f);
		it = item_find(box, f, fd);
		if (it)
			item_free(it);
		mutex_unlock(&box->mutex);
		epoll_put(ep);
	}
}

void
epoll_file_release(struct file *f)
{
	bool nested = file_epoll(f) != NULL;

	if (nested)
		mutex_lock(&epoll_nest_mutex);
	release_items(f);
	if (nested)
		mutex_unlock(&epoll_nest_mutex);
}

/* Looks at the handle; queues the item as ready if it is. mutex held. */
static void
item_check(struct item *it, struct poll_table *pt)
{
	struct epoll_box *box = it->box;
	struct epoll *ep = it->ep;
	unsigned long f;

	if (!(file_poll(it->file, pt) & it->events))
		return;
	f = spin_lock_irq(&box->lock);
	item_ready(it, false);
	spin_unlock_irq(&box->lock, f);
	waitq_wake_one(&ep->wait);
	if (waitq_active(&ep->poll_wait))
		waitq_wake(&ep->poll_wait, 0, POLLIN | POLLRDNORM);
}

int
item_add(struct epoll *ep, struct epoll_box *box, struct file *f, u32 fd,
	 const struct epoll_event *ev)
{
	struct item *it = kzalloc(sizeof(*it), GFP_KERNEL);
	struct item_table t = {.pt = {.queue = item_queue}};

	if (!it)
		return -ENOMEM;
	it->ep = ep;
	it->box = box;
	it->file = f;
	it->fd = fd;
	it->events = ev->events | POLLERR | POLLHUP;
	it->data = ev->data;
	list_init(&it->ready_link);
	list_init(&it->sub_link);
	item_insert(box, it);
	if (file_epoll(f))
		list_add(&it->sub_link, &ep->subs);
	spin_lock(link_lock(f));
	list_add(&it->file_link, &f->epoll_links);
	spin_unlock(link_lock(f));
	t.item = it;
	t.pt.events = it->events;
	item_check(it, &t.pt);
	if (it->failed) {
		item_free(it);
		return -ENOMEM;
	}
	return 0;
}

int
item_modify(struct item *it, const struct epoll_event *ev)
{
	if (it->events & EPOLLEXCLUSIVE || ev->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	WRITE_ONCE(it->events, ev->events | POLLERR | POLLHUP);
	it->data = ev->data;
	/* The new mask is seen by callbacks from here on, or by our look. */
	smp_mb();
	item_check(it, NULL);
	return 0;
}

/* --- making boxes --- */

/* What is on the first box's list when it moves keeps its place before all that comes later. */
static void
item_move(struct epoll *ep, struct epoll_box *boxes, struct item *it)
{
	struct epoll_box *box = &boxes[box_number(it->file, ep->seed)];
	unsigned long f = spin_lock_irq(&ep->first.lock);

	spin_lock_nested(&box->lock);
	WRITE_ONCE(it->box, box);
	if (!list_empty(&it->ready_link)) {
		list_del(&it->ready_link);
		it->stamp = ++ep->moved;
		list_add_tail(&it->ready_link, &box->ready);
	}
	spin_unlock(&box->lock);
	spin_unlock_irq(&ep->first.lock, f);
}

static struct item *
first_ready(struct epoll *ep)
{
	unsigned long f = spin_lock_irq(&ep->first.lock);
	struct item *it = list_first_or_null(&ep->first.ready, struct item, ready_link);

	spin_unlock_irq(&ep->first.lock, f);
	return it;
}

/* first.mutex held. */
static void
move_all(struct epoll *ep, struct epoll_box *boxes)
{
	unsigned long f = spin_lock_irq(&ep->first.lock);
	struct rb_node *n;
	struct item *it;

	ep->first.asking = true;
	spin_unlock_irq(&ep->first.lock, f);
	/* In the order of the list; then those that are not on it. */
	while ((it = first_ready(ep)) != NULL)
		item_move(ep, boxes, it);
	while ((n = rb_first(&ep->first.items)) != NULL) {
		it = rb_entry(n, struct item, node);
		rb_erase(n, &ep->first.items);
		if (it->box == &ep->first)
			item_move(ep, boxes, it);
		item_insert(it->box, it);
	}
}

static void
make_boxes(struct epoll *ep, const struct file *a, const struct file *b)
{
	struct epoll_box *boxes = kcalloc(BOXES, sizeof(*boxes), GFP_KERNEL);
	u32 seed = 0;

	if (!boxes)
		return;
	for (u32 i = 0; i < BOXES; i++)
		box_init(&boxes[i]);
	while (seed < SEEDS && box_number(a, seed) == box_number(b, seed))
		seed++;
	mutex_lock(&ep->first.mutex);
	if (!ep->boxes) {
		ep->seed = seed;
		move_all(ep, boxes);
		smp_store_release(&ep->boxes, boxes);
		boxes = NULL;
	}
	mutex_unlock(&ep->first.mutex);
	kfree(boxes);
}

void
epoll_note_change(struct epoll *ep, const struct file *f)
{
	const struct file *other = READ_ONCE(ep->last_file);
	u16 cpu = (u16)cpu_id();

	if (READ_ONCE(ep->boxes))
		return;
	WRITE_ONCE(ep->last_file, f);
	if (READ_ONCE(ep->last_cpu) == cpu)
		return;
	WRITE_ONCE(ep->last_cpu, cpu);
	WRITE_ONCE(ep->turns, ep->turns + 1);
	/* Two that meet over one handle gain nothing. */
	if (ep->turns >= TURNS && other && other != f) {
		WRITE_ONCE(ep->turns, 0);
		make_boxes(ep, other, f);
	}
}
