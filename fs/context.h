/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a task is: root, current directory, umask. Shared by CLONE_FS.
 *
 * Readers (path walks) use ->seq and write nothing; the lock excludes writers.
 */
#ifndef FS_CONTEXT_H
#define FS_CONTEXT_H

#include "fs/mount.h"

struct fs_context {
	/* s */
	struct seqcount seq;
	/* a */
	u32 umask;
	/* s  references held */
	struct path root;
	struct path pwd;
	/* a  tasks */
	u32 refs;
	/* writers */
	struct spinlock lock;
};

/* Where kernel threads are, which have no context: the root; no references. */
void kernel_root(struct path *p);
/* The first one, at the root of the namespace; also init's. */
struct fs_context *fs_context_create(const struct path *root);
/* Current's root and directory with references. */
void current_root(struct path *p);
void current_pwd(struct path *p);
/* Take the references of p. */
void fs_set_root(struct fs_context *fs, const struct path *p);
void fs_set_pwd(struct fs_context *fs, const struct path *p);
/* pivot_root: every task whose root or directory is `from` moves to `to`. */
void fs_replace_root_all(const struct path *from, const struct path *to);
u32 current_umask(void);

#endif
