/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signalfd: pending signals of the reader, read as records (signalfd(2)).
 *
 * Ownership: who polls waits on the queue of its process, and may go on waiting when that
 * has ended: the handle is in an epoll set or a ring that others have too. So a handle
 * holds the processes that have polled it, until it is closed, or they have ended and
 * nobody waits on them. Locking: ->lock the list.
 */
#include "kernel/handle/handle.h"
#include "kernel/seq.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

/*
 * struct signalfd_siginfo, 128 bytes: signo, errno, code, pid, uid, fd, tid,
 * band, overrun, trapno, status, int, ptr, utime, stime, addr, addr_lsb, ...
 */
struct record {
	u32 signo;
	s32 err;
	s32 code;
	u32 pid, uid;
	s32 fd;
	u32 tid, band, overrun, trapno;
	s32 status, value_int;
	u64 value_ptr, utime, stime, addr;
	u16 addr_lsb, pad0;
	s32 syscall;
	u64 call_addr;
	u32 arch;
	u8 pad[28];
};
static_assert(sizeof(struct record) == 128, "ABI");

struct signalfd {
	/* a  the signals that it takes */
	u64 mask;
	struct mutex lock;
	/* l  of struct held */
	struct list processes;
};

/* A process that has polled it. */
struct held {
	struct list link;
	struct process *process;
};

static LOCK_CLASS(signalfd_class, RANK_PROCESS);

static u64
mask_of(const struct file *f)
{
	return READ_ONCE(((struct signalfd *)f->private)->mask);
}

static void
fill_record(struct record *r, const struct siginfo *info)
{
	memset(r, 0, sizeof(*r));
	r->signo = (u32)info->signo;
	r->err = info->err;
	r->code = info->code;
	if (info->code == SI_TIMER) {
		r->tid = (u32)info->timer_id;
		r->overrun = (u32)info->overrun;
		r->value_ptr = info->timer_value;
		r->value_int = (s32)info->timer_value;
	} else if (info->code > 0 && info->code != SI_KERNEL && info->signo == SIGCHLD) {
		r->pid = (u32)info->pid;
		r->uid = info->uid;
		r->status = info->status;
		r->utime = (u64)info->utime;
		r->stime = (u64)info->stime;
	} else if (info->code > 0 && info->code != SI_KERNEL && info->signo == SIGIO) {
		r->band = (u32)info->band;
		r->fd = info->fd;
	} else if (info->code > 0 && info->code != SI_KERNEL) {
		r->addr = info->addr;
	} else {
		r->pid = (u32)info->pid;
		r->uid = info->uid;
		r->value_ptr = info->value;
		r->value_int = (s32)info->value;
	}
}

static s64
signalfd_read(struct file *f, struct iter *to, u64 *pos)
{
	struct siginfo info;
	struct record r;
	s64 done = 0;
	int err;

	if (iter_left(to) < sizeof(r))
		return -EINVAL;
	while (iter_left(to) >= sizeof(r)) {
		if (signal_dequeue(mask_of(f), &info)) {
			fill_record(&r, &info);
			if (iter_copy_to(to, &r, sizeof(r)) != sizeof(r))
				return done ? done : -EFAULT;
			done += sizeof(r);
			continue;
		}
		if (done)
			break;
		if (file_nonblock(f))
			return -EAGAIN;
		err = wait_event_interruptible(signal_waitq(), signal_pending_set() & mask_of(f));
		if (err)
			return err;
	}
	return done;
}

static void
held_free(struct held *h)
{
	list_del(&h->link);
	process_put(h->process);
	kfree(h);
}

/* It has ended, and nobody waits on its queue, as nobody will. */
static bool
is_over(struct process *p)
{
	struct waitq *q = &p->signals.signalfd_wait;
	unsigned long f;
	bool over;

	if (READ_ONCE(p->nr_threads))
		return false;
	/* Who has just left the queue has its lock no more. */
	f = spin_lock_irq(&q->lock);
	over = list_empty(&q->waiters);
	spin_unlock_irq(&q->lock, f);
	return over;
}

/* From now on current's process outlives what waits on it. */
static int
hold_current(struct signalfd *s)
{
	struct process *p = current->process;
	struct held *h, *next, *mine = NULL;
	int err = 0;

	mutex_lock(&s->lock);
	list_for_each_entry_safe(h, next, &s->processes, link) {
		if (h->process == p)
			mine = h;
		else if (is_over(h->process))
			held_free(h);
	}
	if (!mine) {
		mine = kmalloc(sizeof(*mine), GFP_KERNEL);
		if (mine) {
			mine->process = process_get(p);
			list_add(&mine->link, &s->processes);
		} else {
			err = -ENOMEM;
		}
	}
	mutex_unlock(&s->lock);
	return err;
}

static void
signalfd_release(struct file *f)
{
	struct signalfd *s = f->private;
	struct held *h, *next;

	list_for_each_entry_safe(h, next, &s->processes, link)
		held_free(h);
	kfree(s);
}

static u32
signalfd_poll(struct file *f, struct poll_table *pt)
{
	/* Without memory for that it is in nobody's queue. */
	if (pt && pt->queue && hold_current(f->private))
		return POLLERR;
	poll_wait(f, signal_waitq(), pt);
	return signal_pending_set() & mask_of(f) ? POLLIN | POLLRDNORM : 0;
}

static void
signalfd_show(struct file *f, struct seq *s)
{
	seq_printf(s, "sigmask:\t%016lx\n", mask_of(f));
}

static const struct file_ops signalfd_ops = {
	.name = "[signalfd]",
	.read = signalfd_read,
	.plain = true,
	.seek = seek_stay,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.show_fdinfo = signalfd_show,
};

static long
signalfd_new(u64 mask, int flags)
{
	struct signalfd *s = kmalloc(sizeof(*s), GFP_KERNEL);
	struct file *f;

	if (!s)
		return -ENOMEM;
	s->mask = mask;
	mutex_init(&s->lock, &signalfd_class);
	list_init(&s->processes);
	f = file_alloc(&signalfd_ops, FMODE_READ | FMODE_WRITE, O_RDWR | (flags & O_NONBLOCK), s);
	if (is_err(f)) {
		kfree(s);
		return ptr_err(f);
	}
	return fd_install(f, 0, flags & O_CLOEXEC);
}

long
sys_signalfd4(int fd, const u64 __user *umask, size_t size, int flags)
{
	struct fdref r;
	u64 mask;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK) || size != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, umask, sizeof(mask)))
		return -EFAULT;
	mask &= ~(sigmask(SIGKILL) | sigmask(SIGSTOP));
	if (fd == -1)
		return signalfd_new(mask, flags);
	r = fd_get((unsigned int)fd);
	if (!r.file)
		return -EBADF;
	if (r.file->ops != &signalfd_ops) {
		fd_put(r);
		return -EINVAL;
	}
	WRITE_ONCE(((struct signalfd *)r.file->private)->mask, mask);
	waitq_wake_all(signal_waitq());
	fd_put(r);
	return fd;
}

long
sys_signalfd(int fd, const u64 __user *mask, size_t size)
{
	return sys_signalfd4(fd, mask, size, 0);
}
