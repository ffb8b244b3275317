/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of tracefs: each fills its part of the tree once, at the first mount. */
#ifndef FS_TRACEFS_TRACEFS_H
#define FS_TRACEFS_TRACEFS_H

#include "fs/pseudo.h"

/* A file of text; arg is what tracefs_add() got. */
struct trace_file {
	const char *name;
	u32 mode;
	/* The whole text: 0 or -Exxx. NULL: it cannot be read. */
	int (*show)(struct seq *s, unsigned long arg);
	/* What was written, white space at its end removed: 0 or -Exxx. NULL: -EINVAL. */
	int (*store)(char *text, unsigned long arg);
	/* It was opened with O_TRUNC; may be NULL. */
	void (*truncate)(unsigned long arg);
};

/* Adds files to a directory; they are borrowed for ever. 0 or -Exxx. */
int tracefs_add(struct dentry *dir, const struct trace_file *files, size_t n, unsigned long arg);
/* One file with operations of its own; inode->private is arg. */
int tracefs_add_special(struct dentry *dir, const char *name, u32 mode, const struct inode_ops *ops,
			unsigned long arg);
struct dentry *tracefs_mkdir(struct dentry *dir, const char *name);

/* events.c, buffer.c: 0 or -Exxx. */
int tracefs_fill_events(struct dentry *root);
int tracefs_fill_buffer(struct dentry *root);

#endif
