/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners of seccomp(2): another program decides about calls.
 *
 * Model: a filter may have one listener, a handle. A task whose call falls to
 * SECCOMP_RET_USER_NOTIF puts a notification (on its own stack) into the
 * filter's list and sleeps until it is answered. Who has the handle reads
 * notifications, puts descriptors into the task's table, answers.
 *
 * States of a notification (lock of the filter):
 * 1. NEW: nobody has read it. It counts in `unread`.
 * 2. SENT: read; descriptors may be added, an answer may come.
 * 3. ANSWERED: the task has been woken and goes on as it says.
 * A task that a signal wakes takes its notification back in any state; `unread`
 * is then one too large, and a reader that finds nothing says so. The task adds
 * descriptors itself, since only it may change its table: who wants one added
 * queues a request and waits.
 *
 * When the last reference to the handle goes, all that wait get ENOSYS, as does
 * every call that comes later.
 *
 * Locking: filter->lock for the list, the notifications and their requests. Both
 * lie on stacks: whoever leaves takes his out of the list under the lock, and
 * wakes happen under it.
 */
#include "kernel/file.h"
#include "kernel/handle/handle.h"
#include "kernel/random.h"
#include "kernel/seccomp/seccomp_impl.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sync/completion.h"

__maybe_unused static LOCK_CLASS(seccomp_class, RANK_SECCOMP);

enum state { NEW, SENT, ANSWERED };

struct notification {
	/* l  in filter->notifications */
	struct list link;
	/* I */
	struct task *task;
	const struct seccomp_data *data;
	u64 id;
	/* l */
	enum state state;
	/* l  the answer */
	s64 val;
	s32 error;
	u32 flags;
	/* l  struct addfd, the last first */
	struct list addfds;
	/* answered, or a descriptor is to be added */
	struct completion wake;
};

struct addfd {
	/* l  empty: it has been seen to */
	struct list link;
	/* I */
	struct file *file;
	u32 flags;
	u32 newfd;
	bool cloexec;
	/* l  the descriptor or an error */
	int result;
	struct completion done;
};

void
seccomp_listener_init(struct seccomp_filter *f)
{
	mutex_init(&f->lock, &seccomp_class);
	list_init(&f->notifications);
	waitq_init(&f->readers);
	waitq_init(&f->poll);
}

static struct notification *
find(struct seccomp_filter *f, u64 id)
{
	struct notification *n;

	list_for_each_entry(n, &f->notifications, link)
		if (n->id == id)
			return n;
	return NULL;
}

/* One of those that nobody has read; NULL. */
static struct notification *
find_new(struct seccomp_filter *f)
{
	struct notification *n;

	list_for_each_entry(n, &f->notifications, link)
		if (n->state == NEW)
			return n;
	return NULL;
}

/* --- the task that asks; the lock is held, but while it sleeps --- */

/* Adds it to current's table. What it replaced is for the caller to close. */
static struct file *
add_fd(struct notification *n, struct addfd *a)
{
	struct file *old = NULL;
	int fd;

	list_del_init(&a->link);
	file_get(a->file);
	if (a->flags & SECCOMP_ADDFD_FLAG_SETFD) {
		fd = fd_replace(a->newfd, a->file, a->cloexec, &old);
		if (fd)
			file_put(a->file);
		else
			fd = (int)a->newfd;
	} else {
		fd = fd_install(a->file, 0, a->cloexec);
	}
	a->result = fd;
	if (a->flags & SECCOMP_ADDFD_FLAG_SEND) {
		if (fd < 0)
			n->state = SENT;
		else
			n->val = fd;
	}
	complete(&a->done);
	return old;
}

static bool
sleeps_killable(const struct seccomp_filter *f, const struct notification *n)
{
	return f->wait_killable && n->state == SENT;
}

/* Until it is answered: 0, -ERESTARTSYS. */
static int
wait_for_answer(struct seccomp_filter *f, struct notification *n)
{
	bool answered = false;

	while (!answered) {
		bool killable = sleeps_killable(f, n);
		struct file *old = NULL;
		int err;

		mutex_unlock(&f->lock);
		if (killable)
			err = completion_wait_killable(&n->wake);
		else
			err = completion_wait_interruptible(&n->wake);
		mutex_lock(&f->lock);
		/* It may have been read meanwhile, and waits on in another way. */
		if (err && !killable && sleeps_killable(f, n))
			continue;
		if (err)
			return err;
		if (!list_empty(&n->addfds))
			old = add_fd(n, list_first(&n->addfds, struct addfd, link));
		answered = n->state == ANSWERED;
		if (old) {
			mutex_unlock(&f->lock);
			file_close(old, current->files);
			mutex_lock(&f->lock);
		}
	}
	return 0;
}

