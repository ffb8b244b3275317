/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll.
 *
 * Model: a set holds items, one for each (handle, descriptor) that it watches.
 * An item stays queued on the handle's wait queues; their callbacks put it on
 * the set's ready list and wake one waiter of the set. epoll_wait takes items
 * from the list, asks each handle what is really ready, and puts level-triggered
 * ones back at the end. While it asks, others take the set for ready and come to
 * wait for the mutex. It was woken alone, so whatever is on the list when it is
 * done is for the next waiter.
 *
 * Ownership: items hold no reference on their handle. When the last reference
 * of a handle goes, epoll_file_release() takes its items out of their sets
 * before the handle is freed.
 *
 * Locking: epoll->mutex (RANK_EPOLL) covers the items; epoll->lock (a spinlock
 * under wait queue locks) the ready list; link_locks the lists of items in
 * handles. What concerns sets that watch sets is done under epoll_nest_mutex
 * (epoll_nest.c), taken before the mutexes. A callback runs under the lock of a
 * handle's queue and wakes the set's queues, which are locks of the same rank:
 * sets form no loops, so the order from what is watched to who watches is one.
 */
#include "kernel/handle/epoll_impl.h"
#include "kernel/handle/handle.h"
#include "kernel/sched/sched.h"
#include "kernel/seq.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/rbtree.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define PRIVATE_BITS (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
#define EXCLUSIVE_OK (POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define MAX_EVENTS (INT32_MAX / (int)sizeof(struct epoll_event))
#define LINK_LOCKS 256

/* The ABI's layout: packed on x86_64. */
struct epoll_event {
	u32 events;
	u64 data;
} __packed;

static LOCK_CLASS(epoll_class, RANK_EPOLL);
static LOCK_CLASS(epoll_ready_class, RANK_WAITQ_NESTED);
static LOCK_CLASS(epoll_link_class, RANK_LEAF);
static struct {
	struct spinlock lock __cacheline_aligned;
} link_locks[LINK_LOCKS] = {[0 ... LINK_LOCKS - 1] = {SPINLOCK_INIT(epoll_link_class)}};

static const struct file_ops epoll_ops;

struct epoll *
file_epoll(struct file *f)
{
	return f->ops == &epoll_ops ? f->private : NULL;
}

static struct spinlock *
link_lock(const struct file *f)
{
	return &link_locks[hash_ptr(f) % LINK_LOCKS].lock;
}

