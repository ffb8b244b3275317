/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files whose text is made when they are read (on top of kernel/seq.h).
 *
 * Model: the text is a sequence of records. A read makes whole records into a
 * buffer and hands out pieces of it; what is left waits for the next read. A
 * record that does not fit makes the buffer grow and is made again. A read at
 * another position than where the last one ended starts from the beginning.
 */
#ifndef FS_SEQFILE_H
#define FS_SEQFILE_H

#include "fs/vfs.h"
#include "kernel/seq.h"

struct seq_source {
	/*
	 * Writes the record at *pos (0 first) and moves *pos to the next. 0; 1: there
	 * is no record at or behind *pos; -Exxx. May sleep. May be called again for
	 * one record: no side effects. s->private is `data` of seqfile_open().
	 */
	int (*show)(struct seq *s, u64 *pos);
	/* At the end of the handle; may be NULL. */
	void (*release)(struct file *f, void *data);
	/* Text was written: NUL-terminated copy of n bytes. Bytes taken or -Exxx. NULL: -EIO. */
	s64 (*write)(struct file *f, void *data, char *text, size_t n);
	/* NULL: always ready. */
	u32 (*poll)(struct file *f, void *data, struct poll_table *pt);
};

extern const struct file_ops seqfile_ops;

/* For ->open of an inode: makes f such a file. 0 or -ENOMEM. */
int seqfile_open(struct file *f, const struct seq_source *src, void *data);
void *seqfile_data(struct file *f);

/* One text into a new buffer (kvfree): for things that need it as a whole. err_ptr. */
char *seq_collect(int (*show)(struct seq *s, u64 *pos), void *data, size_t *len);

#endif
