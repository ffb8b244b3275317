/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The base of procfs, sysfs, devpts: trees of entries that the kernel makes.
 *
 * Model: static entries are dentries in the name table, made once; a directory
 * may have a ->lookup besides for what comes and goes (processes). Inodes are
 * struct pseudo_inode; ->private of the inode is the entry's data.
 */
#ifndef FS_PSEUDO_H
#define FS_PSEUDO_H

#include "fs/dcache.h"
#include "fs/seqfile.h"

struct pseudo_inode {
	struct inode inode;
	/* I  regular files made from text */
	const struct seq_source *source;
	/* Called when the inode goes; may be NULL. */
	void (*free_private)(void *private);
	/* I  free for the file system */
	u64 extra[2];
};

static inline struct pseudo_inode *
pseudo_inode(const struct inode *i)
{
	return container_of(i, struct pseudo_inode, inode);
}

/* For super_ops.release_inode. */
void pseudo_release_inode(struct inode *i);

/* A super of such a file system with its root directory; err_ptr. */
struct super *pseudo_super(const struct fs_type *t, const struct super_ops *ops, u32 flags,
			   u64 magic);
/*
 * For ->mount of a type that has one instance: *keep holds it after the first
 * time (made by make()). err_ptr.
 */
struct super *pseudo_single(struct super **keep, struct super *(*make)(void));

/* An inode with one reference, owned by root; NULL without memory. */
struct inode *pseudo_inode_new(struct super *sb, u32 mode, void *private);

/* What an entry is; name is copied. */
struct pseudo_entry {
	const char *name;
	/* Type and permissions; type 0: S_IFREG, or S_IFDIR/S_IFLNK by the fields below. */
	u32 mode;
	/* Text files. */
	const struct seq_source *source;
	/* Other files. */
	const struct file_ops *fops;
	/* Directories with more than static entries, magic links; NULL: the standard ones. */
	const struct inode_ops *ops;
	/* Symbolic links. Copied. */
	const char *target;
	void *private;
	void (*free_private)(void *private);
	/* Special files. */
	u32 rdev;
	u32 uid;
	u32 gid;
};

/*
 * Makes the entry below parent: its dentry, which the tree holds (valid until
 * pseudo_remove()); err_ptr(-EEXIST, -ENOMEM). May sleep.
 */
struct dentry *pseudo_add(struct dentry *parent, const struct pseudo_entry *e);
struct dentry *pseudo_mkdir(struct dentry *parent, const char *name, u32 mode);
/* With all below it. Handles stay usable as far as their private data allows. */
void pseudo_remove(struct dentry *d);
/* For ->lookup of dynamic entries: makes the inode and attaches it to d. */
int pseudo_attach(struct dentry *d, const struct pseudo_entry *e, u64 ino);

/* What pseudo_file_ops has, for those with more. */
int pseudo_open(struct inode *i, struct file *f);
int pseudo_setattr(struct dentry *d, struct iattr *a);
extern const struct inode_ops pseudo_dir_ops;
extern const struct file_ops pseudo_dir_fops;
extern const struct inode_ops pseudo_file_ops;
extern const struct inode_ops pseudo_link_ops;

#endif
