/* SPDX-License-Identifier: BSD-2-Clause */
/* Regular files of tmpfs: pages and nothing but pages. */
#include "fs/attr.h"
#include "fs/generic.h"
#include "fs/notify.h"
#include "fs/parts.h"
#include "fs/tmpfs_impl.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/uapi/fcntl.h"
#include "percpu/pin.h"

static int
tmpfs_charge(struct pagecache *pc, s64 n)
{
	struct super *sb = pc->inode->sb;
	struct tmpfs_super *ts = tmpfs_super(sb);

	if (limit_counter_try_add(&ts->blocks, n))
		return 0;
	if (!may_sleep())
		return -ENOSPC;
	tmpfs_settle(sb);
	return limit_counter_try_add(&ts->blocks, n) ? 0 : -ENOSPC;
}

static int
size_seals(const struct inode *i, u64 size)
{
	if ((i->seals & F_SEAL_SHRINK) && size < i->size)
		return -EPERM;
	if ((i->seals & F_SEAL_GROW) && size > i->size)
		return -EPERM;
	return 0;
}

static int
tmpfs_file_setattr(struct dentry *d, struct iattr *a)
{
	struct inode *i = d->inode;

	if (a->valid & ATTR_SIZE) {
		int err = size_seals(i, a->size);

		if (err)
			return err;
		generic_set_size(i, a->size);
	}
	setattr_apply(i, a);
	return 0;
}

/* inode_lock() held. */
static int
punch(struct inode *i, u64 off, u64 end)
{
	u64 first = div_round_up(off, PAGE_SIZE);
	u64 last = end >> PAGE_SHIFT;

	if (i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (first >= last) {
		generic_zero_range(i, off, end);
	} else {
		generic_zero_range(i, off, first << PAGE_SHIFT);
		pagecache_remove(i->pages, first, last - 1);
		generic_zero_range(i, last << PAGE_SHIFT, end);
	}
	inode_touch_mtime(i);
	return 0;
}

static int
tmpfs_punch(struct pagecache *pc, u64 off, u64 len)
{
	struct inode *i = pc->inode;
	int err;

	inode_lock(i);
	err = punch(i, off, off + len);
	inode_unlock(i);
	return err;
}

const struct pagecache_ops tmpfs_cache_ops = {
	.charge = tmpfs_charge,
	.punch = tmpfs_punch,
};

static u64
pages_missing(struct inode *i, u64 first, u64 end)
{
	u64 n = 0;

	while (first < end) {
		s64 hole = pagecache_next_hole(i->pages, first);
		s64 data = pagecache_next_data(i->pages, max((u64)hole, first));
		u64 stop = data < 0 ? end : min((u64)data, end);

		if ((u64)hole >= end)
			break;
		n += stop - hole;
		first = stop;
	}
	return n;
}

/* inode_lock() held: pages for [off, end); all or -ENOSPC before any is made. */
static int
allocate(struct inode *i, u64 off, u64 end)
{
	struct tmpfs_super *ts = tmpfs_super(i->sb);
	u64 first = off >> PAGE_SHIFT;
	u64 stop = div_round_up(end, PAGE_SIZE);
	u64 want = pages_missing(i, first, stop);
	s64 room = ts->blocks.limit - limit_counter_sum(&ts->blocks);

	if ((s64)want > room) {
		tmpfs_settle(i->sb);
		room = ts->blocks.limit - limit_counter_sum(&ts->blocks);
		if ((s64)want > room)
			return -ENOSPC;
	}
	for (; first < stop; first++) {
		int err = pagecache_reserve(i->pages, first);

		if (err)
			return err;
		if (signal_pending())
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int
tmpfs_fallocate(struct file *f, int mode, u64 off, u64 len)
{
	struct inode *i = f->inode;
	u64 end = off + len;
	int err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	inode_lock(i);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i->size) {
		size_t grow = end - i->size;

		err = i->seals & F_SEAL_GROW ? -EPERM : generic_write_limits(f, i->size, &grow);
		if (!err && grow < end - i->size)
			err = -EFBIG;
	}
	if (!err && (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)))
		err = punch(i, off, end);
	if (!err && !(mode & FALLOC_FL_PUNCH_HOLE))
		err = allocate(i, off, end);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > i->size)
		smp_store_release(&i->size, end);
	if (!err)
		inode_touch_ctime(i);
	inode_unlock(i);
	if (!err)
		notify_file(f, IN_MODIFY);
	return err;
}

const struct file_ops tmpfs_file_ops = {
	.name = "file",
	.read = generic_read,
	.write = generic_write,
	.write_append = generic_write_append,
	.seek = generic_seek,
	.seek_idle = true,
	.mmap = generic_mmap,
	.fsync = generic_fsync_none,
	.fallocate = tmpfs_fallocate,
};

const struct inode_ops tmpfs_file_inode_ops = {
	.setattr = tmpfs_file_setattr,
	.get_xattr = tmpfs_get_xattr,
	.set_xattr = tmpfs_set_xattr,
	.list_xattr = tmpfs_list_xattr,
};
