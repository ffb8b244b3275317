/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File handles ("open file descriptions") and descriptor tables.
 *
 * A handle is what a descriptor refers to: an open file of fs/, a pipe end, an
 * epoll set, a terminal. It is counted with a tally, not with a drained
 * reference, because its last close must act at once (end of file on a pipe).
 */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#include "kernel/iter.h"
#include "lib/list.h"
#include "lib/types.h"
#include "mm/space.h"
#include "percpu/tally.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

struct dentry;
struct dir_context;
struct file;
struct inode;
struct mount;
struct pipe;
struct seq;

struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

#define FMODE_READ 0x1u
#define FMODE_WRITE 0x2u
#define FMODE_SEEK 0x4u
#define FMODE_PREAD 0x8u
#define FMODE_PWRITE 0x10u
#define FMODE_EXEC 0x20u
/* O_PATH: only names a place. */
#define FMODE_PATH 0x40u
/* read and write keep a position under pos_lock (regular files, directories). */
#define FMODE_ATOMIC_POS 0x80u
/* Holds a write access of the inode (ETXTBSY) and of the mount. */
#define FMODE_WRITER 0x100u
/* Its reads and writes heed iter->nowait. */
#define FMODE_NOWAIT 0x200u
/* They do so, though preadv2(2) must not ask for it. */
#define FMODE_NOWAIT_INSIDE 0x400u

struct poll_table {
	/* NULL: only look. Queues the caller on q. */
	void (*queue)(struct poll_table *pt, struct file *f, struct waitq *q);
	/* Events that matter to the caller. */
	u32 events;
};

/* For ->poll: makes the caller wait on q too. */
static inline void
poll_wait(struct file *f, struct waitq *q, struct poll_table *pt)
{
	if (pt && pt->queue)
		pt->queue(pt, f, q);
}

/* A request to map a handle: what mmap(2) asked, and what backs it (filled in by ->mmap). */
struct map_request {
	u32 prot;
	u32 flags;
	size_t len;
	u64 offset;
	/* In and out: what mprotect() may give later. */
	u32 max_prot;
	/* Out: pages to map (special), or the page cache; NULL both: anonymous (/dev/zero). */
	struct pagecache *cache;
	struct page **pages;
};

/*
 * Operations of a handle. NULL means: the error that Linux gives. All may
 * sleep. `pos` points to the position to use and advance; ignored by streams.
 * read and write return bytes moved, 0 at the end, or -Exxx.
 */
struct file_ops {
	const char *name;
	/* Its reads and writes know no flags of preadv2(2) but RWF_HIPRI. */
	bool plain;
	/* Its ->seek to where the handle stands already does nothing. */
	bool seek_idle;
	/* It holds handles of any kind: sent over a socket that it holds it would never end. */
	bool stays;
	s64 (*read)(struct file *f, struct iter *to, u64 *pos);
	s64 (*write)(struct file *f, struct iter *from, u64 *pos);
	/* As write, at the end whatever the flags say (RWF_APPEND); NULL: as write. */
	s64 (*write_append)(struct file *f, struct iter *from, u64 *pos);
	/* Default: regular seek; NULL on a handle without FMODE_SEEK is -ESPIPE. */
	s64 (*seek)(struct file *f, s64 offset, int whence);
	/* EPOLL* bits that are ready; poll_wait() for each queue that signals changes. */
	u32 (*poll)(struct file *f, struct poll_table *pt);
	/* -ENOTTY for what it does not know. */
	long (*ioctl)(struct file *f, unsigned int cmd, unsigned long arg);
	int (*mmap)(struct file *f, struct map_request *req);
	int (*iterate)(struct file *f, struct dir_context *ctx);
	int (*fsync)(struct file *f, bool data_only);
	int (*fallocate)(struct file *f, int mode, u64 off, u64 len);
	/* Each close(2) of a descriptor, before the reference is dropped. */
	int (*flush)(struct file *f);
	/* The last reference is gone. */
	void (*release)(struct file *f);
	/* fcntl(F_SETFL) asked for these flags: 0 or -Exxx. A handle without it has no O_ASYNC. */
	int (*set_flags)(struct file *f, u32 flags);
	/* Lines of /proc/PID/fdinfo/N. */
	void (*show_fdinfo)(struct file *f, struct seq *s);
	/* Moves pages between a pipe and the handle; NULL: through read and write. */
	s64 (*splice_read)(struct file *f, u64 *pos, struct pipe *p, size_t n, unsigned int flags);
	s64 (*splice_write)(struct file *f, u64 *pos, struct pipe *p, size_t n, unsigned int flags);
};

