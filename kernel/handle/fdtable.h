/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables, between fdtable.c, which uses slots, and files.c, which keeps tables. */
#ifndef KERNEL_HANDLE_FDTABLE_H
#define KERNEL_HANDLE_FDTABLE_H

#include "kernel/handle/handle.h"
#include "percpu/work.h"
#include "sync/rcu.h"

/*
 * A slot:
 * BITS   MEANING
 * 0      close on exec
 * 1      reserved: the descriptor is taken, its handle comes later
 * 2      moved: the slot is in the next table, alone
 * 3-63   the handle; 0 with nothing else: free
 */
#define SLOT_CLOEXEC 1UL
#define SLOT_RESERVED 2UL
#define SLOT_MOVED 4UL
#define SLOT_FLAGS 7UL

/* Descriptors that share a bit of `full`. */
#define GROUP 64u

/* One descriptor table. */
struct fdtable {
	/* I  number of slots, a multiple of GROUP */
	u32 max;
	/* a  at fd_index() */
	unsigned long *slot;
	/* a  bit: no slot of the group is free; set with files->lock held, cleared by who frees */
	unsigned long *full;
	struct rcu_head rcu;
	struct work work;
};

/*
 * Where a descriptor's slot is. Neighbours are what threads work on at the same time,
 * so they lie on different lines: eight lines take the descriptors of a group in turn.
 */
static inline unsigned int
fd_index(unsigned int fd)
{
	unsigned int in_group = fd % GROUP;

	return fd - in_group + in_group % 8 * 8 + in_group / 8;
}

static inline struct file *
slot_file(unsigned long v)
{
	return (struct file *)(v & ~SLOT_FLAGS);
}

static inline unsigned long
slot_value(struct file *f, bool cloexec)
{
	return (unsigned long)f | (cloexec ? SLOT_CLOEXEC : 0);
}

/* The table that has slot fd, and its value; NULL: none. RCU section, or fs is current's alone. */
struct fdtable *fdtable_find(struct files *fs, unsigned int fd, unsigned long *v);
/* files.c: a table of n slots for fs, with its old ones. fs->lock held, let go meanwhile. */
int files_grow(struct files *fs, unsigned int n);

#endif
