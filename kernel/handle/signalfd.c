/* SPDX-License-Identifier: BSD-2-Clause */
/* signalfd: pending signals of the reader, read as records (signalfd(2)). */
#include "kernel/handle/handle.h"
#include "kernel/seq.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

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

/* The signals that f takes: the whole state, kept in ->private itself. */
static u64
mask_of(const struct file *f)
{
	return (u64)READ_ONCE(f->private);
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

static u32
signalfd_poll(struct file *f, struct poll_table *pt)
{
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
	.show_fdinfo = signalfd_show,
};

static long
signalfd_new(u64 mask, int flags)
{
	struct file *f = file_alloc(&signalfd_ops, FMODE_READ | FMODE_WRITE,
				    O_RDWR | (flags & O_NONBLOCK), (void *)mask);

	if (is_err(f))
		return ptr_err(f);
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
	WRITE_ONCE(r.file->private, (void *)mask);
	waitq_wake_all(signal_waitq());
	fd_put(r);
	return fd;
}

long
sys_signalfd(int fd, const u64 __user *mask, size_t size)
{
	return sys_signalfd4(fd, mask, size, 0);
}
