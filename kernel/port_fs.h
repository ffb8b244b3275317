/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/ (handles, devices) asks of fs/. Defined in the files of fs/ that are named. */
#ifndef KERNEL_PORT_FS_H
#define KERNEL_PORT_FS_H

#include "lib/types.h"

struct file;
struct file_locks;
struct file_ops;
struct flock;
struct kstat;
struct ns;
struct pid;
struct pipe;

/* --- handles --- */

/*
 * fs/file.c. The end of a handle that has a path (f->path.mnt != NULL): from
 * file_put(), after ->release. Notifies inotify, gives up write access and
 * flock, puts the path. May sleep.
 */
void fs_file_release(struct file *f);
/*
 * fs/file.c. Each close(2) of a descriptor of a handle but O_PATH, after
 * ->flush: drops the POSIX locks that `owner` (the struct files) has on it.
 */
void fs_file_close(struct file *f, void *owner);
/*
 * fs/file.c. The end of a handle without a path, from file_put(), before
 * ->release: its locks go.
 */
void fs_file_unlock(struct file *f);
/* fs/locks.c. A pipe goes: its (empty) list of locks, or NULL. */
void fs_locks_free(struct file_locks *fl);
/*
 * fs/sys_ioctl.c. The ioctl(2) commands that every file of a file system knows.
 * -ENOTTY for others.
 */
long fs_ioctl(struct file *f, unsigned int cmd, unsigned long arg);
/* fs/file.c. Type and permissions (S_IF*) of a handle, as fstat shows them. */
u32 fs_file_mode(struct file *f);
/* fs/file.c. Size of a handle with an inode. */
u64 fs_file_size(const struct file *f);
/*
 * fs/sys_fcntl.c. The fcntl(2) commands that concern files: F_GETLK, F_SETLK, F_SETLKW,
 * F_OFD_*, F_SETLEASE, F_GETLEASE, F_NOTIFY, F_ADD_SEALS, F_GET_SEALS, F_*_RW_HINT.
 * -EINVAL for others.
 */
long fs_fcntl(struct file *f, unsigned int cmd, unsigned long arg);

/* fs/nsfs.c. The namespace that a handle stands for, borrowed; NULL: it is none. */
struct ns *fs_file_ns(struct file *f);
/* fs/proc/pid.c. Whom an open directory /proc/PID is about, borrowed; NULL: it is none. */
struct pid *fs_file_pid(const struct file *f);

/*
 * Kinds of handles that have no inode: what fstat and /proc/PID/fd say of them.
 * From their ops->name: "pipe", "socket", else "anon_inode:NAME" (with its brackets).
 */

/* --- character devices (fs/device.c) --- */

/*
 * Makes /dev/NAME (in devtmpfs; name may contain slashes) and connects
 * (major, minor) with ops: opening the node of any file system gives a handle
 * with these ops and FMODE_* as opened. 0, -EEXIST, -ENOMEM. May sleep; may be
 * called before fs_init() (the node is made then).
 */
int dev_register(const char *name, u32 mode, u32 major, u32 minor, const struct file_ops *ops);
/*
 * The same with an open function, called after the handle was made with
 * f->private = arg: 0 or -Exxx. It may change f->ops and f->private. O_NOCTTY is in
 * f->flags while it runs.
 */
struct dev_desc {
	/* Kept. NULL: no node. */
	const char *name;
	u32 mode;
	u32 major;
	u32 minor;
	/* Numbers minor to minor + count - 1 (0: one). */
	u32 count;
	u32 uid, gid;
	const struct file_ops *ops;
	int (*open)(struct file *f, u32 major, u32 minor, void *arg);
	void *arg;
};
int dev_register_desc(const struct dev_desc *d);
void dev_unregister(u32 major, u32 minor);
/* The device number of a handle's node, or of the terminal that it stands for. */
bool file_rdev(const struct file *f, u32 *major, u32 *minor);

/* --- devpts (fs/devpts.c) --- */

/*
 * A pty N of an instance (devpts_number_alloc() below gave both) exists: makes node
 * N, a character device major:minor, mode and owner by the mount's options and
 * the caller. *token for the two below.
 */
int devpts_new(void *instance, u32 n, u32 major, u32 minor, void **token);
/* The master is closed: the node goes. */
void devpts_remove(void *token);
/* TIOCGPTPEER on the master `ptmx`: opens the slave with these O_* flags; err_ptr. */
struct file *devpts_open_peer(struct file *ptmx, void *token, u32 flags);
/*
 * A free pty number of the instance that `ptmx` (the handle through which the
 * master is being opened) belongs to: that file system itself, or what is mounted
 * on "pts" beside it. -ENODEV: there is none; -ENOSPC at its limit (max=, or
 * /proc/sys/kernel/pty/max). *instance stays until the number is freed.
 */
s32 devpts_number_alloc(struct file *ptmx, void **instance);
void devpts_number_free(void *instance, u32 n);

/* --- what fs/ asks of kernel/handle: named pipes --- */

/*
 * fs/ keeps one struct pipe for an inode while it is open. These are defined in
 * kernel/handle/pipe.c.
 */
struct pipe *pipe_alloc(void);
void pipe_free(struct pipe *p);
extern const struct file_ops pipe_ops;
/*
 * A reader or writer comes (by f->mode, f->private = p): waits for the other
 * side as fifo(7) says. 0, -ENXIO, -ERESTARTSYS. The end goes by ops->release.
 */
int pipe_open_fifo(struct pipe *p, struct file *f);

/* --- the machine --- */

/* fs/sys_sync.c. What is changed goes to where it lasts, as sync(2) does. May sleep. */
void fs_sync_all(void);
/* fs/sysfs/cpu.c. cpu_present_mask has changed: so does what there is of them. May sleep. */
void fs_cpus_changed(void);

#endif
