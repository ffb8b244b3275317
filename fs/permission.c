/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may do what to an inode: mode bits, then capabilities. Nothing here writes or sleeps. */
#include "fs/vfs.h"
#include "kernel/uapi/capability.h"

/* The three bits that apply: exactly one class does. */
static u32
mode_class(const struct inode *i, const struct cred *c)
{
	u32 mode = READ_ONCE(i->mode);

	if (c->fsuid == READ_ONCE(i->uid))
		return mode >> 6;
	/* Asking for the groups costs; skip it where the answer does not matter. */
	if (((mode >> 3) ^ mode) & 7 && cred_in_group(c, READ_ONCE(i->gid)))
		return mode >> 3;
	return mode;
}

int
inode_permission_generic(struct inode *i, const struct cred *c, int mask)
{
	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (!(mask & ~mode_class(i, c)))
		return 0;
	if (S_ISDIR(i->mode)) {
		if (!(mask & MAY_WRITE) && cred_capable(c, CAP_DAC_READ_SEARCH))
			return 0;
		return cred_capable(c, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (mask == MAY_READ && cred_capable(c, CAP_DAC_READ_SEARCH))
		return 0;
	if (!(mask & MAY_EXEC) || (READ_ONCE(i->mode) & S_IXUGO)) {
		if (cred_capable(c, CAP_DAC_OVERRIDE))
			return 0;
	}
	return -EACCES;
}

int
inode_permission(struct inode *i, const struct cred *c, int mask)
{
	if (mask & MAY_WRITE) {
		u32 type = i->mode & S_IFMT;

		if ((READ_ONCE(i->sb->flags) & SB_RDONLY) &&
		    (type == S_IFREG || type == S_IFDIR || type == S_IFLNK))
			return -EROFS;
		if (READ_ONCE(i->flags) & INODE_IMMUTABLE)
			return -EPERM;
	}
	if (i->ops->permission)
		return i->ops->permission(i, c, mask);
	return inode_permission_generic(i, c, mask);
}

bool
inode_owner_or_capable(const struct inode *i, const struct cred *c)
{
	return c->fsuid == READ_ONCE(i->uid) || cred_capable(c, CAP_FOWNER);
}
