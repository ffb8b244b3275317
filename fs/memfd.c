/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memfd_create(2), shared anonymous memory, seals.
 *
 * Model: one tmpfs that nobody can mount holds them; each file is an inode with a
 * dentry of its own that has no place in any directory.
 */
#include "fs/memfd.h"
#include "fs/dcache.h"
#include "fs/namei.h"
#include "fs/parts.h"
#include "fs/tmpfs.h"
#include "kernel/log.h"
#include "kernel/syscall/syscalls.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/uaccess.h"

#define MEMFD_PREFIX "memfd:"
#define MEMFD_NAME_MAX (NAME_MAX - (sizeof(MEMFD_PREFIX) - 1))

static struct mount *memfd_mount __ro_after_init;

void
memfd_init(void)
{
	struct mount_args a = {0};
	struct super *sb = tmpfs_create(&tmpfs_type, &a, SB_KERNEL);

	if (is_err(sb))
		panic("memfd: error %ld", ptr_err(sb));
	memfd_mount = mount_internal(sb);
	if (is_err(memfd_mount))
		panic("memfd: error %ld", ptr_err(memfd_mount));
	super_put(sb);
}

static int
memfd_show_name(struct dentry *d, char *buf, size_t n)
{
	int len = snprintf(buf, n, "/%s (deleted)", d->name->s);

	return (size_t)len < n ? len : -ENAMETOOLONG;
}

static const struct dentry_ops memfd_dentry_ops = {
	.show_name = memfd_show_name,
};

struct file *
memfd_file(const char *name, u64 size, u32 seals)
{
	struct super *sb = memfd_mount->sb;
	struct inode *i = tmpfs_inode_new(sb, NULL, S_IFREG | 0777, 0);
	struct file *f;

	if (is_err(i))
		return (struct file *)i;
	i->size = size;
	i->seals = seals;
	i->flags |= INODE_SEALABLE;
	i->nlink = 0;
	this_cpu_inc(tmpfs_super(sb)->pcp->orphans);
	f = file_open_anon(memfd_mount, i, name, &memfd_dentry_ops, O_RDWR | O_LARGEFILE);
	return f;
}

long
memfd_get_seals(struct file *f)
{
	if (!f->inode || !f->inode->pages || f->inode->ops != &tmpfs_file_inode_ops)
		return -EINVAL;
	/* Files of a mounted tmpfs cannot be sealed: they say so. */
	return f->inode->flags & INODE_SEALABLE ? (long)READ_ONCE(f->inode->seals)
						: (long)F_SEAL_SEAL;
}

/* inode_lock() held. */
static int
add_seals_locked(struct inode *i, u32 seals)
{
	if (i->seals & F_SEAL_SEAL)
		return -EPERM;
	if ((seals & F_SEAL_WRITE) && !(i->seals & F_SEAL_WRITE) && pagecache_has_writers(i->pages))
		return -EBUSY;
	WRITE_ONCE(i->seals, i->seals | seals);
	return 0;
}

static int
add_seals(struct inode *i, u32 seals)
{
	int err;

	inode_lock(i);
	err = add_seals_locked(i, seals);
	inode_unlock(i);
	return err;
}

long
memfd_add_seals(struct file *f, u32 seals)
{
	struct inode *i = f->inode;
	int err;

	if (memfd_get_seals(f) < 0)
		return -EINVAL;
	if (!(f->mode & FMODE_WRITE))
		return -EPERM;
	if (seals & ~F_SEAL_ALL)
		return -EINVAL;
	if (!(i->flags & INODE_SEALABLE))
		return -EPERM;
	err = add_seals(i, seals);
	if (err == -EBUSY) {
		/* Mappings that were undone are counted until their last reference is found. */
		rcu_barrier();
		ref_drain();
		err = add_seals(i, seals);
	}
	return err;
}

long
sys_memfd_create(const char __user *uname, unsigned int flags)
{
	char name[NAME_MAX + 1] = MEMFD_PREFIX;
	struct file *f;
	long n;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	n = strncpy_from_user(name + sizeof(MEMFD_PREFIX) - 1, uname, MEMFD_NAME_MAX + 1);
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	f = memfd_file(name, 0, flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL);
	if (is_err(f))
		return ptr_err(f);
	return fd_install(f, 0, flags & MFD_CLOEXEC);
}
