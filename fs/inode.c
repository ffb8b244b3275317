/* SPDX-License-Identifier: BSD-2-Clause */
/* Inodes: life, numbers, times, link counts, the writers that ETXTBSY counts. */
#include "fs/locks.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "kernel/log.h"
#include "kernel/port_fs.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "mm/slab.h"
#include "percpu/percpu.h"

/* Numbers that a CPU takes at a time. */
#define INO_RANGE 1024

static LOCK_CLASS(inode_lock_class, RANK_ICACHE);
static LOCK_CLASS(inode_mutex_class, RANK_INODE_CHILD);
static LOCK_CLASS(dir_mutex_class, RANK_INODE);

/* File, dentry, inode, and one more to see that it is over. */
#define SETTLE_DEPTH 4
/* Taken with a page cache's lock held, and before that of rcu_barrier(). */
static __maybe_unused LOCK_CLASS(settle_class, RANK_PAGECACHE + 1);
static struct mutex settle_mutex = MUTEX_INIT(settle_mutex, settle_class);
/* a  how many have begun */
static u64 settlings;
/* (settle_mutex; racy readers)  when who asks for figures may settle again: a fifth of the time */
#define SETTLE_PAUSE 4
static u64 settle_next;

struct ino_range {
	u64 next;
	u64 end;
};
static DEFINE_PERCPU(struct ino_range, ino_range);
/* a  first number of the next range; 1 is never used */
static u64 ino_next_range = INO_RANGE;

u64
inode_new_number(void)
{
	struct ino_range *r;
	u64 ino;

	pin();
	r = &this_cpu(ino_range);
	if (r->next == r->end) {
		r->next = atomic_fetch_add(&ino_next_range, INO_RANGE);
		r->end = r->next + INO_RANGE;
	}
	ino = r->next++;
	unpin();
	return ino;
}

static void
inode_release(struct ref *r)
{
	struct inode *i = container_of(r, struct inode, ref);
	struct super *sb = i->sb;

	notify_inode_gone(i);
	sb->ops->release_inode(i);
	ref_put(&sb->ref);
}

void
inode_init(struct inode *i, struct super *sb, u32 mode)
{
	s64 now = inode_now();

	i->mode = mode;
	i->sb = sb;
	i->nlink = S_ISDIR(mode) ? 2 : 1;
	i->ino = inode_new_number();
	i->atime = i->mtime = i->ctime = i->btime = now;
	ref_init(&i->ref, inode_release);
	tally_init(&i->writers, 1);
	ref_get(&sb->ref);
	spin_init(&i->lock, &inode_lock_class);
	mutex_init(&i->mutex, S_ISDIR(mode) ? &dir_mutex_class : &inode_mutex_class);
}

void
inode_init_owner(struct inode *i, const struct inode *dir, u32 mode)
{
	const struct cred *c = current_cred();

	i->uid = c->fsuid;
	i->gid = c->fsgid;
	if (dir && (dir->mode & S_ISGID)) {
		i->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	}
	i->mode = mode;
}

void
inode_fini(struct inode *i)
{
	bool none = tally_put(&i->writers);

	DEBUG_ASSERT(none);
	fs_locks_free(i->locks);
}

void
inode_free_plain(struct inode *i)
{
	inode_fini(i);
	kfree(i);
}

struct inode *
inode_new_plain(struct super *sb, u32 mode)
{
	struct inode *i = kzalloc(sizeof(*i), GFP_KERNEL);

	if (i)
		inode_init(i, sb, mode);
	return i;
}

s64
inode_now(void)
{
	return (s64)ktime_get_coarse_real();
}

void
inode_touch_mtime(struct inode *i)
{
	s64 now = inode_now();

	/* Most writes come within one tick of the coarse clock: then nothing is written. */
	if (READ_ONCE(i->mtime) == now && READ_ONCE(i->ctime) == now)
		return;
	spin_lock(&i->lock);
	WRITE_ONCE(i->mtime, now);
	WRITE_ONCE(i->ctime, now);
	spin_unlock(&i->lock);
}

void
inode_touch_ctime(struct inode *i)
{
	s64 now = inode_now();

	if (READ_ONCE(i->ctime) == now)
		return;
	spin_lock(&i->lock);
	WRITE_ONCE(i->ctime, now);
	spin_unlock(&i->lock);
}

