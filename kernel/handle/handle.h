/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of kernel/handle/: tables, wakeups, and what other folders may see of them. */
#ifndef KERNEL_HANDLE_HANDLE_H
#define KERNEL_HANDLE_HANDLE_H

#include "kernel/file.h"
#include "percpu/counter.h"
#include "percpu/work.h"

/* Events of poll(2) and epoll(7): the same bits. */
#define POLLIN 0x0001u
#define POLLPRI 0x0002u
#define POLLOUT 0x0004u
#define POLLERR 0x0008u
#define POLLHUP 0x0010u
#define POLLNVAL 0x0020u
#define POLLRDNORM 0x0040u
#define POLLRDBAND 0x0080u
#define POLLWRNORM 0x0100u
#define POLLWRBAND 0x0200u
#define POLLMSG 0x0400u
#define POLLRDHUP 0x2000u

/* What is ready on a handle without ->poll: always readable and writable. */
#define POLL_DEFAULT (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

struct epoll_event;
struct eventfd;
struct fdtable;

struct files {
	/* a  tasks that use it */
	u32 refs;
	/* r  replaced as a whole when it grows */
	struct fdtable __rcu *table;
	/* (lock; read any time)  no slot from here on was ever taken */
	u32 top;
	struct rcu_head rcu;
	/* A line that lookups do not read. */
	struct spinlock lock __cacheline_aligned;
};

/* Limits that /proc/sys/fs shows and sets: open handles of the system, slots of a table. */
extern struct limit_counter file_count;
extern u32 file_nr_open;

/* The descriptor's slot in current's table while an RCU section lasts. */
struct file *fd_peek(unsigned int fd);
/* Takes f out of the slot: the reference goes to the caller. NULL. */
struct file *fd_take(unsigned int fd);

/* dup2's half: -EBADF beyond the limit, -EBUSY while another call has it reserved, -ENOMEM. */
int fd_replace(unsigned int fd, struct file *f, bool cloexec, struct file **old);
void fd_set_cloexec(unsigned int fd, bool v);
/* The same for all that are open from first to last. */
void fd_set_cloexec_range(unsigned int first, unsigned int last);
/* What close(2) does with a handle that has left its slot; takes the reference. */
int file_close(struct file *f, struct files *owner);

/* owner.c: F_SETOWN's record. */
void file_owner_free(struct file *f);
long file_owner_fcntl(struct file *f, unsigned int cmd, unsigned long arg);
/* O_ASYNC is set through descriptor fd: si_fd of its signals. 0 or -ENOMEM. */
int file_owner_set_fd(struct file *f, int fd);
/* pipe.c: F_SETPIPE_SZ, F_GETPIPE_SZ; -EBADF if f is no pipe. */
long pipe_fcntl(struct file *f, unsigned int cmd, unsigned long arg);
/* F_SETFL's half of flags, through descriptor fd. */
int file_set_flags(struct file *f, unsigned int fd, u32 flags);

/* Asks f what is ready; pt NULL: only look. */
u32 file_poll(struct file *f, struct poll_table *pt);

/* The counter of an eventfd, or NULL. */
struct eventfd *file_eventfd(const struct file *f);
/* Adds n in any context but NMI and under a queue's lock; what does not fit is lost. */
void eventfd_signal(struct eventfd *e, u64 n);

/* epoll.c: f goes; its entries in epoll sets go with it. */
void epoll_file_release(struct file *f);
/*
 * The handle that a set watches as descriptor fd, the one after `skip` others, borrowed: only to
 * be compared. err_ptr: -EINVAL (no set), -ENOENT. May sleep.
 */
const struct file *epoll_target(struct file *epf, u32 fd, u32 skip);

/* Common checks of read and write at a position. */
s64 file_read(struct file *f, struct iter *to, u64 *pos);
s64 file_write(struct file *f, struct iter *from, u64 *pos);

/*
 * As preadv2(2), pwritev2(2) with RWF_* flags, at pos or (-1) where it stands; what has no
 * positions ignores it. it->nowait asks for -EAGAIN; only FMODE_NOWAIT* handles heed it.
 */
s64 file_rw(struct file *f, struct iter *it, s64 pos, int flags, bool write);
/* splice.c: as splice(2) and tee(2); an offset that is not NULL is used and moved. */
struct splice_end {
	struct file *file;
	s64 *off;
};
s64 file_splice(const struct splice_end *from, const struct splice_end *to, size_t n,
		unsigned int flags);
s64 file_tee(struct file *in, struct file *out, size_t n, unsigned int flags);
/* epoll.c: epoll_ctl(2) with the event in kernel memory. */
struct epoll_ctl {
	int epfd, op, fd;
	u32 events;
	u64 data;
};
long epoll_ctl(const struct epoll_ctl *c);

/* File positions: taken for handles whose position is shared and kept. */
bool file_pos_lock(struct file *f);
void file_pos_unlock(struct file *f, bool locked);

#endif