struct file {
	/* a */
	struct tally refs;
	/* I  FMODE_* */
	u32 mode;
	/* a  O_* status flags (O_APPEND, O_NONBLOCK, O_DIRECT, ...) */
	u32 flags;
	const struct file_ops *ops;
	/* I  owner's object */
	void *private;
	/* I  NULL for handles that are not files of a file system */
	struct inode *inode;
	struct path path;
	/* I  page cache to map and read from, or NULL */
	struct pagecache *cache;
	/* A  position; pos_lock for reads and writes that use it */
	u64 pos;
	struct mutex pos_lock;
	/* I  who opened it */
	const struct cred *cred;
	/* (epoll's lock)  epoll entries that watch this handle */
	struct list epoll_links;
	/* F_SETOWN, F_SETSIG: who gets SIGIO */
	struct file_owner *owner;
	/* Read-ahead state and file errors seen come with fs/. */
	u64 fs_private;
	struct rcu_head rcu;
};

/* ->seek of handles without a position that lseek(2) accepts: it stays where it is. */
s64 seek_stay(struct file *f, s64 offset, int whence);

/* A new handle with one reference; err_ptr(-ENFILE, -ENOMEM). ops->seek gives it FMODE_SEEK. */
struct file *file_alloc(const struct file_ops *ops, u32 mode, u32 flags, void *private);
static inline struct file *
file_get(struct file *f)
{
	tally_get(&f->refs);
	return f;
}
/* May sleep; the last one releases. */
void file_put(struct file *f);

/* --- descriptor tables --- */

struct files;

/*
 * A handle for the time of one system call. fd_get takes no reference when the
 * table has one user, since nobody else can close it then.
 */
struct fdref {
	struct file *file;
	bool counted;
};

/* .file == NULL: -EBADF. O_PATH handles are refused unless the _path form is used. */
struct fdref fd_get(unsigned int fd);
struct fdref fd_get_path(unsigned int fd);
void fd_put(struct fdref r);
/* A counted reference for keeping; NULL. */
struct file *fd_get_file(unsigned int fd);

/* Installs f (takes the reference) at the lowest free descriptor >= from; cloexec. -EMFILE. */
int fd_install(struct file *f, unsigned int from, bool cloexec);
/* Two steps: reserve now, publish or give back later, so that nothing fails after publishing. */
int fd_reserve(unsigned int from, bool cloexec);
void fd_publish(unsigned int fd, struct file *f);
void fd_unreserve(unsigned int fd);
/* close(2): flush and put. 0 or -EBADF or flush's error. */
int fd_close(unsigned int fd);

struct files *files_create(void);
/* For fork; err_ptr(-ENOMEM). */
struct files *files_copy(struct files *fs);
struct files *files_get(struct files *fs);
void files_put(struct files *fs);
/* exec: makes the table private, then closes what is marked. */
int files_unshare(void);
void files_close_on_exec(void);
/* For /proc/PID/fd: the first open descriptor >= from with a reference on its handle, or NULL. */
struct file *files_next(struct files *fs, unsigned int *from);
bool files_get_cloexec(struct files *fs, unsigned int fd);
/* How many slots the table has (FDSize of /proc/PID/status). */
unsigned int files_slots(struct files *fs);

/* Is there a signal's worth of reason to say -EAGAIN instead of sleeping? */
static inline bool
file_nonblock(const struct file *f)
{
	return READ_ONCE(f->flags) & 04000;
}

/* SIGIO to the owner, if O_ASYNC is set; code: POLL_IN, POLL_OUT, ... of uapi/signal.h. */
void file_async_notify(struct file *f, int code);

/* Handles of one object that have O_ASYNC (handle/owner.c). */
struct async_list {
	struct spinlock lock;
	/* l  struct async_entry */
	struct list entries;
};
void async_list_init(struct async_list *l);
/* For ->set_flags and, with false, ->release: f is in the list or not. 0 or -ENOMEM. */
int async_list_set(struct async_list *l, struct file *f, bool on);
/* file_async_notify() for each that has one of the FMODE_* bits. */
void async_list_notify(struct async_list *l, u32 mode, int code);

#endif