#define DAY_NS (86400 * (s64)NSEC_PER_SEC)

static bool
atime_wanted(const struct path *p, const struct inode *i, s64 now)
{
	u32 mf = READ_ONCE(p->mnt->flags);
	s64 atime = READ_ONCE(i->atime);

	if ((i->flags & INODE_NOATIME) || (mf & MOUNT_NOATIME) || mount_readonly(p->mnt))
		return false;
	if ((mf & MOUNT_NODIRATIME) && S_ISDIR(i->mode))
		return false;
	if (!(mf & MOUNT_RELATIME))
		return atime != now;
	return atime <= READ_ONCE(i->mtime) || atime <= READ_ONCE(i->ctime) ||
	       now - atime >= DAY_NS;
}

void
path_accessed(const struct path *p)
{
	struct inode *i = p->dentry->inode;
	s64 now = inode_now();

	if (!atime_wanted(p, i, now) || READ_ONCE(i->atime) == now)
		return;
	if (!mount_try_want_write(p->mnt))
		return;
	spin_lock(&i->lock);
	WRITE_ONCE(i->atime, now);
	spin_unlock(&i->lock);
	mount_drop_write(p->mnt);
}

void
file_accessed(struct file *f)
{
	if (!(READ_ONCE(f->flags) & O_NOATIME))
		path_accessed(&f->path);
}

void
inode_inc_nlink(struct inode *i)
{
	spin_lock(&i->lock);
	WRITE_ONCE(i->nlink, i->nlink + 1);
	spin_unlock(&i->lock);
}

void
inode_drop_nlink(struct inode *i, u32 n)
{
	spin_lock(&i->lock);
	WRITE_ONCE(i->nlink, i->nlink > n ? i->nlink - n : 0);
	spin_unlock(&i->lock);
}

/*
 * The reference of the name table goes through RCU, then the drained counts find
 * that nothing is left: file, dentry, inode, each after the one before. All CPUs
 * are asked several times, so whoever finds a settling under way waits, and one
 * that began after he came serves him.
 */
void
inode_settle_all(void)
{
	u64 seen = atomic_read(&settlings);

	mutex_lock(&settle_mutex);
	if (atomic_read(&settlings) == seen) {
		u64 start = ktime_get();

		atomic_inc(&settlings);
		rcu_barrier();
		ref_drain_depth(SETTLE_DEPTH);
		WRITE_ONCE(settle_next, ktime_get() + SETTLE_PAUSE * (ktime_get() - start));
	}
	mutex_unlock(&settle_mutex);
}

void
inode_settle_sometimes(void)
{
	if (ktime_get() >= READ_ONCE(settle_next))
		inode_settle_all();
}

void
inode_settle(bool watched)
{
	if (watched)
		inode_settle_all();
}

/*
 * Who opens for writing counts himself and looks for programs; who starts a program
 * forbids and looks for writers: one of the two sees the other. A program that finds
 * a writer takes back what it forbade before it lets go of the lock, so a writer that
 * was forbidden looks again under it.
 */
int
inode_get_write(struct inode *i)
{
	bool denied;

	tally_get(&i->writers);
	if (likely(!READ_ONCE(i->write_denied)))
		return 0;
	spin_lock(&i->lock);
	denied = i->write_denied != 0;
	spin_unlock(&i->lock);
	if (!denied)
		return 0;
	inode_put_write(i);
	return -ETXTBSY;
}

void
inode_put_write(struct inode *i)
{
	bool last = tally_put(&i->writers);

	DEBUG_ASSERT(!last);
}

int
inode_deny_write(struct inode *i)
{
	int err = 0;

	spin_lock(&i->lock);
	atomic_inc(&i->write_denied);
	if (tally_sum(&i->writers) > 1) {
		atomic_dec(&i->write_denied);
		err = -ETXTBSY;
	}
	spin_unlock(&i->lock);
	return err;
}

void
inode_allow_write(struct inode *i)
{
	spin_lock(&i->lock);
	atomic_dec(&i->write_denied);
	spin_unlock(&i->lock);
}