bool
seccomp_ask(struct seccomp_filter *f, const struct seccomp_data *d, long *ret)
{
	struct notification n = {.task = current, .data = d};
	struct addfd *a, *next;
	int err;

	list_init(&n.addfds);
	completion_init(&n.wake);
	mutex_lock(&f->lock);
	if (!f->heard) {
		mutex_unlock(&f->lock);
		*ret = -ENOSYS;
		return true;
	}
	n.id = f->next_id++;
	list_add_tail(&n.link, &f->notifications);
	atomic_inc(&f->unread);
	waitq_wake_one(&f->readers);
	waitq_wake(&f->poll, 0, POLLIN | POLLRDNORM);
	err = wait_for_answer(f, &n);
	list_for_each_entry_safe(a, next, &n.addfds, link) {
		list_del_init(&a->link);
		a->result = -ESRCH;
		complete(&a->done);
	}
	list_del(&n.link);
	mutex_unlock(&f->lock);
	if (!err && (n.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE))
		return false;
	*ret = err ? err : n.error ? n.error : n.val;
	return true;
}

/* --- the listener --- */

static bool
take_unread(struct seccomp_filter *f)
{
	u32 n = atomic_read(&f->unread);

	while (n)
		if (atomic_try_cmpxchg(&f->unread, &n, n - 1))
			return true;
	return false;
}

/* What could not be given to the reader is there for the next one, if the task is. */
static void
unread(struct seccomp_filter *f, u64 id)
{
	struct notification *n;

	mutex_lock(&f->lock);
	n = find(f, id);
	if (n) {
		if (sleeps_killable(f, n))
			complete(&n->wake);
		n->state = NEW;
		atomic_inc(&f->unread);
		waitq_wake_one(&f->readers);
	}
	mutex_unlock(&f->lock);
}

static long
receive(struct seccomp_filter *f, void __user *to)
{
	static const struct seccomp_notif zero;
	struct seccomp_notif s;
	struct notification *n;

	if (copy_from_user(&s, to, sizeof(s)))
		return -EFAULT;
	if (memcmp(&s, &zero, sizeof(s)))
		return -EINVAL;
	if (wait_event_exclusive_interruptible(&f->readers, take_unread(f)))
		return -EINTR;
	mutex_lock(&f->lock);
	n = find_new(f);
	if (n) {
		s.id = n->id;
		s.pid = (u32)n->task->tid;
		s.data = *n->data;
		n->state = SENT;
		waitq_wake(&f->poll, 0, POLLOUT | POLLWRNORM);
	}
	mutex_unlock(&f->lock);
	if (!n)
		return -ENOENT;
	if (!copy_to_user(to, &s, sizeof(s)))
		return 0;
	unread(f, s.id);
	return -EFAULT;
}

static long
answer(struct seccomp_filter *f, const void __user *from)
{
	struct seccomp_notif_resp r;
	struct notification *n;
	long ret = 0;

	if (copy_from_user(&r, from, sizeof(r)))
		return -EFAULT;
	if ((r.flags & ~SECCOMP_USER_NOTIF_FLAG_CONTINUE) || (r.flags && (r.error || r.val)))
		return -EINVAL;
	mutex_lock(&f->lock);
	n = find(f, r.id);
	if (!n) {
		ret = -ENOENT;
	} else if (n->state != SENT) {
		ret = -EINPROGRESS;
	} else {
		n->state = ANSWERED;
		n->val = r.val;
		n->error = r.error;
		n->flags = r.flags;
		complete(&n->wake);
	}
	mutex_unlock(&f->lock);
	return ret;
}

static long
id_valid(struct seccomp_filter *f, const u64 __user *uid)
{
	struct notification *n;
	bool valid;
	u64 id;

	if (copy_from_user(&id, uid, sizeof(id)))
		return -EFAULT;
	mutex_lock(&f->lock);
	n = find(f, id);
	valid = n && n->state == SENT;
	mutex_unlock(&f->lock);
	return valid ? 0 : -ENOENT;
}

