/* SPDX-License-Identifier: BSD-2-Clause */
/* The handle of inotify: a bounded queue of events. */
#include "fs/inotify_impl.h"
#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/seq.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/fcntl.h"
#include "kernel/uapi/signal.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define FIONREAD 0x541b

struct event {
	struct list link;
	s32 wd;
	u32 mask;
	u32 cookie;
	/* Without padding; 0: none. */
	u32 name_len;
	char name[];
};

static LOCK_CLASS(group_class, RANK_INOTIFY + 1);

/* Bytes of the name as read: with NUL, a multiple of the event's size. */
static size_t
name_room(u32 len)
{
	return len ? align_up((size_t)len + 1, sizeof(struct inotify_event)) : 0;
}

static size_t
event_size(const struct event *e)
{
	return sizeof(struct inotify_event) + name_room(e->name_len);
}

/* The same thing again, nothing in between: told once. */
static bool
repeats(struct inotify *g, s32 wd, u32 mask, const char *name)
{
	struct event *last = list_last_or_null(&g->events, struct event, link);

	if (!last || last->wd != wd || last->mask != mask || (mask & IN_IGNORED))
		return false;
	return name ? str_equal(last->name, name) && last->name_len : !last->name_len;
}

static struct event *
event_new(s32 wd, u32 mask, u32 cookie, const char *name)
{
	size_t len = name ? strlen(name) : 0;
	struct event *e = kmalloc(sizeof(*e) + len + 1, GFP_ATOMIC);

	if (!e)
		return NULL;
	e->wd = wd;
	e->mask = mask;
	e->cookie = cookie;
	e->name_len = len;
	memcpy(e->name, name ? name : "", len + 1);
	return e;
}

static void
append(struct inotify *g, struct event *e)
{
	list_add_tail(&e->link, &g->events);
	g->count++;
	g->bytes += event_size(e);
}

void
inotify_queue(struct inotify *g, s32 wd, u32 mask, u32 cookie, const char *name)
{
	struct event *e = NULL;

	spin_lock(&g->lock);
	if (repeats(g, wd, mask, name)) {
		spin_unlock(&g->lock);
		return;
	}
	if (g->count < READ_ONCE(inotify_max_queued_events))
		e = event_new(wd, mask, cookie, name);
	if (!e && !g->overflow) {
		/* Full, or no memory: what is lost is told once, in its place. */
		e = event_new(-1, IN_Q_OVERFLOW, 0, NULL);
		g->overflow = e != NULL;
	}
	if (e)
		append(g, e);
	spin_unlock(&g->lock);
	waitq_wake(&g->wait, 0, POLLIN | POLLRDNORM);
	async_list_notify(&g->async, FMODE_READ, POLL_IN);
}

/* The next event if it fits into n bytes: -EINVAL if not, NULL if there is none. */
static struct event *
take_event(struct inotify *g, size_t n)
{
	struct event *e;

	spin_lock(&g->lock);
	e = list_first_or_null(&g->events, struct event, link);
	if (e && event_size(e) > n) {
		e = err_ptr(-EINVAL);
	} else if (e) {
		list_del(&e->link);
		g->count--;
		g->bytes -= event_size(e);
		if (e->mask & IN_Q_OVERFLOW)
			g->overflow = false;
	}
	spin_unlock(&g->lock);
	return e;
}

static int
copy_event(struct iter *to, const struct event *e)
{
	size_t room = name_room(e->name_len);
	struct inotify_event head = {
		.wd = e->wd,
		.mask = e->mask,
		.cookie = e->cookie,
		.len = room,
	};

	if (iter_copy_to(to, &head, sizeof(head)) != sizeof(head) ||
	    iter_copy_to(to, e->name, e->name_len) != e->name_len ||
	    iter_zero(to, room - e->name_len) != room - e->name_len)
		return -EFAULT;
	return 0;
}

