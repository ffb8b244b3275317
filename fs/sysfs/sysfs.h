/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of sysfs: each fills its part of the tree once, when sysfs is first mounted. */
#ifndef FS_SYSFS_SYSFS_H
#define FS_SYSFS_SYSFS_H

#include "fs/pseudo.h"

/* The whole text of a file; `arg` is what sysfs_file() got. 0 or -Exxx. */
struct sysfs_attr {
	const char *name;
	int (*show)(struct seq *s, unsigned long arg);
};
/* What was written, without the newline. 0 or -Exxx. */
typedef int (*sysfs_store)(const char *text, unsigned long arg);

/* A read-only file, and one that root can write; the attribute is borrowed for ever. 0 or -Exxx. */
int sysfs_file(struct dentry *dir, const struct sysfs_attr *a, unsigned long arg);
int sysfs_file_rw(struct dentry *dir, const struct sysfs_attr *a, sysfs_store store,
		  unsigned long arg);
int sysfs_files(struct dentry *dir, const struct sysfs_attr *a, size_t n, unsigned long arg);
int sysfs_link(struct dentry *dir, const char *name, const char *target);
/* The directory of that path below d, made where it is missing; err_ptr. The tree holds it. */
struct dentry *sysfs_dir(struct dentry *d, const char *path);

/* cpu.c, class.c, mm.c: 0 or -Exxx. */
int sysfs_fill_cpus(struct dentry *root);
int sysfs_fill_class(struct dentry *root);
int sysfs_fill_mm(struct dentry *root);

#endif
