/* SPDX-License-Identifier: BSD-2-Clause */
/* File operations that go through the page cache, for all file systems that have one. */
#ifndef FS_GENERIC_H
#define FS_GENERIC_H

#include "fs/vfs.h"

s64 generic_read(struct file *f, struct iter *to, u64 *pos);
s64 generic_write(struct file *f, struct iter *from, u64 *pos);
/* At the end, whatever the flags of the handle say (RWF_APPEND). */
s64 generic_write_append(struct file *f, struct iter *from, u64 *pos);
/* SEEK_DATA and SEEK_HOLE by the pages that are there. */
s64 generic_seek(struct file *f, s64 off, int whence);
/* SEEK_SET, SEEK_CUR, SEEK_END with a given size and largest position. */
s64 seek_simple(struct file *f, s64 off, int whence, u64 size, u64 max);
int generic_mmap(struct file *f, struct map_request *req);
/* Nothing to write back. */
int generic_fsync_none(struct file *f, bool data_only);
/* Zeroes [from, to) as far as pages are there; caller holds inode_lock(). */
void generic_zero_range(struct inode *i, u64 from, u64 to);
/* Sets the size; caller holds inode_lock(). Frees the pages behind a smaller one. */
void generic_set_size(struct inode *i, u64 size);
/* -EFBIG with SIGXFSZ when [pos, pos + *n) does not fit; cuts *n at the limits. */
int generic_write_limits(struct file *f, u64 pos, size_t *n);
/* Reads from a file into kernel memory: bytes or -Exxx. */
s64 file_read_kernel(struct file *f, void *buf, size_t n, u64 pos);
s64 file_write_kernel(struct file *f, const void *buf, size_t n, u64 *pos);

#endif