static s64
inotify_read(struct file *f, struct iter *to, u64 *pos)
{
	struct inotify *g = inotify_of(f);
	size_t want = iter_left(to);
	int err = 0;

	while (!err) {
		struct event *e = take_event(g, iter_left(to));

		if (is_err(e)) {
			err = ptr_err(e);
		} else if (e) {
			err = copy_event(to, e);
			kfree(e);
		} else if (iter_left(to) != want) {
			break;
		} else if (file_nonblock(f)) {
			err = -EAGAIN;
		} else {
			err = wait_event_interruptible(&g->wait, !list_empty(&g->events));
		}
	}
	if (err == -EFAULT)
		return err;
	return iter_left(to) != want ? (s64)(want - iter_left(to)) : err;
}

static u32
inotify_poll(struct file *f, struct poll_table *pt)
{
	struct inotify *g = inotify_of(f);

	poll_wait(f, &g->wait, pt);
	return list_empty(&g->events) ? 0 : POLLIN | POLLRDNORM;
}

static long
inotify_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct inotify *g = inotify_of(f);

	if (cmd != FIONREAD)
		return -ENOTTY;
	return put_user((int)READ_ONCE(g->bytes), (int __user *)arg);
}

static void
group_free(struct inotify *g)
{
	struct event *e, *tmp;
	struct watch *w, *next;

	mutex_lock(&inotify_mutex);
	list_for_each_entry_safe(w, next, &g->watches, group_link)
		watch_remove(w);
	list_del(&g->link);
	mutex_unlock(&inotify_mutex);
	list_for_each_entry_safe(e, tmp, &g->events, link)
		kfree(e);
	user_count_add(g->user, USER_INOTIFY_INSTANCES, -1);
	user_put(g->user);
	kfree(g);
}

static int
inotify_set_flags(struct file *f, u32 flags)
{
	return async_list_set(&inotify_of(f)->async, f, flags & O_ASYNC);
}

static void
inotify_release(struct file *f)
{
	(void)!async_list_set(&inotify_of(f)->async, f, false);
	group_free(inotify_of(f));
}

static void
inotify_fdinfo(struct file *f, struct seq *s)
{
	struct inotify *g = inotify_of(f);
	struct watch *w;

	mutex_lock(&inotify_mutex);
	list_for_each_entry(w, &g->watches, group_link)
		seq_printf(s, "inotify wd:%x ino:%lx sdev:%lx mask:%x ignored_mask:0\n", w->wd,
			   w->inode->ino, dev_encode(w->inode->sb->dev), w->mask);
	mutex_unlock(&inotify_mutex);
}

static const struct file_ops inotify_ops = {
	.name = "inotify",
	.read = inotify_read,
	.poll = inotify_poll,
	.plain = true,
	.seek = seek_stay,
	.ioctl = inotify_ioctl,
	.set_flags = inotify_set_flags,
	.release = inotify_release,
	.show_fdinfo = inotify_fdinfo,
};

struct inotify *
inotify_of(const struct file *f)
{
	return f->ops == &inotify_ops ? f->private : NULL;
}

static struct inotify *
group_new(void)
{
	struct inotify *g = kzalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return err_ptr(-ENOMEM);
	g->user = user_get(current_cred()->user);
	if (!user_count_try_add(g->user, USER_INOTIFY_INSTANCES, 1,
				READ_ONCE(inotify_max_user_instances))) {
		user_put(g->user);
		kfree(g);
		return err_ptr(-EMFILE);
	}
	spin_init(&g->lock, &group_class);
	list_init(&g->events);
	list_init(&g->watches);
	waitq_init(&g->wait);
	async_list_init(&g->async);
	mutex_lock(&inotify_mutex);
	list_add_tail(&g->link, &inotify_groups);
	mutex_unlock(&inotify_mutex);
	return g;
}

long
sys_inotify_init1(int flags)
{
	struct inotify *g;
	struct file *f;

	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	g = group_new();
	if (is_err(g))
		return ptr_err(g);
	f = file_alloc(&inotify_ops, FMODE_READ, O_RDONLY | (flags & IN_NONBLOCK), g);
	if (is_err(f)) {
		group_free(g);
		return ptr_err(f);
	}
	return fd_install(f, 0, flags & IN_CLOEXEC);
}

long
sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}
