/* SPDX-License-Identifier: BSD-2-Clause */
/* Pseudo-terminals between pty.c (pairs, the slave) and pty_master.c. */
#ifndef KERNEL_DEV_PTY_IMPL_H
#define KERNEL_DEV_PTY_IMPL_H

#include "kernel/dev/tty_impl.h"

#define PTS_MAJOR 136
#define PTY_RING 8192u
/*
 * A flush of the slave's output does not reach what counts as delivered to the
 * master: as much as its own line discipline holds in Linux.
 */
#define PTY_DELIVERED 4095u
#define PTY_BUCKETS 64u

struct pty {
	struct tty tty;
	/* (ptys_lock) */
	struct hnode link;
	/* I */
	u32 number;
	void *instance;
	/* I once the node exists: what f->path.dentry of its handles is */
	void *token;
	/* a  TIOCSPTLCK: the slave cannot be opened yet */
	bool locked;
	/* a */
	bool slave_closed;
	bool master_gone;
	bool master_exclusive;
	/* a  TCOOFF on the master */
	bool master_stopped;
	/* one writer of the master at a time */
	struct mutex write_lock;
	/* readers and writers of the master */
	struct waitq wait;
	/* (tty.files_lock)  its handle, for SIGIO; NULL: gone */
	struct file *master;
	/* a  it had O_ASYNC once */
	bool master_async;

	struct spinlock lock;
	/* (lock) */
	u8 *ring;
	u32 head;
	u32 tail;
	/* (lock)  TIOCPKT, and what has happened since the master read it */
	bool packet;
	u8 status;
};

static inline struct pty *
pty_of(struct tty *tty)
{
	return tty->driver;
}

/* Wakes who waits for the master; key: poll events. */
void pty_wake_master(struct pty *p, unsigned long key);
/* The slave's driver, for TIOCSTI on the master; tty->lock is held. */
size_t pty_room(struct tty *tty);
void pty_write(struct tty *tty, const u8 *s, size_t n);
/* The last handle of the master goes: ends the pair. */
void pty_master_gone(struct pty *p);

/* Handles of the master; private is the struct pty. */
extern const struct file_ops pty_master_ops;

#endif