/* On the list, unless a callback was faster. ep->lock held. */
static void
item_ready(struct item *it, bool first)
{
	struct epoll *ep = it->ep;

	if (!list_empty(&it->ready_link))
		return;
	if (first)
		list_add(&it->ready_link, &ep->ready);
	else
		list_add_tail(&it->ready_link, &ep->ready);
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
	spin_lock(&ep->lock);
	item_ready(it, false);
	spin_unlock(&ep->lock);
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

static struct item *
item_find(struct epoll *ep, const struct file *f, u32 fd)
{
	struct rb_node *n = ep->items.node;

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
item_insert(struct epoll *ep, struct item *it)
{
	struct rb_node **link = &ep->items.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item_compare(rb_entry(parent, struct item, node), it->file, it->fd) > 0
			       ? &parent->left
			       : &parent->right;
	}
	rb_link(&it->node, parent, link);
	rb_insert(&it->node, &ep->items);
	ep->nr_items++;
}

/* mutex held; epoll_nest_mutex too if the handle is a set. */
static void
item_free(struct item *it)
{
	struct epoll *ep = it->ep;
	struct item_wait *w;
	unsigned long f;

	while ((w = it->waits) != NULL) {
		it->waits = w->next;
		waitq_del(w->waiter.queue, &w->waiter);
		kfree(w);
	}
	f = spin_lock_irq(&ep->lock);
	list_del_init(&it->ready_link);
	spin_unlock_irq(&ep->lock, f);
	rb_erase(&it->node, &ep->items);
	ep->nr_items--;
	spin_lock(link_lock(it->file));
	list_del_init(&it->file_link);
	spin_unlock(link_lock(it->file));
	list_del_init(&it->sub_link);
	kfree(it);
}

static void
epoll_put(struct epoll *ep)
{
	if (atomic_dec_and_test(&ep->refs))
		kfree(ep);
}

static void
release_items(struct file *f)
{
	struct item *it;
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
		mutex_lock_nested(&ep->mutex);
		it = item_find(ep, f, fd);
		if (it)
			item_free(it);
		mutex_unlock(&ep->mutex);
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
	struct epoll *ep = it->ep;
	unsigned long f;

	if (!(file_poll(it->file, pt) & it->events))
		return;
	f = spin_lock_irq(&ep->lock);
	item_ready(it, false);
	spin_unlock_irq(&ep->lock, f);
	waitq_wake_one(&ep->wait);
	if (waitq_active(&ep->poll_wait))
		waitq_wake(&ep->poll_wait, 0, POLLIN | POLLRDNORM);
}

static int
item_add(struct epoll *ep, struct file *f, u32 fd, const struct epoll_event *ev)
{
	struct item *it = kzalloc(sizeof(*it), GFP_KERNEL);
	struct item_table t = {.pt = {.queue = item_queue}};

	if (!it)
		return -ENOMEM;
	it->ep = ep;
	it->file = f;
	it->fd = fd;
	it->events = ev->events | POLLERR | POLLHUP;
	it->data = ev->data;
	list_init(&it->ready_link);
	list_init(&it->sub_link);
	item_insert(ep, it);
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

static int
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

/* --- changes --- */

static int
ctl_locked(struct epoll *ep, int op, struct file *f, u32 fd, const struct epoll_event *ev)
{
	struct item *it = item_find(ep, f, fd);

	if (op == EPOLL_CTL_ADD)
		return it ? -EEXIST : item_add(ep, f, fd, ev);
	if (!it)
		return -ENOENT;
	if (op == EPOLL_CTL_MOD)
		return item_modify(it, ev);
	item_free(it);
	return 0;
}

static int
ctl_nested(struct epoll *ep, int op, struct file *f, u32 fd, const struct epoll_event *ev)
{
	int err;

	mutex_lock(&epoll_nest_mutex);
	err = op == EPOLL_CTL_ADD ? epoll_nest_check(ep, file_epoll(f)) : 0;
	if (!err) {
		mutex_lock_nested(&ep->mutex);
		err = ctl_locked(ep, op, f, fd, ev);
		mutex_unlock(&ep->mutex);
	}
	mutex_unlock(&epoll_nest_mutex);
	return err;
}

static int
ctl_check(struct file *epf, int op, struct file *f, const struct epoll_event *ev)
{
	if (!f->ops->poll)
		return -EPERM;
	if (f == epf || !file_epoll(epf))
		return -EINVAL;
	if (op == EPOLL_CTL_MOD && ev->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	if (op == EPOLL_CTL_ADD && ev->events & EPOLLEXCLUSIVE &&
	    (file_epoll(f) || ev->events & ~(u32)EXCLUSIVE_OK))
		return -EINVAL;
	return op >= EPOLL_CTL_ADD && op <= EPOLL_CTL_MOD ? 0 : -EINVAL;
}

long
sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event __user *uev)
{
	struct epoll_event ev = {0};
	struct fdref er, fr;
	struct epoll *ep;
	long ret;

	if (op != EPOLL_CTL_DEL && copy_from_user(&ev, uev, sizeof(ev)))
		return -EFAULT;
	er = fd_get((unsigned int)epfd);
	fr = fd_get((unsigned int)fd);
	ret = er.file && fr.file ? ctl_check(er.file, op, fr.file, &ev) : -EBADF;
	if (!ret) {
		ep = file_epoll(er.file);
		if (file_epoll(fr.file)) {
			ret = ctl_nested(ep, op, fr.file, (u32)fd, &ev);
		} else {
			mutex_lock(&ep->mutex);
			ret = ctl_locked(ep, op, fr.file, (u32)fd, &ev);
			mutex_unlock(&ep->mutex);
		}
	}
	fd_put(fr);
	fd_put(er);
	return ret;
}

/* --- waiting --- */

/*
 * Hands out up to max events: each item is taken off the ready list, asked, and
 * put back behind the others if it is level-triggered and was ready.
 */
static int
events_send(struct epoll *ep, struct epoll_event __user *uev, int max)
{
	struct list todo = LIST_INIT(todo);
	struct epoll_event ev;
	struct item *it;
	unsigned long f;
	int n = 0, err = 0;
	bool again;

	mutex_lock(&ep->mutex);
	f = spin_lock_irq(&ep->lock);
	ep->asking = true;
	list_splice_init(&ep->ready, &todo);
	while (!list_empty(&todo)) {
		it = list_first(&todo, struct item, ready_link);
		if (n == max || err) {
			/* What is left goes back in front. */
			list_splice_init(&todo, &ep->ready);
			break;
		}
		list_del_init(&it->ready_link);
		spin_unlock_irq(&ep->lock, f);
		ev.events = file_poll(it->file, NULL) & it->events & ~PRIVATE_BITS;
		ev.data = it->data;
		if (ev.events && copy_to_user(&uev[n], &ev, sizeof(ev)))
			err = -EFAULT;
		f = spin_lock_irq(&ep->lock);
		if (!ev.events)
			continue;
		if (!err) {
			n++;
			if (it->events & EPOLLONESHOT)
				it->events &= PRIVATE_BITS;
			else if (!(it->events & EPOLLET))
				item_ready(it, false);
		} else {
			item_ready(it, true);
		}
	}
	ep->asking = false;
	again = !list_empty(&ep->ready);
	spin_unlock_irq(&ep->lock, f);
	mutex_unlock(&ep->mutex);
	if (again)
		waitq_wake_one(&ep->wait);
	return n ? n : err;
}

static bool
ready_any(struct epoll *ep)
{
	unsigned long f;
	bool any;

	if (READ_ONCE(ep->ready.next) != &ep->ready)
		return true;
	f = spin_lock_irq(&ep->lock);
	any = ep->asking || !list_empty(&ep->ready);
	spin_unlock_irq(&ep->lock, f);
	return any;
}

static long
epoll_wait_do(int epfd, struct epoll_event __user *uev, int max, u64 deadline)
{
	struct fdref r;
	struct epoll *ep;
	long ret;
	int err = 0;

	if (max <= 0 || max > MAX_EVENTS)
		return -EINVAL;
	if (!user_range_ok(uev, (size_t)max * sizeof(*uev)))
		return -EFAULT;
	r = fd_get((unsigned int)epfd);
	if (!r.file)
		return -EBADF;
	ep = file_epoll(r.file);
	ret = ep ? 0 : -EINVAL;
	while (!ret) {
		if (ready_any(ep))
			ret = events_send(ep, uev, max);
		if (ret || err || deadline == 0)
			break;
		err = wait_event_common(&ep->wait, ready_any(ep), PARK_INTERRUPTIBLE, deadline,
					WAITER_EXCLUSIVE);
	}
	fd_put(r);
	if (ret == 0 && err == -ERESTARTSYS)
		return -EINTR;
	return ret;
}

static u64
ms_deadline(int ms)
{
	if (ms < 0)
		return NO_DEADLINE;
	return ms ? deadline_after((u64)ms * NSEC_PER_MSEC) : 0;
}

long
sys_epoll_wait(int epfd, struct epoll_event __user *ev, int n, int timeout_ms)
{
	return epoll_wait_do(epfd, ev, n, ms_deadline(timeout_ms));
}

/* With the signal mask that the caller has set for the time of the wait. */
static long
wait_masked(int epfd, struct epoll_event __user *ev, int n, u64 deadline)
{
	long ret = epoll_wait_do(epfd, ev, n, deadline);

	signal_restore_mask(ret == -EINTR);
	return ret;
}

long
sys_epoll_pwait(int epfd, struct epoll_event __user *ev, int n, int timeout_ms,
		const u64 __user *mask, size_t size)
{
	long err = signal_set_user_mask(mask, size);

	return err ? err : wait_masked(epfd, ev, n, ms_deadline(timeout_ms));
}

long
sys_epoll_pwait2(int epfd, struct epoll_event __user *ev, int n, const struct timespec __user *ts,
		 const u64 __user *mask, size_t size)
{
	u64 deadline = NO_DEADLINE, ns;
	long err;

	if (ts) {
		err = get_user_timespec(&ns, ts);
		if (err)
			return err;
		deadline = ns ? deadline_after(ns) : 0;
	}
	err = signal_set_user_mask(mask, size);
	return err ? err : wait_masked(epfd, ev, n, deadline);
}

/* --- the handle --- */

static u32
epoll_poll(struct file *f, struct poll_table *pt)
{
	struct epoll *ep = f->private;
	struct item *it;
	struct rb_node *n;
	u32 ev = 0;

	poll_wait(f, &ep->poll_wait, pt);
	if (!ready_any(ep))
		return 0;
	/* On the list is not yet ready: ask, as epoll_wait would. */
	mutex_lock_nested(&ep->mutex);
	for (n = rb_first(&ep->items); n && !ev; n = rb_next(n)) {
		it = rb_entry(n, struct item, node);
		if (!list_empty(&it->ready_link) &&
		    file_poll(it->file, NULL) & it->events & ~PRIVATE_BITS)
			ev = POLLIN | POLLRDNORM;
	}
	mutex_unlock(&ep->mutex);
	return ev;
}

static void
epoll_release(struct file *f)
{
	struct epoll *ep = f->private;
	/* Nobody adds any more; who goes meanwhile only makes the list shorter. */
	bool nested = READ_ONCE(ep->subs.next) != &ep->subs;

	if (nested)
		mutex_lock(&epoll_nest_mutex);
	mutex_lock_nested(&ep->mutex);
	while (!rb_empty(&ep->items))
		item_free(rb_entry(rb_first(&ep->items), struct item, node));
	mutex_unlock(&ep->mutex);
	if (nested)
		mutex_unlock(&epoll_nest_mutex);
	epoll_put(ep);
}

static void
epoll_show(struct file *f, struct seq *s)
{
	struct epoll *ep = f->private;
	struct rb_node *n;

	mutex_lock(&ep->mutex);
	for (n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct item *it = rb_entry(n, struct item, node);

		seq_printf(s, "tfd: %8d events: %8x data: %16lx  pos:%li ino:%lx sdev:%x\n", it->fd,
			   it->events, it->data, (s64)it->file->pos, 0ul, 0u);
	}
	mutex_unlock(&ep->mutex);
}

static const struct file_ops epoll_ops = {
	.name = "[eventpoll]",
	.seek = seek_stay,
	.poll = epoll_poll,
	.release = epoll_release,
	.show_fdinfo = epoll_show,
};

long
sys_epoll_create1(int flags)
{
	struct epoll *ep;
	struct file *f;

	if (flags & ~O_CLOEXEC)
		return -EINVAL;
	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep)
		return -ENOMEM;
	mutex_init(&ep->mutex, &epoll_class);
	spin_init(&ep->lock, &epoll_ready_class);
	list_init(&ep->ready);
	list_init(&ep->subs);
	waitq_init(&ep->wait);
	waitq_init(&ep->poll_wait);
	ep->refs = 1;
	f = file_alloc(&epoll_ops, FMODE_READ | FMODE_WRITE, O_RDWR, ep);
	if (is_err(f)) {
		kfree(ep);
		return ptr_err(f);
	}
	ep->file = f;
	return fd_install(f, 0, flags & O_CLOEXEC);
}

long
sys_epoll_create(int size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}
