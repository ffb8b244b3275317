/* SPDX-License-Identifier: BSD-2-Clause */
/* Anonymous files in memory. */
#ifndef FS_MEMFD_H
#define FS_MEMFD_H

#include "fs/vfs.h"

void memfd_init(void);
/*
 * A file of `size` bytes without a name, read and write: shared anonymous memory,
 * memfd. name is what /proc shows behind its kind. err_ptr(-ENOMEM, -ENOSPC).
 */
struct file *memfd_file(const char *name, u64 size, u32 seals);
/* fcntl F_ADD_SEALS, F_GET_SEALS: -EINVAL for other kinds of files. */
long memfd_add_seals(struct file *f, u32 seals);
long memfd_get_seals(struct file *f);

#endif
