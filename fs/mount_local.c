/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * New mounts that are made beside each other.
 *
 * Model: most mounts are of a new file system on a directory that has nothing
 * mounted on it, below a mount that is not shared. Of the tree only its own place
 * matters to such a one. mount_attach_local() enters it into the table that walks
 * read, and leaves the rest for later: the mount is *pending*, on the list of a
 * shard, which is this CPU's. What else changes the tree, and who shows it, takes
 * the tree lock; that closes all shards and links what is pending: below its
 * parent, by its mountpoint, in the list of the namespace.
 *
 * States of a shard: open; closed (by who holds the tree lock). With the tree
 * lock held nothing is pending, and nothing becomes so. A change that has only to
 * wait and to give back what it took out opens them earlier (mount_tree_open()).
 *
 * Order: the namespace lists mounts as they were made. A pending one has the time
 * for it (ns_seq), or what comes after its parent, if that is more, and after all
 * that were listed; so each is listed behind what it is mounted on.
 *
 * Two on the same place: D_MOUNTED is looked at and set in one hold of the
 * dentry's lock, so one of them finds it and takes the tree lock; that waits for
 * the other, which holds its shard until it is in the table.
 *
 * A parent that goes: to be detached needs the tree lock. Who has found the parent
 * attached, its shard being open, is pending before its shard can be closed, and a
 * child of the parent when it is.
 *
 * Room: a namespace may have mount_max mounts. It is counted with the tree lock
 * held; without it there must be room for all that may be pending.
 *
 * Locking: mount_mutex, then a shard's lock, then the dentry's or the lock of a
 * chain of the table. mount_lock is taken without a shard's.
 *
 * Rejected: a lock for readers and writers with a count a CPU (the first new mount
 * after a writer would go through what all share, and umounts are writers).
 */
#include "fs/mount_impl.h"
#include "kernel/time/clock.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"

/* One a CPU as far as they go. */
#define SHARDS 32u
/* What one may have; the next mount there takes the tree lock. */
#define PENDING_MAX 16u

struct mount_shard {
	struct spinlock lock __cacheline_aligned;
	/* (lock) */
	bool closed;
	/* (lock)  by ns_link, in the order of ns_seq */
	u32 nr_pending;
	struct list pending;
};

static LOCK_CLASS(shard_class, RANK_MOUNT_TABLE);
static struct mount_shard shards[SHARDS];
static unsigned int nr_shards __read_mostly;

bool mount_local_blind __read_mostly;

void
mount_local_init(void)
{
	nr_shards = min(nr_cpus, SHARDS);
	for (u32 i = 0; i < nr_shards; i++) {
		spin_init(&shards[i].lock, &shard_class);
		list_init(&shards[i].pending);
	}
}

/* --- the tree lock --- */

/* Moves what is pending in s to its place in `all`, which is in order too. */
static void
shard_close(struct mount_shard *s, struct list *all)
{
	struct mount *m, *tmp;
	struct list mine;

	list_init(&mine);
	spin_lock(&s->lock);
	s->closed = true;
	list_splice_tail_init(&s->pending, &mine);
	s->nr_pending = 0;
	spin_unlock(&s->lock);
	list_for_each_entry_safe(m, tmp, &mine, ns_link) {
		struct list *behind = all->prev;

		while (behind != all &&
		       container_of(behind, struct mount, ns_link)->ns_seq > m->ns_seq)
			behind = behind->prev;
		list_del(&m->ns_link);
		list_add(&m->ns_link, behind);
	}
}

/* With mount_mutex: the rest of the tree lock. */
static void
close_all(void)
{
	struct mount *m, *tmp;
	struct list all;

	list_init(&all);
	for (u32 i = 0; i < nr_shards; i++)
		shard_close(&shards[i], &all);
	if (list_empty(&all))
		return;
	spin_lock(&mount_lock);
	list_for_each_entry_safe(m, tmp, &all, ns_link) {
		list_del(&m->ns_link);
		mount_link_rest(m);
		mount_enter_list(m, m->ns_seq);
	}
	spin_unlock(&mount_lock);
}

void
mount_tree_lock(void)
{
	mutex_lock(&mount_mutex);
	close_all();
}

bool
mount_tree_try_lock(void)
{
	if (!mutex_try_lock(&mount_mutex))
		return false;
	close_all();
	return true;
}

void
mount_tree_open(void)
{
	for (u32 i = 0; i < nr_shards; i++) {
		spin_lock(&shards[i].lock);
		shards[i].closed = false;
		spin_unlock(&shards[i].lock);
	}
}

void
mount_tree_unlock_plain(void)
{
	if (shards[0].closed)
		mount_tree_open();
	mutex_unlock(&mount_mutex);
}

void
mount_tree_unlock(void)
{
	if (shards[0].closed)
		mount_tree_open();
	mount_mutex_unlock();
}

/* --- a new mount --- */

/* Makes d, which is no mount point, one. -ENOENT: it was removed; -EAGAIN: it is one. */
static int
mark_first(struct dentry *d)
{
	int err = 0;

	spin_lock(&d->lock);
	if (dentry_deleted(d) || (d->flags & (D_DEAD | D_DYING)))
		err = -ENOENT;
	else if ((d->flags & D_MOUNTED) && !mount_local_blind)
		err = -EAGAIN;
	else
		atomic_or(&d->flags, D_MOUNTED);
	spin_unlock(&d->lock);
	return err;
}

static bool
may_be_pending(const struct mount_shard *s, const struct path *where)
{
	return !s->closed && s->nr_pending < PENDING_MAX && !mount_shared(where->mnt) &&
	       current_mount_ns()->count + nr_shards * PENDING_MAX <= READ_ONCE(mount_max);
}

/* The shard's lock is held. */
static int
make_pending(struct mount_shard *s, struct mount *m, const struct path *where)
{
	struct mount_ns *ns = current_mount_ns();
	int err;

	if (!may_be_pending(s, where))
		return -EAGAIN;
	if (!mount_in_ns(where->mnt))
		return -EINVAL;
	err = mount_check_kinds(m->root, where->dentry);
	if (!err)
		err = mark_first(where->dentry);
	if (err)
		return err;
	m->ns = ns;
	m->ns_seq = max(ktime_get(), max(ns->last_seq, where->mnt->ns_seq) + 1);
	if (!list_empty(&s->pending))
		m->ns_seq = max(m->ns_seq, list_last(&s->pending, struct mount, ns_link)->ns_seq);
	WRITE_ONCE(m->attached, true);
	mount_place(m, where->mnt, where->dentry);
	list_add_tail(&m->ns_link, &s->pending);
	s->nr_pending++;
	return 0;
}

int
mount_attach_local(struct mount *m, const struct path *where)
{
	struct mount_shard *s = &shards[cpu_id() % nr_shards];
	int err;

	spin_lock(&s->lock);
	err = make_pending(s, m, where);
	spin_unlock(&s->lock);
	if (!err)
		waitq_wake_all(&current_mount_ns()->wait);
	return err;
}

u32
mount_local_pending(const struct mount_ns *ns)
{
	u32 n = 0;

	for (u32 i = 0; i < nr_shards; i++) {
		const struct mount *m;

		spin_lock(&shards[i].lock);
		list_for_each_entry(m, &shards[i].pending, ns_link)
			n += m->ns == ns;
		spin_unlock(&shards[i].lock);
	}
	return n;
}
