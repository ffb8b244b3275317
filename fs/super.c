/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Super blocks and the types of file systems.
 *
 * Ownership: ->active counts mounts (and types that keep their one instance). The
 * last one takes the tree of names down. ->ref is held by that and by each inode;
 * its release frees the super, some milliseconds later, with nobody waiting.
 *
 * Locking: the list of all supers is cut into shards, each with its lock; a super
 * is in the one of the CPU that made it. Device numbers come from per-CPU ranges.
 */
#include "fs/dcache.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "kernel/log.h"
#include "kernel/seq.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/idpool.h"

#define DEV_FIRST 1
#define DEV_COUNT ((1u << DEV_MINOR_BITS) - 1)

static LOCK_CLASS(super_lock_class, RANK_MOUNT_TABLE + 1);

struct super_shard {
	struct spinlock lock __cacheline_aligned;
	/* (lock) */
	struct list supers;
};

#define SUPER_SHARDS 32
static struct super_shard shards[SUPER_SHARDS];
/* Minors of the anonymous major 0. */
static struct idpool *minors __read_mostly;

void
super_init(void)
{
	for (u32 i = 0; i < SUPER_SHARDS; i++) {
		spin_init(&shards[i].lock, &super_lock_class);
		list_init(&shards[i].supers);
	}
	minors = idpool_create(DEV_FIRST, DEV_COUNT, 0);
	if (!minors)
		panic("no memory for the numbers of file systems");
}

static void
super_release(struct ref *r)
{
	struct super *sb = container_of(r, struct super, ref);

	if (sb->ops->kill)
		sb->ops->kill(sb);
	idpool_free(minors, DEV_MINOR(sb->dev));
	kfree(sb);
}

struct super *
super_create(const struct fs_type *t, const struct super_ops *ops, u32 flags)
{
	struct super *sb = kzalloc(sizeof(*sb), GFP_KERNEL);
	struct super_shard *s = &shards[cpu_id() % SUPER_SHARDS];
	s64 id;

	if (!sb)
		return err_ptr(-ENOMEM);
	id = idpool_alloc(minors);
	if (id < 0) {
		kfree(sb);
		return err_ptr(id == -EAGAIN ? -EMFILE : id);
	}
	sb->type = t;
	sb->ops = ops;
	sb->dev = DEV_MAKE(0, (u32)id);
	sb->flags = flags;
	sb->active = 1;
	sb->max_size = S64_MAX;
	ref_init(&sb->ref, super_release);
	sb->shard = s - shards;
	spin_lock(&s->lock);
	list_add_tail(&sb->link, &s->supers);
	spin_unlock(&s->lock);
	return sb;
}

struct super *
super_get(struct super *sb)
{
	atomic_inc(&sb->active);
	return sb;
}

bool
super_try_get(struct super *sb)
{
	return atomic_inc_not_zero(&sb->active);
}

void
super_put(struct super *sb)
{
	struct super_shard *s = &shards[sb->shard];
	struct dentry *root;

	if (!atomic_dec_and_test(&sb->active))
		return;
	spin_lock(&s->lock);
	list_del(&sb->link);
	spin_unlock(&s->lock);
	if (sb->ops->shutdown)
		sb->ops->shutdown(sb);
	if (sb->ops->sync)
		sb->ops->sync(sb);
	notify_super_gone(sb);
	root = sb->root;
	if (root) {
		dcache_shrink_tree(root);
		dentry_put(root);
	}
	ref_put(&sb->ref);
}

/* The first active super of a shard, behind `prev` unless that is NULL, with a use. */
static struct super *
shard_next(struct super_shard *s, const struct super *prev)
{
	struct super *sb, *found = NULL;
	bool past = prev == NULL;

	spin_lock(&s->lock);
	list_for_each_entry(sb, &s->supers, link) {
		if (past && super_try_get(sb)) {
			found = sb;
			break;
		}
		if (sb == prev)
			past = true;
	}
	spin_unlock(&s->lock);
	return found;
}

/* The first active super behind `prev` (whose use it drops), with a use; NULL at the end. */
static struct super *
super_next(struct super *prev)
{
	u32 i = prev ? prev->shard : 0;
	struct super *found = shard_next(&shards[i], prev);

	while (!found && ++i < SUPER_SHARDS)
		found = shard_next(&shards[i], NULL);
	if (prev)
		super_put(prev);
	return found;
}

void
super_sync_all(void)
{
	for (struct super *sb = super_next(NULL); sb; sb = super_next(sb)) {
		if (sb->ops->sync)
			sb->ops->sync(sb);
	}
}

struct super *
super_find(u32 dev)
{
	struct super *sb = super_next(NULL);

	while (sb && sb->dev != dev)
		sb = super_next(sb);
	return sb;
}

const struct fs_type *
fs_type_find(const char *name)
{
	const struct fs_type *t;

	for_each_registered(filesystems, t) {
		if (str_equal(t->name, name))
			return t;
	}
	return NULL;
}

int
fs_no_options(const char *key, const char *value)
{
	return -ENOENT;
}

void
fs_types_show(struct seq *s)
{
	const struct fs_type *t;

	for_each_registered(filesystems, t)
		seq_printf(s, "%s\t%s\n", t->needs_device ? "" : "nodev", t->name);
}