/* 0: the task will see to it. */
static int
queue_addfd(struct seccomp_filter *f, u64 id, struct addfd *a)
{
	struct notification *n;
	int err = 0;

	mutex_lock(&f->lock);
	n = find(f, id);
	if (!n) {
		err = -ENOENT;
	} else if (n->state != SENT) {
		err = -EINPROGRESS;
	} else if ((a->flags & SECCOMP_ADDFD_FLAG_SEND) && !list_empty(&n->addfds)) {
		err = -EBUSY;
	} else {
		if (a->flags & SECCOMP_ADDFD_FLAG_SEND)
			n->state = ANSWERED;
		list_add(&a->link, &n->addfds);
		complete(&n->wake);
	}
	mutex_unlock(&f->lock);
	return err;
}

static long
add_descriptor(struct seccomp_filter *f, const void __user *from, size_t size)
{
	struct seccomp_notif_addfd s;
	struct addfd a = {};
	long ret;

	if (size < sizeof(s) || size >= PAGE_SIZE)
		return -EINVAL;
	ret = copy_struct_from_user(&s, sizeof(s), from, size);
	if (ret)
		return ret;
	if ((s.newfd_flags & ~O_CLOEXEC) ||
	    (s.flags & ~(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND)) ||
	    (s.newfd && !(s.flags & SECCOMP_ADDFD_FLAG_SETFD)))
		return -EINVAL;
	a.file = fd_get_file(s.srcfd);
	if (!a.file)
		return -EBADF;
	a.flags = s.flags;
	a.newfd = s.newfd;
	a.cloexec = s.newfd_flags & O_CLOEXEC;
	completion_init(&a.done);
	ret = queue_addfd(f, s.id, &a);
	if (!ret) {
		ret = completion_wait_interruptible(&a.done);
		mutex_lock(&f->lock);
		/* It may have been done as the signal came. */
		if (list_empty(&a.link))
			ret = a.result;
		else
			list_del(&a.link);
		mutex_unlock(&f->lock);
	}
	file_put(a.file);
	return ret;
}

/* --- the handle --- */

static long
listener_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct seccomp_filter *f = file->private;
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case SECCOMP_IOCTL_NOTIF_RECV:
		return receive(f, p);
	case SECCOMP_IOCTL_NOTIF_SEND:
		return answer(f, p);
	case SECCOMP_IOCTL_NOTIF_ID_VALID:
	case SECCOMP_IOCTL_NOTIF_ID_VALID_OLD:
		return id_valid(f, p);
	}
	if (SECCOMP_IOCTL_BARE(cmd) == SECCOMP_IOCTL_NOTIF_ADDFD)
		return add_descriptor(f, p, SECCOMP_IOCTL_SIZE(cmd));
	return -EINVAL;
}

static u32
listener_poll(struct file *file, struct poll_table *pt)
{
	struct seccomp_filter *f = file->private;
	struct notification *n;
	u32 events = 0;

	poll_wait(file, &f->poll, pt);
	mutex_lock(&f->lock);
	list_for_each_entry(n, &f->notifications, link) {
		if (n->state == NEW)
			events |= POLLIN | POLLRDNORM;
		if (n->state == SENT)
			events |= POLLOUT | POLLWRNORM;
	}
	mutex_unlock(&f->lock);
	if (!atomic_read(&f->users))
		events |= POLLHUP;
	return events;
}

static void
listener_release(struct file *file)
{
	struct seccomp_filter *f = file->private;
	struct notification *n;

	mutex_lock(&f->lock);
	f->heard = false;
	list_for_each_entry(n, &f->notifications, link) {
		if (n->state == ANSWERED)
			continue;
		n->state = ANSWERED;
		n->error = -ENOSYS;
		n->val = 0;
		complete(&n->wake);
	}
	mutex_unlock(&f->lock);
	seccomp_filter_put(f);
}

static const struct file_ops listener_ops = {
	.name = "seccomp notify",
	.ioctl = listener_ioctl,
	.poll = listener_poll,
	.release = listener_release,
};

struct file *
seccomp_listen(struct seccomp_filter *f)
{
	struct file *file = file_alloc(&listener_ops, FMODE_READ | FMODE_WRITE, O_RDWR, f);

	if (is_err(file))
		return file;
	seccomp_filter_get(f);
	f->heard = true;
	f->next_id = random_u64();
	return file;
}
