/* SPDX-License-Identifier: BSD-2-Clause */
/* Inodes: life, numbers, times, the writers that ETXTBSY counts. */
#include "fs/atime.h"
#include "fs/locks.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/parts.h"
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

	/* Also without parts: a CPU that took the last one away may still have the lock. */
	inode_fold_slow(i);
	notify_inode_gone(i);
	atime_forget(i);
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
	i->btime = now;
	for (int t = 0; t < INODE_TIMES; t++)
		inode_set_time(i, t, now);
	ref_init(&i->ref, inode_release);
	tally_init(&i->writers, 1);
	tally_init(&i->deniers, 1);
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
	bool none = tally_put(&i->writers) && tally_put(&i->deniers);

	DEBUG_ASSERT(none && !i->parts);
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

/* May the CPU keep it? */
static bool
atime_to_slot(const struct path *p, const struct inode *i, s64 now)
{
	return !(READ_ONCE(p->mnt->flags) & MOUNT_RELATIME) && !S_ISLNK(READ_ONCE(i->mode)) &&
	       READ_ONCE(i->time[TIME_ACCESS]) <= now;
}

void
path_accessed(const struct path *p)
{
	struct inode *i = p->dentry->inode;
	u32 mf = READ_ONCE(p->mnt->flags);
	bool relative = mf & MOUNT_RELATIME;
	s64 now = inode_now();

	if ((i->flags & INODE_NOATIME) || (mf & MOUNT_NOATIME) || mount_readonly(p->mnt))
		return;
	if ((mf & MOUNT_NODIRATIME) && S_ISDIR(i->mode))
		return;
	if (relative && likely(!READ_ONCE(i->parts)) && !inode_access_counts(i, now))
		return;
	if (!mount_try_want_write(p->mnt))
		return;
	/* A walk follows a link without a reference: CPUs must not keep anything of it. */
	if (S_ISLNK(i->mode)) {
		spin_lock(&i->lock);
		inode_set_time(i, TIME_ACCESS, now);
		spin_unlock(&i->lock);
	} else if (atime_to_slot(p, i, now)) {
		atime_note(i, now);
	} else {
		inode_touch_access(i, relative);
	}
	mount_drop_write(p->mnt);
}

void
file_accessed(struct file *f)
{
	if (!(READ_ONCE(f->flags) & O_NOATIME))
		path_accessed(&f->path);
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
 *
 * Both are counted apart by CPU, and adding that up is slow: each side leaves a flag,
 * and only who sees the other's adds up. Who finds nothing takes the other's flag back:
 *
 *      writer                          program that finds no writer
 *      counts                          flag = 0
 *      flag is read, 1: stays          (full barrier)
 *                                      counts are added up again
 *      A writer that did not set the flag, because it was not taken back yet, has
 *      counted before and is found, and the flag comes back. A second program that
 *      reads the flag in between sees 0; but the first forbids all the while, with
 *      the lock held, so such a writer waits and then finds the second.
 */
static void
count_and_say(struct tally *t, bool *seen)
{
	tally_get(t);
	if (!READ_ONCE(*seen)) {
		WRITE_ONCE(*seen, true);
		smp_mb();
	}
}

static void
uncount(struct tally *t)
{
	bool last = tally_put(t);

	DEBUG_ASSERT(!last);
}

/* Are there any beside the one that belongs to the inode? ->lock held. */
static bool
counted(struct tally *t, bool *seen)
{
	if (tally_sum(t) > 1)
		return true;
	WRITE_ONCE(*seen, false);
	smp_mb();
	if (tally_sum(t) == 1)
		return false;
	WRITE_ONCE(*seen, true);
	return true;
}

int
inode_get_write(struct inode *i)
{
	bool denied;

	count_and_say(&i->writers, &i->writers_seen);
	if (likely(!READ_ONCE(i->deniers_seen)))
		return 0;
	spin_lock(&i->lock);
	denied = counted(&i->deniers, &i->deniers_seen);
	/* Under the lock: of the two that look at each other one wins. */
	if (denied)
		uncount(&i->writers);
	spin_unlock(&i->lock);
	return denied ? -ETXTBSY : 0;
}

void
inode_put_write(struct inode *i)
{
	uncount(&i->writers);
}

int
inode_deny_write(struct inode *i)
{
	bool written;

	count_and_say(&i->deniers, &i->deniers_seen);
	if (likely(!READ_ONCE(i->writers_seen)))
		return 0;
	spin_lock(&i->lock);
	written = counted(&i->writers, &i->writers_seen);
	if (written)
		uncount(&i->deniers);
	spin_unlock(&i->lock);
	return written ? -ETXTBSY : 0;
}

void
inode_deny_write_more(struct inode *i)
{
	count_and_say(&i->deniers, &i->deniers_seen);
}

void
inode_allow_write(struct inode *i)
{
	uncount(&i->deniers);
}
