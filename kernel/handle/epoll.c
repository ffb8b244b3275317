/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll.
 *
 * Model: a set holds items, one for each (handle, descriptor) that it watches
 * (epoll_item.c). epoll_wait takes those off that may be ready, asks each handle what
 * is really ready, and puts level-triggered ones back at the end. While it asks,
 * others take the set for ready and come to wait for the mutex. It was woken alone, so
 * whatever is on the list when it is done is for the next waiter.
 *
 * Locking: as epoll_item.c tells. epoll_wait holds the mutexes of all boxes that have
 * something on their list.
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
#include "mm/slab.h"
#include "mm/uaccess.h"

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EXCLUSIVE_OK (POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define MAX_EVENTS (INT32_MAX / (int)sizeof(struct epoll_event))

static const struct file_ops epoll_ops;

struct epoll *
file_epoll(struct file *f)
{
	return f->ops == &epoll_ops ? f->private : NULL;
}

/* --- changes --- */

static int
ctl_one(struct epoll *ep, int op, struct file *f, u32 fd, const struct epoll_event *ev)
{
	struct epoll_box *box = epoll_box_lock(ep, f);
	struct item *it = item_find(box, f, fd);
	int err = 0;

	if (op == EPOLL_CTL_ADD)
		err = it ? -EEXIST : item_add(ep, box, f, fd, ev);
	else if (!it)
		err = -ENOENT;
	else if (op == EPOLL_CTL_MOD)
		err = item_modify(it, ev);
	else
		item_free(it);
	mutex_unlock(&box->mutex);
	return err;
}

static int
ctl_nested(struct epoll *ep, int op, struct file *f, u32 fd, const struct epoll_event *ev)
{
	int err;

	mutex_lock(&epoll_nest_mutex);
	err = op == EPOLL_CTL_ADD ? epoll_nest_check(ep, file_epoll(f)) : 0;
	if (!err)
		err = ctl_one(ep, op, f, fd, ev);
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
epoll_ctl(const struct epoll_ctl *c)
{
	struct epoll_event ev = {.events = c->events, .data = c->data};
	struct fdref er = fd_get((unsigned int)c->epfd), fr = fd_get((unsigned int)c->fd);
	struct epoll *ep;
	long ret = er.file && fr.file ? ctl_check(er.file, c->op, fr.file, &ev) : -EBADF;

	if (!ret) {
		ep = file_epoll(er.file);
		ret = file_epoll(fr.file) ? ctl_nested(ep, c->op, fr.file, (u32)c->fd, &ev)
					  : ctl_one(ep, c->op, fr.file, (u32)c->fd, &ev);
		epoll_note_change(ep, fr.file);
	}
	fd_put(fr);
	fd_put(er);
	return ret;
}

long
sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event __user *uev)
{
	struct epoll_event ev = {0};

	if (op != EPOLL_CTL_DEL && copy_from_user(&ev, uev, sizeof(ev)))
		return -EFAULT;
	return epoll_ctl(&(struct epoll_ctl){epfd, op, fd, ev.events, ev.data});
}

/* --- waiting --- */

/* What a wait has taken off the ready lists, box by box. */
struct taken {
	u32 nr;
	struct epoll_box *box[BOXES];
	struct list items[BOXES];
};

static bool
box_ready(struct epoll_box *box)
{
	unsigned long f;
	bool any;

	if (READ_ONCE(box->ready.next) != &box->ready)
		return true;
	f = spin_lock_irq(&box->lock);
	any = box->asking || !list_empty(&box->ready);
	spin_unlock_irq(&box->lock, f);
	return any;
}

static bool
ready_any(struct epoll *ep)
{
	struct epoll_box *box;

	for (u32 i = 0; (box = epoll_box_nth(ep, i)) != NULL; i++)
		if (box_ready(box))
			return true;
	return false;
}

/* Locks the boxes that have something, and takes it. */
static void __no_thread_safety
take_ready(struct epoll *ep, struct taken *t)
{
	struct epoll_box *box;
	unsigned long f;

	t->nr = 0;
	for (u32 i = 0; (box = epoll_box_nth(ep, i)) != NULL; i++) {
		if (!box_ready(box))
			continue;
		mutex_lock_nested(&box->mutex);
		if (epoll_box_nth(ep, i) != box) {
			/* Boxes were made: begins with their first. */
			mutex_unlock(&box->mutex);
			i = (u32)-1;
			continue;
		}
		list_init(&t->items[t->nr]);
		f = spin_lock_irq(&box->lock);
		box->asking = true;
		list_splice_init(&box->ready, &t->items[t->nr]);
		spin_unlock_irq(&box->lock, f);
		t->box[t->nr++] = box;
	}
}

/* What is left goes back in front. True if there is something for others. */
static bool __no_thread_safety
put_back(struct taken *t)
{
	bool again = false;
	unsigned long f;

	for (u32 i = 0; i < t->nr; i++) {
		struct epoll_box *box = t->box[i];

		f = spin_lock_irq(&box->lock);
		list_splice_init(&t->items[i], &box->ready);
		box->asking = false;
		again |= !list_empty(&box->ready);
		spin_unlock_irq(&box->lock, f);
		mutex_unlock(&box->mutex);
	}
	return again;
}

/* Takes off the item that has been ready longest; NULL: none is left. */
static struct item *
take_oldest(struct taken *t)
{
	struct item *it, *oldest = NULL;
	unsigned long f;

	for (u32 i = 0; i < t->nr; i++) {
		it = list_first_or_null(&t->items[i], struct item, ready_link);
		if (it && (!oldest || it->stamp < oldest->stamp))
			oldest = it;
	}
	if (oldest) {
		f = spin_lock_irq(&oldest->box->lock);
		list_del_init(&oldest->ready_link);
		spin_unlock_irq(&oldest->box->lock, f);
	}
	return oldest;
}

/* After it was told (or not, at a fault): where it goes. */
static void
item_told(struct item *it, bool fault)
{
	unsigned long f = spin_lock_irq(&it->box->lock);

	if (fault)
		item_ready(it, true);
	else if (it->events & EPOLLONESHOT)
		it->events &= PRIVATE_BITS;
	else if (!(it->events & EPOLLET))
		item_ready(it, false);
	spin_unlock_irq(&it->box->lock, f);
}

/*
 * Hands out up to max events: each item is taken off the ready list, asked, and
 * put back behind the others if it is level-triggered and was ready.
 */
static int
events_send(struct epoll *ep, struct epoll_event __user *uev, int max)
{
	struct epoll_event ev;
	struct taken taken;
	struct item *it;
	int n = 0, err = 0;

	take_ready(ep, &taken);
	while (n < max && !err && (it = take_oldest(&taken)) != NULL) {
		ev.events = file_poll(it->file, NULL) & it->events & ~PRIVATE_BITS;
		ev.data = it->data;
		if (!ev.events)
			continue;
		if (copy_to_user(&uev[n], &ev, sizeof(ev)))
			err = -EFAULT;
		else
			n++;
		item_told(it, err);
	}
	if (put_back(&taken))
		waitq_wake_one(&ep->wait);
	return n ? n : err;
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

/* Is one really ready? On the list is not yet: asks, as epoll_wait would. mutex held. */
static bool
box_poll(struct epoll_box *box)
{
	struct rb_node *n;
	bool any = false;

	for (n = rb_first(&box->items); n && !any; n = rb_next(n)) {
		struct item *it = rb_entry(n, struct item, node);

		any = !list_empty(&it->ready_link) &&
		      file_poll(it->file, NULL) & it->events & ~PRIVATE_BITS;
	}
	return any;
}

static u32
epoll_poll(struct file *f, struct poll_table *pt)
{
	struct epoll *ep = f->private;
	struct epoll_box *box;
	bool any = false;

	poll_wait(f, &ep->poll_wait, pt);
	for (u32 i = 0; !any && (box = epoll_box_nth(ep, i)) != NULL; i++) {
		if (!box_ready(box))
			continue;
		mutex_lock_nested(&box->mutex);
		if (epoll_box_nth(ep, i) == box)
			any = box_poll(box);
		else
			i = (u32)-1;
		mutex_unlock(&box->mutex);
	}
	return any ? POLLIN | POLLRDNORM : 0;
}

static void
epoll_release(struct file *f)
{
	struct epoll *ep = f->private;
	/* Nobody adds any more; who goes meanwhile only makes the list shorter. */
	bool nested = READ_ONCE(ep->subs.next) != &ep->subs;
	struct epoll_box *box;

	if (nested)
		mutex_lock(&epoll_nest_mutex);
	for (u32 i = 0; (box = epoll_box_nth(ep, i)) != NULL; i++) {
		mutex_lock_nested(&box->mutex);
		while (!rb_empty(&box->items))
			item_free(rb_entry(rb_first(&box->items), struct item, node));
		mutex_unlock(&box->mutex);
	}
	if (nested)
		mutex_unlock(&epoll_nest_mutex);
	epoll_put(ep);
}

static void
box_show(struct epoll_box *box, struct seq *s)
{
	struct rb_node *n;

	for (n = rb_first(&box->items); n; n = rb_next(n)) {
		struct item *it = rb_entry(n, struct item, node);

		seq_printf(s, "tfd: %8d events: %8x data: %16lx  pos:%li ino:%lx sdev:%x\n", it->fd,
			   it->events, it->data, (s64)it->file->pos, 0ul, 0u);
	}
}

static void
epoll_show(struct file *f, struct seq *s)
{
	struct epoll *ep = f->private;
	struct epoll_box *box;

	for (u32 i = 0; (box = epoll_box_nth(ep, i)) != NULL; i++) {
		mutex_lock(&box->mutex);
		if (epoll_box_nth(ep, i) == box)
			box_show(box, s);
		else
			i = (u32)-1;
		mutex_unlock(&box->mutex);
	}
}

static const struct file *
box_target(struct epoll_box *box, u32 fd, u32 *skip)
{
	struct rb_node *n;

	for (n = rb_first(&box->items); n; n = rb_next(n)) {
		struct item *it = rb_entry(n, struct item, node);

		if (it->fd == fd && (*skip)-- == 0)
			return it->file;
	}
	return NULL;
}

const struct file *
epoll_target(struct file *epf, u32 fd, u32 skip)
{
	struct epoll *ep = file_epoll(epf);
	const struct file *f = NULL;
	struct epoll_box *box;
	u32 left = skip;

	if (!ep)
		return err_ptr(-EINVAL);
	for (u32 i = 0; !f && (box = epoll_box_nth(ep, i)) != NULL; i++) {
		mutex_lock(&box->mutex);
		if (epoll_box_nth(ep, i) == box) {
			f = box_target(box, fd, &left);
		} else {
			i = (u32)-1;
			left = skip;
		}
		mutex_unlock(&box->mutex);
	}
	return f ? f : err_ptr(-ENOENT);
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
	ep = epoll_alloc();
	if (!ep)
		return -ENOMEM;
	f = file_alloc(&epoll_ops, FMODE_READ | FMODE_WRITE, O_RDWR, ep);
	if (is_err(f)) {
		epoll_put(ep);
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
